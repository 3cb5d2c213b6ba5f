"""Where a connection stands: what its report says of both ends.

Owns: the few facts about both ends from which verdict and reasons follow, and small numbers for them.
Must never hold: how they are found out (see ``connection`` and ``memo``).
"""

from __future__ import annotations

from typing import NamedTuple


class Standing(NamedTuple):
    """Where both ends may be at last, whether both beginnings were seen, whether the second one ever sent anything,
    whether an end is certainly not at rest, and whether both certainly are."""

    states: tuple[tuple[str, ...], tuple[str, ...]]
    from_start: bool
    answered: bool
    unfinished: bool
    finished: bool

    def reasons(self, peer: str, left: str) -> list[str]:
        """What is missing for a whole connection; ``peer`` is the end that did not begin, "" if it is the same.

        ``left``: the message after which it was followed no further, and why, or "".
        """
        found = [f"not followed beyond {left}"] if left else []
        if not self.from_start:
            found.append("the beginning was not captured")
        if peer and not self.answered and (self.unfinished or not self.from_start):
            found.append(f"nothing was captured from {peer}")
        if self.unfinished:
            found.append("the end was not captured")
        return found


class Standings:
    """Each standing once, with a small number for it."""

    def __init__(self) -> None:
        self._all: list[Standing] = []
        self._places: dict[Standing, int] = {}

    def place(self, standing: Standing) -> int:
        """The number of a standing, a new one if it has none yet."""
        place = self._places.get(standing)
        if place is None:
            place = self._places[standing] = len(self._all)
            self._all.append(standing)
        return place

    def __getitem__(self, place: int) -> Standing:
        return self._all[place]
