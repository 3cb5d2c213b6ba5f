"""Why a guard holds or does not: the values that decide it, and no others.

Owns: picking, from a guard and what is known, the variables, fields and definitions that settle the answer.
Must never hold: how a guard is decided (see ``expressions``), or how a reason is shown.
"""

from __future__ import annotations

from tcpmodel.model import spec as m
from tcpmodel.model.types import Bool, Enum, Seq, Type
from tcpmodel.semantics import values as v
from tcpmodel.semantics.expressions import Compiler, Environment
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.values import FALSE, TRUE, Interval

CONTROL = "CTL"


def reasons(program: Program, guard: m.Expr, environment: Environment) -> tuple[tuple[str, str], ...]:
    """Names and values that settle ``guard``, in the order in which they stand in it.

    Of an ``and`` that fails only a part that fails is looked at, of an ``or`` that holds only one that holds, and of
    a definition by cases only those up to the one that applies.
    """
    found: dict[str, str] = {}
    _Reasons(program, environment.copy(), found).collect(guard)
    return tuple(found.items())


def failing(program: Program, guard: m.Expr, environment: Environment) -> m.Expr:
    """The part of ``guard`` that does not hold; all of it when no single part is to blame."""
    return _Reasons(program, environment.copy(), {}).failing(guard)


def shown(type_: Type, known: Interval | None) -> str:
    """A value as people write it: ``low..high`` or ``any`` if it is not exact; numbers of a numbering modulo 2^32."""
    if known is None:
        return "unset"
    low, high = known
    if isinstance(type_, Enum):
        return " or ".join(type_.words[low : high + 1])
    if low <= -v.INFINITY and high >= v.INFINITY:
        return "any"
    modulus = v.MODULUS if isinstance(type_, Seq) else 0

    def one(number: int) -> str:
        if abs(number) >= v.INFINITY:
            return ""
        return str(number % modulus if modulus else number)

    return one(low) if low == high else f"{one(low)}..{one(high)}"


class _Reasons:
    def __init__(self, program: Program, environment: Environment, found: dict[str, str]) -> None:
        self._program = program
        self._environment = environment
        self._found = found
        self._definitions = {definition.name: definition.body for definition in program.spec.definitions}
        self._types = {variable.name: variable.type for variable in program.spec.variables}
        # Parts of a guard get slots of their own, which the environments of the program must not have to hold.
        layout = program.layout
        self._compiler = Compiler(
            program.spec, program.profiles, layout.variables, layout.fields, layout.flags, self._allocate
        )
        self._compiler.chosen = program.compiler.chosen
        self._evaluated = len(environment)

    def _allocate(self) -> int:
        self._environment.append(None)
        return len(self._environment) - 1

    def _derive(self) -> None:
        """Work out what depends on the message alone and got a new slot."""
        for derived in self._compiler.derived.values():
            for slot, evaluate in derived:
                if slot >= self._evaluated:
                    self._environment[slot] = evaluate(self._environment)
        self._evaluated = len(self._environment)

    def _answer(self, expr: m.Expr) -> int:
        guard = self._compiler.guard(expr)
        self._derive()
        return guard.test(self._environment)

    def _value(self, expr: m.Expr) -> str:
        value = self._compiler.value(expr)
        self._derive()
        return shown(expr.type, value.evaluate(self._environment))

    def failing(self, expr: m.Expr) -> m.Expr:
        """See the function of this name."""
        if isinstance(expr, m.And):
            false = next((operand for operand in expr.operands if self._answer(operand) == FALSE), None)
            if false is not None:
                return self.failing(false)
        return expr

    def collect(self, expr: m.Expr) -> None:
        """Note what settles ``expr``, a condition or a value."""
        match expr:
            case m.VarRef() | m.LocalRef():
                self._found[expr.name] = self._value(expr)
            case m.FieldRef():
                self._found[f"{expr.message}.{expr.name}"] = self._value(expr)
            case m.DefinitionRef():
                self._definition(expr)
            case m.HasFlags():
                self._flags(expr)
            case m.IsSet():
                slot = self._program.layout.variables[expr.name]
                self._found[expr.name] = shown(self._types[expr.name], self._environment[slot])
            case m.Arithmetic() | m.Compare():
                self.collect(expr.left)
                self.collect(expr.right)
            case m.Not():
                self.collect(expr.operand)
            case m.And() | m.Or():
                self._operands(expr.operands, FALSE if isinstance(expr, m.And) else TRUE)
            case m.Cases():
                self._cases(expr)
            case _:
                return

    def _definition(self, expr: m.DefinitionRef) -> None:
        if not isinstance(expr.type, Bool):
            self._found[expr.name] = self._value(expr)
            return
        answer = self._answer(expr)
        self._found[expr.name] = "yes" if answer == TRUE else "no" if answer == FALSE else "open"
        body = self._definitions.get(expr.name)
        if body is not None:
            self.collect(body)

    def _flags(self, expr: m.HasFlags) -> None:
        slots = self._program.layout.flags
        names = [name for message, name in slots if message == expr.message]
        on = [name for name in names if self._environment[slots[expr.message, name]] == (1, 1)]
        self._found[CONTROL] = ",".join(on) or "none"

    def _operands(self, operands: tuple[m.Expr, ...], decisive: int) -> None:
        settling = next((operand for operand in operands if self._answer(operand) == decisive), None)
        for operand in operands if settling is None else (settling,):
            self.collect(operand)

    def _cases(self, expr: m.Cases) -> None:
        for condition, body in expr.cases:
            self.collect(condition)
            if self._answer(condition) != FALSE:
                self.collect(body)
                return
