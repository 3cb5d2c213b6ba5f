"""A spec made ready to run: slots for everything that has a value, and rules as functions over them.

Owns: the layout of the environment, the compiled rules in the order in which they are tried, and what can be said of
them without running them (which messages a state can send, which variables matter).
Must never hold: how rules are run (see ``execution``), or the name of anything in a protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum, Range, Seq, Type
from tcpmodel.model.walk import opened
from tcpmodel.semantics.expressions import Compiler, Environment, Guard, Value, full_range, literal_value
from tcpmodel.semantics.slicing import irrelevant_variables, is_inert, unknowable_variables
from tcpmodel.semantics.values import Interval

EventKey = tuple[str, str]
"""Kind and name of an event."""


@dataclass(frozen=True, slots=True)
class CompiledSend:
    """``fields``: (field slot, value, raw number or None). A raw number is compared modulo 2^32 as it stands."""

    source: m.Send
    message: str
    flags: int
    fields: tuple[tuple[int, Value, int | None], ...]
    when: Guard | None
    where: Guard | None
    required: bool
    said: tuple[tuple[int, Interval | None], ...] = ()
    """If ``where`` is about the message: its slots, with what is known of each before the fields are worked out."""


@dataclass(frozen=True, slots=True)
class CompiledChoose:
    """``choose n``: the implementation takes any value of ``full`` for which ``where`` holds."""

    slot: int
    full: Interval
    where: Guard | None
    source: m.Choose


@dataclass(frozen=True, slots=True)
class CompiledAssign:
    """``value`` None: the implementation chooses from ``full``, or the variable is cleared when ``unset``."""

    slot: int
    value: Value | None
    unset: bool
    full: Interval
    source: m.Assign


@dataclass(frozen=True, slots=True)
class CompiledSignal:
    """What the user is told; ``when``: only then."""

    when: Guard | None
    source: m.Signal


CompiledAction = CompiledSend | CompiledChoose | CompiledAssign | CompiledSignal


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """``open_profiles``: the rule belongs to a profile that may or may not be on; ``unusual``: taking it leaves the
    default profiles; ``usual``: leaving it out does."""

    source: m.Rule
    target: int
    guard: Guard | None
    actions: tuple[CompiledAction, ...]
    continues: bool
    step: int
    open_profiles: bool
    unusual: int
    usual: int


@dataclass
class Layout:
    """Where each value stands in an environment."""

    variables: dict[str, int] = field(default_factory=dict)
    fields: dict[tuple[str, str], int] = field(default_factory=dict)
    flags: dict[tuple[str, str], int] = field(default_factory=dict)
    size: int = 0

    @classmethod
    def of(cls, spec: m.Spec) -> Layout:
        """Variables first, in their order, then the fields, flags and marks of each message."""
        layout = cls()
        for variable in spec.variables:
            layout.variables[variable.name] = layout.allocate()
        for message in spec.messages:
            for item in message.fields:
                layout.fields[message.name, item.name] = layout.allocate()
            for name in (*message.flags, *message.marks):
                layout.flags[message.name, name] = layout.allocate()
        return layout

    def allocate(self) -> int:
        """A new slot."""
        self.size += 1
        return self.size - 1


class Program:
    """A spec compiled under a choice of profiles.

    ``profiles`` maps every profile name to True (on), False (off) or None (may be either). ``rules[state][event]``
    lists the compiled rules; states are indices into ``states``. ``discrete`` are the slots whose exact value is part
    of a configuration's identity; ``tracked`` is the number of variable slots, which come first.

    ``seen_fields``: for an observer who can see no other fields (by their ``source``) and no marks. What he can never
    know, or what never matters, is then not followed.
    """

    def __init__(
        self, spec: m.Spec, profiles: Mapping[str, bool | None], *, seen_fields: frozenset[str] | None = None
    ) -> None:
        self.spec = spec
        self.profiles = {profile.name: profiles.get(profile.name) for profile in spec.profiles}
        self.states = [state.name for state in spec.states]
        self.initial = self.states.index(spec.initial.name)
        self.layout = Layout.of(spec)
        self.tracked = len(spec.variables)
        self.flag_bits = {
            message.name: {name: 1 << index for index, name in enumerate(message.flags)} for message in spec.messages
        }
        self.compiler = Compiler(
            spec, self.profiles, self.layout.variables, self.layout.fields, self.layout.flags, self.layout.allocate
        )
        hidden = unknowable_variables(spec, seen_fields) if seen_fields is not None else frozenset()
        ignored = hidden | irrelevant_variables(spec, hidden) if seen_fields is not None else hidden
        self.rules: list[dict[EventKey, list[CompiledRule]]] = [
            self._compile_state(state, ignored) for state in spec.states
        ]
        self.faults = [(fault, self.compiler.guard(fault.when)) for fault in spec.faults]
        over_run = self._over_run()
        self.run_rules = [(rule, guard) for rule, guard in over_run if not rule.steady]
        self.steady_rules = [(rule, guard) for rule, guard in over_run if rule.steady]
        slot = self.layout.variables
        followed = [one for one in spec.variables if one.name not in ignored]
        self.discrete = [slot[one.name] for one in followed if isinstance(one.type, Enum | Range) and not one.free]
        self.optional = [slot[one.name] for one in followed if one.optional]
        self.free = [(slot[one.name], full_range(one.type)) for one in spec.variables if one.free or one.name in hidden]
        self.local_numbers = [slot[one.name] for one in followed if _space(one.type) == "local"]
        self.peer_numbers = [slot[one.name] for one in followed if _space(one.type) == "peer"]
        picked = {slot[name] for name in _picked(spec)}
        self.picked_numbers = [number for number in self.local_numbers if number in picked]
        fields = [(message.name, item) for message in spec.messages for item in message.fields]
        spaces = {self.layout.fields[name, item.name]: _space(item.type) for name, item in fields}
        self.sender_fields = frozenset(field for field, space in spaces.items() if space == "sender")
        self.receiver_fields = frozenset(field for field, space in spaces.items() if space == "receiver")
        self._initial: list[Interval | None] | None = None
        self._narrowed: dict[tuple[int, EventKey, int], list[CompiledRule]] = {}
        self.prospects: dict[Any, Any] = {}
        """What ``prospects`` found out."""
        self.literal_sends = self._literal_sends()
        """Message and flags of what is sent with a number that is the same whoever sends it."""
        self.sends = [
            {event: self._sends(index, event) for event in self.rules[index]} for index in range(len(self.states))
        ]

    def _over_run(self) -> list[tuple[m.PacketRule, Guard]]:
        """The rules over connections that follow each other, as far as an observer can know what they need."""
        undecided = {need.name for need in self.spec.needs if need.fact == "nothing"}
        return [
            (rule, self.compiler.guard(rule.forbid))
            for rule in self.spec.packet_rules
            if rule.scope == "run" and rule.severity != "legal" and not undecided & set(rule.needs)
        ]

    def _literal_sends(self) -> list[tuple[str, int]]:
        rules = chain.from_iterable(rules for by_event in self.rules for rules in by_event.values())
        sends = (action for rule in rules for action in rule.actions if isinstance(action, CompiledSend))
        literal = (
            (action.message, action.flags)
            for action in sends
            if any(raw is not None and slot in self.sender_fields for slot, _, raw in action.fields)
        )
        return list(dict.fromkeys(literal))

    def rules_for(self, state: int, event: EventKey, flags: int | None = None) -> list[CompiledRule]:
        """The rules to try, in order; those that a message with exactly these flags cannot match are left out."""
        rules = self.rules[state].get(event, [])
        if flags is None:
            return rules
        key = (state, event, flags)
        narrowed = self._narrowed.get(key)
        if narrowed is None:
            narrowed = [rule for rule in rules if self._fits(rule.source.guard, event[1], flags)]
            self._narrowed[key] = narrowed
        return narrowed

    def _fits(self, guard: m.Expr | None, message: str, flags: int) -> bool:
        bits = self.flag_bits[message]
        for part in guard.operands if isinstance(guard, m.And) else (guard,):
            if isinstance(part, m.HasFlags) and part.message == message:
                if any(not flags & bits[name] for name in part.present if name in bits):
                    return False
                if any(flags & bits[name] for name in part.absent if name in bits):
                    return False
        return True

    # --------------------------------------------------------------------------------------------- compilation

    def _compile_state(self, state: m.State, ignored: frozenset[str]) -> dict[EventKey, list[CompiledRule]]:
        found: dict[EventKey, list[CompiledRule]] = {}
        for index, rule in enumerate(state.rules):
            wanted = [self.profiles[name] is None or self.profiles[name] == value for name, value in rule.profiles]
            if not all(wanted) or (ignored and is_inert(rule, ignored)):
                continue
            # What an endpoint may do of its own accord is a choice: no such rule hides the next one.
            key = (rule.event.kind, rule.event.name if rule.event.kind != "own" else str(index))
            found.setdefault(key, []).append(self._compile_rule(rule, ignored))
        return found

    def _compile_rule(self, rule: m.Rule, ignored: frozenset[str]) -> CompiledRule:
        defaults = {profile.name: profile.default for profile in self.spec.profiles}
        undecided = [(name, value) for name, value in rule.profiles if self.profiles[name] is None]
        unusual = sum(1 for name, value in undecided if defaults[name] != value)
        actions: list[CompiledAction] = []
        for action in rule.actions:
            if isinstance(action, m.Assign) and action.variable in ignored:
                continue
            actions.append(self._compile_action(action))
        return CompiledRule(
            source=rule,
            target=self.states.index(rule.target),
            guard=self.compiler.guard(rule.guard) if rule.guard is not None else None,
            actions=tuple(actions),
            continues=rule.continues,
            step=rule.step,
            open_profiles=bool(undecided),
            unusual=unusual,
            usual=1 if undecided and not unusual else 0,
        )

    def _compile_action(self, action: m.Action) -> CompiledAction:
        compiler = self.compiler
        if isinstance(action, m.Choose):
            if action.name not in compiler.chosen:
                compiler.chosen[action.name] = self.layout.allocate()
            where = compiler.guard(action.where) if action.where is not None else None
            return CompiledChoose(compiler.chosen[action.name], full_range(action.type), where, action)
        if isinstance(action, m.Assign):
            variable = next(item for item in self.spec.variables if item.name == action.variable)
            value = compiler.value(action.value) if action.value is not None else None
            slot = self.layout.variables[action.variable]
            return CompiledAssign(slot, value, action.unset, full_range(variable.type), action)
        if isinstance(action, m.Signal):
            return CompiledSignal(compiler.guard(action.when) if action.when is not None else None, action)
        message = next(item for item in self.spec.messages if item.name == action.message)
        given = dict(action.fields)
        fields: list[tuple[int, Value, int | None]] = []
        for item in message.fields:
            slot = self.layout.fields[message.name, item.name]
            if item.name in given:
                expr = given[item.name]
                raw = expr.value if isinstance(expr, m.Literal) and isinstance(item.type, Seq) else None
                fields.append((slot, compiler.value(expr), raw))
            elif item.default is not None:
                fields.append((slot, literal_value(item.default), None))
        about = action.where is not None and _is_about(action.where, action.message, self.spec)
        flags = sum(self.flag_bits[action.message][name] for name in action.flags)
        return CompiledSend(
            source=action,
            message=action.message,
            flags=flags,
            fields=tuple(fields),
            when=compiler.guard(action.when) if action.when is not None else None,
            where=compiler.guard(action.where) if action.where is not None else None,
            required=not action.optional and action.within is None,
            said=tuple(self.message_slots(message.name, flags, {})) if about else (),
        )

    def _sends(self, state: int, event: EventKey) -> frozenset[tuple[str, int]]:
        """Every (message, flags) that the event can make this state send, through all continuations."""
        found: set[tuple[str, int]] = set()
        seen: set[int] = set()
        waiting = [state]
        while waiting:
            current = waiting.pop()
            if current in seen:
                continue
            seen.add(current)
            for rule in self.rules[current].get(event, ()):
                found.update((a.message, a.flags) for a in rule.actions if isinstance(a, CompiledSend))
                if rule.continues and rule.target != current:
                    waiting.append(rule.target)
        return frozenset(found)

    # -------------------------------------------------------------------------------------------- environments

    def initial_values(self) -> list[Interval | None]:
        """The variables of a fresh endpoint: what has no initial value is unknown, what is optional is unset."""
        if self._initial is None:
            values = self._initial = []
            empty: Environment = [None] * self.layout.size
            for variable in self.spec.variables:
                if variable.initial is not None:
                    values.append(self.compiler.value(variable.initial).evaluate(empty))
                else:
                    values.append(None if variable.optional else full_range(variable.type))
        return list(self._initial)

    def environment(self, values: list[Interval | None]) -> Environment:
        """An environment that holds these variables and nothing else."""
        return values + [None] * (self.layout.size - self.tracked)

    def message_slots(
        self, message: str, flags: int | None, fields: Mapping[str, Interval], marks: frozenset[str] | None = None
    ) -> list[tuple[int, Interval | None]]:
        """The slots of a message of which this is known, its derived fields included.

        ``flags`` are the bits of ``flag_bits``, None when they are not known; a field that is missing is unknown,
        and so are the marks unless ``marks`` names those that are set.
        """
        declared = next(item for item in self.spec.messages if item.name == message)
        scratch: Environment = [None] * self.layout.size
        slots: list[int] = []
        for item in declared.fields:
            slot = self.layout.fields[message, item.name]
            scratch[slot] = fields.get(item.name, full_range(item.type))
            slots.append(slot)
        for name in (*declared.flags, *declared.marks):
            slot = self.layout.flags[message, name]
            bit = self.flag_bits[message].get(name)
            if bit is None:
                scratch[slot] = (0, 1) if marks is None else (int(name in marks), int(name in marks))
            else:
                scratch[slot] = (0, 1) if flags is None else ((1, 1) if flags & bit else (0, 0))
            slots.append(slot)
        for slot, evaluate in self.compiler.derived.get(message, ()):
            scratch[slot] = evaluate(scratch)
            slots.append(slot)
        return [(slot, scratch[slot]) for slot in slots]


def _space(type_: Type) -> str:
    """Whose numbers these are; "" if they are none."""
    return type_.space if isinstance(type_, Seq) else ""


def _picked(spec: m.Spec) -> set[str]:
    """The variables to which some rule gives a value of the implementation's choice."""
    actions = (action for state in spec.states for rule in state.rules for action in rule.actions)
    return {one.variable for one in actions if isinstance(one, m.Assign) and one.value is None and not one.unset}


def _is_about(expr: m.Expr, message: str, spec: m.Spec) -> bool:
    """Does an expression ask for a field or a flag of a message?"""
    bodies = {definition.name: definition.body for definition in spec.definitions}
    parts = opened([expr], bodies.get)
    return any(isinstance(part, m.FieldRef | m.HasFlags) and part.message == message for part in parts)
