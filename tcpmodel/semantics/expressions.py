"""Expressions of a spec, compiled to functions over what is known.

Owns: how an expression is evaluated over an environment of intervals, how a guard is decided (holds, does not, open),
and how knowing its truth narrows what is known.
Must never hold: rules, events, or the name of anything in a protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tcpmodel.model import spec as m
from tcpmodel.model.types import Bool, Enum, Range, Seq, Type
from tcpmodel.semantics import values as v
from tcpmodel.semantics.values import FALSE, OPEN, TRUE, Interval

Environment = list[Interval | None]
"""One slot per variable, message field, flag, derived field and chosen value; None is an unset optional variable."""

Evaluate = Callable[[Environment], "Interval | None"]
Narrow = Callable[[Environment, int, int], bool]
Test = Callable[[Environment], int]
Refine = Callable[[Environment, bool], bool]


@dataclass(frozen=True, slots=True)
class Value:
    """``evaluate`` gives the interval; ``narrow`` imposes bounds on it and says False when that is impossible."""

    evaluate: Evaluate
    narrow: Narrow


@dataclass(frozen=True, slots=True)
class Guard:
    """``test`` decides; ``refine`` imposes its truth, and says False when that is impossible."""

    test: Test
    refine: Refine


def full_range(type_: Type) -> Interval:
    """Every value that a type allows."""
    if isinstance(type_, Seq):
        return v.ANY
    if isinstance(type_, Enum):
        return (0, len(type_.words) - 1)
    if isinstance(type_, Range):
        return (type_.low, type_.high)
    if isinstance(type_, Bool):
        return v.MAYBE
    return v.AMOUNT


def unknown_narrow(_environment: Environment, _low: int, _high: int) -> bool:
    """Learns nothing from a bound."""
    return True


def slot_value(slot: int) -> Value:
    """The value that stands in a slot."""

    def evaluate(environment: Environment) -> Interval | None:
        return environment[slot]

    def narrow(environment: Environment, low: int, high: int) -> bool:
        known = environment[slot]
        if known is None:
            return False
        if known[0] >= low and known[1] <= high:
            return True
        met = v.meet(known, (low, high))
        if met is None:
            return False
        environment[slot] = met
        return True

    return Value(evaluate, narrow)


class Compiler:
    """Compiles the expressions of one spec over one layout of slots.

    ``variables``, ``fields`` (by message and name), ``flags`` and ``chosen`` map names to slots. ``derived`` collects
    the expressions over nothing but a message: each gets a slot of its own, so that what is known of a whole class of
    messages (a hull) stays exact for the sums that the rules ask for.
    """

    def __init__(
        self,
        spec: m.Spec,
        profiles: dict[str, bool | None],
        variables: dict[str, int],
        fields: dict[tuple[str, str], int],
        flags: dict[tuple[str, str], int],
        allocate: Callable[[], int],
    ) -> None:
        self._definitions = {d.name: d for d in spec.definitions}
        self._constants = {c.name: c for c in spec.constants}
        self._profiles = profiles
        self._variables = variables
        self._fields = fields
        self._flags = flags
        self._allocate = allocate
        self.chosen: dict[str, int] = {}
        self.derived: dict[str, list[tuple[int, Evaluate]]] = {}
        self._derived_slots: dict[str, int] = {}
        self._guards: dict[int, tuple[m.Expr, Guard]] = {}

    # ------------------------------------------------------------------------------------------------- values

    def value(self, expr: m.Expr) -> Value:
        """Compile an expression of a numeric or enum type."""
        if isinstance(expr, m.FieldRef):
            return slot_value(self._fields[expr.message, expr.name])
        if isinstance(expr, m.Literal):
            return literal_value(expr.value)
        message = self._only_message(expr)
        if message:
            return slot_value(self._derived(expr, message))
        return self._plain_value(expr)

    def _plain_value(self, expr: m.Expr) -> Value:
        match expr:
            case m.Literal():
                return literal_value(expr.value)
            case m.VarRef():
                return slot_value(self._variables[expr.name])
            case m.LocalRef():
                return slot_value(self.chosen[expr.name])
            case m.FieldRef():
                return slot_value(self._fields[expr.message, expr.name])
            case m.DefinitionRef():
                return self.value(self.body(expr.name))
            case m.Arithmetic():
                return _arithmetic(expr.op, self.value(expr.left), self.value(expr.right))
            case m.Cases():
                return self._case_value(expr)
            case _:
                guard = self.guard(expr)

                def truth(environment: Environment) -> Interval:
                    answer = guard.test(environment)
                    return v.MAYBE if answer == OPEN else (answer, answer)

                return Value(truth, unknown_narrow)

    def body(self, name: str) -> m.Expr:
        """What a definition, or a constant under the profiles chosen, stands for."""
        if name in self._definitions:
            return self._definitions[name].body
        constant = self._constants[name]
        chosen = dict(constant.values)
        for profile, expr in constant.values:
            if profile and self._profiles.get(profile) is True:
                return expr
        return chosen[""]

    def _case_value(self, expr: m.Cases) -> Value:
        cases = [(self.guard(guard), self.value(body)) for guard, body in expr.cases]

        def evaluate(environment: Environment) -> Interval | None:
            found: Interval | None = None
            for guard, body in cases:
                answer = guard.test(environment)
                if answer == FALSE:
                    continue
                here = body.evaluate(environment)
                found = here if found is None else v.join(found, here)
                if answer == TRUE:
                    break
            return found

        return Value(evaluate, unknown_narrow)

    def _only_message(self, expr: m.Expr) -> str | None:
        """The message when the expression depends on nothing else (and on it); None otherwise."""
        found: set[str] = set()
        if not self._collect(expr, found) or len(found) != 1:
            return None
        return next(iter(found))

    def _collect(self, expr: m.Expr, found: set[str]) -> bool:
        match expr:
            case m.Literal():
                return True
            case m.FieldRef() | m.HasFlags():
                found.add(expr.message)
                return True
            case m.DefinitionRef():
                return self._collect(self.body(expr.name), found)
            case m.Arithmetic() | m.Compare():
                return self._collect(expr.left, found) and self._collect(expr.right, found)
            case m.Not():
                return self._collect(expr.operand, found)
            case m.And() | m.Or():
                return all(self._collect(operand, found) for operand in expr.operands)
            case m.Cases():
                return all(self._collect(part, found) for case in expr.cases for part in case)
            case _:
                return False

    def _derived(self, expr: m.Expr, message: str) -> int:
        while isinstance(expr, m.DefinitionRef):
            expr = self.body(expr.name)
        key = f"{message}: {expr.text}"
        if isinstance(expr, m.FieldRef):
            return self._fields[expr.message, expr.name]
        if key not in self._derived_slots:
            compiled = self._plain_value(expr)
            slot = self._allocate()
            self._derived_slots[key] = slot
            self.derived.setdefault(message, []).append((slot, compiled.evaluate))
        return self._derived_slots[key]

    # ------------------------------------------------------------------------------------------------- guards

    def guard(self, expr: m.Expr) -> Guard:
        """Compile a condition."""
        known = self._guards.get(id(expr))
        if known is not None and known[0] is expr:
            return known[1]
        guard = self._guard(expr)
        self._guards[id(expr)] = (expr, guard)
        return guard

    def _guard(self, expr: m.Expr) -> Guard:
        match expr:
            case m.Literal():
                return _constant_guard(expr.value != 0)
            case m.DefinitionRef():
                return self.guard(self.body(expr.name))
            case m.Compare():
                return self._comparison(expr)
            case m.Not():
                return _negation(self.guard(expr.operand))
            case m.And():
                return _conjunction([self.guard(operand) for operand in expr.operands])
            case m.Or():
                negated = [_negation(self.guard(operand)) for operand in expr.operands]
                return _negation(_conjunction(negated))
            case m.HasFlags():
                return self._flag_guard(expr)
            case m.IsSet():
                return self._set_guard(self._variables[expr.name])
            case m.Cases():
                return self._case_guard(expr)
            case _:
                raise TypeError(f"not a condition: {expr.text}")

    def _comparison(self, expr: m.Compare) -> Guard:
        left, right = self.value(expr.left), self.value(expr.right)
        circular = isinstance(expr.left.type, Seq) or isinstance(expr.right.type, Seq)
        decide = {"<": v.less, "=<": v.less_or_equal, "=": v.equal, "!=": v.equal}[expr.op]
        op = expr.op

        def test(environment: Environment) -> int:
            a, b = left.evaluate(environment), right.evaluate(environment)
            if a is None or b is None:
                return FALSE
            answer = decide(a, b, circular)
            return 1 - answer if op == "!=" and answer != OPEN else answer

        def refine(environment: Environment, truth: bool) -> bool:
            a, b = left.evaluate(environment), right.evaluate(environment)
            if a is None or b is None:
                return True
            if (op == "=") == truth and op in ("=", "!="):
                return left.narrow(environment, *b) and right.narrow(environment, *a)
            if op in ("=", "!="):
                return True
            gap = 1 if op == "<" else 0
            if truth:
                return left.narrow(environment, -v.INFINITY, v.lowered(b[1], gap)) and right.narrow(
                    environment, v.raised(a[0], gap), v.INFINITY
                )
            gap = 1 - gap
            return right.narrow(environment, -v.INFINITY, v.lowered(a[1], gap)) and left.narrow(
                environment, v.raised(b[0], gap), v.INFINITY
            )

        return Guard(test, refine)

    def _flag_guard(self, expr: m.HasFlags) -> Guard:
        wanted = [(self._flags[expr.message, name], 1) for name in expr.present]
        wanted += [(self._flags[expr.message, name], 0) for name in expr.absent]

        def test(environment: Environment) -> int:
            answer = TRUE
            for slot, value in wanted:
                known = environment[slot]
                if known is None or known[0] != known[1]:
                    answer = OPEN
                elif known[0] != value:
                    return FALSE
            return answer

        def refine(environment: Environment, truth: bool) -> bool:
            if truth:
                for slot, value in wanted:
                    environment[slot] = (value, value)
            elif len(wanted) == 1:
                slot, value = wanted[0]
                environment[slot] = (1 - value, 1 - value)
            return True

        return Guard(test, refine)

    def _set_guard(self, slot: int) -> Guard:
        def test(environment: Environment) -> int:
            return FALSE if environment[slot] is None else TRUE

        return Guard(test, lambda _environment, _truth: True)

    def _case_guard(self, expr: m.Cases) -> Guard:
        cases = [(self.guard(guard), self.guard(body)) for guard, body in expr.cases]

        def test(environment: Environment) -> int:
            found: int | None = None
            for guard, body in cases:
                answer = guard.test(environment)
                if answer == FALSE:
                    continue
                here = body.test(environment)
                if here == OPEN or (found is not None and found != here):
                    return OPEN
                found = here
                if answer == TRUE:
                    break
            return FALSE if found is None else found

        def refine(environment: Environment, truth: bool) -> bool:
            for guard, body in cases:
                answer = guard.test(environment)
                if answer == TRUE:
                    return body.refine(environment, truth)
                if answer == OPEN:
                    return True
            return True

        return Guard(test, refine)


def literal_value(number: int) -> Value:
    """A value that is always this number."""
    known = (number, number)
    return Value(lambda _environment: known, lambda _environment, low, high: low <= number <= high)


def _arithmetic(op: str, left: Value, right: Value) -> Value:
    combine = {"+": v.add, "-": v.subtract, "*": v.multiply, "/": v.divide, "mod": v.modulo, "shifted": v.shifted}.get(
        op
    )

    def evaluate(environment: Environment) -> Interval | None:
        a, b = left.evaluate(environment), right.evaluate(environment)
        if a is None or b is None:
            return v.ANY
        if combine is not None:
            return combine(a, b)
        pick = max if op == "max" else min
        return (pick(a[0], b[0]), pick(a[1], b[1]))

    def narrow(environment: Environment, low: int, high: int) -> bool:
        a, b = left.evaluate(environment), right.evaluate(environment)
        if a is None or b is None:
            return True
        if op == "+":
            fits = left.narrow(environment, *v.subtract((low, high), b))
            return fits and right.narrow(environment, *v.subtract((low, high), a))
        if op == "-":
            fits = left.narrow(environment, *v.add((low, high), b))
            return fits and right.narrow(environment, *v.subtract(a, (low, high)))
        if op == "max":
            return left.narrow(environment, -v.INFINITY, high) and right.narrow(environment, -v.INFINITY, high)
        if op == "min":
            return left.narrow(environment, low, v.INFINITY) and right.narrow(environment, low, v.INFINITY)
        return True

    return Value(evaluate, narrow)


def _constant_guard(truth: bool) -> Guard:
    answer = TRUE if truth else FALSE
    return Guard(lambda _environment: answer, lambda _environment, wanted: wanted == truth)


def _negation(guard: Guard) -> Guard:
    def test(environment: Environment) -> int:
        answer = guard.test(environment)
        return OPEN if answer == OPEN else 1 - answer

    return Guard(test, lambda environment, truth: guard.refine(environment, not truth))


def _conjunction(parts: list[Guard]) -> Guard:
    def test(environment: Environment) -> int:
        answer = TRUE
        for part in parts:
            here = part.test(environment)
            if here == FALSE:
                return FALSE
            if here == OPEN:
                answer = OPEN
        return answer

    def refine(environment: Environment, truth: bool) -> bool:
        if truth:
            return all(part.refine(environment, True) for part in parts)
        undecided = [part for part in parts if part.test(environment) != TRUE]
        if len(undecided) == 1:
            return undecided[0].refine(environment, False)
        return bool(undecided)

    return Guard(test, refine)
