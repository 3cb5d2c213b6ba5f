"""The ways in which packets of one kind were taken.

Owns: keeping them for each kind, those of an earlier run until they are asked for, and when one function is made of
several of them.
Must never hold: how a way is found, or what the function says (see ``decisions``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from tcpmodel.checking.memory.compiled import Run, Way

if TYPE_CHECKING:
    from tcpmodel.checking.memory.plans import Plan

PATIENCE = 40
"""So often a packet is taken by trying one way after the other before a function is made of them."""

LONGEST = 640
"""So often at most, before one is made of more: then making it takes no longer than those packets did."""

FEW = 200
"""A way that took less than this part of the packets stays out of the function."""

Usable = Callable[[Any], "Way | None"]
"""Gives the way of an entry if it may become part of what is made of several."""

Merged = tuple[CodeType, list[Way], list[Any]]


class Kind(list[Any]):
    """Ways, those used often first. ``step`` does for some of them what their ``run`` does, one after the other: it may
    give None where one of them fits. ``plan`` is the same as numbers, and for all of them; None if it was not made
    since the last way was found. ``fresh``: was a tree made of them in this run?"""

    __slots__ = ("_before", "_missed", "_patience", "_useless", "fresh", "merged", "plan", "step")

    def __init__(self, ways: Sequence[Any] = ()) -> None:
        super().__init__(ways)
        self.step: Run | None = None
        self.merged: Merged | None = None
        self.plan: Plan | None = None
        self._before: Plan | None = None
        self._useless = -1
        self.fresh = False
        self._missed = 0
        self._patience = PATIENCE

    def learn(self, entry: Any) -> None:
        """Have another way."""
        self.insert(0, entry)
        self.plan = None
        self._useless = -1

    def renew(self) -> None:
        """More of the ways are usable than before."""
        self.plan = None
        self._useless = -1

    def missed(self, usable: Usable) -> None:
        """A packet was taken without ``step``. ``usable`` gives the way of an entry if it may become part of it."""
        self._missed += 1
        if self._missed > self._patience:
            self._patience = min(4 * self._patience, LONGEST)
            self._missed = 0
            self._merge(usable)

    def forget(self) -> None:
        """``step`` leads to shapes that were told apart since."""
        self.step = self.merged = self.plan = self._before = None

    def with_room(self, most: int) -> Kind:
        """This, without some of the ways used least if there are so many."""
        if len(self) >= most:
            del self[3 * most // 4 :]
        return self

    def restart(self, ways: Sequence[Any]) -> None:
        """Have these ways only, and no function that was made of others."""
        self[:] = ways
        self._useless = -1
        self.forget()
        self._missed, self._patience = 0, PATIENCE

    def restore(self, code: CodeType, ways: list[Way]) -> None:
        """Take a function that was made of these ways before."""
        targets = [way.target for way in ways]
        self.merged = (code, ways, targets)
        self.step = FunctionType(code, {f"t{number}": target for number, target in enumerate(targets)})

    def restore_plan(self, plan: Plan) -> None:
        """Take a plan that was made before."""
        self.plan = self._before = plan

    def planned(self, usable: Usable) -> Plan | None:
        """What decides between the ways that are usable, as numbers; None if there are none."""
        if self._useless == len(self):
            return None
        from tcpmodel.checking.memory.plans import Plan

        ways = [way for entry in self if (way := usable(entry)) is not None]
        before = self._before
        if before is not None and any(
            way.target is not target for way, target in zip(before.ways, before.targets, strict=True)
        ):
            self.forget()
            before = None
        if self.plan is None:
            before = before or Plan(b"", (), (), 0)
            inside = {id(way) for way in before.ways}
            if ways or inside:
                self.plan = self._before = before.with_ways([way for way in ways if id(way) not in inside])
            else:
                self._useless = len(self)  # asked again for each packet of these ways
        return self.plan

    def sort_out(self, usable: Usable) -> None:
        """Have ``plan`` decide by a tree between those that were used much."""
        ways = self._used_much(usable)
        if len(ways) > 1 and {id(way) for way in ways} != self._sorted_out():
            self._set_tree(ways)

    def _used_much(self, usable: Usable) -> list[Way]:
        from tcpmodel.checking.memory.decisions import MOST

        ways = sorted([way for entry in self if (way := usable(entry)) is not None], key=lambda way: -way.uses)
        least = sum(way.uses for way in ways) // FEW
        return [way for way in ways[:MOST] if way.uses >= least]

    def _sorted_out(self) -> set[int]:
        """The ways that are in the tree of the plan."""
        return set() if self._before is None else {id(way) for way in self._before.ways[: self._before.sorted]}

    def _set_tree(self, ways: list[Way], *, function: bool = False) -> None:
        from tcpmodel.checking.memory.decisions import function_of, tree_of
        from tcpmodel.checking.memory.plans import Plan, plan_of

        parts, own = [way.part() for way in ways], ways[0].own
        tree = tree_of(parts, shorten=function)
        if function:
            self.restore(function_of(tree, parts, own), ways)
        words = plan_of(tree, parts, own)
        if words:
            self._before = Plan(words, ways, [way.target for way in ways], len(ways))
        self.plan = None
        self.fresh = True

    def _merge(self, usable: Usable) -> None:
        ways = self._used_much(usable)
        if ways and (self.merged is None or {id(way) for way in ways} != {id(way) for way in self.merged[1]}):
            self._set_tree(ways, function=True)


class Ways(dict[Any, Kind]):
    """For each kind of packet the ways that were found. ``kept`` gives those that were found in an earlier run; it is
    called once a kind is asked for."""

    __slots__ = ("kept",)

    def __init__(self, kept: Callable[[], dict[Any, Kind]] | None = None) -> None:
        super().__init__()
        self.kept = kept

    def __missing__(self, kind: Any) -> Kind:
        found = self.whole().get(kind)
        if found is None:
            found = self[kind] = Kind()
        return found

    def whole(self) -> Ways:
        """This, with all that was kept."""
        if self.kept is not None:
            kept, self.kept = self.kept, None
            self.update(kept())
        return self


def mergeable(way: Way) -> Way | None:
    """The way, if it is taken where nothing is assumed, and asks nothing else."""
    return way if way.plain and way.target is not None and way.target.after is None and not way.about.doubtful else None
