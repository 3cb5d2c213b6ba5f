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
from heapq import heappop, heappush
from itertools import islice
from typing import Any, NamedTuple, overload

from tcpmodel.checking.outcome.findings import ConnectionReport
from tcpmodel.checking.outcome.patterns import Pattern

PACKED = 512
"""So many reports are packed together."""

LOOSE = 1 << 16
"""So many are left as they are that are like others."""

WHOLE = 64
"""One that is not like others takes as much room as so many that are."""

OPEN = 16
"""So many packs are kept open for who asks for reports here and there."""

SINGLES = 8192
"""So many reports of packs are kept as objects beside them, of those that are of no pattern."""

PATTERNS = 4096
"""So many patterns are kept; reports of others are kept as they are."""

Item = ConnectionReport | str
"""A report; or one of a pattern: number of the pattern, packets, number of the connection and its input, addresses, and
if the pattern has findings their place, time and numbers."""


class Packed(NamedTuple):
    """Some reports. ``lowest`` of their numbers; ``findings``: has any of them findings? ``single``: are there some of
    no pattern?"""

    octets: bytes
    lowest: int
    findings: bool
    single: bool

    @classmethod
    def of(cls, items: list[Item], found: Callable[[Item], bool]) -> Packed:
        """These, packed; ``found`` tells of one whether it has findings."""
        octets = zlib.compress(pickle.dumps(items, pickle.HIGHEST_PROTOCOL), 1)
        single = not all(isinstance(item, str) for item in items)
        return cls(octets, min(map(_number, items)), any(map(found, items)), single)

    def items(self) -> list[Item]:
        """They again."""
        found: list[Item] = pickle.loads(zlib.decompress(self.octets))
        return found


class Likes(NamedTuple):
    """How many reports there are of a pattern with as many packets; the lowest number of their connections, its item,
    and the first packet of all of them."""

    pattern: int
    packets: int
    amount: int
    number: int
    item: str
    place: int


