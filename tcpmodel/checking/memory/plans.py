"""What decides between the ways of a kind, as a list of numbers.

Owns: how a tree of comparisons and the results of ways are written down as 64-bit numbers, and running such a list.
Must never hold: what a way stands for, or in which order to ask (see ``decisions``).

A plan is read from its start. Each step begins with its code:

- ``NONE``: nothing is sure to fit.
- ``TEST, else, low, high, n, (index, factor) * n``: go on if low =< sum =< high, else at the place ``else``.
- ``APART, else, low, high, x, y``: the same for the number x less the number y.
- ``ALONE, else, low, high, x``: the same for one number.
- ``TAKE, way, count, n, (place, constant, m, (index, factor) * m) * n``: that way fits. There are ``count`` numbers
  after it, of which these n are new; the others are what they were at their places.

The numbers that are known come first, then those of the packet. A plan may have two parts, the second of which begins
at the place ``rest``: a ``NONE`` of the first leads there.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

from tcpmodel.checking.memory.compiled import Part, Way
from tcpmodel.checking.memory.decisions import FAR, Ask, Range, Tree, facts_of
from tcpmodel.semantics.recording import Base

NONE, TEST, APART, ALONE, TAKE = range(5)

MOST = 1 << 16
"""A plan has no more numbers."""


class Plan(NamedTuple):
    """A plan that decides between these ways, which led to these targets. By a tree between the first, so many as are
    ``sorted``; the others, from the place ``rest`` on, are tried one after the other."""

    words: bytes
    ways: Sequence[Way]
    targets: Sequence[Any]
    sorted: int
    rest: int = 0

    def with_ways(self, ways: Sequence[Way]) -> Plan:
        """This plan, with more ways that are tried after all others; they take as many numbers."""
        words = array("q", self.words)
        rest = self.rest
        if not rest and self.sorted:
            rest = len(words)
        elif words:
            words.pop()
        taken = list(self.ways)
        for way in ways:
            start = len(words)
            part = way.part()
            tests = [_test(base, ends) for base, ends in facts_of(part.tests).items()]
            end = start + sum(map(len, tests))
            take = _take(len(taken), part, way.own)
            if end + len(take) >= MOST:
                break
            for test in tests:
                test[1] = end + len(take)
                words.extend(test)
            words.extend(take)
            taken.append(way)
        words.append(NONE)
        return Plan(words.tobytes(), taken, [way.target for way in taken], self.sorted, rest)


def plan_of(tree: Tree, parts: Sequence[Part], own: int) -> bytes:
    """The plan of a tree that decides between these ways, which take ``own`` known numbers; b"" if it is too long."""
    plan = array("q")
    waiting: list[tuple[Tree, list[int]]] = [(tree, [])]
    while waiting:
        node, jumps = waiting.pop()
        for place in jumps:
            plan[place] = len(plan)
        while isinstance(node, Ask):
            jumps = []
            for base, ends in node.tests:
                jumps.append(len(plan) + 1)
                plan.extend(_test(base, ends))
            waiting.append((node.no, jumps))
            node = node.yes
        if node is None:
            plan.append(NONE)
        else:
            plan.extend(_take(node.number, parts[node.number], own))
        if len(plan) > MOST:
            return b""
    plan.append(NONE)
    return plan.tobytes()


def _test(base: Base, ends: Range) -> list[int]:
    low, high = max(ends[0], -FAR), min(ends[1], FAR)
    if len(base) == 1 and base[0][1] == 1:
        return [ALONE, 0, low, high, base[0][0]]
    if sorted(factor for _, factor in base) == [-1, 1]:
        x, y = sorted(base, key=lambda each: -each[1])
        return [APART, 0, low, high, x[0], y[0]]
    return [TEST, 0, low, high, len(base), *[number for pair in base for number in pair]]


def _take(number: int, part: Part, own: int) -> list[int]:
    results: list[int] = []
    new = 0
    for place, (base, constant) in enumerate(part.outputs):
        if base == ((place, 1),) and not constant and place < own:
            continue
        new += 1
        results += [place, constant, len(base), *[each for pair in base for each in pair]]
    return [TAKE, number, len(part.outputs), new, *results]


def run(plan: bytes, known: Sequence[int], given: Sequence[int], rest: int = 0) -> tuple[int, list[int]] | None:
    """The way that a plan takes, with the numbers after it; None where nothing is sure to fit."""
    code = array("q", plan)
    numbers = [*known, *given]
    at = 0
    while code[at] != TAKE:
        kind = code[at]
        if kind == NONE and at < rest:
            at = rest
            continue
        if kind == NONE:
            return None
        if kind == ALONE:
            worth, after = numbers[code[at + 4]], at + 5
        elif kind == APART:
            worth, after = numbers[code[at + 4]] - numbers[code[at + 5]], at + 6
        else:
            after = at + 5 + 2 * code[at + 4]
            worth = _sum(code[at + 5 : after], numbers)
        at = after if code[at + 2] <= worth <= code[at + 3] else code[at + 1]
    way, count, new = code[at + 1 : at + 4]
    result = [*known[:count], *[0] * (count - len(known))]
    at += 4
    for _ in range(new):
        after = at + 3 + 2 * code[at + 2]
        result[code[at]] = code[at + 1] + _sum(code[at + 3 : after], numbers)
        at = after
    return way, result


def _sum(pairs: Sequence[int], numbers: Sequence[int]) -> int:
    return sum(numbers[index] * factor for index, factor in zip(pairs[::2], pairs[1::2], strict=True))
