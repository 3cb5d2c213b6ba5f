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
from tcpmodel.model.types import Enum, Range, Seq
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Outcome, Run
from tcpmodel.semantics.expressions import Environment
from tcpmodel.semantics.notation import EventText, NotationError, read_event, write_message
from tcpmodel.semantics.program import CompiledRule, Program
from tcpmodel.semantics.values import FALSE, OPEN, Interval


class StepError(ValueError):
    """A state, variable or value that the spec does not have; the message says what would be right."""


@dataclass(slots=True)
class Tried:
    """A rule that was looked at: ``answer`` is True, False, or None when what is known does not decide it.

    ``values``: the variables and fields in its guard with their values, in the order in which they stand there.
    """

    rule: m.Rule
    answer: bool | None
    values: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Step:
    """One outcome: the states passed (the one before first, nothing repeated), what was sent and signalled, the rules
    that fired, and the variables afterwards as numbers, words, or None when unset."""

    path: tuple[str, ...]
    sent: tuple[str, ...]
    signals: tuple[str, ...]
    rules: tuple[m.Rule, ...]
    variables: dict[str, int | str | None]
    covered: bool

    @property
    def next(self) -> str:
        """The state afterwards."""
        return self.path[-1]


@dataclass(slots=True)
class Stepped:
    """All outcomes of one event, and the rules that were looked at on the way."""

    event: str
    outcomes: list[Step]
    tried: list[Tried]