class ConnectionReports(MutableSequence[ConnectionReport]):
    """A list of reports. Most are made anew whenever they are asked for, so a change of one is kept only when it is put
    back, or made by ``change``."""

    def __init__(self, reports: Iterable[ConnectionReport] = ()) -> None:
        self._packed: list[Packed] = []
        self._items: list[Item] = []
        self._size = 0  # how much room those take that are not packed
        self._patterns: list[Pattern] = []
        self._index: dict[tuple[object, ...], int] = {}
        self._counts: dict[tuple[int, int], list[Any]] = {}
        """For a pattern and a number of packets: how many, and number and item of the first of them ("" if unknown)."""
        self._open: dict[int, list[Item]] = {}
        self._changed: set[int] = set()
        self._singles: dict[int, tuple[Packed, list[ConnectionReport]]] = {}
        self.extend(reports)

    def add_like(
        self,
        pattern: Pattern,
        number: int,
        a: str,
        b: str,
        origin: int,
        packets: int,
        rest: tuple[int, int | None, Sequence[int]] = (0, None, ()),
    ) -> None:
        """Add a report that differs from others of its pattern in these only; ``rest``: place, time and numbers."""
        index = -1 if " " in a or " " in b else self.place(pattern)
        if index < 0:
            self._add(pattern.of(number, a, b, origin, packets, *rest))
            return
        item = f"{index} {packets} {number} {origin} {a} {b}"
        if pattern.report.diagnostics:
            place, time, numbers = rest
            item = " ".join((item, str(place), "" if time is None else str(time), *map(str, numbers)))
        self._count(index, packets, number, item)
        self._add(item)

    def add_lines(self, lines: list[str], kinds: Iterable[Likes]) -> None:
        """Add reports without findings as ``add_like`` does; ``lines``: their items, ``kinds``: all kinds of them."""
        for kind in kinds:
            self._count(kind.pattern, kind.packets, kind.number, kind.item, kind.amount)
        self._items += lines
        self._size += len(lines)
        self._pack()

    def unseen(self, index: int) -> tuple[str, ...]:
        """What is not seen of the connections of the pattern with this number."""
        return self._patterns[index].report.unseen

    def _count(self, index: int, packets: int, number: int, item: str, count: int = 1) -> None:
        """Count some of a pattern; that with the lowest number stands for all."""
        kind = (index, packets)
        known = self._counts.get(kind)
        if known is None:
            self._counts[kind] = [count, number, item]
            return
        known[0] += count
        if number < known[1]:
            known[1:] = number, item

    def place(self, pattern: Pattern) -> int:
        """The number of a pattern; -1 if there are too many."""
        index = self._index.get(pattern.key, -1)
        if index < 0 and len(self._patterns) < PATTERNS:
            index = self._index[pattern.key] = len(self._patterns)
            self._patterns.append(pattern)
        return index

    def _add(self, item: Item) -> None:
        self._items.append(item)
        self._size += 1 if isinstance(item, str) else WHOLE
        if self._size > LOOSE:
            self._pack()

    def _pack(self) -> None:
        while self._size > LOOSE and len(self._items) >= 2 * PACKED:
            items = self._items[:PACKED]
            self._packed.append(Packed.of(items, self._found))
            self._size -= _size(items)
            del self._items[:PACKED]

    def _made(self, item: Item) -> ConnectionReport:
        if not isinstance(item, str):
            return item
        index, packets, number, origin, a, b, *rest = item.split(" ")
        pattern = self._patterns[int(index)]
        if not rest:
            return pattern.of(int(number), a, b, int(origin), int(packets))
        place, time, *numbers = rest
        return pattern.of(
            int(number), a, b, int(origin), int(packets), int(place), int(time) if time else None, [*map(int, numbers)]
        )

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
            self._packed[at] = Packed.of(self._open[at], self._found)
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

    def only(self, wanted: Callable[[ConnectionReport], bool], start: int, stop: int) -> Iterator[ConnectionReport]:
        """Those between two indexes that are wanted; one of each pattern and number of packets is asked about."""
        self._close()
        self._find_first()
        kinds = {
            f"{index} {packets}"
            for (index, packets), (number, _, item) in self._counts.items()
            if number and wanted(self._made(item))
        }
        for item in islice(self._all(start), max(0, stop - start)):
            if not isinstance(item, str):
                if wanted(item):
                    yield item
            elif kinds and " ".join(item.split(" ", 2)[:2]) in kinds:
                yield self._made(item)

    def sort(self, start: int) -> None:
        """Put those from the index ``start`` on into the order of their numbers; those with one number as they are."""
        self._close()
        first = min(start // PACKED, len(self._packed))
        packed, tail = self._packed[first:], self._items
        del self._packed[first:]
        self._items, self._size = [], 0
        before = start - first * PACKED
        if packed:
            items = packed[0].items()
            packed[0] = Packed.of(items[before:], self._found)
        else:
            items = tail
            tail = tail[before:]
        for item in items[:before]:
            self._add(item)
        if not packed:
            tail.sort(key=_number)
            self._items += tail
            self._size += _size(tail)
            self._pack()
            return
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
        """Call this with each report from an index on that has findings, and keep what it changes in them: how severe
        each is, and whether it is ignored or told."""
        self._close()
        for at in range(start // PACKED, len(self._packed)):
            packed = self._packed[at]
            if packed.findings:
                items = packed.items()
                self._change(items, max(0, start - at * PACKED), function)
                self._packed[at] = Packed.of(items, self._found)
        self._change(self._items, max(0, start - PACKED * len(self._packed)), function)

    def _change(self, items: list[Item], start: int, function: Callable[[ConnectionReport], object]) -> None:
        for place in range(start, len(items)):
            item = items[place]
            if not self._found(item):
                continue
            one = self._made(item)
            if not isinstance(item, str):
                function(one)
                continue
            before = _marks(one)
            function(one)
            if _marks(one) != before:
                self._gone(item)
                index, packets, number, rest = item.split(" ", 3)
                other = self.place(self._patterns[int(index)].marked(one))
                items[place] = one if other < 0 else f"{other} {packets} {number} {rest}"
                if other >= 0:
                    self._count(other, int(packets), int(number), f"{other} {packets} {number} {rest}")

    def _found(self, item: Item) -> bool:
        """Has it findings?"""
        if isinstance(item, str):
            return bool(self._patterns[int(item.split(" ", 1)[0])].report.diagnostics)
        return bool(item.diagnostics)

    def groups(self) -> Iterator[tuple[ConnectionReport, int]]:
        """Each report with how many there are of its kind: those of one pattern with as many packets are one kind.

        A kind with several is shown by the first of them. This is asked for often, so some are not made anew each time.
        """
        self._close()
        self._find_first()
        for at, packed in enumerate(self._packed):
            if packed.single:
                before = self._singles.get(at)
                singles = before[1] if before is not None and before[0] is packed else self._without_pattern(at)
                yield from ((item, 1) for item in singles)
        yield from ((item, 1) for item in self._items if not isinstance(item, str))
        for number, _, item in list(self._counts.values()):
            if number:
                yield self._made(item), number

    def _without_pattern(self, at: int) -> list[ConnectionReport]:
        """Those of one of ``_packed`` that are of no pattern; remembered if they are not too many."""
        packed = self._packed[at]
        found = [item for item in packed.items() if not isinstance(item, str)]
        self._singles.pop(at, None)
        if len(found) + sum(len(items) for _, items in self._singles.values()) <= SINGLES:
            self._singles[at] = (packed, found)
        return found

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
        if items is self._items:
            self._size = _size(items)
        else:
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
        self._items, self._size = [], 0
        while packed:
            yield from packed.pop().items()
        yield from items

    def _gone(self, item: Item) -> None:
        if isinstance(item, str):
            index, packets, _ = item.split(" ", 2)
            known = self._counts[int(index), int(packets)]
            known[0] -= 1
            if known[2] == item:
                known[2] = ""

    def _find_first(self) -> None:
        """Find the first of its kind for each kind that has lost it."""
        wanted = {kind for kind, (number, _, item) in self._counts.items() if number and not item}
        if not wanted:
            return
        for item in self._all():
            if isinstance(item, str):
                index, packets, number, _ = item.split(" ", 3)
                kind = (int(index), int(packets))
                if kind in wanted:
                    wanted.remove(kind)
                    self._counts[kind][1:] = int(number), item


def _marks(one: ConnectionReport) -> list[tuple[str, str, bool]]:
    """What ``change`` may change."""
    return [(each.severity, each.ignored, each.told) for each in one.diagnostics]


def _size(items: Sequence[Item]) -> int:
    """How much room they take that are not packed."""
    return sum(1 if isinstance(item, str) else WHOLE for item in items)


def _number(item: Item) -> int:
    return int(item.split(" ", 3)[2] if isinstance(item, str) else item.id.rpartition("-")[2])


class Part:
    """Those of some reports that are wanted, as often as they are asked for; none of them is kept."""

    def __init__(
        self,
        reports: Sequence[ConnectionReport],
        wanted: Callable[[ConnectionReport], bool],
        start: int,
        end: int,
        serious: Callable[[ConnectionReport], bool] | None = None,
    ) -> None:
        """``start``, ``end``: the index of the first and that after the last that may be wanted. ``serious``: they have
        to fit this as well, which looks at nothing in which reports of one pattern differ."""
        self._reports, self._wanted, self._range = reports, wanted, range(start, end)
        self._serious = serious

    def __iter__(self) -> Iterator[ConnectionReport]:
        if self._serious is not None and isinstance(self._reports, ConnectionReports):
            return filter(self._wanted, self._reports.only(self._serious, self._range.start, self._range.stop))
        found = filter(self._wanted, islice(since(self._reports, self._range.start), len(self._range)))
        return found if self._serious is None else filter(self._serious, found)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def only(self, serious: Callable[[ConnectionReport], bool]) -> Part:
        """Those of them that fit this as well, which looks at nothing in which reports of one pattern differ."""
        return Part(self._reports, self._wanted, self._range.start, self._range.stop, serious)


def by_input(reports: Sequence[ConnectionReport], inputs: int) -> list[Part]:
    """The reports of each of so many inputs, and, last, those of which nobody noted which."""
    bounds = [[len(reports), 0] for _ in range(inputs + 1)]
    for place, one in enumerate(reports):
        found = bounds[one.input if 0 <= one.input < inputs else inputs]
        found[:] = min(found[0], place), place + 1

    def part(number: int) -> Part:
        def wanted(one: ConnectionReport) -> bool:
            return (one.input if 0 <= one.input < inputs else inputs) == number

        return Part(reports, wanted, bounds[number][0], bounds[number][1])

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
