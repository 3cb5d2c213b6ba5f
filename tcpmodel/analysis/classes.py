"""The cases of an event that a spec tells apart in a state.

Owns: the choice of values for variables, fields and flags at which conditions change their truth, and the grouping of
such cases by the conditions that hold.
Must never hold: what is concluded from them (see ``coverage``), or a name of any protocol.

Where all values that matter are few (flags, words, small ranges) every case is tried. Sequence numbers and amounts are
tried at and beside the terms that the conditions compare them with, from bases just below 2^32; of these combinations a
fixed pseudo-random choice is taken. Every order of the variables is tried, also one that no connection reaches: a spec
should say what happens then, too.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tcpmodel.analysis.reading import Reading, read
from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum, Range, Seq, Type
from tcpmodel.semantics.expressions import Evaluate
from tcpmodel.semantics.program import CompiledRule, EventKey, Program
from tcpmodel.semantics.values import FALSE, MODULUS, OPEN, Interval

BASES = {"local": MODULUS - 2, "peer": MODULUS - 3}
"""Where the sequence numbers of each end start: a few steps later they pass 2^32."""

OFFSETS = (0, 1, 2, 3, 5)
AROUND = (-1, 0, 0, 1, 2, -2)
ROUND = 400
"""Cases tried before asking whether anything new was found."""
MOST = 2_400
"""Most cases tried for one event in one state, unless all are tried."""
ALL_AT_MOST = 512
"""Every case is tried when there are no more than that."""
KEPT = 3
"""Cases kept of each group in which the same conditions hold."""

SEQ_FIELD = {"sender": "peer", "receiver": "local"}
"""The numbering of a field in a message that arrived."""

Number = int | None
"""An exact value; None for an optional variable that is unset."""


@dataclass(frozen=True, slots=True)
class Case:
    """Exact values of all variables, and of the message that arrives, if one does: its fields, flags and marks."""

    variables: tuple[Number, ...]
    fields: tuple[int, ...] = ()
    flags: tuple[int, ...] = ()

    def weight(self) -> int:
        """How far the case is from the simplest one; of several witnesses the lightest is shown."""
        total = 3 * sum(self.flags)
        for value in (*self.variables, *self.fields):
            if value is not None:
                total += value if value < MODULUS // 2 else abs(value - BASES["local"])
        return total


@dataclass
class Cases:
    """What was tried of one event in one state.

    ``rules``: the rules of the state for the event, then those of every state in which processing may go on, all
    profiles together. ``groups``: which conditions hold at the start (bits by position in ``rules``; the same again, so
    many bits higher, for those that are not decided) -> some cases, the lightest first; ``weights``: its weight.
    ``reading``: the variables, fields and flags that matter. ``tried``: the number of all cases, ``complete``: there
    are no others.
    """

    state: int
    event: EventKey
    message: m.Message | None
    rules: list[CompiledRule]
    reading: Reading
    groups: dict[int, list[Case]] = field(default_factory=dict)
    weights: dict[int, int] = field(default_factory=dict)
    tried: int = 0
    complete: bool = False

    def all(self) -> Iterator[Case]:
        """Every case that was kept."""
        for kept in self.groups.values():
            yield from kept


def continuations(program: Program, state: int, event: EventKey) -> list[int]:
    """The state and those in which ``then continue`` may go on with the event."""
    found = [state]
    for current in found:
        for rule in program.rules[current].get(event, ()):
            if rule.continues and rule.target not in found:
                found.append(rule.target)
    return found


class Enumeration:
    """Finds the cases of a spec. ``program`` must hold the rules of all profiles."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._spec = program.spec
        self._initial = program.initial_values()

    def cases(self, state: int, event: EventKey) -> Cases:
        """The cases of one event in one state."""
        program = self._program
        states = continuations(program, state, event)
        rules = [rule for index in states for rule in program.rules[index].get(event, ())]
        message = next((item for item in self._spec.messages if item.name == event[1]), None)
        message = message if event[0] == "message" else None
        found = Cases(state, event, message, rules, read(self._spec, [rule.source for rule in rules]))
        generator = _Generator(program, found, self._default)
        guards = [(1 << index, rule.guard) for index, rule in enumerate(rules) if rule.guard is not None]
        always = sum(1 << index for index, rule in enumerate(rules) if rule.guard is None)
        arrival = Arrival(program, message)
        for case in generator.generate():
            environment = arrival.environment(case)
            bits = always
            for bit, guard in guards:
                answer = guard.test(environment)
                if answer != FALSE:
                    bits |= bit
                    if answer == OPEN:
                        bits |= bit << len(rules)
            found.tried += 1
            weight = case.weight()
            kept = found.groups.get(bits)
            if kept is None:
                found.groups[bits] = [case]
                found.weights[bits] = weight
                generator.news += 1
                continue
            if weight < found.weights[bits]:
                found.weights[bits] = weight
                kept.insert(0, case)
                del kept[KEPT:]
            elif len(kept) < KEPT:
                kept.append(case)
        return found

    def _default(self, index: int) -> Number:
        """The value of a variable that does not matter."""
        variable = self._spec.variables[index]
        known = self._initial[index]
        if known is None:
            return None
        if known[0] == known[1]:
            return known[0]
        return BASES[variable.type.space] if isinstance(variable.type, Seq) else max(known[0], 0)


