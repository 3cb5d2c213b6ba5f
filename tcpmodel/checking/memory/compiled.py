"""What was recorded, as plain functions.

Owns: making a function of the bounds and results of a recorded computation. Its text is made of numbers alone.
Must never hold: what is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from tcpmodel.semantics.recording import Base, Number, Recorder

_NO_BOUND = 1 << 61

ENOUGH = 100
"""How often a way is tried before a function is made of it."""

Output = tuple[Base, int]
"""A sum of inputs, and a constant."""

Bounds = tuple[Base, int, int]
"""A sum of inputs, and the lowest and highest value that it may have."""

Run = Callable[[Sequence[int], Sequence[int]], "tuple[Any, list[int]] | None"]

Kept = tuple[Sequence[Bounds], Sequence[Output], int, bool, int, CodeType | None]
"""A way but for its target: tests, results, how many own numbers, whether in place, uses, and its function."""

_MOST_USES = 1 << 16

_SHARED: dict[Any, Any] = {}
"""Equal parts of ways are one object: most ways test much the same."""

_MOST_SHARED = 1 << 16


def _one(part: Any) -> Any:
    """The object that stands for all that are equal to ``part``."""
    if len(_SHARED) >= _MOST_SHARED:
        _SHARED.clear()
    return _SHARED.setdefault(part, part)


def _parts_of(part: Any) -> Any:
    """The object that stands for all that are equal to ``part``, which begins with a sum that stands for all of its."""
    return _one((_one(part[0]), *part[1:]))


class Part(NamedTuple):
    """One way: what must hold, its results, whether in place, and how often it was taken."""

    tests: Sequence[tuple[Base, int, int]]
    outputs: Sequence[Output]
    in_place: bool
    weight: int


class Way:
    """``run`` takes the ``own`` numbers of what is known and those of a packet, and gives ``target`` with the numbers
    after it, or None where a bound is not kept. With ``in_place`` it changes the numbers that it was given.
    ``uses``: how often it was taken, for who counts. ``about`` and ``aside``, which gives other numbers from the same
    ones, are for who made it, as is ``plain``."""

    __slots__ = (
        "_calls",
        "_code",
        "_in_place",
        "_outputs",
        "_own",
        "_tests",
        "about",
        "aside",
        "plain",
        "run",
        "target",
        "uses",
    )

    def __init__(
        self,
        tests: Sequence[Bounds],
        target: Any,
        outputs: Sequence[Output],
        own: int,
        in_place: bool = False,
    ) -> None:
        self._tests: Sequence[Bounds] = tuple([_SHARED.get(test) or _parts_of(test) for test in tests])
        self._outputs: Sequence[Output] = tuple([_SHARED.get(sum_) or _parts_of(sum_) for sum_ in outputs])
        self._own = own
        self._in_place = in_place
        self.target = target
        self.run: Run = self._first
        self.uses = 0
        self.about: Any = None
        self.plain = True
        self.aside: Way | None = None
        self._calls = 0
        self._code: CodeType | None = None

    @property
    def own(self) -> int:
        """How many own numbers it takes."""
        return self._own

    def part(self) -> Part:
        """What becomes of it in one function with others."""
        return Part(self._tests, self._outputs, self._in_place, self.uses)

    def kept(self, *, merged: bool = False) -> Kept:
        """All but the target, as plain values. If it is ``merged`` into one function with others, without its own."""
        code = None if merged else self._code
        return (self._tests, self._outputs, self._own, self._in_place, min(self.uses, _MOST_USES), code)

    @property
    def made(self) -> bool:
        """Was the function made since it is here?"""
        return self._calls > ENOUGH

    @classmethod
    def again(cls, kept: Kept, target: Any) -> Way:
        """The way of which ``kept`` was given, to the same target."""
        way = cls((), target, (), kept[2], kept[3])
        way._tests, way._outputs, _, _, way.uses, code = kept
        if code is not None:
            way.run = way._ready(code)
        return way

    @classmethod
    def of(
        cls, recorder: Recorder, target: Any, outputs: Sequence[Number | int], own: int, in_place: bool = False
    ) -> Way:
        """What was recorded."""
        sums: list[Output] = [
            (recorder.bases[each.base], each.constant) if isinstance(each, Number) else ((), each) for each in outputs
        ]
        return cls(recorder.conditions(), target, sums, own, in_place)

    def retarget(self, target: Any, places: Sequence[int], in_place: bool) -> None:
        """Lead to ``target`` instead, whose numbers are those that were at ``places`` until now."""
        self._outputs = tuple([self._outputs[place] for place in places])
        self.target = target
        self._in_place = in_place
        self.run = self._first
        self._code = None

    def split(self, among: Sequence[int]) -> Way:
        """This for own numbers that were at the places ``among`` until now: those of one place have to be equal."""
        at: dict[int, int] = {}
        equal: list[Bounds] = []
        for new, old in enumerate(among):
            first = at.setdefault(old, new)
            if first != new:
                equal.append((((first, -1), (new, 1)), 0, 0))
        shift = len(among) - self._own

        def moved(base: Base) -> Base:
            return tuple([(at[index] if index < self._own else index + shift, factor) for index, factor in base])

        tests = [*equal, *[(moved(base), low, high) for base, low, high in self._tests]]
        outputs = [(moved(base), constant) for base, constant in self._outputs]
        way = Way(tests, self.target, outputs, len(among))
        way.about, way.plain = self.about, self.plain
        way.aside = None if self.aside is None else self.aside.split(among)
        return way

    def _first(self, own: Sequence[int], given: Sequence[int]) -> tuple[Any, list[int]] | None:
        """As ``run``, without a function of its own: making one takes as long as many of these."""
        self._calls += 1
        if self._calls > ENOUGH:
            self.run = self._compiled(self._in_place)
            return self.run(own, given)
        size = self._own

        def worth(base: Base) -> int:
            total = 0
            for index, factor in base:
                total += factor * (own[index] if index < size else given[index - size])
            return total

        tests = self._tests
        for place, (base, low, high) in enumerate(tests):
            if not low <= worth(base) <= high:
                if place:  # it may well fail the next time, too
                    self._tests = (tests[place], *tests[:place], *tests[place + 1 :])
                return None
        return self.target, [worth(base) + constant for base, constant in self._outputs]

    def _compiled(self, in_place: bool) -> Run:
        seen: set[int] = set()
        lines = ["def way(s,p):"]

        def read(base: Base, space: str) -> None:
            for index, _ in base:
                if index not in seen:
                    seen.add(index)
                    lines.append(f"{space}n{index}={f's[{index}]' if index < self._own else f'p[{index - self._own}]'}")

        for base, low, high in self._tests:
            read(base, " ")
            text = _sum(base)
            if low == high:
                lines.append(f" if {text}!={low}:return")
            elif low <= -_NO_BOUND:
                lines.append(f" if {text}>{high}:return")
            elif high >= _NO_BOUND:
                lines.append(f" if {text}<{low}:return")
            else:
                lines.append(f" if not {low}<={text}<={high}:return")
        changed = [
            (place, base, constant)
            for place, (base, constant) in enumerate(self._outputs)
            if not (in_place and constant == 0 and base == ((place, 1),))
        ]
        for _, base, _ in changed:
            read(base, " ")
        values = [
            f"{_sum(base)}{constant:+d}" if base and constant else _sum(base) or str(constant)
            for _, base, constant in changed
        ]
        if in_place:
            lines += [f" s[{place}]={value}" for (place, _, _), value in zip(changed, values, strict=True)]
            lines.append(" return target,s")
        else:
            lines.append(f" return target,[{','.join(values)}]")
        scope: dict[str, Any] = {}
        exec("\n".join(lines), scope)
        return self._ready(scope["way"].__code__)

    def _ready(self, code: CodeType) -> Run:
        self._code = code
        return FunctionType(code, {"target": self.target})


def _sum(base: Base) -> str:
    parts = []
    for index, factor in base:
        sign = "-" if factor < 0 else "+"
        parts.append(f"{sign}n{index}" if abs(factor) == 1 else f"{sign}{abs(factor)}*n{index}")
    return "".join(parts).removeprefix("+")
