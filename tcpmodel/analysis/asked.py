"""A property of behaviour, ready to be asked of steps.

Owns: whether one step breaks a property.
Must never hold: which steps are tried (see ``exploration`` and ``classes``), or what is said of the answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tcpmodel.analysis.exploration import Configuration
from tcpmodel.model import spec as m
from tcpmodel.semantics.execution import Outcome
from tcpmodel.semantics.expressions import Compiler, Environment, Guard, Value, unknown_narrow
from tcpmodel.semantics.program import CompiledSend, EventKey, Program
from tcpmodel.semantics.values import FALSE, OPEN, TRUE, Interval

Slots = Iterable[tuple[int, "Interval | None"]]
Known = Sequence["Interval | None"]

OF_ANSWERS = ("never-sends", "sends-nothing", "sends-only", "always-sends", "always-signals", "never-signals")
"""Kinds about what an event brings about: what is sent, and what the user is told."""
KINDS = ("always", "each-step", "never-step", *OF_ANSWERS)


class _TwoTimes(Compiler):
    """Expressions over the values before and after an event: those after get slots of their own."""

    def __init__(self, program: Program) -> None:
        layout = program.layout
        super().__init__(
            program.spec,
            dict(program.profiles),
            layout.variables,
            layout.fields,
            layout.flags,
            layout.allocate,
        )
        self.derived = program.compiler.derived
        self._derived_slots = program.compiler._derived_slots
        self.after: list[tuple[int, Value]] = []

    def _slot(self, expr: m.After) -> int:
        slot = self._allocate()
        self.after.append((slot, self.value(expr.operand)))
        return slot

    def _plain_value(self, expr: m.Expr) -> Value:
        if isinstance(expr, m.After):
            slot = self._slot(expr)
            return Value(lambda environment: environment[slot], unknown_narrow)
        return super()._plain_value(expr)

    def _guard(self, expr: m.Expr) -> Guard:
        if isinstance(expr, m.After):
            slot = self._slot(expr)

            def test(environment: Environment) -> int:
                known = environment[slot]
                return OPEN if known is None or known[0] != known[1] else known[0]

            return Guard(test, lambda _environment, _truth: True)
        return super()._guard(expr)


@dataclass
class Asked:
    """A property under the profiles of ``program``.

    ``of_answers``: it is about what an event brings about, so every event counts, also one that changes nothing.
    """

    program: Program
    declared: m.Property
    of_answers: bool = False
    _where: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one, program = self.declared, self.program
        self.of_answers = one.kind in OF_ANSWERS
        compiler = _TwoTimes(program)
        self._expr = compiler.guard(one.expr) if one.expr is not None else None
        self._condition = compiler.guard(one.condition) if one.condition is not None else None
        self._after = compiler.after
        self._states = {program.states.index(name) for name in one.states}
        self._into = {program.states.index(name) for name in one.into}
        self._events = {(event.kind, event.name) for event in one.events}
        bits = program.flag_bits
        names = {name: message for message, flags in bits.items() for name in flags}
        self._flags = [
            (
                sum(bits[names[name]][name] for name in alternative.present if name in names),
                sum(bits[names[name]][name] for name in alternative.absent if name in names),
            )
            for alternative in one.flags
        ]
        if one.kind == "sends-only":
            for state, groups in enumerate(program.rules):
                for rules in groups.values():
                    for rule in rules:
                        self._where.update((id(a), state) for a in rule.actions if isinstance(a, CompiledSend))

    def about(self, event: EventKey) -> bool:
        """Is it to be asked of steps of this event?"""
        return not self._events or event in self._events

    def first(self, start: Configuration) -> bool:
        """Is it broken by a configuration that nothing led to?"""
        inside = self.declared.kind == "always" and self._inside(start.state)
        return inside and not self._holds(start.values, start.values, ())

    def step(self, before: Configuration, after: Configuration, slots: Callable[[], Slots]) -> bool:
        """Is it broken by a step? ``slots``: the message that arrived, worked out only if it matters."""
        assert after.outcome is not None
        kind = self.declared.kind
        if kind == "always":
            return self._inside(after.state) and not self._holds(after.values, after.values, ())
        if kind == "each-step":
            inside = self._inside(before.state) and (self._inside(after.state) or bool(self._events))
            return inside and not self._holds(before.values, after.values, slots() if self._events else ())
        if kind == "never-step":
            passed = [before.state, *(rule.target for rule in after.outcome.rules)]
            source, target = (self.program.states.index(name) for name in self.declared.states)
            return (source, target) in itertools.pairwise(passed) and self._applies(before.values, after.values, ())
        return self.answer(before.state, before.values, after.outcome, slots)

    def answer(self, state: int, before: Known, outcome: Outcome, slots: Callable[[], Slots]) -> bool:
        """Is it broken by what an event brings about in ``state``?"""
        kind = self.declared.kind
        if kind == "sends-only":
            sent = [action for action, _ in outcome.sent if self._where.get(id(action)) in self._states]
            bad = any(not self._matches(action) for action in sent)
        elif not self._inside(state) or (self._into and outcome.state not in self._into):
            return False
        elif kind == "never-sends":
            bad = any(self._matches(action) for action, _ in outcome.sent)
        elif kind == "sends-nothing":
            bad = bool(outcome.sent)
        elif kind == "always-sends":
            bad = not any(not self._flags or self._matches(action) for action, _ in outcome.sent)
        else:
            words = self.declared.words
            told = words in outcome.signals if words else bool(outcome.signals)
            bad = told == (kind == "never-signals")
        return bad and self._applies(before, outcome.values, slots())

    def _inside(self, state: int) -> bool:
        return not self._states or state in self._states

    def _environment(self, before: Known, after: Known, slots: Slots) -> Environment:
        environment = self.program.environment(list(before))
        for slot, known in slots:
            environment[slot] = known
        if self._after:
            later = self.program.environment(list(after))
            for slot, value in self._after:
                environment[slot] = value.evaluate(later)
        return environment

    def _holds(self, before: Known, after: Known, slots: Slots) -> bool:
        environment = self._environment(before, after, slots)
        if self._condition is not None and self._condition.test(environment) == FALSE:
            return True
        assert self._expr is not None
        return self._expr.test(environment) != FALSE

    def _applies(self, before: Known, after: Known, slots: Slots) -> bool:
        return self._condition is None or self._condition.test(self._environment(before, after, slots)) == TRUE

    def _matches(self, action: CompiledSend) -> bool:
        return any(action.flags & wanted == wanted and not action.flags & banned for wanted, banned in self._flags)
