"""IPv4 and IPv6 packets in the bytes of a capture: finds the transport header and how many octets IP carried.

Owns: both IP headers, IPv6 extension headers, fragments, the lengths that offloading leaves at zero.
Must never hold: link layers or transport headers.
"""

from __future__ import annotations

from struct import Struct

from tcpmodel.traces.captures.icmp import icmp
from tcpmodel.traces.captures.transport import CUT, tcp, udp
from tcpmodel.traces.captures.tunnels import IPV4, IPV6, PORTS, Found, Inner, Piece, gre, mpls, over_udp, piece
from tcpmodel.traces.circumstances import LENGTHLESS, PADDED, odd

_ipv4_header = Struct(">BxHHHBB").unpack_from
_ipv6_header = Struct(">IHBB").unpack_from
_word = Struct(">I").unpack_from
_half = Struct(">H").unpack_from

_NAMES = {
    2: "IGMP",
    33: "DCCP",
    50: "ESP",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
    136: "UDP-Lite",
}
_EXTENSIONS = frozenset({0, 43, 60, 51, 135, 139, 140})
_MOST_EXTENSIONS = 16


DAMAGED = "damaged: IPv4 is longer than its frame, and the checksum of its header does not fit"


def _other(protocol: int) -> str:
    name = _NAMES.get(protocol)
    return name if name is not None else f"not TCP or UDP: protocol {protocol}"


def _carried(protocol: int, buffer: bytes, at: int, end: int, stop: int) -> Inner | str:
    """What IP carries that is neither TCP nor UDP: another packet, or something that is not read."""
    if protocol == 4:
        return Inner(IPV4, at, end, stop, "IP in IP")
    if protocol == 41:
        return Inner(IPV6, at, end, stop, "IP in IP")
    if protocol == 47:
        return gre(buffer, at, end, stop)
    if protocol == 137:
        return mpls(buffer, at, end, stop)
    return _other(protocol)


def ipv4(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None, length: int = 0) -> Found:
    """The IPv4 packet at ``at``. ``end``: end of the captured octets; ``original_end``: where the frame itself ended.

    ``length`` takes the place of a length of 0. Returns the reason as text if the packet has to be left out.
    """
    if end - at < 20:
        return CUT
    version, total, ip_id, fragment, ttl, protocol = _ipv4_header(buffer, at)
    header = (version & 0x0F) << 2
    if version >> 4 != 4 or header < 20:
        return "IPv4 header is broken"
    if total == 0:
        if not length:
            # Segmentation offload: the interface fills in the length after the capture point.
            found = ipv4(buffer, at, end, original_end, number, time, original_end - at)
            odd(found, LENGTHLESS)
            return found
        total = length
    if total < header:
        return "IPv4 header is broken"
    if at + total < end:
        found = ipv4(buffer, at, at + total, original_end, number, time, length)
        odd(found, PADDED)
        return found
    if at + total > original_end and _spoiled(buffer[at : at + header]):
        return DAMAGED
    if fragment & 0x3FFF:
        return _piece4(buffer, at, at + header, end, at + total)
    if protocol == 6:
        return tcp(buffer, at + header, end, total - header, buffer[at + 12 : at + 20], ttl, ip_id, number, time)
    if protocol == 51 and end - at >= header + 2:
        protocol = buffer[at + header]
        header += (buffer[at + header + 1] + 2) << 2
        if header > total:
            return "IPv4 header is broken"
        if protocol == 6:
            return tcp(buffer, at + header, end, total - header, buffer[at + 12 : at + 20], ttl, ip_id, number, time)
    if protocol == 17:
        if end - at >= header + 8 and (port := _half(buffer, at + header + 2)[0]) in PORTS:
            inner = over_udp(port, buffer, at + header + 8, end, at + total)
            if inner is not None:
                return inner
        return udp(buffer, at + header, end, total - header, buffer[at + 12 : at + 20], ttl, ip_id, number, time)
    if protocol == 1:
        return icmp(buffer, at + header, end, buffer[at + 12 : at + 16], number, time)
    return _carried(protocol, buffer, at + header, end, at + total)


def _spoiled(header: bytes) -> bool:
    """Is there a header checksum, and does it not fit?"""
    return header[10:12] != b"\0\0" and int.from_bytes(header, "big") % 0xFFFF != 0


def _piece4(buffer: bytes, at: int, start: int, end: int, stop: int) -> Found:
    _, _, ip_id, fragment, ttl, protocol = _ipv4_header(buffer, at)
    last = not fragment & 0x2000
    if stop <= start or (not last and (stop - start) & 7):
        return "IPv4 fragment of an impossible length"
    offset = (fragment & 0x1FFF) << 3
    data = buffer[start : max(start, end)]
    return piece(buffer[at + 12 : at + 20], protocol, ip_id, ttl, offset, stop - start, last, data)


