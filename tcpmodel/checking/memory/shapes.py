"""What is known of a connection, taken apart into its shape and its numbers.

Owns: the two ways between the objects of a connection and a pair of (shape, numbers). Two connections of one shape
differ in their numbers only: in how far they have got, not in what is known.
Must never hold: what follows from a packet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tcpmodel.checking.ends.configurations import Configuration, Configurations
from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.model.types import Enum, Range
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.recording import Number
from tcpmodel.semantics.values import INFINITY, Interval

Shape = tuple[Any, ...]
"""Nested tuples in which marks stand for numbers; equal for equal shapes."""

_FAR = INFINITY // 2

_NUMBER, _LOWEST, _HIGHEST = range(3)
_MARKS = [[low + high for high in "n<>"] for low in "n<>"]
"""What stands for an interval: for its low and its high end, ``n`` a number, ``<`` and ``>`` no bound."""


def identity(number: Number | int) -> tuple[int, int]:
    """Equal for numbers that are one number, whatever the inputs are."""
    return (number.base, number.constant) if isinstance(number, Number) else (-1, number)


def symbolic_slots(program: Program) -> list[bool]:
    """For each slot of an environment: does it hold a number, rather than one of a few words?"""
    spec, layout = program.spec, program.layout
    found = [True] * layout.size
    for variable in spec.variables:
        found[layout.variables[variable.name]] = not isinstance(variable.type, Enum | Range)
    for message in spec.messages:
        for item in message.fields:
            found[layout.fields[message.name, item.name]] = not isinstance(item.type, Enum | Range)
    for slot in layout.flags.values():
        found[slot] = False
    return found


class Freezer:
    """Writes one connection as a shape; ``numbers`` are those that stand in it, one for each place."""

    def __init__(self, symbolic: Sequence[bool]) -> None:
        self.numbers: list[Number | int] = []
        self._symbolic = symbolic

    def _bound(self, number: Number | int) -> int:
        if isinstance(number, int):
            if number <= -_FAR:
                return _LOWEST
            if number >= _FAR:
                return _HIGHEST
        self.numbers.append(number)
        return _NUMBER

    def _interval(self, slot: int, known: Interval | None) -> Interval | str | None:
        if known is None or not self._symbolic[slot]:
            return known
        return _MARKS[self._bound(known[0])][self._bound(known[1])]

    def configurations(self, configurations: Configurations) -> Shape:
        """A set of configurations, in its order."""
        return tuple(
            (c.state, c.ended, c.cost, *[self._interval(slot, known) for slot, known in enumerate(c.values)])
            for c in configurations.values()
        )

    def endpoint(self, end: Endpoint) -> Shape:
        """Everything that an endpoint holds."""
        pool = tuple(
            (key, tuple([(slot, self._interval(slot, known)) for slot, known in slots.items()]))
            for key, slots in end.pool.items()
        )
        sets = (self.configurations(end.now), self.configurations(end.ever))
        return (end.from_start, end.whole, end.sent > 0, *sets, pool, "n<>"[self._bound(end.heard)])

    def near(self, near: Sequence[int | None]) -> Shape:
        """Where numbers of both ends were."""
        self.numbers += [number for number in near if number is not None]
        return tuple([None if number is None else "n" for number in near])


class Thawer:
    """Makes objects of a shape again. ``groups`` tells for each place which of ``numbers`` stands there."""

    def __init__(self, symbolic: Sequence[bool], groups: Sequence[int], numbers: Sequence[Any]) -> None:
        self._symbolic = symbolic
        self._numbers = numbers
        self._left = iter(groups)
        self._made: dict[tuple[int, int], Interval] = {}

    def _interval(self, slot: int, code: Any) -> Interval | None:
        if code is None or not self._symbolic[slot]:
            known: Interval | None = code
            return known
        low, high = code
        key = (self._bound(low), self._bound(high))
        made = self._made.get(key)
        if made is None:
            # Equal intervals become one object: comparing them asks nothing of their numbers.
            made = self._made[key] = (self._worth(key[0]), self._worth(key[1]))
        return made

    def _bound(self, mark: str) -> int:
        return next(self._left) if mark == "n" else -_LOWEST if mark == "<" else -_HIGHEST

    def _worth(self, group: int) -> Any:
        if group >= 0:
            return self._numbers[group]
        return -INFINITY if group == -_LOWEST else INFINITY

    def _configurations(self, shape: Shape, key: Callable[[Configuration], Any]) -> Configurations:
        found: Configurations = {}
        for state, ended, cost, *codes in shape:
            values = [self._interval(slot, code) for slot, code in enumerate(codes)]
            configuration = Configuration(state, values, cost, ended)
            found[key(configuration)] = configuration
        return found

    def endpoint(self, shape: Shape, end: Endpoint) -> None:
        """Fill an endpoint."""
        from_start, whole, sent, now, ever, pool, heard = shape
        end.from_start, end.whole, end.sent = from_start, whole, int(sent)
        # In the order in which they were written.
        end.pool = {key: {slot: self._interval(slot, code) for slot, code in slots} for key, slots in pool}
        end.now = self._configurations(now, end.abilities.key)
        end.ever = self._configurations(ever, end.abilities.key)
        end.heard = self._worth(self._bound(heard))
        end.forget()

    def near(self, shape: Shape) -> list[Any]:
        """Where numbers of both ends were."""
        return [None if mark is None else self._numbers[next(self._left)] for mark in shape]
