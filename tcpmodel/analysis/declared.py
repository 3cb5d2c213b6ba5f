"""Properties that a spec declares of its graph of states, or of the proofs that are made of every spec.

Owns: whether such a property holds, and what shows that it does not.
Must never hold: anything about values (see ``asked``), or a name of any protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tcpmodel.analysis.graph import pairs_of, rules_between, rules_from, shortest_path
from tcpmodel.analysis.results import Check, Witness, count, listed, step_of
from tcpmodel.analysis.structure import ordered, reached
from tcpmodel.model.expr import And, Expr, HasFlags
from tcpmodel.model.spec import Property, Rule, Spec

if TYPE_CHECKING:
    from tcpmodel.analysis.graph import Graph

OF_ALL_PROFILES = ("pair",)
"""Kinds that ask for a rule, which may belong to any profile: only all of them together can answer."""


def property_check(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None = None) -> Check:
    """Does a property of the graph hold?

    ``checks``: the proofs made so far under some profiles, for a property that is one of them; None for the rules of
    all profiles together: only then are all ``moves`` there.
    """
    said, found = {
        "checks": _checks,
        "reachable-from-all": _reachable,
        "one-event": _one_event,
        "never-pair": _never_pair,
        "pair": _pair,
        "moves": _moves,
        "one-move": _one_move,
        "only-in": _only_in,
    }[declared.kind](spec, graph, declared, checks)
    name, title = f"property {declared.name}", declared.title or said
    witnesses = tuple(found)
    if declared.expect_failure:
        if witnesses:
            told = tuple(witness.text for witness in witnesses)
            return Check(name, True, f"fails as it must, {declared.expect_failure}: {title}", notes=told)
        span = declared.span
        said = f"should fail, {declared.expect_failure}, yet it holds: {title}"
        return Check(name, False, said, (Witness("no counterexample", line=span.line, part=span.path),))
    if witnesses:
        return Check(name, False, f"does not hold: {title}", witnesses)
    return Check(name, True, f"{title}, {said}" if declared.kind == "checks" else title)


Answer = tuple[str, Iterator[Witness]]
"""What the property says, for lack of a title, and what is against it."""


def _checks(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None) -> Answer:
    asked = [check for check in checks or () if check.name in declared.checks]
    return f"as {listed([check.name for check in asked])}", (witness for check in asked for witness in check.witnesses)


def _reachable(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None) -> Answer:
    goal = declared.states[0]

    def found() -> Iterator[Witness]:
        for state in ordered(spec, reached(spec, graph)):
            if shortest_path(graph, state, [goal]) is None:
                path = shortest_path(graph, spec.initial.name, [state]) or ()
                yield Witness(f"from {state} no path leads to {goal}", state, path=path)

    return f"{goal} can be reached from every state", found()


def _one_event(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None) -> Answer:
    goal = declared.states[0]

    def found() -> Iterator[Witness]:
        for state in ordered(spec, reached(spec, graph) - {goal}):
            if not graph.has_edge(state, goal):
                path = shortest_path(graph, spec.initial.name, [state]) or ()
                yield Witness(f"from {state} no event leads to {goal} at once", state, path=path)

    return f"from every state one event leads to {goal}", found()


def _never_pair(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None) -> Answer:
    source, target = declared.states
    found = (_led(spec, graph, rule) for rule in rules_between(graph, source, target))
    return f"no rule leads from {source} to {target}", found


def _pair(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None) -> Answer:
    source, target = declared.states
    missing = [(source, target)] if (source, target) not in pairs_of(graph) else []
    return f"a rule leads from {source} to {target}", _missing(missing)


def _moves(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None) -> Answer:
    wanted, there = set(declared.moves), pairs_of(graph)

    def found() -> Iterator[Witness]:
        if checks is None:
            yield from _missing([pair for pair in declared.moves if pair not in there])
        for source, target in sorted(there - wanted):
            yield from (_led(spec, graph, rule) for rule in rules_between(graph, source, target))

    return f"rules lead from state to state in these {count(len(wanted), 'way')} only", found()


def _one_move(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None) -> Answer:
    """Conditions left away, an event is told by its name and the flags that a rule asks for."""

    def found() -> Iterator[Witness]:
        for state in declared.states or [state.name for state in spec.states]:
            moves: dict[tuple[str, frozenset[str]], list[Rule]] = {}
            for rule in rules_from(graph, state):
                if rule.target != state and rule.event.kind != "own":
                    moves.setdefault((str(rule.event), _flags(rule.guard)), []).append(rule)
            for (event, flags), rules in moves.items():
                targets = list(dict.fromkeys(rule.target for rule in rules))
                if len(targets) > 1:
                    told = event + (f" with {','.join(sorted(flags))}" if flags else "")
                    ids = tuple(rule.id for rule in rules)
                    text = f"in {state} {told} may lead to {listed(targets)}, by {listed(list(ids))}"
                    yield Witness(text, state, event, ids, rules[0].span.line, part=rules[0].span.path)

    return "the name of an event and its flags say where it leads", found()


def _only_in(spec: Spec, graph: Graph, declared: Property, checks: Sequence[Check] | None) -> Answer:
    events = {(event.kind, event.name) for event in declared.events}

    def found() -> Iterator[Witness]:
        for state in spec.states:
            for rule in rules_from(graph, state.name) if state.name not in declared.states else ():
                if (rule.event.kind, rule.event.name) in events:
                    text = f"{rule.id} says what {rule.event} does in {state.name}"
                    span = rule.span
                    yield Witness(text, state.name, str(rule.event), (rule.id,), span.line, part=span.path)

    return "these events mean nothing in other states", found()


def _led(spec: Spec, graph: Graph, rule: Rule) -> Witness:
    path = (*(shortest_path(graph, spec.initial.name, [rule.state]) or ()), step_of(rule))
    text = f"{rule.id} leads from {rule.state} to {rule.target}"
    return Witness(text, rule.state, str(rule.event), (rule.id,), rule.span.line, path, (), rule.span.path)


def _missing(pairs: list[tuple[str, str]]) -> Iterator[Witness]:
    return (Witness(f"no rule leads from {source} to {target}", source) for source, target in pairs)


def _flags(guard: Expr | None) -> frozenset[str]:
    """The flags that a condition asks for in any case."""
    if isinstance(guard, HasFlags):
        return frozenset(guard.present)
    if isinstance(guard, And):
        return frozenset().union(*(_flags(part) for part in guard.operands))
    return frozenset()
