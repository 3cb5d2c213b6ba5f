"""Forgetting the ways that were used least, so that there is room for others.

Owns: which ways go, and which shapes then go with them.
Must never hold: how a way is found, or how many there may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from tcpmodel.checking.memory.compiled import Way
from tcpmodel.checking.memory.kinds import Ways


class Shaped(Protocol):
    """One shape with its ways."""

    ways: Ways


def thin(known: dict[Any, Any], way_of: Callable[[Any], Way], kept: Iterable[Shaped | None], most: int) -> int:
    """Forget the half of all ways that was used least, the older of equals, and each shape that has no way and to which
    none leads, but for those ``kept``. ``way_of`` gives the way of an entry. Returns how many ways are left. What an
    earlier run has found stays until it is asked for, as long as no more than ``most`` shapes are left with it.

    Who still has a shape that was forgotten goes on with it: what is found of it later leads to those that are known.
    Uses count half from now on. A function of several ways does not count the uses of each; they have served, stay this
    time, and have to serve again.
    """
    shapes: list[Shaped] = list(known.values())
    uses: list[int] = []
    for one in shapes:
        for kind in one.ways.values():
            if kind.merged is not None:
                for way in kind.merged[1]:
                    way.uses = max(way.uses, 1 << 16)
            uses += [way_of(entry).uses for entry in kind]
    uses.sort()
    most = len(uses) // 2
    limit = uses[most] if uses else 0
    equals = most - sum(1 for each in uses if each < limit)
    left = 0
    for one in shapes:
        for name, kind in list(one.ways.items()):
            stay = []
            for entry in kind:
                used = way_of(entry).uses
                if used < limit or (used == limit and equals > 0):
                    equals -= used == limit
                    continue
                stay.append(entry)
                way_of(entry).uses = min(used // 2, 1 << 8)
            kind.restart(stay)
            if not kind:
                del one.ways[name]
            left += len(stay)
    needed = {id(one) for one in kept}
    for one in shapes:
        for kind in one.ways.values():
            for entry in kind:
                target = way_of(entry).target
                while target is not None:
                    needed.add(id(target))
                    target = getattr(target, "after", None)
    idle = [name for name, one in known.items() if id(one) not in needed and not any(one.ways.values())]
    unread = [name for name in idle if known[name].ways.kept is not None]
    stay_too = set(unread) if len(known) - len(idle) + len(unread) <= most else set()
    for name in idle:
        if name not in stay_too:
            del known[name]
    return left
