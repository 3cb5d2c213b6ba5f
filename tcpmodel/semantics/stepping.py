"""One event at a time, with exact values: what an endpoint in this state does.

Owns: turning what a person gives (a state, some variables, an event in the notation of the spec) into one exact run,
and the run into outcomes that can be shown.
Must never hold: what an event does (see ``execution``), or how an outcome is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tcpmodel.model import spec as m
from tcpmodel.model.profiles import choose_profiles
from tcpmodel.model.types import Enum, Range, Seq, Type
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Outcome, Run, _Path
from tcpmodel.semantics.expressions import Environment
from tcpmodel.semantics.notation import (
    EventText,
    NotationError,
    matching,
    missing,
    read_event,
    read_value,
    write_message,
)
from tcpmodel.semantics.program import CompiledAction, CompiledChoose, CompiledRule, CompiledSend, EventKey, Program
from tcpmodel.semantics.reasons import reasons
from tcpmodel.semantics.values import FALSE, OPEN, Interval

Sent = tuple[CompiledSend, "tuple[Interval | None, ...]"]
"""A message that a rule sends, with the values of its fields."""

Given = Mapping[str, "int | str | None"]
"""Values by name as people give them: numbers, words of an enum, ``unset`` or None."""


class StepError(ValueError):
    """A state, variable or value that the spec does not have; the message says what would be right."""


@dataclass(slots=True)
class Tried:
    """A rule that was looked at: ``answer`` is True, False, or None when what is known does not decide it.

    ``values``: what settles its guard: variables, fields, definitions and, as ``CTL``, flags, with their values.
    """

    rule: m.Rule
    answer: bool | None
    values: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Step:
    """One outcome: the states passed (the one before first, nothing repeated), what was sent and signalled, the rules
    that fired, and the variables afterwards as numbers, words, or None when unset.

    ``leave``: for each message sent, the freedom that the spec gives (``or nothing``, ``within 500 ms``), or "".
    ``covered``: at least one rule of the spec is about this event in this state.
    """

    path: tuple[str, ...]
    sent: tuple[str, ...]
    signals: tuple[str, ...]
    rules: tuple[m.Rule, ...]
    variables: dict[str, int | str | None]
    covered: bool
    leave: tuple[str, ...] = ()

    @property
    def next(self) -> str:
        """The state afterwards."""
        return self.path[-1]

    @property
    def open(self) -> tuple[str, ...]:
        """The names of what the rules that fired leave to the endpoint: a choice can fix them."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in _open(rule)))


@dataclass(slots=True)
class Stepped:
    """All outcomes of one event, and the rules that were looked at on the way (when they were asked for).

    ``before``: the variables before it. What an endpoint does of its own accord may have any number of outcomes, none
    included; every other event has one. ``impossible``: why rules that matched have no outcome.
    """

    event: str
    state: str
    before: dict[str, int | str | None]
    outcomes: list[Step]
    tried: list[Tried]
    impossible: list[str]


class _Exact(Run):
    """A run that refuses choices which the spec does not allow; ``refused`` says why."""

    refused: str = ""

    def _settle(self, rule: CompiledRule, before: CompiledAction, path: _Path) -> None:
        super()._settle(rule, before, path)
        environment = path.environment
        chosen: list[str] = []
        for action in rule.actions:
            if action is before:
                break
            if isinstance(action, CompiledChoose):
                chosen.append(action.source.name)
                if action.where is not None and action.where.test(environment) == FALSE:
                    assert action.source.where is not None
                    self._refuse(rule, path, chosen, action.source.where)
        if isinstance(before, CompiledSend) and before.where is not None and before.where.test(environment) == FALSE:
            assert before.source.where is not None
            self._refuse(rule, path, chosen, before.source.where)

    def _refuse(self, rule: CompiledRule, path: _Path, chosen: list[str], where: m.Expr) -> None:
        told = ", ".join(f"{name}={value}" for name, value in reasons(self.program, where, path.environment))
        names = " and ".join(chosen)
        self.refused = f"{rule.source.id} chooses {names} where {where.text}; with {told} that does not hold"
        path.dead = True

    def _send(self, action: CompiledSend, path: _Path) -> list[_Path]:
        return [after for after in super()._send(action, path) if not after.dead]

    def _act(self, rule: CompiledRule, path: _Path) -> list[_Path]:
        alive = super()._act(rule, path)
        if not alive and not self.refused:
            self.refused = f"{rule.source.id} matches, but no value that it may choose fits these variables"
        return alive


