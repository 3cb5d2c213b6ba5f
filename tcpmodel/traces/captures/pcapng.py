"""The pcapng capture format: sections, interfaces and packet blocks.

Owns: blocks, byte order and clock of each section and interface, and what is wrong with a damaged file.
Must never hold: what is inside a frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import NamedTuple, NoReturn

from tcpmodel.traces.captures.circumstances import CLOCK, CUT, DROPPED, INTERFACES, TUNNELS, Circumstances
from tcpmodel.traces.captures.fragments import Fragments
from tcpmodel.traces.captures.link import ETHERNET, USUAL, Decoder, within
from tcpmodel.traces.captures.link_types import DECODERS, SUPPORTED
from tcpmodel.traces.captures.tunnels import Inner, Piece
from tcpmodel.traces.records import ODD, Framing, Packet, Record, Skipped, Take, TraceError
from tcpmodel.traces.source import Source

MAGIC = b"\x0a\x0d\x0d\x0a"
"""The first four octets of a file, the same in both byte orders."""

_LARGEST_BLOCK = 1 << 24
_MOST_INTERFACES = 1 << 16

_SECTION = 0x0A0D0D0A
_INTERFACE = 1
_OLD_PACKET = 2
_SIMPLE_PACKET = 3
_STATISTICS = 5
_ENHANCED_PACKET = 6

_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}


class _Interface(NamedTuple):
    link: int
    decode: Decoder | None
    snaplen: int
    units_per_second: int
    offset: int  # nanoseconds


class _Buffer:
    """The part of the file that is looked at, and its place in the file."""

    __slots__ = ("at", "data", "read", "start")

    def __init__(self, source: Source) -> None:
        self.read = source.read
        self.data = b""
        self.start = 0
        self.at = 0

    def need(self, octets: int) -> bool:
        """Make ``octets`` available at ``at``; False when the file ends before."""
        if len(self.data) - self.at >= octets:
            return True
        parts = [self.data[self.at :]]
        have = len(parts[0])
        self.start += self.at
        self.at = 0
        while have < octets:
            block = self.read()
            if not block:
                break
            parts.append(block)
            have += len(block)
        self.data = b"".join(parts)
        return have >= octets

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    @property
    def offset(self) -> int:
        """Where in the file ``at`` is."""
        return self.start + self.at


class PcapngTrace:
    """One pcapng file. See ``tcpmodel.traces.records.Trace``."""

    format = "pcapng"
    counts_lines = False
    source = ""

    def __init__(self, source: Source, decoders: Mapping[int, Decoder] = DECODERS) -> None:
        self.path = source.path
        self._decoders = decoders
        self.skipped = Skipped()
        self.circumstances = Circumstances()
        self._source = source
        self._take: Take | None = None

    def offer(self, take: Take) -> None:
        """Have ``take`` look at the packets before they are read here; it leaves those that it does not take."""
        self._take = take

    def records(self) -> Iterator[Record]:
        """All TCP and UDP packets in order; TraceError, after what was readable, where the file is cut or damaged.

        One that was put together from fragments has the number and time of the piece that made it whole.
        """
        pieces = Fragments(self.skipped, self.circumstances)
        try:
            yield from self._records(pieces)
        finally:
            pieces.finish()
            self.circumstances.finish()

    def _records(self, pieces: Fragments) -> Iterator[Record]:
        buffer = _Buffer(self._source)
        order = ">"
        head = Struct(">II").unpack_from
        enhanced = Struct(">IIIII").unpack_from
        interfaces: list[_Interface] = []
        number = 0
        unknown: set[int] = set()
        understood = False
        skip = self.skipped.add
        met, look, ways = self.circumstances.add, self.circumstances.look, self.circumstances.ways
        lasts: dict[int, int] = {}
        used: dict[int, int] = {}
        dropped: dict[int, int] = {}
        framing = Framing("", 0, 0, 0, True)
        while buffer.need(1):
            if self._take is not None and not ways and len(interfaces) == 1 and 0 in lasts and framing.unit:
                taken = self._take(buffer.data, buffer.at, len(buffer.data), number, lasts[0], framing)
                buffer.at, number, lasts[0] = taken.at, taken.number, taken.last
                self.circumstances.note(taken)
                if not buffer.need(1):
                    break
            if not buffer.need(12):
                self._cut(buffer, 12)
            kind, length = head(buffer.data, buffer.at)
            if kind == _SECTION:
                found_order = _ORDERS.get(buffer.data[buffer.at + 8 : buffer.at + 12])
                if found_order is None:
                    self._damaged(buffer, "the section header has no byte-order magic")
                order = found_order
                head = Struct(order + "II").unpack_from
                enhanced = Struct(order + "IIIII").unpack_from
                interfaces = []
                kind, length = head(buffer.data, buffer.at)
            if length < 12 or length & 3:
                self._damaged(buffer, f"a block says that it is {length} octets long")
            if length > _LARGEST_BLOCK:
                self._damaged(buffer, f"a block claims {length} octets, more than the {_LARGEST_BLOCK} that are read")
            if not buffer.need(length):
                self._cut(buffer, length)
            data, at = buffer.data, buffer.at
            last = at + length - 4
            if data[last : last + 4] != data[at + 4 : at + 8]:
                self._damaged(buffer, "the two lengths of a block differ")
            if kind in (_ENHANCED_PACKET, _OLD_PACKET, _SIMPLE_PACKET):
                number += 1
                body, ticks = at + 28, -1
                which = 0
                if kind == _SIMPLE_PACKET:
                    if length < 16:
                        self._damaged(buffer, "a simple packet block is too short")
                    body = at + 12
                    original = head(data, at + 4)[1]
                    captured = min(original, last - body)
                    if interfaces and interfaces[0].snaplen:
                        captured = min(captured, interfaces[0].snaplen)
                elif length < 32:
                    self._damaged(buffer, "a packet block is too short")
                else:
                    which, high, low, captured, original = enhanced(data, at + 8)
                    if kind == _OLD_PACKET:
                        which = which >> 16 if order == ">" else which & 0xFFFF
                    ticks = high << 32 | low
                end = body + captured
                if end > last:
                    self._damaged(buffer, f"packet {number} claims {captured} octets, more than its block holds")
                if which >= len(interfaces):
                    self._damaged(buffer, f"packet {number} belongs to interface {which}, which was not described")
                interface = interfaces[which]
                if interface.decode is None:
                    unknown.add(interface.link)
                    skip(f"unknown link type {interface.link}")
                else:
                    understood = True
                    time = None
                    if ticks >= 0:
                        time = ticks * 1_000_000_000 // interface.units_per_second + interface.offset
                    found = interface.decode(data, body, end, body + max(original, captured), number, time)
                    if original > captured:
                        met(CUT, number)
                    if time is not None:
                        if time < lasts.get(which, time):
                            met(CLOCK, number)
                        lasts[which] = time
                    if which not in used:
                        used[which] = number
                    names = ""
                    if isinstance(found, Inner):
                        found, names = within(found, data, number, time)
                        met((TUNNELS[0], TUNNELS[1].format(names)), number)
                    whole = pieces.take(found, number, time) if isinstance(found, Piece) else found
                    if isinstance(whole, str):
                        skip(whole)
                    elif whole is not None:
                        if names or ways or ODD in whole.fields:
                            look(whole, names)
                        if kind == _ENHANCED_PACKET and end + 8 <= last:
                            _direct(whole, data, end + (-captured & 3), last, order)
                        yield whole
            elif kind == _INTERFACE:
                if length < 20:
                    self._damaged(buffer, "an interface description is too short")
                if len(interfaces) >= _MOST_INTERFACES:
                    self._damaged(buffer, f"more than {_MOST_INTERFACES} interfaces in one section")
                interfaces.append(_interface(data, at, last, order, self._decoders))
                framing = _framing(interfaces[0], order)
            elif kind == _STATISTICS and length >= 24:
                which = head(data, at + 8)[0]
                if which < len(interfaces):
                    dropped[which] = _dropped(data, at, last, order)
            buffer.at = at + length
        if len(used) > 1:
            met(INTERFACES, sorted(used.values())[1], len(used))
        if any(dropped.values()):
            met(DROPPED, 1, sum(dropped.values()))
        if unknown and not understood:
            names = ", ".join(str(link) for link in sorted(unknown))
            raise TraceError(self.path, "", f"unknown link type {names}; the link types that can be read: {SUPPORTED}")

    def _damaged(self, buffer: _Buffer, what: str) -> NoReturn:
        raise TraceError(self.path, f"byte offset {buffer.offset}", f"{what}; the file is damaged here")

    def _cut(self, buffer: _Buffer, wanted: int) -> NoReturn:
        raise TraceError(
            self.path,
            f"byte offset {buffer.offset}",
            f"the file ends within a block: {buffer.left} of {wanted} octets are there; "
            "the capture was probably still being written or not copied completely",
        )


def _interface(data: bytes, at: int, last: int, order: str, decoders: Mapping[int, Decoder]) -> _Interface:
    """An interface description block at ``at``; its options end at ``last``."""
    link, snaplen = Struct(order + "HxxI").unpack_from(data, at + 8)
    option = Struct(order + "HH").unpack_from
    units, offset = 1_000_000, 0
    at += 16
    while at + 4 <= last:
        code, length = option(data, at)
        value = data[at + 4 : min(at + 4 + length, last)]
        if code == 0:
            break
        if code == 9 and len(value) >= 1:
            units = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == 14 and len(value) >= 8:
            offset = Struct(order + "q").unpack_from(value)[0] * 1_000_000_000
        at += 4 + (length + 3 & ~3)
    return _Interface(link, decoders.get(link), snaplen, units, offset)


def _framing(interface: _Interface, order: str) -> Framing:
    """How packets of the only interface lie in the file; with no unit if they cannot be taken as they are."""
    plain = interface.decode is USUAL[ETHERNET] and 1_000_000_000 % interface.units_per_second == 0
    unit = 1_000_000_000 // interface.units_per_second if plain else 0
    return Framing(order, unit, interface.offset, _LARGEST_BLOCK, True)


def _dropped(data: bytes, at: int, last: int, order: str) -> int:
    """How many packets the statistics at ``at`` say that the interface and the system dropped."""
    option = Struct(order + "HH").unpack_from
    total = 0
    at += 20
    while at + 4 <= last:
        code, length = option(data, at)
        if code == 0:
            break
        if code in (5, 7) and length == 8 and at + 12 <= last:
            total += Struct(order + "Q").unpack_from(data, at + 4)[0]
        at += 4 + (length + 3 & ~3)
    return total


def _direct(packet: Packet, data: bytes, at: int, last: int, order: str) -> None:
    """Note the direction, if the options at ``at`` tell it: the flags of the packet, of which two bits are for it."""
    option = Struct(order + "HH").unpack_from
    while at + 8 <= last:
        code, length = option(data, at)
        if code == 0:
            return
        if code == 2 and length == 4:
            way = Struct(order + "I").unpack_from(data, at + 4)[0] & 3
            if way in (1, 2):
                packet.fields["outgoing"] = way - 1
            return
        at += 4 + (length + 3 & ~3)
