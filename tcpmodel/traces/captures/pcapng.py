"""The pcapng capture format: sections, interfaces and packet blocks.

Owns: blocks, byte order and clock of each section and interface, and what is wrong with a damaged file.
Must never hold: what is inside a frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import NamedTuple, NoReturn

from tcpmodel.traces.captures.capture_file import CaptureFile
from tcpmodel.traces.captures.link import ETHERNET, USUAL, Decoder
from tcpmodel.traces.captures.link_types import DECODERS, SUPPORTED
from tcpmodel.traces.circumstances import CLOCK, CUT, DROPPED, INTERFACES
from tcpmodel.traces.records import Framing, Packet, Record, TraceError
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
_PACKETS = (_ENHANCED_PACKET, _OLD_PACKET, _SIMPLE_PACKET)

_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}


class _Interface(NamedTuple):
    link: int
    decode: Decoder | None
    snaplen: int
    units_per_second: int
    offset: int  # nanoseconds


class _Frame(NamedTuple):
    """``which``: the interface; ``ticks``: its clock, -1 if the block has no time; ``body``: where the frame begins."""

    which: int
    ticks: int
    body: int
    captured: int
    original: int


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


class _Section:
    """What holds until the next section begins: byte order and interfaces."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.head = Struct(order + "II").unpack_from
        self.interfaces: list[_Interface] = []
        self.framing = Framing("", 0, 0, 0, True)
        self._enhanced = Struct(order + "IIIII").unpack_from

    def describe(self, interface: _Interface) -> None:
        """The next interface."""
        self.interfaces.append(interface)
        self.framing = _framing(self.interfaces[0], self.order)

    def frame(self, kind: int, data: bytes, at: int, last: int) -> _Frame | None:
        """Where the frame in the packet block from ``at`` to its second length at ``last`` lies; None if it is cut."""
        if last + 4 - at < (16 if kind == _SIMPLE_PACKET else 32):
            return None
        if kind == _SIMPLE_PACKET:
            body = at + 12
            original = self.head(data, at + 4)[1]
            captured = min(original, last - body)
            if self.interfaces and self.interfaces[0].snaplen:
                captured = min(captured, self.interfaces[0].snaplen)
            return _Frame(0, -1, body, captured, original)
        which, high, low, captured, original = self._enhanced(data, at + 8)
        if kind == _OLD_PACKET:
            which = which >> 16 if self.order == ">" else which & 0xFFFF
        return _Frame(which, high << 32 | low, at + 28, captured, original)


class PcapngTrace(CaptureFile):
    """One pcapng file."""

    format = "pcapng"

    def __init__(self, source: Source, decoders: Mapping[int, Decoder] = DECODERS) -> None:
        super().__init__(source)
        self._decoders = decoders
        self._buffer = _Buffer(source)
        self._lasts: dict[int, int] = {}
        self._used: dict[int, int] = {}
        self._dropped: dict[int, int] = {}
        self._unknown: set[int] = set()

    def _records(self) -> Iterator[Record]:
        buffer, ways, lasts = self._buffer, self.circumstances.ways, self._lasts
        section = _Section(">")
        number = 0
        while buffer.need(1):
            plain = len(section.interfaces) == 1 and section.framing.unit
            if self._take is not None and plain and not ways and 0 in lasts:
                taken = self._take(buffer.data, buffer.at, len(buffer.data), number, lasts[0], section.framing)
                buffer.at, number, lasts[0] = taken.at, taken.number, taken.last
                self.circumstances.note(taken)
                if not buffer.need(1):
                    break
            if not buffer.need(12):
                self._cut(12)
            kind, length = section.head(buffer.data, buffer.at)
            if kind == _SECTION:
                order = _ORDERS.get(buffer.data[buffer.at + 8 : buffer.at + 12])
                if order is None:
                    self._damaged("the section header has no byte-order magic")
                section = _Section(order)
                kind, length = section.head(buffer.data, buffer.at)
            last = self._whole(length)
            data, at = buffer.data, buffer.at
            if kind in _PACKETS:
                number += 1
                packet = self._of_block(section, kind, last, number)
                if packet is not None:
                    yield packet
            elif kind == _INTERFACE:
                if length < 20:
                    self._damaged("an interface description is too short")
                if len(section.interfaces) >= _MOST_INTERFACES:
                    self._damaged(f"more than {_MOST_INTERFACES} interfaces in one section")
                section.describe(_interface(data, at, last, section.order, self._decoders))
            elif kind == _STATISTICS and length >= 24:
                which = section.head(data, at + 8)[0]
                if which < len(section.interfaces):
                    self._dropped[which] = _dropped(data, at, last, section.order)
            buffer.at = at + length
        self._tell_interfaces()

    def _whole(self, length: int) -> int:
        """Where the second length of the block at hand stands, after all of the block was read."""
        buffer = self._buffer
        if length < 12 or length & 3:
            self._damaged(f"a block says that it is {length} octets long")
        if length > _LARGEST_BLOCK:
            self._damaged(f"a block claims {length} octets, more than the {_LARGEST_BLOCK} that are read")
        if not buffer.need(length):
            self._cut(length)
        last = buffer.at + length - 4
        if buffer.data[last : last + 4] != buffer.data[buffer.at + 4 : buffer.at + 8]:
            self._damaged("the two lengths of a block differ")
        return last

    def _of_block(self, section: _Section, kind: int, last: int, number: int) -> Packet | None:
        """The packet of the block at hand, or None where there is none, which is counted."""
        data = self._buffer.data
        frame = section.frame(kind, data, self._buffer.at, last)
        if frame is None:
            self._damaged(f"a {'simple ' if kind == _SIMPLE_PACKET else ''}packet block is too short")
        which, ticks, body, captured, original = frame
        end = body + captured
        if end > last:
            self._damaged(f"packet {number} claims {captured} octets, more than its block holds")
        if which >= len(section.interfaces):
            self._damaged(f"packet {number} belongs to interface {which}, which was not described")
        interface = section.interfaces[which]
        if interface.decode is None:
            self._unknown.add(interface.link)
            self.skipped.add(f"unknown link type {interface.link}")
            return None
        time = None
        if ticks >= 0:
            time = ticks * 1_000_000_000 // interface.units_per_second + interface.offset
        found = interface.decode(data, body, end, body + max(original, captured), number, time)
        if original > captured:
            self.circumstances.add(CUT, number)
        if time is not None:
            if time < self._lasts.get(which, time):
                self.circumstances.add(CLOCK, number)
            self._lasts[which] = time
        self._used.setdefault(which, number)
        packet = self._packet(found, data, number, time)
        if packet is not None and kind == _ENHANCED_PACKET and end + 8 <= last:
            _direct(packet, data, end + (-captured & 3), last, section.order)
        return packet

    def _tell_interfaces(self) -> None:
        """Note what is known of the interfaces at the end; TraceError when no packet of any could be read."""
        used = sorted(self._used.values())
        if len(used) > 1:
            self.circumstances.add(INTERFACES, used[1], len(used))
        if any(self._dropped.values()):
            self.circumstances.add(DROPPED, 1, sum(self._dropped.values()))
        if self._unknown and not used:
            names = ", ".join(str(link) for link in sorted(self._unknown))
            raise TraceError(self.path, "", f"unknown link type {names}; the link types that can be read: {SUPPORTED}")

    def _damaged(self, what: str) -> NoReturn:
        raise TraceError(self.path, f"byte offset {self._buffer.offset}", f"{what}; the file is damaged here")

    def _cut(self, wanted: int) -> NoReturn:
        buffer = self._buffer
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
