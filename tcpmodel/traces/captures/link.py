"""Link layers: from the start of a captured frame to the IP packet in it.

Owns: the link types that are read, their headers, VLAN tags, and the names of what is not IP.
Must never hold: the IP header or anything above it.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from tcpmodel.traces.captures.network import ip, ipv4, ipv6
from tcpmodel.traces.captures.transport import usual_tcp
from tcpmodel.traces.captures.tunnels import ETHERNET as ETHERNET_WITHIN
from tcpmodel.traces.captures.tunnels import MOST_DEEP, PPP, Found, Inner, Piece, mpls
from tcpmodel.traces.circumstances import TAGGED, odd
from tcpmodel.traces.records import ODD, Packet

Decoder = Callable[[bytes, int, int, int, int, int | None], Found]
"""buffer, start of the frame, end of the captured octets, end of the original frame, number, time in ns
-> a packet, what a tunnel carries, or the reason why there is neither."""

CUT = "cut before the end of the link header"

_half = Struct(">H").unpack_from
_ethernet_type = Struct(">12xH").unpack_from

_TAGS = frozenset({0x8100, 0x88A8, 0x9100, 0x9200, 0x9300})
_MOST_TAGS = 8
_TYPE_NAMES = {
    0x0806: "ARP",
    0x8035: "RARP",
    0x8808: "Ethernet flow control",
    0x8809: "LACP",
    0x8863: "PPPoE discovery",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x88E5: "MACsec",
    0x88F7: "PTP",
}


def by_type(kind: int, buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """What an Ethernet type announces at ``at``, behind any VLAN tags."""
    tag = 0
    for _ in range(_MOST_TAGS):
        if kind == 0x0800 or kind == 0x86DD:
            read = ipv4 if kind == 0x0800 else ipv6
            found = read(buffer, at, end, original_end, number, time)
            if tag:
                odd(found, tag)
            return found
        if kind not in _TAGS:
            break
        if end - at < 4:
            return CUT
        tag = tag or (_half(buffer, at)[0] & 0x0FFF) << 3 | TAGGED
        kind = _half(buffer, at + 2)[0]
        at += 4
    if kind == 0x8864:
        if end - at < 8:
            return CUT
        return _ppp_protocol(buffer, at + 6, end, original_end, number, time)
    if kind in (0x8847, 0x8848):
        return mpls(buffer, at, end, original_end)
    if kind == PPP:
        return _ppp(buffer, at, end, original_end, number, time)
    if kind <= 1500:
        return "IEEE 802.3 frame without IP"
    return _TYPE_NAMES.get(kind) or f"Ethernet type 0x{kind:04x}"


def within(inner: Inner, buffer: bytes, number: int, time: int | None) -> tuple[Packet | str, str]:
    """The packet within one or more tunnels, or the reason why there is none; and the tunnels, outermost first."""
    names = inner.tunnel
    for _ in range(MOST_DEEP):
        kind, at, end, original_end, _tunnel = inner
        if kind == ETHERNET_WITHIN:
            found = _ethernet(buffer, at, end, original_end, number, time)
        else:
            found = by_type(kind, buffer, at, end, original_end, number, time)
        if isinstance(found, Piece):
            return found, names
        if isinstance(found, str):
            return f"{found} in {inner.tunnel}", names
        if isinstance(found, Packet):
            return found, names
        inner = found
        names += f", {inner.tunnel}"
    return "more tunnels within each other than are opened", names


def _ethernet(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    if end - at < 14:
        return CUT
    kind = _ethernet_type(buffer, at)[0]
    if kind == 0x0800:
        if end - at >= 66:
            found = usual_tcp(buffer, at, end, number, time)
            if found is not None:
                return found
        return ipv4(buffer, at + 14, end, original_end, number, time)
    return by_type(kind, buffer, at + 14, end, original_end, number, time)


_LONGEST = 1 << 17
"""More octets than a frame has that is known to hold such a packet."""


def packet_in(buffer: bytes, at: int, end: int, number: int, time: int | None) -> Packet:
    """The packet in an Ethernet frame that is known to hold one, which is whole but for its text."""
    found = _ethernet(buffer, at, end, at + _LONGEST, number, time)
    assert isinstance(found, Packet)
    found.fields.pop(ODD, None)
    return found


def _cooked(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    if end - at < 16:
        return CUT
    if _half(buffer, at + 2)[0] in _NOT_ETHERNET_TYPED:
        return "Linux cooked frame without an Ethernet type"
    found = by_type(_half(buffer, at + 14)[0], buffer, at + 16, end, original_end, number, time)
    return _directed(found, _half(buffer, at)[0])


def _cooked2(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    if end - at < 20:
        return CUT
    if _half(buffer, at + 8)[0] in _NOT_ETHERNET_TYPED:
        return "Linux cooked frame without an Ethernet type"
    found = by_type(_half(buffer, at)[0], buffer, at + 20, end, original_end, number, time)
    return _directed(found, buffer[at + 10])


def _directed(found: Found, kind: int) -> Found:
    """A cooked frame says whether it was for this host (0) or sent by it (4)."""
    if kind in (0, 4) and isinstance(found, Packet):
        found.fields["outgoing"] = kind >> 2
    return found


_NOT_ETHERNET_TYPED = frozenset({824, 803})  # netlink and radiotap put other things where the type would be


def _family(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """Null and loopback: four octets of address family, in the byte order of the machine that captured."""
    if end - at < 4:
        return CUT
    # A family is below 256, so exactly one octet is not zero, at either end.
    family = buffer[at] or buffer[at + 3]
    if family == 2:
        return ipv4(buffer, at + 4, end, original_end, number, time)
    if family in (10, 24, 28, 30):
        return ipv6(buffer, at + 4, end, original_end, number, time)
    return f"address family {family}"


def _ppp_protocol(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    if end - at < 2:
        return CUT
    protocol = buffer[at]
    at += 1
    if not protocol & 1:
        protocol = protocol << 8 | buffer[at]
        at += 1
    if protocol == 0x21:
        return ipv4(buffer, at, end, original_end, number, time)
    if protocol == 0x57:
        return ipv6(buffer, at, end, original_end, number, time)
    return f"PPP protocol 0x{protocol:04x}"


def _ppp(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    if buffer[at : min(at + 2, end)] == b"\xff\x03":
        at += 2
    return _ppp_protocol(buffer, at, end, original_end, number, time)


USUAL: dict[int, Decoder] = {
    0: _family,
    1: _ethernet,
    9: _ppp,
    12: ip,
    14: ip,
    50: _ppp,
    101: ip,
    108: _family,
    113: _cooked,
    228: ipv4,
    229: ipv6,
    276: _cooked2,
}
"""The link types that are read here, by their number in capture files."""

ETHERNET = 1
"""The number of the commonest link type."""

SUPPORTED = (
    "Ethernet (1), null and loopback (0, 108), raw IP (12, 14, 101, 228, 229), PPP (9, 50), "
    "Linux cooked capture (113, 276)"
)
"""The same list for people."""