class _Generator:
    """Makes up cases for one event in one state."""

    def __init__(self, program: Program, cases: Cases, default: Callable[[int], Number]) -> None:
        self.news = 0
        self._program = program
        self._cases = cases
        reading = cases.reading
        spec = program.spec
        numbers = sorted({n + d for n in reading.numbers for d in (-1, 0, 1)} | {0, 1, 2, 4})
        self._finite = True
        self._near = False  # fields take values beside terms, so their axes are not all that there is
        self._variables: list[Sequence[Number]] = []
        for index, variable in enumerate(spec.variables):
            if variable.name in reading.variables:
                unset: tuple[Number, ...] = (None,) if variable.optional else ()
                self._variables.append((*unset, *self._values(variable.type, numbers)))
            else:
                self._variables.append((default(index),))
        message = cases.message
        self._fields: list[Sequence[int]] = []
        self._flags: list[Sequence[int]] = []
        if message is not None:
            for item in message.fields:
                small = self._finite
                self._finite = True
                self._fields.append(self._values(item.type, numbers) if item.name in reading.fields else (0,))
                self._near = self._near or not self._finite
                self._finite = self._finite and small
            for name in (*message.flags, *message.marks):
                self._flags.append((0, 1) if name in reading.flags else (0,))
        seed = f"{spec.name} {program.states[cases.state]} {cases.event}"
        self._random = random.Random(seed)
        self._terms = {
            space: [
                program.compiler.value(term)
                for term in reading.terms.values()
                if isinstance(term.type, Seq) and term.type.space == space
            ]
            for space in BASES
        }
        self._amounts = [program.compiler.value(term) for term in reading.amounts.values()]

    def _values(self, type_: Type, numbers: Sequence[int]) -> Sequence[int]:
        if isinstance(type_, Enum):
            return range(len(type_.words))
        if isinstance(type_, Range) and type_.high - type_.low < 16:
            return range(type_.low, type_.high + 1)
        self._finite = False
        if isinstance(type_, Seq):
            base = BASES[SEQ_FIELD.get(type_.space, type_.space)]
            return [base + offset for offset in OFFSETS]
        if isinstance(type_, Range):
            inside = {number for number in numbers if type_.low <= number <= type_.high}
            return sorted(inside | {type_.low, type_.high})
        return [number for number in numbers if number >= 0]

    def generate(self) -> Iterator[Case]:
        """All cases when they are few, else rounds of chosen ones until a round shows little that is new."""
        axes = [*self._variables, *self._fields, *self._flags]
        known = len(self._variables), len(self._variables) + len(self._fields)
        if not self._near and math.prod(map(len, axes)) <= ALL_AT_MOST:
            for values in itertools.product(*axes):
                yield Case(values[: known[0]], values[known[0] : known[1]], values[known[1] :])  # type: ignore[arg-type]
            self._cases.complete = self._finite
            return
        tried = 0
        before = -1
        while tried < MOST and (before < 0 or self.news > before):
            before = self.news + ROUND // 100
            for _ in range(ROUND // 8):
                yield from self._some()
            tried += ROUND

    def _some(self) -> Iterator[Case]:
        """Eight messages that meet the same endpoint."""
        choice = self._random.choice
        variables = tuple([choice(values) for values in self._variables])
        flags = [tuple([choice(values) for values in self._flags]) for _ in range(8)]
        message = self._cases.message
        if message is None:
            yield from (Case(variables) for _ in flags[:1])
            return
        environment: list[Interval | None] = [None if value is None else (value, value) for value in variables]
        spots = {
            space: [known[0] for term in terms if (known := term.evaluate(environment)) is not None] or [BASES[space]]
            for space, terms in self._terms.items()
        }
        amounts = [known[0] for term in self._amounts if (known := term.evaluate(environment)) is not None]
        for chosen in flags:
            fields = []
            for item, values in zip(message.fields, self._fields, strict=True):
                if isinstance(item.type, Seq) and len(values) > 1:
                    spot = choice(spots[SEQ_FIELD.get(item.type.space, item.type.space)])
                    fields.append((spot if abs(spot) < 2 * MODULUS else values[0]) + choice(AROUND))
                elif amounts and len(values) > 1 and not isinstance(item.type, Enum | Range) and choice(AROUND) > 0:
                    amount = choice(amounts)
                    fields.append(max(0, amount + choice(AROUND)) if amount < MODULUS else choice(values))
                else:
                    fields.append(choice(values))
            yield Case(variables, tuple(fields), chosen)


class Arrival:
    """Puts the cases of a message into the slots of a program: fields, flags, marks, and what is derived of them."""

    def __init__(self, program: Program, message: m.Message | None) -> None:
        layout = program.layout
        self._program = program
        self._slots: list[int] = []
        self._derived: list[tuple[int, Evaluate]] = []
        if message is not None:
            self._slots = [layout.fields[message.name, item.name] for item in message.fields]
            self._slots += [layout.flags[message.name, name] for name in (*message.flags, *message.marks)]
            self._derived = program.compiler.derived.get(message.name, [])

    def slots(self, case: Case) -> list[tuple[int, Interval | None]]:
        """Slots and values of the message of a case; none if no message arrives."""
        if not self._slots:
            return []
        values: list[Interval | None] = [(value, value) for value in (*case.fields, *case.flags)]
        found = list(zip(self._slots, values, strict=True))
        if self._derived:
            scratch: list[Interval | None] = [None] * self._program.layout.size
            for slot, known in found:
                scratch[slot] = known
            for slot, evaluate in self._derived:
                known = scratch[slot] = evaluate(scratch)
                found.append((slot, known))
        return found

    def environment(self, case: Case) -> list[Interval | None]:
        """All that the program knows as it looks at the first condition."""
        environment = self._program.environment([None if value is None else (value, value) for value in case.variables])
        for slot, known in self.slots(case):
            environment[slot] = known
        return environment


def describe(spec: m.Spec, cases: Cases, case: Case, rules: Iterable[m.Rule]) -> tuple[tuple[str, str], ...]:
    """(name, value) pairs of what these rules read of a case, as people write them."""
    reading = read(spec, rules)
    shown: list[tuple[str, str]] = []
    for variable, value in zip(spec.variables, case.variables, strict=True):
        if variable.name in reading.variables:
            shown.append((variable.name, _written(variable.type, value)))
    message = cases.message
    if message is not None:
        for item, number in zip(message.fields, case.fields, strict=True):
            if item.name in reading.fields:
                shown.append((f"{message.name}.{item.name}", _written(item.type, number)))
        names = (*message.flags, *message.marks)
        if names:
            carried = ",".join(name for name, bit in zip(names, case.flags, strict=True) if bit)
            shown.append((f"{message.name} flags", carried or "none"))
    return tuple(shown)


def _written(type_: Type, value: Number) -> str:
    if value is None:
        return "unset"
    if isinstance(type_, Enum):
        return type_.words[value]
    return str(value % MODULUS) if isinstance(type_, Seq) else str(value)
