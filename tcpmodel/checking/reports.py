"""The reports of all connections of a run, in little room however many they are.

Owns: what reports have in common once, the rest of most of them packed, and making objects of them again when they are
asked for.
Must never hold: what a report says, or how it is shown.

The last reports are objects, or one text each where they are like others. Those before are packed, so many at a time.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple, overload

from tcpmodel.checking.findings import ConnectionReport

PACKED = 512
"""So many reports are packed together; as many are left as they are."""

OPEN = 16
"""So many packs are kept open for who asks for reports here and there."""

_A, _B = "\x01", "\x02"


class Pattern:
    """What connections have in common that differ in nothing but their number, addresses and how many packets."""

    __slots__ = ("_name", "report")

    def __init__(self, report: ConnectionReport) -> None:
        """``report``: of one of them; it has no findings."""
        self._name = report.id.rpartition("-")[0]
        names = sorted(((report.a, _A), (report.b, _B)), key=lambda pair: -len(pair[0]))
        reasons = report.reasons
        for address, mark in names:
            reasons = tuple(each.replace(address, mark) for each in reasons)
        self.report = replace(report, id=self._name, a="", b="", reasons=reasons, input=-1, packets=0)

    def of(self, number: int, a: str, b: str, origin: int, packets: int) -> ConnectionReport:
        """The report of one of them; ``origin`` is the index of its input."""
        reasons = tuple([each.replace(_A, a).replace(_B, b) for each in self.report.reasons])
        name = f"{self._name}-{number}"
        return replace(self.report, id=name, a=a, b=b, reasons=reasons, input=origin, packets=packets)


Item = ConnectionReport | str
"""A report; or one of a pattern: number of the pattern, packets, number of the connection and its input, addresses."""


class Packed(NamedTuple):
    """Some reports. ``lowest`` of their numbers; ``findings``: are there reports that are like no other?"""

    octets: bytes
    lowest: int
    findings: bool

    @classmethod
    def of(cls, items: list[Item]) -> Packed:
        """These, packed."""
        octets = zlib.compress(pickle.dumps(items, pickle.HIGHEST_PROTOCOL), 1)
        return cls(octets, min(map(_number, items)), not all(isinstance(item, str) for item in items))

    def items(self) -> list[Item]:
        """They again."""
        found: list[Item] = pickle.loads(zlib.decompress(self.octets))
        return found


class ConnectionReports(MutableSequence[ConnectionReport]):
    """A list of reports. Most are made anew whenever they are asked for, so a change of one is kept only when it is put
    back, or made by ``change``."""

    def __init__(self, reports: Iterable[ConnectionReport] = ()) -> None:
        self._packed: list[Packed] = []
        self._items: list[Item] = []
        self._patterns: list[Pattern] = []
        self._index: dict[tuple[object, ...], int] = {}
        self._counts: dict[tuple[int, int], int] = {}
        self._open: dict[int, list[Item]] = {}
        self._changed: set[int] = set()
        self.extend(reports)

    def add_like(self, pattern: Pattern, number: int, a: str, b: str, origin: int, packets: int) -> None:
        """Add a report that differs from others of its pattern in these only."""
        if " " in a or " " in b:
            self._add(pattern.of(number, a, b, origin, packets))
            return
        index = self._place(pattern)
        kind = (index, packets)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._add(f"{index} {packets} {number} {origin} {a} {b}")

    def _place(self, pattern: Pattern) -> int:
        one = pattern.report
        key = (one.id, one.protocol, one.verdict, one.reasons, one.a_states, one.b_states, one.logged, one.unseen)
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self._patterns)
            self._patterns.append(pattern)
        return index

    def _add(self, item: Item) -> None:
        self._items.append(item)
        if len(self._items) >= 2 * PACKED:
            self._packed.append(Packed.of(self._items[:PACKED]))
            del self._items[:PACKED]

    def _made(self, item: Item) -> ConnectionReport:
        if not isinstance(item, str):
            return item
        index, packets, number, origin, a, b = item.split(" ")
        return self._patterns[int(index)].of(int(number), a, b, int(origin), int(packets))

    def _unpacked(self, at: int) -> list[Item]:
        """One of ``_packed``, which is there for changes until ``OPEN`` others are asked for."""
        items = self._open.get(at)
        if items is None:
            if len(self._open) >= OPEN:
                self._close()
            items = self._open[at] = self._packed[at].items()
        return items

    def _close(self) -> None:
        for at in self._changed:
            self._packed[at] = Packed.of(self._open[at])
        self._open.clear()
        self._changed.clear()

    def _all(self, start: int = 0) -> Iterator[Item]:
        self._close()
        at = start // PACKED
        skip = start - at * PACKED
        while at < len(self._packed):  # it may grow meanwhile
            yield from self._packed[at].items()[skip:]
            at, skip = at + 1, 0
        yield from self._items[start - len(self._packed) * PACKED if start > len(self._packed) * PACKED else 0 :]

    def since(self, start: int) -> Iterator[ConnectionReport]:
        """Those from an index on, one after the other."""
        return map(self._made, self._all(start))

    def sort(self, start: int) -> None:
        """Put those from the index ``start`` on into the order of their numbers; those with one number as they are."""
        self._close()
        first = min(start // PACKED, len(self._packed))
        packed, tail = self._packed[first:], self._items
        del self._packed[first:]
        self._items = []
        before = start - first * PACKED
        if packed:
            items = packed[0].items()
            packed[0] = Packed.of(items[before:])
        else:
            items = tail
            tail = tail[before:]
        for item in items[:before]:
            self._add(item)
        waiting = sorted(packed, key=lambda each: -each.lowest)
        open_: list[tuple[int, int, list[Item]]] = []
        order = 0
        tail.sort(key=_number)
        if tail:
            open_.append((_number(tail[0]), order, tail[::-1]))
        while open_ or waiting:
            while waiting and (not open_ or waiting[-1].lowest <= open_[0][0]):
                order += 1
                items = sorted(waiting.pop().items(), key=_number, reverse=True)
                heappush(open_, (_number(items[-1]), order, items))
            _, place, items = heappop(open_)
            self._add(items.pop())
            if items:
                heappush(open_, (_number(items[-1]), place, items))

    def change(self, function: Callable[[ConnectionReport], object], start: int = 0) -> None:
        """Call this with each report from an index on that has findings, and keep what it changes in it."""
        self._close()
        for at in range(start // PACKED, len(self._packed)):
            packed = self._packed[at]
            if packed.findings:
                items = packed.items()
                for item in items[max(0, start - at * PACKED) :]:
                    if not isinstance(item, str) and item.diagnostics:
                        function(item)
                self._packed[at] = Packed.of(items)
        for item in self._items[max(0, start - PACKED * len(self._packed)) :]:
            if not isinstance(item, str) and item.diagnostics:
                function(item)

    def groups(self) -> Iterator[tuple[ConnectionReport, int]]:
        """Each report with how many there are of its kind: those of one pattern with as many packets are one kind.

        Of a kind with several, the addresses are missing.
        """
        self._close()
        for packed in self._packed:
            if packed.findings:
                yield from ((item, 1) for item in packed.items() if not isinstance(item, str))
        yield from ((item, 1) for item in self._items if not isinstance(item, str))
        for (index, packets), number in self._counts.items():
            if number:
                yield self._patterns[index].of(0, "one end", "one end", -1, packets), number

    # ------------------------------------------------------------------------------------------ as any other list

    def __len__(self) -> int:
        return len(self._packed) * PACKED + len(self._items)

    def __iter__(self) -> Iterator[ConnectionReport]:
        return map(self._made, self._all())

    @overload
    def __getitem__(self, index: int) -> ConnectionReport: ...
    @overload
    def __getitem__(self, index: slice) -> MutableSequence[ConnectionReport]: ...
    def __getitem__(self, index: int | slice) -> ConnectionReport | MutableSequence[ConnectionReport]:
        if isinstance(index, slice):
            places = range(*index.indices(len(self)))
            if places.step == 1:
                return [each for _, each in zip(places, self.since(places.start), strict=False)]
            return [self[place] for place in places]
        items, place = self._at(index)
        return self._made(items[place])

    def _at(self, index: int) -> tuple[list[Item], int]:
        """The list that holds one of them, and its place there."""
        place = range(len(self))[index]
        at, rest = divmod(place, PACKED)
        if at < len(self._packed):
            return self._unpacked(at), rest
        return self._items, place - len(self._packed) * PACKED

    def __setitem__(self, index: int | slice, value: ConnectionReport | Iterable[ConnectionReport]) -> None:
        if isinstance(index, slice) or not isinstance(value, ConnectionReport):
            raise TypeError("one report at a time")
        items, place = self._at(index)
        self._gone(items[place])
        items[place] = value
        if items is not self._items:
            self._changed.add(range(len(self))[index] // PACKED)

    def __delitem__(self, index: int | slice) -> None:
        places = range(len(self))[index]
        self.drop(places if isinstance(places, range) else (places,))

    def drop(self, indexes: Iterable[int]) -> None:
        """Remove those with these indexes, which are not negative."""
        gone = set(indexes)
        if not gone:
            return
        at = min(min(gone) // PACKED, len(self._packed))
        for place, item in enumerate(self._taken(at), at * PACKED):
            if place in gone:
                self._gone(item)
            else:
                self._add(item)

    def insert(self, index: int, value: ConnectionReport) -> None:
        """Put a report before the one with that index."""
        place = max(0, index + len(self) if index < 0 else index)
        if place >= len(self):
            self._add(value)
            return
        at = min(place // PACKED, len(self._packed))
        for here, item in enumerate(self._taken(at), at * PACKED):
            if here == place:
                self._add(value)
            self._add(item)

    def _taken(self, at: int) -> Iterator[Item]:
        """Take out all from one of ``_packed`` on."""
        self._close()
        packed, items = self._packed[at:][::-1], self._items
        del self._packed[at:]
        self._items = []
        while packed:
            yield from packed.pop().items()
        yield from items

    def _gone(self, item: Item) -> None:
        if isinstance(item, str):
            index, packets, _ = item.split(" ", 2)
            self._counts[int(index), int(packets)] -= 1


def _number(item: Item) -> int:
    return int(item.split(" ", 3)[2] if isinstance(item, str) else item.id.rpartition("-")[2])


class Part:
    """Those of some reports that are wanted, as often as they are asked for; none of them is kept."""

    def __init__(
        self, reports: Sequence[ConnectionReport], wanted: Callable[[ConnectionReport], bool], start: int, end: int
    ) -> None:
        """``start``, ``end``: the index of the first and that after the last that may be wanted."""
        self._reports, self._wanted, self._range = reports, wanted, range(start, end)

    def __iter__(self) -> Iterator[ConnectionReport]:
        found = since(self._reports, self._range.start)
        return filter(self._wanted, islice(found, len(self._range)))

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def only(self, wanted: Callable[[ConnectionReport], bool]) -> Part:
        """Those of them that are wanted by this, too."""
        before = self._wanted
        return Part(self._reports, lambda one: before(one) and wanted(one), self._range.start, self._range.stop)


def by_input(reports: Sequence[ConnectionReport], inputs: int) -> list[Part]:
    """The reports of each of so many inputs, and, last, those of which nobody noted which."""
    bounds = [[len(reports), 0] for _ in range(inputs + 1)]
    for place, one in enumerate(reports):
        found = bounds[one.input if 0 <= one.input < inputs else inputs]
        found[:] = min(found[0], place), place + 1

    def part(number: int) -> Part:
        def wanted(one: ConnectionReport) -> bool:
            return (one.input if 0 <= one.input < inputs else inputs) == number

        return Part(reports, wanted, *bounds[number])

    return [part(number) for number in range(inputs + 1)]


def since(reports: Sequence[ConnectionReport], start: int) -> Iterator[ConnectionReport]:
    """Those from an index on, one after the other."""
    return reports.since(start) if isinstance(reports, ConnectionReports) else islice(reports, start, None)


def change(reports: Sequence[ConnectionReport], function: Callable[[ConnectionReport], object], start: int = 0) -> None:
    """Call a function that may change it with each report from an index on that has findings."""
    if isinstance(reports, ConnectionReports):
        reports.change(function, start)
        return
    for one in islice(reports, start, None):
        function(one)


def drop(reports: MutableSequence[ConnectionReport], indexes: Iterable[int]) -> None:
    """Remove those with these indexes."""
    if isinstance(reports, ConnectionReports):
        reports.drop(indexes)
        return
    for index in sorted(set(indexes), reverse=True):
        del reports[index]
