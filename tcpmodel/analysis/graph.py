"""The graph of a spec: its states, and its rules as edges.

Owns: which rules are edges under a choice of profiles, and the shortest way through the graph.
Must never hold: what a good graph looks like (see ``structure``), or how rules are run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tcpmodel.analysis.results import Step, step_of
from tcpmodel.model.spec import Rule, Spec

if TYPE_CHECKING:
    from networkx import MultiDiGraph

    Graph = MultiDiGraph[str]


def applies(rule: Rule, profiles: frozenset[str] | None) -> bool:
    """Does the rule belong to the spec under these profiles? None stands for the rules of all profiles together."""
    return profiles is None or all((name in profiles) == wanted for name, wanted in rule.profiles)


def graph_of(spec: Spec, profiles: frozenset[str] | None, fires: Callable[[Rule], bool] | None = None) -> Graph:
    """States and rules under the profiles that are on; None for the full relation, with the rules of every profile.

    Each edge has its ``rule``. A rule that stays is a loop. Rules that ``fires`` denies are left out.
    """
    from networkx import MultiDiGraph

    graph: Graph = MultiDiGraph()
    graph.add_nodes_from(state.name for state in spec.states)
    for state in spec.states:
        for rule in state.rules:
            if applies(rule, profiles) and (fires is None or fires(rule)):
                graph.add_edge(state.name, rule.target, rule=rule)
    return graph


def pairs_of(graph: Graph) -> set[tuple[str, str]]:
    """Every (from, to) of different states that some rule moves between."""
    return {(source, target) for source, target in graph.edges() if source != target}


def rules_between(graph: Graph, source: str, target: str) -> list[Rule]:
    """The rules from one state to another, in the order of the spec."""
    if not graph.has_edge(source, target):
        return []
    return [data["rule"] for data in graph.get_edge_data(source, target).values()]


def rules_from(graph: Graph, state: str) -> list[Rule]:
    """The rules of a state."""
    return [data["rule"] for _, _, data in graph.out_edges(state, data=True)]


def shortest_path(graph: Graph, source: str, targets: Iterable[str]) -> tuple[Step, ...] | None:
    """The fewest moves from ``source`` to one of ``targets``; None when there is no way."""
    wanted = set(targets)
    came: dict[str, Rule | None] = {source: None}
    waiting = deque([source])
    while waiting:
        state = waiting.popleft()
        if state in wanted:
            steps: list[Step] = []
            rule = came[state]
            while rule is not None:
                steps.append(step_of(rule))
                rule = came[rule.state]
            return tuple(reversed(steps))
        for rule in rules_from(graph, state):
            if rule.target not in came:
                came[rule.target] = rule
                waiting.append(rule.target)
    return None
