"""Conditions of a spec as logic: what can be said of them without trying values.

Owns: the translation of conditions to formulas over unknowns with few values, and the search for a way to make several
formulas true at once.
Must never hold: rules, states, or how a condition is evaluated (see ``semantics``).

The translation forgets: two comparisons of the same two terms are related, and so are all comparisons of one term with
numbers, but nothing else is known of arithmetic. So "impossible" is certain, and "possible" is a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tcpmodel.model import spec as m
from tcpmodel.model.types import Seq
from tcpmodel.semantics.expressions import full_range
from tcpmodel.semantics.values import INFINITY

EFFORT = 20_000
"""Most assignments tried before the search gives up."""

# How two terms can lie to each other. OPPOSITE: half the circle of sequence numbers apart, where neither is before.
BEFORE, SAME, AFTER, OPPOSITE = range(4)
_RELATIONS = {
    "<": frozenset({BEFORE}),
    "=<": frozenset({BEFORE, SAME}),
    "=": frozenset({SAME}),
    "!=": frozenset({BEFORE, AFTER, OPPOSITE}),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """The unknown of that index has one of these values."""

    unknown: int
    values: frozenset[int]


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; with no part: true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Neither:
    """No part holds; with one part: its negation."""

    parts: tuple[Formula, ...]


Formula = Fact | All | Neither

TRUE_FORMULA = All(())
FALSE_FORMULA = Neither((TRUE_FORMULA,))


def negated(formula: Formula) -> Formula:
    """The formula that holds when this one does not."""
    return Neither((formula,))


def any_of(parts: Iterable[Formula]) -> Formula:
    """At least one part holds."""
    return Neither((Neither(tuple(parts)),))


class Logic:
    """Translates conditions of one spec; all that belong together need one ``Logic``, which knows their unknowns.

    ``conditions`` are all conditions that will be translated: the numbers that they compare a term with decide which
    ranges of it are told apart.
    """

    def __init__(self, spec: m.Spec, conditions: Iterable[m.Expr]) -> None:
        self._bodies: dict[str, m.Expr] = {definition.name: definition.body for definition in spec.definitions}
        for constant in spec.constants:
            if len(constant.values) == 1:
                self._bodies[constant.name] = constant.values[0][1]
        self._optional = {variable.name for variable in spec.variables if variable.optional}
        self._unknowns: dict[tuple[str, ...], int] = {}
        self.domains: list[tuple[int, ...]] = []
        self._numbers: dict[str, set[int]] = {}
        self._collecting = True
        for condition in conditions:
            self.formula(condition)
        self._collecting = False
        self._unknowns.clear()
        self.domains.clear()

    def formula(self, expr: m.Expr) -> Formula:
        """The translation of a condition."""
        match expr:
            case m.Literal():
                return TRUE_FORMULA if expr.value else FALSE_FORMULA
            case m.DefinitionRef() if expr.name in self._bodies:
                return self.formula(self._bodies[expr.name])
            case m.And():
                return All(tuple(self.formula(operand) for operand in expr.operands))
            case m.Or():
                return any_of([self.formula(operand) for operand in expr.operands])
            case m.Not():
                return negated(self.formula(expr.operand))
            case m.HasFlags():
                facts = [self._fact(("flag", expr.message, name), (0, 1), {1}) for name in expr.present]
                facts += [self._fact(("flag", expr.message, name), (0, 1), {0}) for name in expr.absent]
                return All(tuple(facts))
            case m.IsSet():
                return self._fact(("set", expr.name), (0, 1), {1})
            case m.Compare():
                return self._comparison(expr)
            case m.Cases():
                return self._cases(expr)
            case _:
                return self._fact(("condition", expr.text), (0, 1), {1})

    def _fact(self, key: tuple[str, ...], domain: tuple[int, ...], values: set[int] | frozenset[int]) -> Fact:
        index = self._unknowns.get(key)
        if index is None:
            index = self._unknowns[key] = len(self.domains)
            self.domains.append(domain)
        return Fact(index, frozenset(values))

    def _cases(self, expr: m.Cases) -> Formula:
        ways: list[Formula] = []
        earlier: list[Formula] = []
        for guard, body in expr.cases:
            here = self.formula(guard)
            ways.append(All((Neither(tuple(earlier)), here, self.formula(body))))
            earlier.append(here)
        return any_of(ways)

    def _term(self, expr: m.Expr) -> m.Expr:
        while isinstance(expr, m.DefinitionRef) and expr.name in self._bodies:
            body = self._bodies[expr.name]
            if isinstance(body, m.Cases):
                break
            expr = body
        return expr

    def _comparison(self, expr: m.Compare) -> Formula:
        left, right = self._term(expr.left), self._term(expr.right)
        facts: list[Formula] = [
            self._fact(("set", side.name), (0, 1), {1})
            for side in (left, right)
            if isinstance(side, m.VarRef) and side.name in self._optional
        ]
        circular = isinstance(left.type, Seq) or isinstance(right.type, Seq)
        if isinstance(left, m.Literal) and isinstance(right, m.Literal):
            holds = _decide(expr.op, left.value, right.value)
            return TRUE_FORMULA if holds else FALSE_FORMULA
        if not circular and isinstance(right, m.Literal):
            facts.append(self._against_number(left, right.value, lambda value: _decide(expr.op, value, right.value)))
        elif not circular and isinstance(left, m.Literal):
            facts.append(self._against_number(right, left.value, lambda value: _decide(expr.op, left.value, value)))
        else:
            relations = _RELATIONS[expr.op]
            names = (left.text, right.text)
            if left.text > right.text:
                relations = frozenset({BEFORE: AFTER, AFTER: BEFORE}.get(value, value) for value in relations)
                names = (right.text, left.text)
            if left.text == right.text:
                domain: tuple[int, ...] = (SAME,)
            else:
                domain = (BEFORE, SAME, AFTER, OPPOSITE) if circular else (BEFORE, SAME, AFTER)
            facts.append(self._fact(("relation", *names), domain, relations))
        return All(tuple(facts)) if len(facts) > 1 else facts[0]

    def _against_number(self, term: m.Expr, number: int, holds: Callable[[int], bool]) -> Formula:
        """A comparison of a term with a number: true on some of the ranges that all such numbers cut out."""
        numbers = self._numbers.setdefault(term.text, set())
        if self._collecting:
            numbers.add(number)
            return TRUE_FORMULA
        plain = isinstance(term, m.VarRef | m.FieldRef)
        low, high = full_range(term.type) if plain else (-INFINITY, INFINITY)
        examples: set[int] = set()
        for cut in numbers:
            examples.update((cut - 1, cut, cut + 1))
        # One example of each range is enough: the numbers themselves, and a value beside or between them.
        domain = tuple(sorted(value for value in examples if low <= value <= high))
        return self._fact(("number", term.text), domain, frozenset(value for value in domain if holds(value)))

    # ------------------------------------------------------------------------------------------------- search

    def possible(self, formulas: Sequence[Formula]) -> bool | None:
        """Can all of these hold at once? False is certain; None when the search grew too long."""
        self._effort = 0
        known: list[int | None] = [None] * len(self.domains)
        return self._search(list(formulas), known)

    def _search(self, formulas: list[Formula], known: list[int | None]) -> bool | None:
        open_ones = []
        for formula in formulas:
            answer = _evaluate(formula, known)
            if answer is False:
                return False
            if answer is None:
                open_ones.append(formula)
        if not open_ones:
            return True
        self._effort += 1
        if self._effort > EFFORT:
            return None
        unknown = _first_open(open_ones[0], known)
        for value in self.domains[unknown]:
            known[unknown] = value
            answer = self._search(open_ones, known)
            if answer is not False:
                known[unknown] = None
                return answer
        known[unknown] = None
        return False


def _decide(op: str, left: int, right: int) -> bool:
    return {"<": left < right, "=<": left <= right, "=": left == right, "!=": left != right}[op]


def _evaluate(formula: Formula, known: list[int | None]) -> bool | None:
    if isinstance(formula, Fact):
        value = known[formula.unknown]
        return None if value is None else value in formula.values
    wanted = isinstance(formula, All)
    answer: bool | None = True
    for part in formula.parts:
        here = _evaluate(part, known)
        if here is None:
            answer = None
        elif here != wanted:
            return False
    return answer


def _first_open(formula: Formula, known: list[int | None]) -> int:
    """An unknown on which the answer of an undecided formula depends."""
    while not isinstance(formula, Fact):
        formula = next(part for part in formula.parts if _evaluate(part, known) is None)
    return formula.unknown
