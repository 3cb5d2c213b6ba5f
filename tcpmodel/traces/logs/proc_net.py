"""Rows of ``/proc/net/tcp``, ``tcp6``, ``udp`` and ``udp6`` of Linux.

Owns: the columns of these files, and their ways to write addresses and states in hexadecimal.
Must never hold: which rows belong to one listing (see ``snapshots``), or what a state means.
"""

from __future__ import annotations

import re

from tcpmodel.traces.addresses import endpoint_text, ipv4_text, ipv6_text, unmapped

HEADING = r"sl\s+local_address\s+rem(?:ote)?_address\s+st\s"

_ROW = re.compile(
    r"\s{0,8}\d{1,10}: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2})"
    r" [0-9A-F]{8}:[0-9A-F]{8} [0-9A-F]{2}:[0-9A-F]{8,16} [0-9A-F]{8} +\d+ +-?\d+ +\d+ \d+ [0-9A-Fa-f]+ ?(.*)$",
    re.ASCII,
)
_STATES = (
    "ESTAB",
    "SYN-SENT",
    "SYN-RECV",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "TIME-WAIT",
    "UNCONN",
    "CLOSE-WAIT",
    "LAST-ACK",
    "LISTEN",
    "CLOSING",
    "SYN-RECV",
)
"""The states by their numbers in include/net/tcp_states.h, from 1, in the words of ss."""


def parse(line: str) -> tuple[str, str, str, str] | None:
    """Protocol, both ends and state of a row; None if it is none. Addresses are read as little-endian machines write
    them."""
    found = _ROW.match(line)
    if found is None:
        return None
    state = int(found[5], 16)
    if not 1 <= state <= len(_STATES):
        return None
    # Rows of UDP end with the number of packets dropped; of TCP with nothing (waiting ones) or five numbers.
    protocol = "udp" if found[6].strip().isdecimal() else "tcp"
    return protocol, _end(found[1], found[2]), _end(found[3], found[4]), _STATES[state - 1]


def _end(host: str, port: str) -> str:
    octets = b"".join(bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8))
    text = ipv4_text(octets) if len(octets) == 4 else unmapped(ipv6_text(octets))
    return endpoint_text(text, int(port, 16))
