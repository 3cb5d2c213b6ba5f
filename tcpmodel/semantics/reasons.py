"""Why a guard holds or does not: the values that decide it, and no others.

Owns: picking, from a guard and what is known, the variables, fields and definitions that settle the answer.
Must never hold: how a guard is decided (see ``expressions``), or how a reason is shown.
"""

from __future__ import annotations

from tcpmodel.model import spec as m
from tcpmodel.model.types import Bool, Enum, Seq, Type
from tcpmodel.semantics import values as v
from tcpmodel.semantics.expressions import Environment
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


def shown(type_: Type, known: Interval | None) -> str:
    """A value as people write it; numbers of a numbering modulo 2^32."""
    if known is None:
        return "unset"
    if isinstance(type_, Enum):
        return type_.words[known[0]]
    return str(known[0] % v.MODULUS) if isinstance(type_, Seq) else str(known[0])


class _Reasons:
    def __init__(self, program: Program, environment: Environment, found: dict[str, str]) -> None:
        self._program = program
        self._environment = environment
        self._found = found
        self._definitions = {definition.name: definition.body for definition in program.spec.definitions}
        self._types = {variable.name: variable.type for variable in program.spec.variables}

    def _grow(self) -> None:
        """Compiling a part of a guard on its own may have made new slots for what depends on the message alone."""
        known = len(self._environment)
        if self._program.layout.size == known:
            return
        self._environment += [None] * (self._program.layout.size - known)
        for derived in self._program.compiler.derived.values():
            for slot, evaluate in derived:
                if slot >= known:
                    self._environment[slot] = evaluate(self._environment)

    def _answer(self, expr: m.Expr) -> int:
        guard = self._program.compiler.guard(expr)
        self._grow()
        return guard.test(self._environment)

    def _value(self, expr: m.Expr) -> str:
        value = self._program.compiler.value(expr)
        self._grow()
        return shown(expr.type, value.evaluate(self._environment))

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
