"""What an observer need not follow.

Owns: finding the variables of a spec that can never matter to what is seen, and those whose values nobody can ever see.
Leaving either out loses nothing: the first change no answer, the second are unknown anyhow.
Must never hold: how the rest is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tcpmodel.model import spec as m
from tcpmodel.model.walk import children, expressions, opened


def _bodies(spec: m.Spec) -> dict[str, m.Expr]:
    return {definition.name: definition.body for definition in spec.definitions}


def _reads(exprs: Iterable[m.Expr | None], bodies: Mapping[str, m.Expr]) -> set[str]:
    """The variables that some expressions need, or test with ``is set``."""
    return {part.name for part in opened(exprs, bodies.get) if isinstance(part, m.VarRef | m.IsSet)}


def only_reads(expr: m.Expr, spec: m.Spec, names: set[str]) -> bool:
    """Does an expression depend on nothing but these variables?"""
    match expr:
        case m.Literal():
            return True
        case m.VarRef() | m.IsSet():
            return expr.name in names
        case m.DefinitionRef():
            bodies = [each.body for each in spec.definitions if each.name == expr.name]
            return bool(bodies) and all(only_reads(body, spec, names) for body in bodies)
        case m.FieldRef() | m.HasFlags() | m.LocalRef():
            return False
        case _:
            return all(only_reads(child, spec, names) for child in children(expr))


def rule_reads(spec: m.Spec, rule: m.Rule) -> tuple[set[str], set[str]]:
    """The variables that a rule reads before it sets them, and those that it sets whenever it fires."""
    bodies = _bodies(spec)
    reads = _reads([rule.guard], bodies)
    sets: set[str] = set()
    for action in rule.actions:
        reads |= _reads(expressions(action), bodies) - sets
        if isinstance(action, m.Assign):
            sets.add(action.variable)
    return reads, sets


def is_inert(rule: m.Rule, ignored: frozenset[str]) -> bool:
    """Does the rule only set ignored variables and go on?"""
    return (
        rule.continues
        and rule.target == rule.state
        and all(isinstance(a, m.Signal) or (isinstance(a, m.Assign) and a.variable in ignored) for a in rule.actions)
    )


def irrelevant_variables(spec: m.Spec, hidden: frozenset[str] = frozenset()) -> frozenset[str]:
    """Variables that can never influence a change of state or a message, when ``hidden`` ones are not followed."""
    bodies = _bodies(spec)
    rules = [rule for state in spec.states for rule in state.rules]
    judged = _reads((fault.when for fault in spec.faults), bodies)
    ignored = frozenset(variable.name for variable in spec.variables)
    while True:
        used = set(judged)
        for rule in rules:
            if is_inert(rule, ignored | hidden):
                continue
            used |= _reads([rule.guard], bodies)
            for action in rule.actions:
                kept = isinstance(action, m.Assign) and action.variable not in ignored | hidden
                if kept or isinstance(action, m.Send | m.Choose):
                    used |= _reads(expressions(action), bodies)
        smaller = ignored - used
        if smaller == ignored:
            return ignored
        ignored = smaller


def unknowable_variables(spec: m.Spec, seen_fields: frozenset[str]) -> frozenset[str]:
    """Variables that are set from fields which the observer does not see, or noted when an unseen mark says so.

    Optional ones are followed all the same: whether they are set is known.
    """
    unseen = {
        (message.name, item.name)
        for message in spec.messages
        for item in message.fields
        if item.source not in seen_fields
    }
    marks = {(message.name, mark) for message in spec.messages for mark in message.marks}
    optional = {variable.name for variable in spec.variables if variable.optional}
    found: set[str] = set()
    for state in spec.states:
        for rule in state.rules:
            blind = rule.continues and rule.target == rule.state and _sees_nothing(rule.guard, marks)
            for action in rule.actions:
                if isinstance(action, m.Assign) and action.variable not in optional:
                    fields: set[tuple[str, str]] = set()
                    _fields(action.value, spec, fields)
                    if fields & unseen or blind:
                        found.add(action.variable)
    return frozenset(found)


def _sees_nothing(guard: m.Expr | None, marks: set[tuple[str, str]]) -> bool:
    parts = guard.operands if isinstance(guard, m.And) else (guard,)
    return any(
        isinstance(part, m.HasFlags) and any((part.message, name) in marks for name in (*part.present, *part.absent))
        for part in parts
    )


def _fields(expr: m.Expr | None, spec: m.Spec, found: set[tuple[str, str]]) -> None:
    match expr:
        case m.FieldRef():
            found.add((expr.message, expr.name))
        case m.DefinitionRef():
            for definition in spec.definitions:
                if definition.name == expr.name:
                    _fields(definition.body, spec, found)
        case m.Arithmetic() | m.Compare():
            _fields(expr.left, spec, found)
            _fields(expr.right, spec, found)
        case m.Cases():
            for case in expr.cases:
                _fields(case[1], spec, found)
        case _:
            return
