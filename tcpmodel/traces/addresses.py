"""Addresses and ports as text: one spelling for every reader.

Owns: how an endpoint is printed (``10.0.0.1:80``, ``[2001:db8::1]:80``).
Must never hold: how headers are read.
"""

from __future__ import annotations


def ipv4_text(address: bytes) -> str:
    """Four octets in dotted decimal."""
    return f"{address[0]}.{address[1]}.{address[2]}.{address[3]}"


def ipv6_text(address: bytes) -> str:
    """Sixteen octets in the canonical form: lower case, the longest run of two or more zero groups as ``::``."""
    if address[:12] == b"\0\0\0\0\0\0\0\0\0\0\xff\xff":
        return "::ffff:" + ipv4_text(address[12:])
    groups = [address[at] << 8 | address[at + 1] for at in range(0, 16, 2)]
    best, best_length, at = 0, 1, 0
    while at < 8:
        run = at
        while run < 8 and groups[run] == 0:
            run += 1
        if run - at > best_length:
            best, best_length = at, run - at
        at = max(run, at + 1)
    words = [f"{group:x}" for group in groups]
    if best_length < 2:
        return ":".join(words)
    return ":".join(words[:best]) + "::" + ":".join(words[best + best_length :])


def endpoint_text(host: str, port: int | str) -> str:
    """Host and port as one word; an IPv6 address is put into brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def unmapped(host: str) -> str:
    """An IPv4 address written as an IPv4-mapped IPv6 address, as the IPv4 address that it is; others unchanged.

    The zone of an address (``fe80::1%eth0``) is that of one host, and is taken off.
    """
    if "%" in host:
        host = host.partition("%")[0] or host
    if host[:7].lower() == "::ffff:" and "." in host:
        return host[7:]
    return host


def packed(source: str, destination: str) -> bytes | None:
    """Both addresses as they stand in the header; None where they are names."""
    import socket

    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    try:
        return socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    except (OSError, ValueError):
        return None


def is_multicast(host: str) -> bool:
    """Whether a numeric address is a multicast address; False for host names."""
    if ":" in host:
        return host[:2].lower() == "ff" and len(host.split(":", 1)[0]) == 4
    first = host.split(".", 1)[0]
    return first.isdecimal() and len(first) == 3 and 224 <= int(first) <= 239
