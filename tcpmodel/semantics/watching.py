"""What a spec says of an observer, made ready to run: notes of two directions, and rules over messages as functions.

Owns: the layout of an observer's environment, the compiled rules, and which of them a message can break at all.
Must never hold: what was observed (see ``checking.ends.observer``), or the name of anything in a protocol.

An environment holds the message at hand, the notes of its direction and of the other one, and in slots of their own
both once more, as they are when a rule that waited is asked again. A value that may or may not be set is ``ANY``;
amounts never have that range, and of a number nobody knows whether it is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tcpmodel.model import spec as m
from tcpmodel.model.observer import PEER
from tcpmodel.model.types import Bool
from tcpmodel.model.walk import opened
from tcpmodel.semantics import values as v
from tcpmodel.semantics.expressions import (
    Compiler,
    Environment,
    Evaluate,
    Guard,
    Value,
    full_range,
    slot_value,
    unknown_narrow,
)
from tcpmodel.semantics.reasons import CONTROL, shown
from tcpmodel.semantics.values import FALSE, OPEN, TRUE, Interval

SOMETHING: Interval = (-v.INFINITY, v.INFINITY - 1)
"""A value that is set, and of which nothing else is known."""


@dataclass(frozen=True, slots=True)
class CompiledWatch:
    """A rule over messages. ``facts``: what must be known of the capture; ``needs``: conditions that must hold."""

    source: m.PacketRule
    forbid: Guard
    excepts: tuple[Guard, ...]
    needs: tuple[Guard, ...]
    facts: frozenset[str]
    once: Guard | None
    lapses: Guard | None


@dataclass(frozen=True, slots=True)
class CompiledObservation:
    """``jottings``: (slot, value or None, what is noted without a value). ``notices``: what the sender may hear."""

    when: Guard | None
    jottings: tuple[tuple[int, Evaluate | None, Interval | None], ...]
    notices: tuple[str, ...]


class WatchCompiler(Compiler):
    """Expressions of an observer: no sums are kept in slots, and tests for a value have three answers."""

    def value(self, expr: m.Expr) -> Value:
        """Compile a value; one with an apostrophe is that of a note as it is later."""
        if isinstance(expr, m.After):
            assert isinstance(expr.operand, m.VarRef)
            return slot_value(self._variables[expr.operand.name + "'"])
        if isinstance(expr, m.Arithmetic) and expr.op in ("max", "min"):
            return _extreme(expr.op, self.value(expr.left), self.value(expr.right))
        return super().value(expr)

    def _only_message(self, expr: m.Expr) -> str | None:
        return None

    def _guard(self, expr: m.Expr) -> Guard:
        if isinstance(expr, m.After):
            assert isinstance(expr.operand, m.IsSet)
            return self._set_guard(self._variables[expr.operand.name + "'"])
        return super()._guard(expr)

    def _set_guard(self, slot: int) -> Guard:
        def test(environment: Environment) -> int:
            known = environment[slot]
            if known is None:
                return FALSE
            return OPEN if known == v.ANY else TRUE

        return Guard(test, lambda _environment, _truth: True)


def _extreme(op: str, left: Value, right: Value) -> Value:
    """The later or earlier of two values; of one that is unset it is the other."""
    pick = max if op == "max" else min

    def evaluate(environment: Environment) -> Interval | None:
        a, b = left.evaluate(environment), right.evaluate(environment)
        if a is None or b is None:
            return b if a is None else a
        if a == v.ANY or b == v.ANY:
            return v.ANY
        return (pick(a[0], b[0]), pick(a[1], b[1]))

    return Value(evaluate, unknown_narrow)


class Watch:
    """All that a spec says of observers of one message, compiled under a choice of profiles.

    ``fields`` and ``flags`` map the names of the message to slots; ``seen`` lists (slot, key of readers, whether a
    message can be without it, full range, name of the numbering or ""); ``own``, ``peer``, ``own_later`` and
    ``peer_later`` are the slots of notes, each beginning with the first note. ``inherited`` lists pairs of notes, as
    places among them: the first begins with what the second was in the connection before.
    """

    def __init__(self, spec: m.Spec, profiles: Mapping[str, bool | None], message: str = "") -> None:
        """``message``: its name; "" for the first of the spec."""
        self.spec = spec
        self.message = name = message or (spec.messages[0].name if spec.messages else "")
        self.size = 0
        variables: dict[str, int] = {}
        fields: dict[tuple[str, str], int] = {}
        flags: dict[tuple[str, str], int] = {}
        for each in spec.messages:
            for item in each.fields:
                fields[each.name, item.name] = self._allocate()
            for flag in (*each.flags, *each.marks):
                flags[each.name, flag] = self._allocate()
        for one in spec.seen:
            fields[one.message, one.name] = variables[f"{one.message}.{one.name}"] = self._allocate()
        starts = []
        for prefix, suffix in (("", ""), (PEER, ""), ("", "'"), (PEER, "'")):
            starts.append(self.size)
            for note in spec.notes:
                variables[prefix + note.name + suffix] = self._allocate()
        self.own, self.peer, self.own_later, self.peer_later = starts
        self.fields = {item: slot for (of, item), slot in fields.items() if of == name}
        self.flags = {flag: slot for (of, flag), slot in flags.items() if of == name}
        self.seen = [
            (
                fields[name, one.name],
                one.source,
                one.optional,
                v.ANY if one.optional else full_range(one.type),
                one.type,
            )
            for one in spec.seen
            if one.message == name
        ]
        choice = {profile.name: profiles.get(profile.name) for profile in spec.profiles}
        self.compiler = WatchCompiler(spec, choice, variables, fields, flags, self._allocate)
        places = {note.name: at for at, note in enumerate(spec.notes)}
        self.inherited = [(at, places[note.inherits]) for at, note in enumerate(spec.notes) if note.inherits]
        self.unknown = [v.ANY if note.optional else full_range(note.type) for note in spec.notes]
        self.rules = [self._rule(rule) for rule in spec.packet_rules if self._decidable(rule) and rule.message == name]
        self.observations = [self._observation(one) for one in spec.observations if one.message == name]

    def _allocate(self) -> int:
        self.size += 1
        return self.size - 1

    def _decidable(self, rule: m.PacketRule) -> bool:
        facts = {need.fact for need in self.spec.needs if need.name in rule.needs}
        return rule.severity != "legal" and rule.scope != "run" and "nothing" not in facts

    def _rule(self, rule: m.PacketRule) -> CompiledWatch:
        needs = [need for need in self.spec.needs if need.name in rule.needs]
        guard = self.compiler.guard
        return CompiledWatch(
            rule,
            guard(rule.forbid),
            tuple(guard(condition) for condition, _ in rule.excepts if condition is not None),
            tuple(guard(need.when) for need in needs if need.when is not None),
            frozenset(need.fact for need in needs if need.fact and need.fact != "segment"),
            guard(rule.once) if rule.once is not None else None,
            guard(rule.lapses) if rule.lapses is not None else None,
        )

    def _observation(self, one: m.Observation) -> CompiledObservation:
        index = {note.name: at for at, note in enumerate(self.spec.notes)}
        jottings: list[tuple[int, Evaluate | None, Interval | None]] = []
        for jotting in one.jottings:
            at = index[jotting.note]
            if jotting.value is not None:
                jottings.append((self.own + at, self.compiler.value(jotting.value).evaluate, None))
            else:
                jottings.append((self.own + at, None, None if jotting.unset else self.unknown[at]))
        when = self.compiler.guard(one.when) if one.when is not None else None
        return CompiledObservation(when, tuple(jottings), one.notices)

    def fresh(self) -> list[Interval | None]:
        """The notes of a direction of which nothing was seen."""
        empty: Environment = [None] * self.size
        values: list[Interval | None] = []
        for note, unknown in zip(self.spec.notes, self.unknown, strict=True):
            if note.initial is not None:
                values.append(self.compiler.value(note.initial).evaluate(empty))
            else:
                values.append(None if note.optional else unknown)
        return values

    def values(self, condition: m.Expr, environment: Environment) -> tuple[tuple[str, str], ...]:
        """Names in a condition, and what is known of each."""
        found: dict[str, str] = {}
        for part in opened([condition], self._condition):
            if isinstance(part, m.DefinitionRef) and isinstance(part.type, Bool):
                continue
            if isinstance(part, m.HasFlags):
                names = [name for name, slot in self.flags.items() if environment[slot] == v.YES]
                found[CONTROL] = ",".join(names) or "none"
            elif isinstance(part, m.VarRef | m.FieldRef | m.DefinitionRef):
                name = f"{part.message}.{part.name}" if isinstance(part, m.FieldRef) else part.name
                found[name] = shown(part.type, self.compiler.value(part).evaluate(environment))
        return tuple(found.items())

    def _condition(self, name: str) -> m.Expr | None:
        """What the name of a condition stands for; None for that of a value, which is shown as it is."""
        body = self.compiler.body(name)
        return body if isinstance(body.type, Bool) else None

    def possible(self, environment: Environment) -> tuple[list[CompiledWatch], list[CompiledObservation]]:
        """The rules that such a message can break, and the observations that it may be, whatever the notes are.

        Of the environment the flags count, and whether a field is unset; all else is taken as unknown.
        """
        trial: Environment = list(environment)
        for slot in self.fields.values():
            trial[slot] = v.ANY
        for slot, _, _, full, _ in self.seen:
            known = environment[slot]
            trial[slot] = None if known is None else SOMETHING if full == v.ANY != known else full
        for start in (self.own, self.peer):
            trial[start : start + len(self.unknown)] = [v.ANY] * len(self.unknown)
        rules = [rule for rule in self.rules if rule.forbid.test(trial) != FALSE]
        rules = [rule for rule in rules if all(each.test(trial) != TRUE for each in rule.excepts)]
        noted = [one for one in self.observations if one.when is None or one.when.test(trial) != FALSE]
        return rules, noted