def whole(first: Piece, buffer: bytes, end: int, length: int, number: int, time: int | None) -> Found:
    """What a packet that was put together carries: ``buffer`` holds ``end`` of its ``length`` octets.

    ``first`` is its first piece. The result is as that of ``ipv4``.
    """
    addresses, protocol, ttl = first.addresses, first.protocol, first.ttl
    if len(addresses) == 32:
        return _carried6(protocol, buffer, 0, end, length, addresses, ttl, number, time)
    if protocol == 6:
        return tcp(buffer, 0, end, length, addresses, ttl, first.ident, number, time)
    if protocol == 17:
        if end >= 8 and (port := _half(buffer, 2)[0]) in PORTS:
            inner = over_udp(port, buffer, 8, end, length)
            if inner is not None:
                return inner
        return udp(buffer, 0, end, length, addresses, ttl, first.ident, number, time)
    if protocol == 1:
        return icmp(buffer, 0, end, addresses[:4], number, time)
    return _carried(protocol, buffer, 0, end, length)


def ipv6(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """The IPv6 packet at ``at``; arguments and result as for ``ipv4``."""
    if end - at < 40:
        return CUT
    first, carried, protocol, ttl = _ipv6_header(buffer, at)
    if first >> 28 != 6:
        return "IPv6 header is broken"
    addresses = buffer[at + 8 : at + 40]
    start = at + 40
    strange = 0
    if carried == 0:
        # A jumbogram says its length in a hop-by-hop option; offloading may leave both at zero.
        carried = _jumbo_length(buffer, start, end) if protocol == 0 else 0
        if not carried:
            carried, strange = max(0, original_end - start), LENGTHLESS
    stop = start + carried
    if stop < end:
        end, strange = stop, strange | PADDED
    found = _carried6(protocol, buffer, start, end, stop, addresses, ttl, number, time)
    if strange:
        odd(found, strange)
    return found


def _carried6(
    protocol: int,
    buffer: bytes,
    start: int,
    end: int,
    stop: int,
    addresses: bytes,
    ttl: int,
    number: int,
    time: int | None,
) -> Found:
    """What stands behind the header of IPv6 and its extensions."""
    for _ in range(_MOST_EXTENSIONS):
        if protocol == 6:
            return tcp(buffer, start, end, stop - start, addresses, ttl, -1, number, time)
        if protocol == 17:
            if end - start >= 8 and (port := _half(buffer, start + 2)[0]) in PORTS:
                inner = over_udp(port, buffer, start + 8, end, stop)
                if inner is not None:
                    return inner
            return udp(buffer, start, end, stop - start, addresses, ttl, -1, number, time)
        if protocol == 44:
            if end - start < 8:
                return CUT
            place = _half(buffer, start + 2)[0]
            if place & 0xFFF9:
                length, last = stop - start - 8, not place & 1
                if length <= 0 or (not last and length & 7):
                    return "IPv6 fragment of an impossible length"
                ident, data = _word(buffer, start + 4)[0], buffer[start + 8 : max(start + 8, end)]
                return piece(addresses, buffer[start], ident, ttl, place & 0xFFF8, length, last, data)
            protocol = buffer[start]
            start += 8
        elif protocol == 58:
            return icmp(buffer, start, end, addresses[:16], number, time)
        elif protocol in _EXTENSIONS:
            if end - start < 2:
                return CUT
            length = (buffer[start + 1] + 2) << 2 if protocol == 51 else (buffer[start + 1] + 1) << 3
            protocol = buffer[start]
            start += length
            if start > stop:
                return "IPv6 extension header is broken"
        elif protocol == 59:
            return "IPv6 without a transport header"
        else:
            return _carried(protocol, buffer, start, end, stop)
    return "more IPv6 extension headers than are read"


def _jumbo_length(buffer: bytes, start: int, end: int) -> int:
    if end - start < 8:
        return 0
    stop = min(end, start + ((buffer[start + 1] + 1) << 3))
    at = start + 2
    while at + 1 < stop:
        kind = buffer[at]
        if kind == 0:
            at += 1
        elif kind == 0xC2 and buffer[at + 1] == 4 and at + 6 <= stop:
            length: int = _word(buffer, at + 2)[0]
            return length
        else:
            at += 2 + buffer[at + 1]
    return 0


def ip(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """An IP packet of either version, told by its first half octet."""
    if at >= end:
        return CUT
    version = buffer[at] >> 4
    if version == 4:
        return ipv4(buffer, at, end, original_end, number, time)
    if version == 6:
        return ipv6(buffer, at, end, original_end, number, time)
    return f"IP version {version}"