class Stepper:
    """Steps one spec under exactly these profiles (the defaults of the spec when there are none).

    ``profiles``: the names of those that are turned on, or off with ``no-NAME``; unknown names are passed over.
    """

    def __init__(self, spec: m.Spec, profiles: Sequence[str] = ()) -> None:
        self.spec = spec
        self.program = Program(spec, choose_profiles(spec, profiles))
        self._variables = {variable.name: variable for variable in spec.variables}
        self._choices = _choices(spec)

    # ----------------------------------------------------------------------------------------------------- before

    def state(self, name: str) -> str:
        """The state of that name as the spec spells it; StepError if there is none."""
        found = matching(name, self.program.states)
        if found is None:
            raise StepError(missing("state", name, self.program.states, self.spec.name))
        return found

    def variable(self, name: str) -> str:
        """The variable of that name as the spec spells it; StepError if there is none."""
        found = matching(name, self._variables)
        if found is None:
            raise StepError(missing("variable", name, self._variables, self.spec.name))
        return found

    def values(self, state: str, given: Given) -> list[Interval | None]:
        """The variables in ``state``: those given, then what is typical there, then their initial values.

        Raises StepError for a state or variable that does not exist, and for a value that its type does not allow.
        """
        state = self.state(state)
        slots = self.program.layout.variables
        fixed = {self.variable(name): value for name, value in given.items()}
        environment: Environment = self.program.environment(self.program.initial_values())
        for name, value in fixed.items():
            environment[slots[name]] = self._number(name, value)
        self._near(environment, fixed)
        for name, expr in self.spec.state(state).typical:
            if name not in fixed:
                environment[slots[name]] = self.program.compiler.value(expr).evaluate(environment)
        for slot in slots.values():
            known = environment[slot]
            if known is not None and known[0] != known[1]:
                low = known[0] if known[0] > -v.INFINITY else 0
                environment[slot] = (low, low)
        self._near(environment, self._variables)
        return environment[: self.program.tracked]

    def _number(self, name: str, value: int | str | None) -> Interval | None:
        variable = self._variables[name]
        if value is None or value == "unset":
            if not variable.optional:
                raise StepError(f"{name} cannot be unset: it is always {_described(variable.type)}")
            return None
        number = _read(variable.type, name, value)
        return (number, number)

    def _near(self, environment: Environment, names: Mapping[str, object]) -> None:
        """Place the numbers of one numbering side by side, so that they can be added: the circle is cut where the
        longest stretch without one of them lies."""
        for space in ("local", "peer"):
            slots = [
                self.program.layout.variables[name]
                for name in names
                if isinstance(kind := self._variables[name].type, Seq) and kind.space == space
            ]
            known = {slot: held[0] % v.MODULUS for slot in slots if (held := environment[slot]) is not None}
            around = sorted(set(known.values()))
            if not around:
                continue
            gaps = [(here - before) % v.MODULUS for before, here in zip([around[-1], *around], around, strict=False)]
            first = around[gaps.index(max(gaps))]
            for slot, number in known.items():
                placed = first + (number - first) % v.MODULUS
                environment[slot] = (placed, placed)

    def picks(self, given: Given, values: Sequence[Interval | None]) -> dict[str, int]:
        """Values for what the spec leaves open; StepError for a name that it never chooses, or a wrong value."""
        picked: dict[str, int] = {}
        for name, value in given.items():
            found = matching(name, self._choices)
            if found is None:
                if matching(name, self._variables):
                    chooses = ", ".join(self._choices) or "nothing"
                    raise StepError(f"{self.spec.name} never chooses {name} freely; it chooses {chooses}")
                raise StepError(missing("free choice", name, self._choices, self.spec.name))
            type_ = self._choices[found]
            number = _read(type_, found, value)
            picked[found] = self._placed(number, type_.space, values) if isinstance(type_, Seq) else number
        return picked

    def _placed(self, number: int, space: str, values: Sequence[Interval | None]) -> int:
        """A number as it stands to the known number of its numbering that is nearest to it."""
        nearby = [
            known[0]
            for variable, known in zip(self.spec.variables, values, strict=True)
            if known is not None and isinstance(variable.type, Seq) and variable.type.space == space
        ]
        near = min(nearby, key=lambda each: abs(v.distance(each, number)), default=number)
        return v.unwrap(number, near)

    # ------------------------------------------------------------------------------------------------------ a step

    def apply(
        self, state: str, given: Given, event: str, choose: Given | None = None, *, explain: bool = False
    ) -> Stepped:
        """Apply an event to an endpoint of which this is given; StepError or NotationError for what does not exist."""
        state = self.state(state)
        values = self.values(state, given)
        return self.step(state, values, event, self.picks(choose or {}, values), explain=explain)

    def step(
        self,
        state: str,
        values: list[Interval | None],
        event: str,
        picks: Mapping[str, int] | None = None,
        *,
        explain: bool = True,
    ) -> Stepped:
        """Apply an event, as text, to these values; ``explain`` also tells the rules that were tried.

        Raises NotationError when the spec has no such event, StepError when ``picks`` are not what it allows.
        """
        read = read_event(self.spec, event)
        message = self._slots(read, values)
        start = self.program.states.index(state)
        done = Stepped(str(read), state, self.told_values(values), [], [], [])
        for key in self._keys(read, start):
            run = _Exact(self.program, key, trace=True, picks=picks or {})
            for outcome in run.start(start, list(values), message):
                if read.event is not None or outcome.rules:
                    done.outcomes.append(self._told(state, outcome))
            if explain:
                done.tried += [self._tried(*entry) for entry in run.tried]
            if run.refused:
                done.impossible.append(run.refused)
        if done.impossible and (read.event is not None or (picks and not done.outcomes)):
            raise StepError(done.impossible[0])
        return done

    def _keys(self, read: EventText, start: int) -> list[EventKey]:
        if read.event is not None:
            return [(read.event.kind, read.event.name)]
        own = [(key, rules) for key, rules in self.program.rules[start].items() if key[0] == "own"]
        keys = [key for key, rules in own if not read.rule or rules[0].source.id == read.rule]
        if read.rule and not keys:
            known = ", ".join(rules[0].source.id for _, rules in own) or "none"
            raise StepError(
                f"{read.rule} is no rule of {self.program.states[start]} under these profiles; "
                f"those of its own accord are: {known}"
            )
        return keys

    def _slots(self, read: EventText, values: list[Interval | None]) -> list[tuple[int, Interval | None]]:
        if read.message is None:
            return []
        message = read.message.message
        fields: dict[str, Interval] = {}
        for item in message.fields:
            number = read.message.fields.get(item.name)
            if number is None:
                number = self._unsaid(read, item)
            if isinstance(item.type, Seq):
                number = self._placed(number, "peer" if item.type.space == "sender" else "local", values)
            fields[item.name] = (number, number)
        bits = self.program.flag_bits[message.name]
        flags = sum(bits[name] for name in read.message.flags)
        return self.program.message_slots(message.name, flags, fields, read.message.marks)

    def _unsaid(self, read: EventText, item: m.Field) -> int:
        """What a field holds that was not written: what is typical, else nothing; numbers must be written."""
        assert read.message is not None
        if item.typical is not None:
            return item.typical
        if item.default is not None:
            return item.default
        if isinstance(item.type, Seq) and (item.only_with is None or item.only_with in read.message.flags):
            raise NotationError(f"<{item.name}=...> is missing: {item.title}")
        return item.type.low if isinstance(item.type, Range) else 0

    # ------------------------------------------------------------------------------------------------------- after

    def _told(self, state: str, outcome: Outcome) -> Step:
        path = [state]
        for rule in outcome.rules:
            if self.program.states[rule.target] != path[-1]:
                path.append(self.program.states[rule.target])
        sent = _merged(outcome.sent)
        return Step(
            tuple(path),
            tuple(self._sent(action, known) for action, known in sent),
            outcome.signals,
            tuple(rule.source for rule in outcome.rules),
            self.told_values(outcome.values),
            outcome.covered,
            tuple(_leave(action.source) for action, _ in sent),
        )

    def _sent(self, action: CompiledSend, known: tuple[Interval | None, ...]) -> str:
        message = next(each for each in self.spec.messages if each.name == action.message)
        names = {self.program.layout.fields[message.name, item.name]: item for item in message.fields}
        fields: dict[str, int] = {}
        for (slot, _, raw), value in zip(action.fields, known, strict=True):
            if raw is not None:
                fields[names[slot].name] = raw
            elif value is not None:
                circular = isinstance(names[slot].type, Seq)
                fields[names[slot].name] = value[0] % v.MODULUS if circular else value[0]
        return write_message(message, fields, action.source.flags, named=len(self.spec.messages) > 1)

    def told_values(self, values: Sequence[Interval | None]) -> dict[str, int | str | None]:
        """Variables as numbers modulo 2^32, words, or None when unset."""
        told: dict[str, int | str | None] = {}
        for variable, known in zip(self.spec.variables, values, strict=True):
            if known is None:
                told[variable.name] = None
            elif isinstance(variable.type, Enum):
                told[variable.name] = variable.type.words[known[0]]
            elif isinstance(variable.type, Seq):
                told[variable.name] = known[0] % v.MODULUS
            else:
                told[variable.name] = known[0]
        return told

    def _tried(self, rule: CompiledRule, answer: int, environment: Environment) -> Tried:
        guard = rule.source.guard
        found = reasons(self.program, guard, environment) if guard is not None else ()
        return Tried(rule.source, None if answer == OPEN else answer != FALSE, found)


