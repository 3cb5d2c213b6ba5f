"""ICMP errors in the bytes of a capture: what they say, and about which packet.

Owns: the headers of ICMP and ICMPv6, which of their messages quote a packet, and what is read of the quote.
Must never hold: what an error means to the protocol that is quoted (that is the spec's), or how packets are framed.
"""

from __future__ import annotations

from struct import Struct

from tcpmodel.traces.addresses import endpoint_text, ipv4_text, ipv6_text
from tcpmodel.traces.captures.tunnels import PORTS
from tcpmodel.traces.records import ABOUT, ERRORS, Packet

ERRORS_4 = frozenset({3, 4, 11, 12})
ERRORS_6 = frozenset({1, 2, 3, 4})
"""The types of ICMP and of ICMPv6 that quote the packet that they are about."""
_EXTENSIONS = frozenset({0, 43, 44, 51, 60, 135})
_MOST_EXTENSIONS = 8

_half = Struct(">H").unpack_from
_word = Struct(">I").unpack_from


def icmp(
    buffer: bytes,
    at: int,
    end: int,
    reporter: bytes,
    number: int,
    time: int | None,
) -> Packet | str:
    """The ICMP message at ``at``, which ``reporter`` (4 or 16 octets) sent; ``end``: of the captured octets.

    Returns the reason as text if it is left out: it is no error, or does not quote what is needed to know about what
    it is.
    """
    version = 4 if len(reporter) == 4 else 6
    name = "ICMP" if version == 4 else "ICMPv6"
    if end - at < 8:
        return name
    kind, code = buffer[at], buffer[at + 1]
    if kind not in (ERRORS_4 if version == 4 else ERRORS_6):
        return name
    fields = {"icmp_type": kind, "icmp_code": code, "ip_version": version}
    if version == 4 and kind == 3 and code == 4:
        fields["mtu"] = _half(buffer, at + 6)[0]
    elif version == 6 and kind == 2:
        fields["mtu"] = _word(buffer, at + 4)[0]
    found = _quote_4(buffer, at + 8, end, fields) if version == 4 else _quote_6(buffer, at + 8, end, fields)
    if found is None:
        return f"{name} error that quotes too little"
    source, target, protocol, start = found
    if protocol not in ABOUT:
        return f"{name} error about something that is not TCP or UDP"
    if end - start < 4:
        return f"{name} error that quotes too little"
    from_port, to_port = _half(buffer, start)[0], _half(buffer, start + 2)[0]
    if protocol == 17 and to_port in PORTS:
        return f"{name} error about a tunnel"
    fields["about"] = protocol
    fields["source_port"], fields["destination_port"] = from_port, to_port
    fields["from_destination"] = 1 if reporter == target else 0
    fields["destination_multicast"] = 1 if is_group(target) else 0
    if end - start >= 8:
        if protocol == 17:
            fields["length"] = _half(buffer, start + 4)[0]
            fields["checksum"] = _half(buffer, start + 6)[0]
        else:
            fields["seq"] = _word(buffer, start + 4)[0]
    text = ipv4_text if version == 4 else ipv6_text
    addresses = endpoint_text(text(source), from_port), endpoint_text(text(target), to_port)
    return Packet(number, time, ERRORS, *addresses, 0, fields)


def is_group(address: bytes) -> bool:
    """Whether an address is multicast, or the broadcast address of every network."""
    if len(address) == 4:
        return 224 <= address[0] <= 239 or address == b"\xff\xff\xff\xff"
    return address[0] == 0xFF


Quote = tuple[bytes, bytes, int, int]
"""Source and destination address, protocol, and where the transport header begins."""


def _quote_4(buffer: bytes, at: int, end: int, fields: dict[str, int]) -> Quote | None:
    if end - at < 20:
        return None
    header = (buffer[at] & 0x0F) << 2
    if buffer[at] >> 4 != 4 or header < 20 or _half(buffer, at + 6)[0] & 0x1FFF:
        return None
    fields["ip_id"] = _half(buffer, at + 4)[0]
    return buffer[at + 12 : at + 16], buffer[at + 16 : at + 20], buffer[at + 9], at + header


def _quote_6(buffer: bytes, at: int, end: int, fields: dict[str, int]) -> Quote | None:
    if end - at < 40 or buffer[at] >> 4 != 6:
        return None
    protocol, start = buffer[at + 6], at + 40
    for _ in range(_MOST_EXTENSIONS):
        if protocol not in _EXTENSIONS:
            break
        if end - start < 8 or (protocol == 44 and _half(buffer, start + 2)[0] & 0xFFF8):
            return None
        if protocol == 44:
            length = 8
        else:
            length = (buffer[start + 1] + 2) << 2 if protocol == 51 else (buffer[start + 1] + 1) << 3
        protocol, start = buffer[start], start + length
    return buffer[at + 8 : at + 24], buffer[at + 24 : at + 40], protocol, start
