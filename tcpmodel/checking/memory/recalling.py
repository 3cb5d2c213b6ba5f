"""Remembers what sets of configurations were closed to, so that one that differs in its numbers only is closed at once.

Owns: for each shape of a set and of what may have arrived, the answers that were found: under which bounds on the
numbers, and the numbers of the answer as sums of those. Each is found by closing once with recorded numbers; so there
is one meaning, and this only saves repeating it. ``memo`` does the same for whole connections: what is new for a
connection is seldom new for both of its ends.
Must never hold: how a set is closed, or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tcpmodel.checking.ends.configurations import Configuration, Configurations, Key, Reception, Work
from tcpmodel.checking.memory.shapes import identity
from tcpmodel.semantics.recording import Base, Number, Recorder, Unrecordable
from tcpmodel.semantics.values import INFINITY, Interval

MOST = 300
"""How many answers are remembered; then the one that was not used for longest goes."""

MOST_OF_A_SHAPE = 40
"""How many answers are remembered for one shape, since they are tried one after another."""

_FAR = INFINITY // 2
_LOWEST, _HIGHEST = -1, -2
"""What stands for no bound where else the place of a number stands."""

_Sum = tuple[int, Base]
"""A constant and a sum of the numbers asked with."""


class _Answer(NamedTuple):
    """``bounds``: sums of the numbers, and between what they lie. ``intervals``: all that stand in the answer.

    ``found``: the key of each configuration, its cost, and which of the intervals are its values.
    """

    bounds: list[tuple[Base, int, int]]
    intervals: list[tuple[_Sum, _Sum] | Interval | None]
    found: list[tuple[Key, int, Sequence[int]]]

    def holds(self, worth: Sequence[int]) -> bool:
        """Do numbers that are worth this lie within the bounds?"""
        for base, low, high in self.bounds:
            total = 0
            for index, factor in base:
                total += factor * worth[index]
            if not low <= total <= high:
                return False
        return True

    def given(self, numbers: Sequence[Any]) -> Configurations:
        """The answer for these numbers, which lie within the bounds; where they are recorded, that becomes a bound."""
        if any(isinstance(number, Number) for number in numbers):
            for base, low, high in self.bounds:
                total = _sum((0, base), numbers)
                if (low > -INFINITY and not total >= low) or (high < INFINITY and not total <= high):
                    raise AssertionError("an answer that does not hold")
        made = [
            (_sum(each[0], numbers), _sum(each[1], numbers)) if each and isinstance(each[0], tuple) else each
            for each in self.intervals
        ]
        found: Configurations = {}
        for key, cost, row in self.found:
            values: Any = [made[place] for place in row]
            found[key] = Configuration(key[0], values, cost, key[1])
        return found


def _sum(form: _Sum, numbers: Sequence[Any]) -> Any:
    total, base = form
    for index, factor in base:
        number = numbers[index] if factor == 1 else numbers[index] * factor
        total = total + number if total else number
    return total


class _Writer:
    """Writes what is asked as a shape; ``numbers`` are those that stand in it, each once."""

    def __init__(self, symbolic: Sequence[bool]) -> None:
        self.numbers: list[Number | int] = []
        self._symbolic = symbolic
        self._places: dict[tuple[int, int], int] = {}
        self._codes: dict[int, tuple[int, int]] = {}

    def _bound(self, number: Number | int) -> int:
        if isinstance(number, int):
            if number <= -_FAR:
                return _LOWEST
            if number >= _FAR:
                return _HIGHEST
        place = self._places.setdefault(identity(number), len(self.numbers))
        if place == len(self.numbers):
            self.numbers.append(number)
        return place

    def _interval(self, slot: int, known: Interval | None) -> Interval | None:
        if known is None or not self._symbolic[slot]:
            return known
        code = self._codes.get(id(known))
        if code is None:
            code = self._codes[id(known)] = (self._bound(known[0]), self._bound(known[1]))
        return code

    def values(self, values: Sequence[Interval | None]) -> tuple[Interval | None, ...]:
        """Those of a configuration."""
        return tuple([self._interval(slot, known) for slot, known in enumerate(values)])

    def slots(self, slots: Sequence[tuple[int, Interval | None]]) -> tuple[Any, ...]:
        """Those of a message."""
        return tuple([(slot, self._interval(slot, known)) for slot, known in slots])


class _Reader:
    """Makes what was written again, of other numbers."""

    def __init__(self, symbolic: Sequence[bool], numbers: Sequence[Any]) -> None:
        self._symbolic = symbolic
        self._numbers = numbers
        self._made: dict[Interval, Interval] = {}

    def _bound(self, place: int) -> Any:
        if place >= 0:
            return self._numbers[place]
        return -INFINITY if place == _LOWEST else INFINITY

    def _interval(self, slot: int, code: Interval | None) -> Interval | None:
        if code is None or not self._symbolic[slot]:
            return code
        made = self._made.get(code)
        if made is None:
            made = self._made[code] = (self._bound(code[0]), self._bound(code[1]))
        return made

    def values(self, codes: Sequence[Interval | None]) -> list[Interval | None]:
        return [self._interval(slot, code) for slot, code in enumerate(codes)]

    def slots(self, codes: Sequence[tuple[int, Interval | None]]) -> list[tuple[int, Interval | None]]:
        return [(slot, self._interval(slot, code)) for slot, code in codes]


class Recall:
    """``symbolic`` tells for each slot whether it holds a number."""

    def __init__(self, symbolic: Sequence[bool]) -> None:
        self._symbolic = symbolic
        self._known: dict[Any, list[_Answer]] = {}
        self._count = 0
        self.found = self.recalled = 0

    def ask(
        self, what: tuple[bool, ...], base: Configurations, receptions: Sequence[Reception], work: Work
    ) -> Configurations:
        """What ``work`` makes of these, which with ``what`` are all that it depends on."""
        writer = _Writer(self._symbolic)
        shape = (
            what,
            tuple([(key, c.cost, writer.values(c.values)) for key, c in base.items()]),
            tuple([(event, flags, writer.slots(slots)) for event, flags, slots in receptions]),
        )
        numbers = writer.numbers
        worth = [number.value if isinstance(number, Number) else number for number in numbers]
        try:
            known = self._known.pop(shape, None)
            if known is None:
                known = []
            self._known[shape] = known  # those used lately stand last
            for index, answer in enumerate(known):
                if answer.holds(worth):
                    if index:
                        known.insert(index - 1, known.pop(index))
                    self.recalled += 1
                    return answer.given(numbers)
            answer = self._answer(shape, worth, work)
        except Unrecordable:
            return work(base, receptions)
        self.found += 1
        known.insert(0, answer)
        self._count += 1
        if len(known) > MOST_OF_A_SHAPE:
            known.pop()
            self._count -= 1
        while self._count > MOST:
            self._count -= len(self._known.pop(next(iter(self._known))))
        return answer.given(numbers)

    def _answer(self, shape: tuple[Any, ...], worth: list[int], work: Work) -> _Answer:
        recorder = Recorder(worth)
        reader = _Reader(self._symbolic, [recorder.number(index) for index in range(len(worth))])
        _, configurations, heard = shape
        base = {key: Configuration(key[0], reader.values(codes), cost, key[1]) for key, cost, codes in configurations}
        receptions = [Reception(event, flags, reader.slots(slots)) for event, flags, slots in heard]
        after = work(base, receptions)
        places: dict[Any, int] = {}
        intervals: list[Any] = []

        def form(number: Number | int) -> _Sum:
            if isinstance(number, Number):
                return (number.constant, recorder.bases[number.base])
            return (number, ())

        def place(known: tuple[Any, Any] | None) -> int:
            recorded = known is not None and (isinstance(known[0], Number) or isinstance(known[1], Number))
            one = known if known is None or not recorded else (form(known[0]), form(known[1]))
            at = places.setdefault(one, len(intervals))
            if at == len(intervals):
                intervals.append(one)
            return at

        rows = [(key, c.cost, [place(known) for known in c.values]) for key, c in after.items()]
        few = len(intervals) < 256
        return _Answer(
            recorder.conditions(), intervals, [(key, cost, bytes(row) if few else row) for key, cost, row in rows]
        )
