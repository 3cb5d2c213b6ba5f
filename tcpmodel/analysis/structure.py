"""Checks on the graph of states: can everything be reached, does everything come to an end.

Owns: reachability, closability, deadlock and livelock.
Must never hold: anything about guards and values (see ``coverage``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpmodel.analysis.graph import rules_from, shortest_path
from tcpmodel.analysis.results import Check, Witness, count, listed, step_of
from tcpmodel.model.spec import Assign, Rule, Send, Spec

if TYPE_CHECKING:
    from tcpmodel.analysis.graph import Graph


def changes_something(rule: Rule) -> bool:
    """Does the rule leave the state, set a variable or send something? Telling the user changes nothing."""
    return rule.target != rule.state or any(isinstance(action, Assign | Send) for action in rule.actions)


def reached(spec: Spec, graph: Graph) -> set[str]:
    """The states that can be reached from the initial one, itself included."""
    from networkx import descendants

    return {spec.initial.name} | set(descendants(graph, spec.initial.name))


def resting(spec: Spec) -> set[str]:
    """The states in which a machine may come to rest: the initial and the final ones."""
    return {state.name for state in spec.states if state.initial or state.final}


def structure_checks(spec: Spec, graph: Graph, elsewhere: set[str]) -> list[Check]:
    """All checks on one graph, which may miss the states in ``elsewhere``: they are reached under other profiles."""
    found = reached(spec, graph)
    return [
        _reachable(spec, graph, found, elsewhere),
        _closable(spec, graph, found),
        _deadlock_free(spec, graph, found),
        _livelock_free(spec, graph, found),
    ]


def _reachable(spec: Spec, graph: Graph, found: set[str], elsewhere: set[str]) -> Check:
    missing = [state.name for state in spec.states if state.name not in found]
    lost = [name for name in missing if name not in elsewhere]
    notes = [f"{name} is reached under other profiles only" for name in missing if name in elsewhere]
    witnesses = []
    for name in lost:
        sources = sorted({source for source, _ in graph.in_edges(name) if source != name})
        why = f"only {listed(sources)} lead to it, unreachable as well" if sources else "no rule leads to it"
        span = spec.state(name).span
        witnesses.append(Witness(f"{name} is never reached: {why}", name, line=span.line, part=span.path))
    total = len(spec.states)
    message = (
        f"{len(found)} of {total} states are reached from {spec.initial.name}"
        if missing
        else (f"all {total} states are reached from {spec.initial.name}")
    )
    return Check("reachable", not lost, message, tuple(witnesses), tuple(notes))


def _closable(spec: Spec, graph: Graph, found: set[str]) -> Check:
    goals = resting(spec)
    stuck = [name for name in ordered(spec, found) if shortest_path(graph, name, goals) is None]
    witnesses = [
        Witness(
            f"from {name} no path leads to {listed(ordered(spec, goals))}",
            name,
            path=shortest_path(graph, spec.initial.name, [name]) or (),
        )
        for name in stuck
    ]
    where = listed(ordered(spec, goals))
    message = f"{count(len(stuck), 'state')} cannot come to {where}" if stuck else f"every state finds a way to {where}"
    return Check("closable", not stuck, message, tuple(witnesses))


def _deadlock_free(spec: Spec, graph: Graph, found: set[str]) -> Check:
    final = {state.name for state in spec.states if state.final}
    dead = [
        name
        for name in ordered(spec, found - final)
        if not any(changes_something(rule) for rule in rules_from(graph, name))
    ]
    witnesses = [
        Witness(
            f"in {name} no event leaves the state, sets a variable or sends anything",
            name,
            path=shortest_path(graph, spec.initial.name, [name]) or (),
        )
        for name in dead
    ]
    message = f"nothing can happen any more in {listed(dead)}" if dead else "in every state something can happen"
    return Check("deadlock-free", not dead, message, tuple(witnesses))


def _livelock_free(spec: Spec, graph: Graph, found: set[str]) -> Check:
    from networkx import strongly_connected_components

    goals = resting(spec)
    witnesses = []
    for component in strongly_connected_components(graph):
        if component & goals or not component <= found:
            continue
        rules = [rule for name in component for rule in rules_from(graph, name)]
        if any(rule.target not in component for rule in rules) or not any(map(changes_something, rules)):
            continue
        entry = shortest_path(graph, spec.initial.name, component) or ()
        start = entry[-1].target if entry else next(iter(component))
        leaving = next((r for r in rules_from(graph, start) if r.target != start), None)
        if leaving is None:
            leaving = next(rule for rule in rules_from(graph, start) if changes_something(rule))
        way_back = shortest_path(graph, leaving.target, [start]) or ()
        names = ordered(spec, component)
        path = (*entry, step_of(leaving), *way_back)
        never = listed(ordered(spec, goals))
        text = f"once in {listed(names)}, the machine goes on for ever and never reaches {never}"
        witnesses.append(Witness(text, start, path=path))
    order = [state.name for state in spec.states]
    witnesses.sort(key=lambda witness: order.index(witness.state))
    if witnesses:
        message = f"{count(len(witnesses), 'set')} of states cannot be left and never comes to rest"
    else:
        message = "no set of states keeps the machine going for ever"
    return Check("livelock-free", not witnesses, message, tuple(witnesses))


def ordered(spec: Spec, names: set[str] | frozenset[str]) -> list[str]:
    """These states, in the order of the spec."""
    return [state.name for state in spec.states if state.name in names]
