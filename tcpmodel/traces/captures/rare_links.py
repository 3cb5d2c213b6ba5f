"""Link layers that are met less often: wireless frames, packet filter logs, and headers that name another link layer.

Owns: their headers, and the names of what in them holds no IP.
Must never hold: the link layers of everyday captures (see ``link``), or the IP header.
"""

from __future__ import annotations

from struct import Struct

from tcpmodel.traces.captures.link import CUT, USUAL, Decoder, by_type
from tcpmodel.traces.captures.network import ipv4, ipv6
from tcpmodel.traces.captures.tunnels import Found

_little_half = Struct("<H").unpack_from
_little_word = Struct("<I").unpack_from
_big_half = Struct(">H").unpack_from
_big_word = Struct(">I").unpack_from

_IPV6_FAMILIES = frozenset({10, 24, 28, 30})
"""AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS."""


def _of_family(
    family: int, buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None
) -> Found:
    if at > end:
        return CUT
    if family == 2:
        return ipv4(buffer, at, end, original_end, number, time)
    if family in _IPV6_FAMILIES:
        return ipv6(buffer, at, end, original_end, number, time)
    return f"address family {family}"


# ---------------------------------------------------------------------------------------------------------- wireless

_TO_AND_FROM = 0x03
_MORE_FRAGMENTS = 0x04
_PROTECTED = 0x40
_ORDER = 0x80
_PADDED = 0x20  # of the flags of radiotap: header padded to four octets


def _wireless(
    buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None, *, padded: bool = False
) -> Found:
    """IEEE 802.11: data frames with a SNAP header (IEEE 802.11-2020 section 9.2 and 9.3.2)."""
    if end - at < 24:
        return CUT
    kind, flags = buffer[at], buffer[at + 1]
    if kind & 0x0C != 0x08:
        return "IEEE 802.11 management or control frame"
    if kind & 0x40:
        return "IEEE 802.11 frame without data"
    if flags & _PROTECTED:
        return "encrypted IEEE 802.11 frame"
    if flags & _MORE_FRAGMENTS or buffer[at + 22] & 0x0F:
        return "fragment of an IEEE 802.11 frame"
    size = 24 + (6 if flags & _TO_AND_FROM == _TO_AND_FROM else 0)
    if kind & 0x80:
        if end - at < size + 2:
            return CUT
        if buffer[at + size] & 0x80:
            return "aggregated IEEE 802.11 frame"
        size += 2 + (4 if flags & _ORDER else 0)
    if padded:
        size = (size + 3) & ~3
    at += size
    if end - at < 8:
        return CUT
    if buffer[at : at + 6] != b"\xaa\xaa\x03\x00\x00\x00":
        return "IEEE 802.11 frame without an Ethernet type"
    return by_type(_big_half(buffer, at + 6)[0], buffer, at + 8, end, original_end, number, time)


def _radiotap(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    if end - at < 8:
        return CUT
    length, present = _little_half(buffer, at + 2)[0], _little_word(buffer, at + 4)[0]
    body = at + length
    if length < 8 or body > end:
        return CUT
    words = 1
    while present >> 31 and at + 4 + 4 * words + 4 <= body:
        present = _little_word(buffer, at + 4 + 4 * words)[0]
        words += 1
    first = _little_word(buffer, at + 4)[0]
    place = at + 4 + 4 * words
    if first & 1:  # the time comes first, aligned to eight octets from the beginning of the header
        place = at + ((place - at + 7) & ~7) + 8
    padded = bool(first & 2) and place < body and bool(buffer[place] & _PADDED)
    return _wireless(buffer, body, end, original_end, number, time, padded=padded)


def _avs(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    if end - at < 8:
        return CUT
    return _wireless(buffer, at + _big_word(buffer, at + 4)[0], end, original_end, number, time)


def _prism(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    return _wireless(buffer, at + 144, end, original_end, number, time)


# ------------------------------------------------------------------------------------------ logs of packet filters


def _nflog(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """Linux netfilter log: fields of type and length in the byte order of the machine, one of them the packet."""
    if end - at < 8:
        return CUT
    family, place = buffer[at], at + 4
    half = _little_half
    if half(buffer, place)[0] > end - place or half(buffer, place)[0] < 4:
        half = _big_half
    while place + 4 <= end:
        length, kind = half(buffer, place)[0], half(buffer, place + 2)[0] & 0x7FFF
        if length < 4:
            return "netfilter log entry that is damaged"
        if kind == 9:
            cut = max(place + length - end, 0)
            whole = min(place + length, end)
            return _of_family(family, buffer, place + 4, whole, max(whole + cut, whole), number, time)
        place += (length + 3) & ~3
    return "netfilter log entry without a packet"


def _pflog(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """Log of the packet filter of the BSDs: its own length and the address family come first."""
    if end - at < 4:
        return CUT
    return _of_family(buffer[at + 1], buffer, at + ((buffer[at] + 3) & ~3), end, original_end, number, time)


def _enc(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """Packets of IPsec after decryption: address family in the byte order of the machine, SPI and flags."""
    if end - at < 12:
        return CUT
    return _of_family(buffer[at] or buffer[at + 3], buffer, at + 12, end, original_end, number, time)


# ----------------------------------------------------------------------------------------------------------- other


def _cisco_hdlc(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    if end - at < 4:
        return CUT
    return by_type(_big_half(buffer, at + 2)[0], buffer, at + 4, end, original_end, number, time)


def _pppoe(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    return by_type(0x8864, buffer, at, end, original_end, number, time)


def _of_link(link: int, buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    decoder = USUAL.get(link) or (RARE.get(link) if link not in _NESTED else None)
    if decoder is None:
        return f"link type {link} within another header"
    return decoder(buffer, at, end, original_end, number, time) if at <= end else CUT


def _pktap(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """Apple's packet tap: its own length, what kind of record it is, and the link type of what follows."""
    if end - at < 12:
        return CUT
    length, record, link = _little_word(buffer, at)[0], _little_word(buffer, at + 4)[0], _little_word(buffer, at + 8)[0]
    if record != 1:
        return "packet tap record without a packet"
    return _of_link(link, buffer, at + length, end, original_end, number, time)


def _ppi(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> Found:
    """Per-Packet Information: its own length, and the link type of what follows."""
    if end - at < 8:
        return CUT
    length, link = _little_half(buffer, at + 2)[0], _little_word(buffer, at + 4)[0]
    return _of_link(link, buffer, at + length, end, original_end, number, time)


_NESTED = frozenset({192, 258})

RARE: dict[int, Decoder] = {
    51: _pppoe,
    104: _cisco_hdlc,
    105: _wireless,
    109: _enc,
    117: _pflog,
    119: _prism,
    127: _radiotap,
    163: _avs,
    192: _ppi,
    239: _nflog,
    258: _pktap,
}
"""The link types that are read here, by their number in capture files."""

SUPPORTED = (
    "IEEE 802.11 (105, 119, 127, 163), PPPoE (51), Cisco HDLC (104), netfilter and packet filter logs (239, 117), "
    "IPsec enc (109), PPI (192), PKTAP (258)"
)
"""The same list for people."""
