"""Finds rules that can never fire, because a rule before them always wins.

Owns: when one guard holds whenever another does. Only what is certain counts: a subset of the same conditions.
Must never hold: anything that needs values.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.language.errors import SpecError
from tcpmodel.model import spec
from tcpmodel.model.walk import children, opened

Key = tuple[object, ...]
"""An expression without its place and its spelling."""


def key(expr: spec.Expr) -> Key:
    """Equal for expressions that say the same in the same words."""
    head: tuple[object, ...]
    match expr:
        case spec.Literal():
            head = ("literal", expr.type, expr.value)
        case spec.VarRef() | spec.LocalRef() | spec.DefinitionRef() | spec.IsSet():
            head = (type(expr).__name__, expr.name)
        case spec.FieldRef():
            head = ("field", expr.message, expr.name)
        case spec.Arithmetic() | spec.Compare():
            head = (type(expr).__name__, expr.op)
        case spec.HasFlags():
            head = ("flags", expr.message, frozenset(expr.present), frozenset(expr.absent))
        case _:
            head = (type(expr).__name__,)
    return (*head, *(key(child) for child in children(expr)))


def conjuncts(guard: spec.Expr | None) -> frozenset[Key]:
    """The conditions that must all hold; each flag is one of its own."""
    found: set[Key] = set()
    todo = [] if guard is None else [guard]
    while todo:
        expr = todo.pop()
        match expr:
            case spec.And():
                todo += expr.operands
            case spec.HasFlags():
                found |= {("flag", expr.message, flag, True) for flag in expr.present}
                found |= {("flag", expr.message, flag, False) for flag in expr.absent}
            case spec.Not(operand=spec.HasFlags(present=(flag,), absent=()) as test):
                found.add(("flag", test.message, flag, False))
            case spec.Not(operand=spec.HasFlags(present=(), absent=(flag,)) as test):
                found.add(("flag", test.message, flag, True))
            case spec.Not(operand=spec.Not(operand=inner)):
                todo.append(inner)
            case spec.Not(operand=spec.Or(operands=operands)):
                todo += [spec.Not(one.type, one.span, f"not {one.text}", one) for one in operands]
            case spec.Literal(value=1):
                pass
            case _:
                found.add(key(expr))
    return frozenset(found)


def alternatives(guard: spec.Expr | None) -> list[frozenset[Key]]:
    """Sets of conditions; the guard holds if all of any one set hold."""
    return [conjuncts(one) for one in guard.operands] if isinstance(guard, spec.Or) else [conjuncts(guard)]


class Guards:
    """Remembers what is asked of rules again and again: the conditions of guards, what they read, who enters where.

    ``spec_``: without it, no rule enters another state by ``then continue``, and definitions are not opened.
    """

    def __init__(self, spec_: spec.Spec | None = None) -> None:
        self._all: dict[int, frozenset[Key]] = {}
        self._any: dict[int, list[frozenset[Key]]] = {}
        self._read: dict[int, frozenset[str]] = {}
        self._bodies = {one.name: one.body for one in spec_.definitions} if spec_ is not None else {}
        self._entries: dict[tuple[str, str, str], set[int]] = {}
        for state in spec_.states if spec_ is not None else ():
            for rule in state.rules:
                if rule.continues and rule.target != rule.state:
                    self._entries.setdefault((rule.target, rule.event.kind, rule.event.name), set()).add(rule.step)

    def all_of(self, rule: spec.Rule) -> frozenset[Key]:
        """What holds whenever the guard does."""
        found = self._all.get(id(rule.guard))
        if found is None:
            found = self._all[id(rule.guard)] = conjuncts(rule.guard)
        return found

    def any_of(self, rule: spec.Rule) -> list[frozenset[Key]]:
        """Sets of conditions each of which is enough for the guard."""
        found = self._any.get(id(rule.guard))
        if found is None:
            found = self._any[id(rule.guard)] = alternatives(rule.guard)
        return found

    def read_by(self, rule: spec.Rule) -> frozenset[str]:
        """The variables that the guard reads, definitions opened."""
        found = self._read.get(id(rule.guard))
        if found is None:
            parts = opened([rule.guard], self._bodies.get)
            found = frozenset(part.name for part in parts if isinstance(part, spec.VarRef | spec.IsSet))
            self._read[id(rule.guard)] = found
        return found

    def passed_by(self, earlier: spec.Rule, later: spec.Rule) -> bool:
        """Whether a rule of another state may enter between the two of one state, and so never meet the earlier."""
        entered = self._entries.get((later.state, later.event.kind, later.event.name), ())
        return any(earlier.step <= step < later.step for step in entered)


def always_wins(earlier: spec.Rule, later: spec.Rule, on: frozenset[tuple[str, bool]], guards: Guards) -> bool:
    """Whether the later of two rules for one event never gets its turn; ``on``: choices of profiles that are given."""
    if earlier.continues or earlier.event.kind == "own":
        return False
    if not set(earlier.profiles) <= {*later.profiles, *on}:
        return False
    if any(isinstance(action, spec.Choose) and action.where is not None for action in earlier.actions):
        return False  # there may be nothing to choose
    wanted = guards.all_of(later)
    return any(one <= wanted for one in guards.any_of(earlier)) and not guards.passed_by(earlier, later)


def shadowed(
    rules: Iterable[spec.Rule], guards: Guards, on: frozenset[tuple[str, bool]] = frozenset()
) -> list[tuple[spec.Rule, spec.Rule]]:
    """Pairs of a rule of one state that never fires and the one that always wins over it.

    A rule that lets processing continue may set what a condition before it read: that condition proves nothing then.
    """
    before: dict[tuple[str, str], list[spec.Rule]] = {}
    found: list[tuple[spec.Rule, spec.Rule]] = []
    for rule in rules:
        same = before.setdefault((rule.event.kind, rule.event.name), [])
        for other in same:
            if always_wins(other, rule, on, guards):
                found.append((rule, other))
                break
        else:
            if not rule.continues:
                same.append(rule)
            elif rule.target == rule.state:
                set_ = {action.variable for action in rule.actions if isinstance(action, spec.Assign)}
                same[:] = [other for other in same if not guards.read_by(other) & set_]
    return found


def never_fire(spec_: spec.Spec) -> list[SpecError]:
    """An error for every rule that cannot fire; a rule of a group only if it cannot in any state that uses it."""
    dead: dict[tuple[object, ...], tuple[spec.Rule, spec.Rule]] = {}
    uses: dict[tuple[object, ...], int] = {}
    times: dict[tuple[object, ...], int] = {}
    guards = Guards(spec_)
    for state in spec_.states:
        for rule in state.rules:
            uses[_place(rule)] = uses.get(_place(rule), 0) + 1
        for rule, winner in shadowed(state.rules, guards):
            dead.setdefault(_place(rule), (rule, winner))
            times[_place(rule)] = times.get(_place(rule), 0) + 1
    out: list[SpecError] = []
    for place, (rule, winner) in dead.items():
        if times[place] < uses[place]:
            continue
        same = conjuncts(rule.guard) == conjuncts(winner.guard)
        why = "has the same condition" if same else "holds whenever this one does"
        message = f"this rule for `{rule.event}` can never fire: rule {winner.id} in {winner.span.where} {why}"
        help_ = "put it before that rule, or let that rule end with `then continue`"
        out.append(SpecError("TS047", message, rule.span, help_))
    return out


def _place(rule: spec.Rule) -> tuple[object, ...]:
    return rule.span, rule.event.kind, rule.event.name
