"""All ways of a kind as one function, which asks each thing once.

Owns: in which order the bounds of several ways are compared, which of them follow from others, and the text of the
function.
Must never hold: what a way stands for.

Several ways of one kind differ in few of their bounds. So the function decides by these first, as a tree, and then
makes sure of the rest of the one way that is left. Of two ways that fit either may be taken: both are right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import NamedTuple

from tcpmodel.checking.memory.compiled import Part
from tcpmodel.semantics.recording import Base

FAR = 1 << 60
"""Sums lie within this of zero, so a bound beyond it says nothing. See ``recording``."""

MOST = 40
"""So many ways become part of a function; they are those that were taken most."""

RUN = 4
"""So many numbers in a row are copied at once."""

OFTEN = 3
"""A number that a way reads so often becomes a variable."""

Range = tuple[int, int]
Facts = dict[Base, Range]


class Ask(NamedTuple):
    """Go on with ``yes`` where all of the tests hold, else with ``no``."""

    tests: Sequence[tuple[Base, Range]]
    yes: Tree
    no: Tree


class Take(NamedTuple):
    """Take the way of that number: it fits."""

    number: int


Tree = Ask | Take | None
"""What decides between several ways; None: none is sure to fit."""


class _Left(NamedTuple):
    """A way that is still possible: its number, and what is to be made sure of."""

    number: int
    tests: Facts


def tree_of(parts: Sequence[Part], *, shorten: bool = True) -> Tree:
    """What decides between these ways. Without ``shorten`` it also asks what follows from what it asked: finding that
    out takes as long as asking it some ten thousand times, in a compiled program."""
    ways = [_Left(number, facts_of(part.tests)) for number, part in enumerate(parts)]
    return _Planner(parts, shorten).tree(ways, {})


def chain_of(parts: Sequence[Part]) -> Tree:
    """The same, which tries one way after the other: it takes longer, but is made at once."""
    tree: Tree = None
    for number in reversed(range(len(parts))):
        tests = list(facts_of(parts[number].tests).items())
        tree = Ask(tests, Take(number), tree) if tests else Take(number)
    return tree


def function_of(tree: Tree, parts: Sequence[Part], own: int) -> CodeType:
    """What decides by this tree: ``step(s, p)`` for ``own`` numbers ``s`` of what is known and the packet's ``p``.

    It gives ``(tN, numbers)`` for the way number N that fits, or None where none is sure to. ``tN`` are its globals.
    """
    writer = _Writer(parts, own)
    writer.node(tree, 1, frozenset())
    scope: dict[str, CodeType] = {}
    text = "\n".join(["def step(s,p):", *writer.lines])
    for constant in compile(text, "<ways>", "exec").co_consts:
        if isinstance(constant, CodeType):
            scope["step"] = constant
    return scope["step"]


def facts_of(tests: Iterable[tuple[Base, int, int]]) -> Facts:
    """Of each sum the lowest and the highest value that all of these tests leave."""
    found: Facts = {}
    for base, low, high in tests:
        least, most = found.get(base, (-FAR, FAR))
        low, high = max(low, least), min(high, most)
        if low > -FAR or high < FAR:
            found[base] = (low, high)
    return found


class _Planner:
    """Finds in which order to ask."""

    def __init__(self, parts: Sequence[Part], shorten: bool) -> None:
        self._parts = parts
        self._shorten = shorten
        self._leaves = 0

    def tree(self, ways: list[_Left], known: Facts) -> Tree:
        """What decides between these ways where ``known`` holds."""
        ways = [_Left(way.number, left) for way in ways if (left := _open(way.tests, known)) is not None]
        if not ways:
            return None
        split = self._split(ways) if len(ways) > 1 and self._leaves < 3 * len(self._parts) else None
        if split is not None:
            base, limit = split
            low, high = known.get(base, (-FAR, FAR))
            below = self.tree(ways, {**known, base: (low, min(high, limit))})
            above = self.tree(ways, {**known, base: (max(low, limit + 1), high)})
            return Ask([(base, (-FAR, limit))], below, above)
        first = max(ways, key=lambda way: self._parts[way.number].weight)
        self._leaves += 1
        needed = needed_of(first.tests, known) if self._shorten else list(first.tests.items())
        if not needed:
            return Take(first.number)
        ways.remove(first)
        return Ask(needed, Take(first.number), self.tree(ways, known))

    def _split(self, ways: list[_Left]) -> tuple[Base, int] | None:
        """The comparison that tells most of these ways apart, if any does."""
        weights = [self._parts[way.number].weight + 1 for way in ways]
        total = sum(weights)
        best, most = None, 0.0
        asked: set[tuple[Base, int]] = set()
        for way in ways:
            for base, (low, high) in way.tests.items():
                asked.update([(base, limit) for limit in (low - 1, high) if -FAR <= limit < FAR])
        for base, limit in asked:
            below = above = 0
            for way, weight in zip(ways, weights, strict=True):
                low, high = way.tests.get(base, (-FAR, FAR))
                if high <= limit:
                    below += weight
                elif low > limit:
                    above += weight
            if below and above:
                both = total - below - above
                worth = below * above / total - both / 2
                if best is None or (worth, base, limit) > (most, *best):
                    best, most = (base, limit), worth
        return best


class _Writer:
    """Writes the function, line by line."""

    def __init__(self, parts: Sequence[Part], own: int) -> None:
        self.lines: list[str] = []
        self._parts = parts
        self._own = own
        reads = Counter(index for part in parts for base, _, _ in part.tests for index, _ in base)
        self._often = frozenset(index for index, count in reads.items() if count >= OFTEN * len(parts))

    def node(self, tree: Tree, depth: int, loaded: frozenset[int]) -> None:
        """Decide by this tree, where ``loaded`` are variables already; always returns."""
        while isinstance(tree, Ask):
            if tree.no is None:
                for base, ends in tree.tests:
                    loaded = self._read([base], depth, loaded)
                    self._line(depth, f"if not {self._holds(base, *ends, loaded)}:return")
                tree = tree.yes
                continue
            loaded = self._read([base for base, _ in tree.tests], depth, loaded)
            self._line(depth, f"if {' and '.join(self._holds(base, *ends, loaded) for base, ends in tree.tests)}:")
            self.node(tree.yes, depth + 1, loaded)
            tree = tree.no
        if tree is None:
            self._line(depth, "return")
        else:
            self._results(self._parts[tree.number], tree.number, depth, loaded)

    def _results(self, part: Part, number: int, depth: int, loaded: frozenset[int]) -> None:
        outputs = part.outputs
        if part.in_place:
            changed = [(place, out) for place, out in enumerate(outputs) if out != (((place, 1),), 0)]
            if changed:
                places = ",".join(f"s[{place}]" for place, _ in changed)
                self._line(depth, f"{places}={','.join(self._value(*out, loaded) for _, out in changed)}")
            self._line(depth, f"return t{number},s")
            return
        values: list[str] = []
        at = 0
        while at < len(outputs):
            base, constant = outputs[at]
            start = base[0][0] if len(base) == 1 and base[0][1] == 1 and not constant else self._own
            length = 0
            while at + length < len(outputs) and start + length < self._own:
                if outputs[at + length] != (((start + length, 1),), 0):
                    break
                length += 1
            if length >= RUN:
                values.append(f"*s[{start}:{start + length}]")
                at += length
            else:
                values.append(self._value(base, constant, loaded))
                at += 1
        self._line(depth, f"return t{number},[{','.join(values)}]")

    def _line(self, depth: int, text: str) -> None:
        self.lines.append(" " * depth + text)

    def _read(self, bases: Iterable[Base], depth: int, loaded: frozenset[int]) -> frozenset[int]:
        """Make variables of what is read often."""
        wanted = {index for base in bases for index, _ in base} & self._often - loaded
        for index in sorted(wanted):
            self._line(depth, f"n{index}={self._place(index)}")
        return loaded | wanted

    def _place(self, index: int) -> str:
        return f"s[{index}]" if index < self._own else f"p[{index - self._own}]"

    def _name(self, index: int, loaded: frozenset[int]) -> str:
        return f"n{index}" if index in loaded else self._place(index)

    def _sum(self, base: Base, loaded: frozenset[int]) -> str:
        parts = []
        for index, factor in sorted(base, key=lambda each: each[1] < 0):
            sign = "-" if factor < 0 else "+"
            name = self._name(index, loaded)
            parts.append(sign + (name if abs(factor) == 1 else f"{abs(factor)}*{name}"))
        return "".join(parts).removeprefix("+")

    def _value(self, base: Base, constant: int, loaded: frozenset[int]) -> str:
        if not base:
            return str(constant)
        return f"{self._sum(base, loaded)}{constant:+d}" if constant else self._sum(base, loaded)

    def _holds(self, base: Base, low: int, high: int, loaded: frozenset[int]) -> str:
        """The comparison as text."""
        if sorted(factor for _, factor in base) == [-1, 1]:
            (_, left), (_, right) = sorted((-factor, self._name(index, loaded)) for index, factor in base)
            simple = {(0, 0): "==", (-FAR, 0): "<=", (-FAR, -1): "<", (0, FAR): ">=", (1, FAR): ">"}.get((low, high))
            if simple:
                return f"{left}{simple}{right}"
        text = self._sum(base, loaded)
        if low == high:
            return f"{text}=={low}"
        if low <= -FAR:
            return f"{text}<={high}"
        return f"{text}>={low}" if high >= FAR else f"{low}<={text}<={high}"


def _open(tests: Facts, known: Facts) -> Facts | None:
    """What is left to be made sure of where ``known`` holds; None if that excludes them."""
    left: Facts = {}
    for base, (low, high) in tests.items():
        least, most = known.get(base, (-FAR, FAR))
        if least > high or most < low:
            return None
        if least < low or most > high:
            left[base] = (low, high)
    return left


_ZERO = -1
_PATIENCE = 300


def needed_of(tests: Facts, known: Facts) -> list[tuple[Base, Range]]:
    """Those of the tests, and those of their two bounds, that do not follow from the others and from what is known."""
    left: dict[Base, list[int]] = {base: [low, high] for base, (low, high) in tests.items()}
    every = _Bounds()
    every.take(known)
    every.take(tests)

    def follows(base: Base, end: int) -> bool:
        """Does this bound of a test follow from everything else?"""
        bound = left[base][end]
        half = base if end else _negative(base)
        limit = bound if end else -bound
        every.drop(half, limit)
        holds = every.at_most(half, limit)
        if holds:
            left[base][end] = FAR if end else -FAR
        else:
            every.enter(half, limit)
        return holds

    # What is cheap to compare stays: first sums of many numbers go, and equalities last.
    for base, (low, high) in sorted(tests.items(), key=lambda each: (each[1][0] == each[1][1], -len(each[0]))):
        if high < FAR:
            follows(base, 1)
        if low > -FAR:
            follows(base, 0)
    ways = [(base, (low, high)) for base, (low, high) in left.items() if low > -FAR or high < FAR]
    return sorted(ways, key=lambda each: each[1][0] != each[1][1])


def _negative(base: Base) -> Base:
    return tuple([(index, -factor) for index, factor in base])


class _Bounds:
    """Bounds of numbers and of differences of two of them: ``apart[x][y]`` is the most by which x lies above y."""

    def __init__(self) -> None:
        self.apart: dict[int, dict[int, int]] = {}
        self._limits: dict[tuple[int, int], list[int]] = {}

    def take(self, facts: Facts) -> None:
        """All of these hold."""
        for base, (low, high) in facts.items():
            if high < FAR:
                self.enter(base, high)
            if low > -FAR:
                self.enter(_negative(base), -low)

    def enter(self, base: Base, limit: int) -> None:
        """The sum is at most that."""
        pair = _pair(base)
        if pair is not None:
            limits = self._limits.setdefault(pair, [])
            limits.append(limit)
            self.apart.setdefault(pair[0], {})[pair[1]] = min(limits)

    def drop(self, base: Base, limit: int) -> None:
        """Take that back."""
        pair = _pair(base)
        if pair is not None:
            limits = self._limits[pair]
            limits.remove(limit)
            if limits:
                self.apart[pair[0]][pair[1]] = min(limits)
            else:
                del self.apart[pair[0]][pair[1]]

    def most(self, x: int, y: int) -> int:
        """An upper bound of x - y."""
        least = {x: 0}
        waiting = [x]
        for number in waiting:
            if len(waiting) > _PATIENCE:
                break
            for other, apart in self.apart.get(number, {}).items():
                sum_ = least[number] + apart
                if sum_ < least.get(other, FAR):
                    least[other] = sum_
                    waiting.append(other)
        return least.get(y, FAR)

    def at_most(self, base: Base, limit: int) -> bool:
        """Is the sum certainly at most that?"""
        pair = _pair(base)
        if pair is not None:
            return self.most(*pair) <= limit
        if any(abs(factor) != 1 for _, factor in base) or len(base) > 3:
            return False
        for index, factor in base:
            for other, sign in base:
                if factor == 1 and sign == -1:
                    rest = [each for each in base if each[0] not in (index, other)]
                    alone = sum(self.most(*(_pair((each,)) or (_ZERO, _ZERO))) for each in rest)
                    if self.most(index, other) + alone <= limit:
                        return True
        return False


def _pair(base: Base) -> tuple[int, int] | None:
    """x and y if the sum is x - y, one of them perhaps zero."""
    factors = sorted(factor for _, factor in base)
    if factors == [-1, 1]:
        (a, factor), (b, _) = base
        return (a, b) if factor == 1 else (b, a)
    if factors == [1]:
        return base[0][0], _ZERO
    return (_ZERO, base[0][0]) if factors == [-1] else None
