"""A second, naive interpreter of specs, to hold the real one against.

Owns: one event at one endpoint whose every value is known, done straight from the resolved spec with numbers modulo
2^32. What a spec leaves to the endpoint (`choose`, `any`, `or nothing`, `within`) is drawn at random.
Must never hold: anything taken over from ``tcpmodel.semantics``, or the name of anything in a protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum, Range, Seq, Type

MODULUS = 1 << 32
Values = dict[str, int | None]


class Rejected(Exception):
    """The values drawn do not satisfy a `where`: this is not something that an endpoint does."""


@dataclass(frozen=True)
class Message:
    """A message with every field known; numbers as on the wire."""

    name: str
    flags: frozenset[str]
    fields: dict[str, int]


@dataclass
class Result:
    """What one event did. ``sent``: messages with the action that sent them. ``drawn``: what was left open, by name."""

    state: str
    values: Values
    sent: list[tuple[Message, m.Send]] = field(default_factory=list)
    left_out: list[m.Send] = field(default_factory=list)
    signals: list[str] = field(default_factory=list)
    rules: list[m.Rule] = field(default_factory=list)
    drawn: dict[str, int] = field(default_factory=dict)


def after(a: int, b: int) -> int:
    """How far b lies after a on the circle, -2^31 .. 2^31 - 1."""
    gap = (b - a) % MODULUS
    return gap - MODULUS if gap >= MODULUS // 2 else gap


class Reference:
    """One spec under one choice of profiles."""

    def __init__(self, spec: m.Spec, profiles: Mapping[str, bool]) -> None:
        self.spec = spec
        self.profiles = profiles
        self.variables = {variable.name: variable for variable in spec.variables}
        self.definitions = {definition.name: definition.body for definition in spec.definitions}
        self.constants = {constant.name: constant for constant in spec.constants}
        self.messages = {message.name: message for message in spec.messages}
        self.states = {state.name: state for state in spec.states}

    def fresh(self) -> Values:
        """The variables of a new endpoint; what has no initial value yet is 0."""
        values: Values = {}
        for variable in self.spec.variables:
            if variable.initial is not None:
                value = self.number(variable.initial, values, {}, None)
                values[variable.name] = value
            else:
                values[variable.name] = None if variable.optional else 0
        return values

    def on(self, rule: m.Rule) -> bool:
        """Is the rule there under these profiles?"""
        return all(self.profiles[name] == wanted for name, wanted in rule.profiles)

    def own(self, state: str) -> list[int]:
        """The rules by which an endpoint may act of its own accord, as indices into the rules of the state."""
        return [i for i, rule in enumerate(self.states[state].rules) if rule.event.kind == "own" and self.on(rule)]

    # ------------------------------------------------------------------------------------------------- one event

    def step(self, state: str, values: Values, event: tuple[str, str], message: Message | None, rng: Random) -> Result:
        """One event: its kind and name, ("own", index) for `may`. Rejected when the values drawn do not fit."""
        result = Result(state, dict(values))
        index = -1
        after_step: int | None = None
        while True:
            found = self._next(result, event, message, index, after_step)
            if found is None:
                return result
            index, rule = found
            result.rules.append(rule)
            self._act(rule, result, message, rng)
            changed = rule.target != result.state
            result.state = rule.target
            if not rule.continues:
                return result
            if changed:
                index, after_step = -1, rule.step

    def _next(
        self, result: Result, event: tuple[str, str], message: Message | None, index: int, after_step: int | None
    ) -> tuple[int, m.Rule] | None:
        rules = self.states[result.state].rules
        beyond = after_step is None
        for number, rule in enumerate(rules):
            same = rule.event.kind == event[0] and (
                rule.event.name == event[1] if event[0] != "own" else str(number) == event[1]
            )
            if not same or not self.on(rule):
                continue
            if after_step is not None and not beyond and rule.step <= after_step:
                continue
            beyond = True
            if number <= index:
                continue
            if rule.guard is None or self.truth(rule.guard, result.values, {}, message):
                return number, rule
        return None

    def _act(self, rule: m.Rule, result: Result, message: Message | None, rng: Random) -> None:
        chosen: dict[str, int] = {}
        for action in rule.actions:
            if isinstance(action, m.Choose):
                chosen[action.name] = self._draw(action.type, result.values, rng)
                result.drawn[action.name] = chosen[action.name]
                if action.where is not None and not self.truth(action.where, result.values, chosen, message):
                    raise Rejected
            elif isinstance(action, m.Assign):
                variable = self.variables[action.variable]
                if action.unset:
                    result.values[action.variable] = None
                elif action.value is None:
                    number = self.any(variable, result.values, rng)
                    result.values[action.variable] = result.drawn[action.variable] = number
                else:
                    result.values[action.variable] = fit(
                        self.number(action.value, result.values, chosen, message), variable.type
                    )
            elif isinstance(action, m.Signal):
                if action.when is None or self.truth(action.when, result.values, chosen, message):
                    result.signals.append(action.text)
            else:
                self._send(action, result, chosen, message, rng)

    def _send(
        self, action: m.Send, result: Result, chosen: dict[str, int], message: Message | None, rng: Random
    ) -> None:
        if action.when is not None and not self.truth(action.when, result.values, chosen, message):
            return
        given = dict(action.fields)
        fields: dict[str, int] = {}
        for item in self.messages[action.message].fields:
            if item.name in given:
                value = self.number(given[item.name], result.values, chosen, message)
                if value is None:
                    raise Rejected
                fields[item.name] = value % MODULUS if isinstance(item.type, Seq) else value
            elif item.default is not None:
                fields[item.name] = item.default
            else:
                fields[item.name] = self._draw(item.type, {}, rng)
        sent = Message(action.message, frozenset(action.flags), fields)
        if action.where is not None and not self.truth(action.where, result.values, chosen, sent):
            raise Rejected
        if (action.optional or action.within is not None) and rng.random() < 0.4:
            result.left_out.append(action)
        else:
            result.sent.append((sent, action))

    def any(self, variable: m.Variable, values: Values, rng: Random) -> int:
        """What an endpoint puts where the spec says `any`."""
        return self._draw(variable.type, {}, rng)

    def _draw(self, type_: Type, values: Values, rng: Random) -> int:
        if isinstance(type_, Enum):
            return rng.randrange(len(type_.words))
        if isinstance(type_, Range):
            return rng.randint(type_.low, type_.high)
        if not isinstance(type_, Seq):
            return rng.choice((0, 0, 1, 1, 2, 5, 100, 1460))
        near = [value for name, value in values.items() if value is not None and self.variables[name].type == type_]
        if not near:
            return rng.choice((rng.randrange(MODULUS), MODULUS - 1 - rng.randrange(4), rng.randrange(3)))
        return (rng.choice(near) + rng.choice((0, 0, 0, 1, -1, 2, 7, 100, -100, 1460))) % MODULUS

    # ------------------------------------------------------------------------------------------------ expressions

    def number(self, expr: m.Expr, values: Values, chosen: Mapping[str, int], message: Message | None) -> int | None:
        """The value of an expression; None when something in it is unset."""
        match expr:
            case m.Literal():
                return expr.value
            case m.VarRef():
                return values[expr.name]
            case m.LocalRef():
                return chosen[expr.name]
            case m.FieldRef():
                return message.fields.get(expr.name) if message is not None else None
            case m.DefinitionRef():
                return self.number(self._body(expr.name), values, chosen, message)
            case m.Cases():
                for guard, body in expr.cases:
                    if self.truth(guard, values, chosen, message):
                        return self.number(body, values, chosen, message)
                return None
            case m.Arithmetic():
                a = self.number(expr.left, values, chosen, message)
                b = self.number(expr.right, values, chosen, message)
                if a is None or b is None:
                    return None
                return self._arithmetic(expr, a, b)
            case _:
                return int(self.truth(expr, values, chosen, message))

    def _arithmetic(self, expr: m.Arithmetic, a: int, b: int) -> int | None:
        circular = isinstance(expr.left.type, Seq)
        match expr.op:
            case "+":
                return (a + b) % MODULUS if isinstance(expr.type, Seq) else a + b
            case "-":
                if circular and isinstance(expr.right.type, Seq):
                    return after(b, a)
                return (a - b) % MODULUS if circular else a - b
            case "*":
                return a * b
            case "/":
                return a // b if b else None
            case "mod":
                return a % b if b > 0 else None
            case "max" | "min":
                later = (after(a, b) > 0) if isinstance(expr.type, Seq) else b > a
                return b if later == (expr.op == "max") else a
        raise AssertionError(expr.op)

    def _body(self, name: str) -> m.Expr:
        if name in self.definitions:
            return self.definitions[name]
        values = dict(self.constants[name].values)
        for profile, expr in self.constants[name].values:
            if profile and self.profiles[profile]:
                return expr
        return values[""]

    def truth(self, expr: m.Expr, values: Values, chosen: Mapping[str, int], message: Message | None) -> bool:
        """Does a condition hold? A comparison with something unset does not."""
        match expr:
            case m.Literal():
                return expr.value != 0
            case m.DefinitionRef():
                return self.truth(self._body(expr.name), values, chosen, message)
            case m.Not():
                return not self.truth(expr.operand, values, chosen, message)
            case m.And():
                return all(self.truth(operand, values, chosen, message) for operand in expr.operands)
            case m.Or():
                return any(self.truth(operand, values, chosen, message) for operand in expr.operands)
            case m.HasFlags():
                assert message is not None
                return message.flags.issuperset(expr.present) and not message.flags.intersection(expr.absent)
            case m.IsSet():
                return values[expr.name] is not None
            case m.Cases():
                for guard, body in expr.cases:
                    if self.truth(guard, values, chosen, message):
                        return self.truth(body, values, chosen, message)
                return False
            case m.Compare():
                a = self.number(expr.left, values, chosen, message)
                b = self.number(expr.right, values, chosen, message)
                if a is None or b is None:
                    return False
                gap = after(a, b) if isinstance(expr.left.type, Seq) or isinstance(expr.right.type, Seq) else b - a
                return {"<": gap > 0, "=<": gap >= 0, "=": gap == 0, "!=": gap != 0}[expr.op]
        raise AssertionError(expr.text)


def fit(value: int | None, type_: Type) -> int | None:
    """A value as a variable of the type keeps it."""
    if value is None:
        return None
    if isinstance(type_, Seq):
        return value % MODULUS
    if isinstance(type_, Range):
        return max(type_.low, min(type_.high, value))
    if isinstance(type_, Enum):
        return value
    return max(0, value)


def profile_choices(spec: m.Spec, names: Iterable[str] = ()) -> dict[str, bool]:
    """The default profiles with these turned round."""
    turned = set(names)
    return {profile.name: profile.default != (profile.name in turned) for profile in spec.profiles}
