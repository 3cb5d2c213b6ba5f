"""Walks over resolved expressions and rules.

Owns: what stands inside what.
Must never hold: a judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tcpmodel.model import spec


def children(expr: spec.Expr) -> tuple[spec.Expr, ...]:
    """The expressions directly inside one."""
    match expr:
        case spec.Arithmetic() | spec.Compare():
            return expr.left, expr.right
        case spec.And() | spec.Or():
            return expr.operands
        case spec.Not() | spec.After():
            return (expr.operand,)
        case spec.Cases():
            return tuple(part for case in expr.cases for part in case)
    return ()


def walk(expr: spec.Expr) -> Iterator[spec.Expr]:
    """The expression and all inside it, from left to right; definitions are not opened."""
    todo = [expr]
    while todo:
        one = todo.pop()
        yield one
        todo += reversed(children(one))


def opened(exprs: Iterable[spec.Expr | None], body: Callable[[str], spec.Expr | None]) -> Iterator[spec.Expr]:
    """All inside some expressions, then all inside the definitions named there, each once, in the order of their names.

    ``body``: what a name stands for, or None where it is not to be opened.
    """
    todo = [expr for expr in exprs if expr is not None]
    known: set[str] = set()
    for expr in todo:  # which grows on the way
        for part in walk(expr):
            yield part
            if isinstance(part, spec.DefinitionRef) and part.name not in known:
                known.add(part.name)
                inner = body(part.name)
                if inner is not None:
                    todo.append(inner)


def expressions(action: spec.Action) -> list[spec.Expr]:
    """All expressions of an action, in the order in which they are evaluated."""
    match action:
        case spec.Assign():
            found = [action.value]
        case spec.Choose():
            found = [action.where]
        case spec.Send():
            found = [action.when, *(value for _, value in action.fields), action.where, action.within]
        case spec.Signal():
            found = [action.when]
    return [expr for expr in found if expr is not None]
