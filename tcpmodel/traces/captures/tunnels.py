"""Tunnels: from the header of an encapsulation to the packet that it carries.

Owns: GRE (with NVGRE and ERSPAN), VXLAN, Geneve, GTP-U, MPLS and IP in IP: where the inner packet begins and of which
Ethernet type it is.
Must never hold: link layers, IP headers, or what is done with the inner packet.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from tcpmodel.traces.records import Packet

CUT = "cut within a tunnel header"

ETHERNET = 0x6558
"""The Ethernet type that stands for a whole Ethernet frame."""

IPV4, IPV6, PPP = 0x0800, 0x86DD, 0x880B

MOST_DEEP = 8
"""So many tunnels within each other are opened."""

_half = Struct(">H").unpack_from
_word = Struct(">I").unpack_from


class Inner(NamedTuple):
    """What a tunnel carries: its Ethernet type, where it begins and where the outer packet says that it ends."""

    kind: int
    at: int
    end: int
    original_end: int
    tunnel: str


class Piece(str):
    """A fragment of an IP packet; as text, it is the reason why there is no packet yet.

    ``protocol`` is what the whole packet carries (of the first piece; it may differ in others). ``data`` are the octets
    that were captured of the ``length`` that it has.
    """

    __slots__ = ("addresses", "data", "ident", "key", "last", "length", "offset", "protocol", "ttl")

    addresses: bytes
    protocol: int
    ident: int
    key: tuple[bytes, int, int]
    ttl: int
    offset: int
    length: int
    last: bool
    data: bytes


def piece(
    addresses: bytes, protocol: int, ident: int, ttl: int, offset: int, length: int, last: bool, data: bytes
) -> Piece:
    """The fragment with these properties; those of IPv6 belong together whatever protocol they tell."""
    made = Piece("IPv4 fragment" if len(addresses) == 8 else "IPv6 fragment")
    made.addresses, made.protocol, made.ident, made.ttl = addresses, protocol, ident, ttl
    made.key = (addresses, ident, protocol if len(addresses) == 8 else -1)
    made.offset, made.length, made.last, made.data = offset, length, last, data
    return made


Found = Packet | Inner | str
"""What is found in a packet: a packet to judge, what a tunnel carries, or the reason why there is neither."""


def gre(buffer: bytes, at: int, end: int, original_end: int) -> Inner | str:
    """GRE (RFC 2784, RFC 2890) and its variant for PPTP (RFC 2637)."""
    if end - at < 4:
        return CUT
    flags, kind = _half(buffer, at)[0], _half(buffer, at + 2)[0]
    version = flags & 7
    if version > 1 or flags & 0x4000:
        return "GRE of an unknown kind"
    sequenced = flags & 0x1000
    start = at + 4 + (4 if flags & 0x8000 else 0) + (4 if flags & 0x2000 else 0) + (4 if sequenced else 0)
    if version == 1:
        start += 4 if flags & 0x0080 else 0
        if not sequenced:
            return "GRE without payload"
    if kind == 0x88BE:  # ERSPAN: type I has no sequence number and no header of its own, type II has both
        kind, start = ETHERNET, start + (8 if sequenced else 0)
    elif kind == 0x22EB:
        if end < start + 12:
            return CUT
        kind, start = ETHERNET, start + 12 + (8 if buffer[start + 11] & 1 else 0)
    return Inner(kind, start, end, original_end, "GRE") if start < end else CUT


def mpls(buffer: bytes, at: int, end: int, original_end: int) -> Inner | str:
    """A stack of MPLS labels; what it carries is told by its first half octet, as routers do."""
    while end - at >= 4:
        bottom = buffer[at + 2] & 1
        at += 4
        if bottom:
            if at >= end:
                return CUT
            version = buffer[at] >> 4
            if version == 4:
                return Inner(IPV4, at, end, original_end, "MPLS")
            if version == 6:
                return Inner(IPV6, at, end, original_end, "MPLS")
            if version == 0 and end - at >= 4:  # the control word of a pseudowire
                return Inner(ETHERNET, at + 4, end, original_end, "MPLS")
            return "MPLS without IP"
    return CUT


def over_udp(port: int, buffer: bytes, at: int, end: int, original_end: int) -> Inner | None:
    """What a datagram to ``port`` carries, ``at`` being the end of its header; None unless it is a tunnel."""
    reader = _PORTS.get(port)
    return reader(buffer, at, end, original_end) if reader is not None else None


def _vxlan(buffer: bytes, at: int, end: int, original_end: int) -> Inner | None:
    # The flag for a valid network identifier is set; what is reserved behind the identifier is zero.
    if end - at < 22 or buffer[at] & 0x7F != 0x08 or buffer[at + 7]:
        return None
    return Inner(ETHERNET, at + 8, end, original_end, "VXLAN")


def _geneve(buffer: bytes, at: int, end: int, original_end: int) -> Inner | None:
    if end - at < 9 or buffer[at] >> 6 or buffer[at + 1] & 0x3F or buffer[at + 7]:
        return None
    kind, start = _half(buffer, at + 2)[0], at + 8 + ((buffer[at] & 0x3F) << 2)
    if kind not in (ETHERNET, IPV4, IPV6) or start >= end:
        return None
    return Inner(kind, start, end, original_end, "Geneve")


def _gtp(buffer: bytes, at: int, end: int, original_end: int) -> Inner | None:
    """GTP-U: version 1, a message that carries a packet, any extension headers."""
    if end - at < 9 or buffer[at] & 0xF0 != 0x30 or buffer[at + 1] != 0xFF:
        return None
    start = at + 8
    if buffer[at] & 7:
        start += 4
        kind = buffer[start - 1] if buffer[at] & 4 and start <= end else 0
        while kind:
            if start >= end or not buffer[start]:
                return None
            start += buffer[start] << 2
            if start > end:
                return None
            kind = buffer[start - 1]
    if start >= end:
        return None
    version = buffer[start] >> 4
    if version not in (4, 6):
        return None
    return Inner(IPV4 if version == 4 else IPV6, start, end, original_end, "GTP-U")


_PORTS = {4789: _vxlan, 8472: _vxlan, 6081: _geneve, 2152: _gtp}
"""The destination ports of tunnels over UDP, by IANA; 8472 is what Linux took for VXLAN before there was one."""

PORTS = frozenset(_PORTS)