class Stepper:
    """Steps one spec under exactly these profiles (the defaults of the spec when there are none)."""

    def __init__(self, spec: m.Spec, profiles: Sequence[str] = ()) -> None:
        self.spec = spec
        self.program = Program(spec, choose_profiles(spec, profiles))
        self._variables = {variable.name: variable for variable in spec.variables}

    # ----------------------------------------------------------------------------------------------------- before

    def values(self, state: str, given: Mapping[str, int | str | None]) -> list[Interval | None]:
        """The variables in ``state``: those given, then what is typical there, then their initial values.

        Raises StepError for a state or variable that does not exist, and for a value that its type does not allow.
        """
        if state not in self.program.states:
            raise StepError(f"{self.spec.name} has no state {state!r}; it has {', '.join(self.program.states)}")
        for name in given:
            if name not in self._variables:
                raise StepError(f"{self.spec.name} has no variable {name!r}; it has {', '.join(self._variables)}")
        slots = self.program.layout.variables
        environment: Environment = self.program.environment(self.program.initial_values())
        fixed = {name: self._number(name, value) for name, value in given.items()}
        for name, value in fixed.items():
            environment[slots[name]] = value
        for name, expr in self.spec.state(state).typical:
            if name not in fixed:
                environment[slots[name]] = self.program.compiler.value(expr).evaluate(environment)
        values: list[Interval | None] = []
        for variable in self.spec.variables:
            known = environment[slots[variable.name]]
            if known is not None and known[0] != known[1]:
                low = known[0] if known[0] > -v.INFINITY else 0
                known = (low, low)
            values.append(known)
        return self._near(values)

    def _number(self, name: str, value: int | str | None) -> Interval | None:
        variable = self._variables[name]
        if value is None or value == "unset":
            if not variable.optional:
                raise StepError(f"{name} cannot be unset: it is always {variable.type}")
            return None
        if isinstance(variable.type, Enum):
            if value not in variable.type.words:
                raise StepError(f"{name}={value}: it is one of {', '.join(variable.type.words)}")
            index = variable.type.words.index(str(value))
            return (index, index)
        try:
            number = int(str(value), 0)
        except ValueError:
            raise StepError(f"{name}={value}: {value!r} is not a number") from None
        highest = variable.type.high if isinstance(variable.type, Range) else v.MODULUS - 1
        lowest = variable.type.low if isinstance(variable.type, Range) else 0
        if not lowest <= number <= highest:
            raise StepError(f"{name}={value}: a number from {lowest} to {highest} is needed")
        return (number, number)

    def _near(self, values: list[Interval | None]) -> list[Interval | None]:
        """Place all numbers of one numbering next to each other, so that they can be added and compared."""
        reference: dict[str, int] = {}
        for index, variable in enumerate(self.spec.variables):
            known = values[index]
            if not isinstance(variable.type, Seq) or known is None:
                continue
            near = reference.setdefault(variable.type.space, known[0])
            number = v.unwrap(known[0], near)
            values[index] = (number, number)
        return values

    # ------------------------------------------------------------------------------------------------------ a step

    def step(
        self, state: str, values: list[Interval | None], event: str, picks: Mapping[str, int] | None = None
    ) -> Stepped:
        """Apply an event, as text, to these values; NotationError when the spec has no such event."""
        read = read_event(self.spec, event)
        message = self._slots(read, values)
        outcomes: list[Step] = []
        tried: list[Tried] = []
        start = self.program.states.index(state)
        for key in self._keys(read, start):
            run = Run(self.program, key, trace=True, picks=picks or {})
            outcomes += [self._told(state, outcome) for outcome in run.start(start, list(values), message)]
            tried += [self._tried(*entry) for entry in run.tried]
        return Stepped(event, outcomes, tried)

    def _keys(self, read: EventText, start: int) -> list[tuple[str, str]]:
        key = (read.event.kind, read.event.name)
        return [key]

    def _slots(self, read: EventText, values: list[Interval | None]) -> list[tuple[int, Interval | None]]:
        if read.message is None:
            return []
        message = read.message.message
        near: dict[str, int] = {}
        for index, variable in enumerate(self.spec.variables):
            known = values[index]
            if isinstance(variable.type, Seq) and known is not None:
                near.setdefault(variable.type.space, known[0])
        fields: dict[str, Interval] = {}
        for item in message.fields:
            number = read.message.fields.get(item.name)
            if number is None:
                number = self._unsaid(read, item)
                if number is None:
                    continue
            if isinstance(item.type, Seq):
                space = "peer" if item.type.space == "sender" else "local"
                number = v.unwrap(number, near.get(space, number))
            fields[item.name] = (number, number)
        bits = self.program.flag_bits[message.name]
        flags = sum(bits[name] for name in read.message.flags)
        return self.program.message_slots(message.name, flags, fields, read.message.marks)

    def _unsaid(self, read: EventText, item: m.Field) -> int | None:
        """What a field holds that was not written: what is typical, else nothing; numbers must be written."""
        assert read.message is not None
        if item.typical is not None:
            return item.typical
        if item.default is not None:
            return item.default
        if isinstance(item.type, Seq):
            if item.only_with is None or item.only_with in read.message.flags:
                raise NotationError(f"<{item.name}=...> is missing")
            return None
        return item.type.low if isinstance(item.type, Range) else 0

    # ------------------------------------------------------------------------------------------------------- after

    def _told(self, state: str, outcome: Outcome) -> Step:
        path = [state]
        for rule in outcome.rules:
            if self.program.states[rule.target] != path[-1]:
                path.append(self.program.states[rule.target])
        return Step(
            tuple(path),
            tuple(self._sent(outcome, index) for index in range(len(outcome.sent))),
            outcome.signals,
            tuple(rule.source for rule in outcome.rules),
            self.told_values(outcome.values),
            outcome.covered,
        )

    def _sent(self, outcome: Outcome, index: int) -> str:
        action, known = outcome.sent[index]
        message = next(each for each in self.spec.messages if each.name == action.message)
        names = {self.program.layout.fields[message.name, item.name]: item for item in message.fields}
        fields: dict[str, int] = {}
        for (slot, _, raw), value in zip(action.fields, known, strict=True):
            if raw is not None:
                fields[names[slot].name] = raw
            elif value is not None:
                circular = isinstance(names[slot].type, Seq)
                fields[names[slot].name] = value[0] % v.MODULUS if circular else value[0]
        return write_message(message, fields, action.source.flags)

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
        found: dict[str, str] = {}
        if rule.source.guard is not None:
            self._collect(rule.source.guard, environment, found)
        return Tried(rule.source, None if answer == OPEN else answer != FALSE, tuple(found.items()))

    def _collect(self, expr: m.Expr, environment: Environment, found: dict[str, str]) -> None:
        match expr:
            case m.VarRef():
                found[expr.name] = self._show(expr, environment)
            case m.FieldRef():
                found[f"{expr.message}.{expr.name}"] = self._show(expr, environment)
            case m.DefinitionRef():
                definition = next((d for d in self.spec.definitions if d.name == expr.name), None)
                if definition is not None:
                    self._collect(definition.body, environment, found)
            case m.Arithmetic() | m.Compare():
                self._collect(expr.left, environment, found)
                self._collect(expr.right, environment, found)
            case m.Not():
                self._collect(expr.operand, environment, found)
            case m.And() | m.Or():
                for operand in expr.operands:
                    self._collect(operand, environment, found)
            case m.IsSet():
                slot = self.program.layout.variables[expr.name]
                found[expr.name] = "unset" if environment[slot] is None else self._plain(expr.name, environment[slot])
            case m.Cases():
                for case in expr.cases:
                    for part in case:
                        self._collect(part, environment, found)
            case _:
                return

    def _show(self, expr: m.Expr, environment: Environment) -> str:
        known = self.program.compiler.value(expr).evaluate(environment)
        if known is None:
            return "unset"
        if isinstance(expr.type, Enum):
            return expr.type.words[known[0]]
        return str(known[0] % v.MODULUS) if isinstance(expr.type, Seq) else str(known[0])

    def _plain(self, name: str, known: Interval | None) -> str:
        if known is None:
            return "unset"
        circular = isinstance(self._variables[name].type, Seq)
        return str(known[0] % v.MODULUS if circular else known[0])
