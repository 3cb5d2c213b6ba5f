"""What is known of a connection in one shape, and what was found of packets that come then.

Owns: which numbers of a shape are one number, and telling them apart once they differ.
Must never hold: how a way is found, or what a shape says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tcpmodel.checking.memory.kinds import Kind, Ways
from tcpmodel.checking.memory.shapes import Shape, identity
from tcpmodel.semantics.recording import Number

STANDING = "standing"
"""A kind of its own: no packet, only the question where both ends stand."""


class Shapes(dict[Any, Any]):
    """What is known of each shape. ``kept`` gives what an earlier run found of one, if it did; what was asked for is
    here from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: Callable[[Any], Any] | None = None

    def find(self, shape: Any) -> Any:
        """What is known of this one, or None."""
        found = self.get(shape)
        if found is None and self.kept is not None:
            found = self.kept(shape)
        return found


class Known:
    """One shape, and what stands at its places: ``groups`` tells for each place which number, ``places`` for each
    number the first of its places. Places are in one group while they have always held one number; once they do not,
    ``after`` is what is known instead, and ``among`` tells where its numbers are among those of this one.

    ``ways`` lists for each kind of packet the ways that were found, those used often first; those with the target None
    lead to where nothing is remembered. Under ``STANDING`` it has those to where both ends stand. ``near`` and
    ``first``: which numbers those of both ends are.
    """

    __slots__ = ("after", "among", "first", "groups", "near", "places", "shape", "ways")

    def __init__(self, shape: Shape, groups: list[int]) -> None:
        self.shape = shape
        self.groups = groups
        first: dict[int, int] = {}
        for place, group in enumerate(groups):
            first.setdefault(group, place)
        self.places = list(first.values())  # groups are numbered in the order of their first places
        left = iter(groups)
        near = tuple([None if mark is None else next(left) for mark in shape[1]])
        self.near: tuple[int | None, int | None] = (near[0], near[1])
        self.first = [None if mark is None else next(left) for mark in shape[2]]
        self.ways = Ways()
        self.after: Known | None = None
        self.among: list[int] = []

    def split(self, numbers: Sequence[Number | int]) -> Known:
        """This, or what replaces it when places of one group hold several of these numbers."""
        parts: dict[tuple[int, int, int], int] = {}
        groups: list[int] = []
        for number, group in zip(numbers, self.groups, strict=True):
            groups.append(parts.setdefault((group, *identity(number)), len(parts)))
        if groups == self.groups:
            return self
        self.after = Known(self.shape, groups)
        self.among = [self.groups[place] for place in self.after.places]
        for kind, ways in self.ways.whole().items():
            self.after.ways[kind] = Kind([way.split(self.among) for way in ways])
        self.ways = Ways()
        return self.after


def latest(light: tuple[Known, list[int]]) -> tuple[Known, list[int]]:
    """What is known now of shapes that were told apart since."""
    known, numbers = light
    while known.after is not None:
        numbers = [numbers[place] for place in known.among]
        known = known.after
    return known, numbers
