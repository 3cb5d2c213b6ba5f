"""Scenarios with all their numbers moved, so that they pass from 2^32 - 1 to 0 somewhere on the way.

Owns: which numbers of a scenario belong to which numbering, and how far they are moved.
Must never hold: what a scenario means (see ``one_end`` and ``two_ends``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tcpmodel.model import scenario as s
from tcpmodel.model import spec as m
from tcpmodel.model.types import Seq
from tcpmodel.semantics import values as v

MOST_SHIFTS = 24
"""So many places of the wrap are tried for one scenario at most."""

Told = dict[str, "int | str | None"]
"""Values of variables as people give them: numbers modulo 2^32, words, None for ``unset``."""


class Shift(NamedTuple):
    """How far the numbers of an end (``local``) and those of the other end (``peer``) are moved."""

    local: int = 0
    peer: int = 0

    def swapped(self) -> Shift:
        """The same, as the other end calls it."""
        return Shift(self.peer, self.local)

    def number(self, type_: object, number: int) -> int:
        """A number of that type, moved if it is a number of a numbering of an end."""
        if not isinstance(type_, Seq):
            return number
        return (number + (self.local if type_.space == "local" else self.peer)) % v.MODULUS

    def field(self, type_: object, number: int, *, ours: bool) -> int:
        """The number of a field; ``ours``: of a message that the end sends."""
        if not isinstance(type_, Seq):
            return number
        return self.number(Seq("local" if (type_.space == "sender") == ours else "peer"), number)

    def told(self, spec: m.Spec, values: Mapping[str, int | str | None]) -> Told:
        """Values of variables (and of what a rule chooses), moved."""
        types = types_of(spec)
        return {
            name: self.number(types.get(name), value) if isinstance(value, int) else value
            for name, value in values.items()
        }


NO_SHIFT = Shift()


def types_of(spec: m.Spec) -> dict[str, object]:
    """The types of all names that can have a value: variables, and what rules choose."""
    types: dict[str, object] = {}
    for state in spec.states:
        for rule in state.rules:
            types.update((action.name, action.type) for action in rule.actions if isinstance(action, m.Choose))
    types.update((variable.name, variable.type) for variable in spec.variables)
    return types


def shifts(numbers: tuple[Iterable[int], Iterable[int]]) -> Iterator[Shift]:
    """Shifts that put each of these numbers (those of the end, those of the other) to 0 in turn."""
    ours, theirs = (sorted(set(each)) for each in numbers)
    most = min(max(len(ours), len(theirs)), MOST_SHIFTS)
    for index in range(most):
        local, peer = (-(each[index % len(each)]) if each else 0 for each in (ours, theirs))
        yield Shift(local, peer)


def numbers_of(spec: m.Spec, scenario: s.Scenario, end: str) -> tuple[set[int], set[int]]:
    """The numbers that a scenario names, as ``end`` ("" with one end) sees them: its own, and those of its peer."""
    types = types_of(spec)
    fields = {(message.name, item.name): item.type for message in spec.messages for item in message.fields}
    found: tuple[set[int], set[int]] = (set(), set())

    def value(name: str, number: int | str | None, mine: bool) -> None:
        kind = types.get(name)
        if isinstance(kind, Seq) and isinstance(number, int):
            found[int((kind.space == "local") != mine)].add(number)

    def message(said: s.SaidMessage, ours: bool) -> None:
        for name, number in said.fields:
            kind = fields[said.message, name]
            if isinstance(kind, Seq):
                found[int((kind.space == "sender") != ours)].add(number)

    for whose, name, number in scenario.lets:
        value(name, number, whose == end)
    for line in scenario.lines:
        if isinstance(line, s.MessageLine):
            message(line.message, line.sender == end)
        elif isinstance(line, s.SentLine) and line.message is not None:
            message(line.message, line.end == end)
        elif isinstance(line, s.EventLine | s.CheckLine | s.ChooseLine):
            if isinstance(line, s.EventLine) and line.message is not None:
                message(line.message, line.end != end)
            for name, number in line.values:
                value(name, number, line.end == end)
    return found
