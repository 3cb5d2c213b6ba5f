"""What the conditions of a set of rules read: variables, fields, flags, and the terms they are compared with.

Owns: the walk over expressions that the choice of interesting values starts from.
Must never hold: a value, or what an expression means (see ``semantics``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tcpmodel.model import spec as m
from tcpmodel.model.types import Seq


@dataclass
class Reading:
    """``flags`` and ``fields`` are of the message at hand. ``numbers``: literals that something is compared with.

    ``terms``: sides of comparisons of sequence numbers that depend on variables alone. ``amounts``: the same of other
    numbers.
    """

    variables: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    terms: dict[str, m.Expr] = field(default_factory=dict)
    amounts: dict[str, m.Expr] = field(default_factory=dict)


def read(spec: m.Spec, rules: Iterable[m.Rule]) -> Reading:
    """What these rules read when their conditions are tried one after the other.

    Values that a rule with ``then continue`` assigns count too, because later conditions see them, and so do the
    variables in ``where``: without values that fit it, a rule that is chosen cannot act.
    """
    bodies: dict[str, m.Expr] = {definition.name: definition.body for definition in spec.definitions}
    for constant in spec.constants:
        bodies[constant.name] = constant.values[0][1]
    found = Reading()
    for rule in rules:
        if rule.guard is not None:
            _walk(rule.guard, bodies, found)
        for action in rule.actions:
            if isinstance(action, m.Assign) and action.value is not None and rule.continues:
                _walk(action.value, bodies, found)
            elif isinstance(action, m.Choose | m.Send) and action.where is not None:
                found.variables |= variables_in(spec, action.where)
    return found


def variables_in(spec: m.Spec, expr: m.Expr) -> set[str]:
    """The variables that an expression reads."""
    bodies: dict[str, m.Expr] = {definition.name: definition.body for definition in spec.definitions}
    found = Reading()
    _walk(expr, bodies, found)
    return found.variables


def _walk(expr: m.Expr, bodies: dict[str, m.Expr], found: Reading) -> None:
    match expr:
        case m.VarRef() | m.IsSet():
            found.variables.add(expr.name)
        case m.FieldRef():
            found.fields.add(expr.name)
        case m.HasFlags():
            found.flags.update(expr.present, expr.absent)
        case m.DefinitionRef() if expr.name in bodies:
            _walk(bodies[expr.name], bodies, found)
        case m.Arithmetic():
            _walk(expr.left, bodies, found)
            _walk(expr.right, bodies, found)
        case m.Compare():
            for side in (expr.left, expr.right):
                _walk(side, bodies, found)
                _note_term(side, bodies, found)
        case m.Not():
            _walk(expr.operand, bodies, found)
        case m.And() | m.Or():
            for operand in expr.operands:
                _walk(operand, bodies, found)
        case m.Cases():
            for case in expr.cases:
                for part in case:
                    _walk(part, bodies, found)
        case _:
            return


def _note_term(side: m.Expr, bodies: dict[str, m.Expr], found: Reading) -> None:
    while isinstance(side, m.DefinitionRef) and side.name in bodies:
        side = bodies[side.name]
    if isinstance(side, m.Literal):
        found.numbers.add(side.value)
        return
    inside = Reading()
    _walk(side, bodies, inside)
    if inside.variables and not (inside.fields or inside.flags) and not _has_choice(side):
        (found.terms if isinstance(side.type, Seq) else found.amounts)[side.text] = side


def _has_choice(expr: m.Expr) -> bool:
    """Does it read a value that a rule chose?"""
    if isinstance(expr, m.Arithmetic):
        return _has_choice(expr.left) or _has_choice(expr.right)
    return isinstance(expr, m.LocalRef)
