"""What the graph of a diagram says about how to lay it out.

Owns: which arrows lead back up, which run between two states of one row, which return to the initial state from far.
Must never hold: the name of a protocol or of a state; a hint that does not follow from the graph alone.
"""

from __future__ import annotations

from typing import NamedTuple

from tcpmodel.render.diagram import Diagram

Pair = tuple[str, str]

FAR = 3
"""An arrow that climbs at least this many rows to the initial state is drawn to a second box of it below."""


class Structure(NamedTuple):
    """Layout hints. ``first``: the initial state. ``rows``: row of each state, 0 on top. ``back``: arrows that lead up.

    ``level``: arrows between two states of one row. ``returns``: back arrows that go to the repeated initial state.
    ``beside``: the one state that stands in the row of the repeated box, or None when that box has its own row.
    """

    first: str
    rows: dict[str, int]
    back: frozenset[Pair]
    level: frozenset[Pair]
    returns: frozenset[Pair]
    beside: str | None


def structure(diagram: Diagram) -> Structure:
    """The hints for a diagram; deterministic, linear but for the few candidates of ``level``."""
    names = [box.name for box in diagram.boxes]
    known = set(names)
    first = next((box.name for box in diagram.boxes if box.initial), names[0] if names else "")
    shaping = [
        (arrow.source, arrow.target)
        for arrow in diagram.arrows
        if arrow.weight > 0 and arrow.source != arrow.target and {arrow.source, arrow.target} <= known
    ]
    back = _back_arrows(names, first, shaping)
    forward = [pair for pair in dict.fromkeys(shaping) if pair not in back]
    level = _level_arrows(names, first, forward)
    rows = _rows(names, [pair for pair in forward if pair not in level])
    pairs = [(arrow.source, arrow.target) for arrow in diagram.arrows]
    far = [pair for pair in pairs if pair[1] == first and rows.get(pair[0], 0) >= FAR]
    returns = frozenset(far) if len(far) > 1 else frozenset()
    beside = None
    if returns:
        lowest = max(rows.values())
        bottom = [name for name in names if rows[name] == lowest]
        if len(bottom) == 1 and (bottom[0], first) in returns:
            beside = bottom[0]
    return Structure(first, rows, frozenset(back), frozenset(level), returns, beside)


def _back_arrows(names: list[str], first: str, arrows: list[Pair]) -> set[Pair]:
    """Arrows without which the graph has no cycle, and that lead towards the initial state.

    Arrows are taken in one by one, those that lead away from the initial state first; one that would close a cycle
    leads back.
    """
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in arrows:
        after[source].append(target)
    distance = {first: 0}
    queue = [first]
    for name in queue:
        for target in after[name]:
            if target not in distance:
                distance[target] = distance[name] + 1
                queue.append(target)
    unreached = len(names)
    back: set[Pair] = set()
    taken: dict[str, list[str]] = {name: [] for name in names}
    unique = dict.fromkeys(arrows)
    for source, target in sorted(
        unique, key=lambda pair: distance.get(pair[0], unreached) - distance.get(pair[1], unreached)
    ):
        if _leads(taken, target, source):
            back.add((source, target))
        else:
            taken[source].append(target)
    return back


def _leads(after: dict[str, list[str]], start: str, goal: str) -> bool:
    seen = {start}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        fresh = [target for target in after[name] if target not in seen]
        seen.update(fresh)
        waiting += fresh
    return False


def _rows(names: list[str], forward: list[Pair]) -> dict[str, int]:
    """Longest way from a state without forward arrows into it; ``forward`` has no cycle."""
    rows = dict.fromkeys(names, 0)
    missing = dict.fromkeys(names, 0)
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in forward:
        after[source].append(target)
        missing[target] += 1
    ready = [name for name in names if not missing[name]]
    while ready:
        name = ready.pop()
        for target in after[name]:
            rows[target] = max(rows[target], rows[name] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return rows


def _level_arrows(names: list[str], first: str, forward: list[Pair]) -> set[Pair]:
    """Arrows between siblings: two states that some third state leads to and that both lead on to a fourth.

    Only where both then fit into one row. What the initial state leads to does not count: that is how a machine is
    entered, not a sign that two states are alike.
    """
    before: dict[str, set[str]] = {name: set() for name in names}
    after: dict[str, set[str]] = {name: set() for name in names}
    for source, target in forward:
        before[target].add(source)
        after[source].add(target)
    rows = _rows(names, forward)
    place = {name: index for index, name in enumerate(names)}
    level: set[Pair] = set()
    used: set[str] = set()
    for source, target in sorted(forward, key=lambda pair: (rows[pair[0]], place[pair[0]], place[pair[1]])):
        if {source, target} & used:
            continue
        if not (before[source] & before[target]) - {first} or not after[source] & after[target]:
            continue
        tried = level | {(source, target)}
        now = _rows(names, [pair for pair in forward if pair not in tried])
        if all(now[one] == now[other] for one, other in tried):
            level = tried
            used |= {source, target}
    return level