def _open(rule: m.Rule) -> list[str]:
    """What a rule leaves to the endpoint: chosen names, and variables that are assigned ``any``."""
    chosen = [action.name for action in rule.actions if isinstance(action, m.Choose)]
    assigned = [a.variable for a in rule.actions if isinstance(a, m.Assign) and a.value is None and not a.unset]
    return [*chosen, *assigned]


def _choices(spec: m.Spec) -> dict[str, Type]:
    """What the spec leaves open in any state, under any profile."""
    types = {variable.name: variable.type for variable in spec.variables}
    found: dict[str, Type] = {}
    for state in spec.states:
        for rule in state.rules:
            found.update((action.name, action.type) for action in rule.actions if isinstance(action, m.Choose))
            found.update((name, types[name]) for name in _open(rule) if name in types)
    return found


def _read(type_: Type, name: str, value: int | str | None) -> int:
    text = value if isinstance(value, str) else str(value)
    try:
        return read_value(type_, text.strip(), f"{name}={text[:60]}")
    except NotationError as error:
        raise StepError(str(error)) from None


def _described(type_: Type) -> str:
    return "a number" if isinstance(type_, Seq) else str(type_)


def _merged(sent: Sequence[Sent]) -> list[Sent]:
    """What really leaves: a message that may wait (``within``) is merged into a later one of its kind.

    So an event that gives several reasons to acknowledge is acknowledged once, with the numbers after the last one.
    """
    kept: list[Sent] = []
    for action, known in sent:
        if kept and kept[-1][0].source.within is not None and _alike(kept[-1][0], action):
            kept.pop()
        kept.append((action, known))
    return kept


def _alike(one: CompiledSend, other: CompiledSend) -> bool:
    """Are these messages of one kind: the same flags, the same fields?"""
    slots = [{slot for slot, _, _ in action.fields} for action in (one, other)]
    return one.message == other.message and one.flags == other.flags and slots[0] == slots[1]


def _leave(send: m.Send) -> str:
    words = [f"within {send.within.text}"] if send.within is not None else []
    return ", ".join([*words, "or nothing"] if send.optional else words)
