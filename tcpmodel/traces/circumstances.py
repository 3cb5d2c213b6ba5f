"""What a capture tells of itself: how it was made, rather than what passed.

Owns: the faults and peculiarities of a capture that are seen while it is read, and how often each was met.
Must never hold: anything of a transport protocol, or how a format is read.
"""

from __future__ import annotations

FRAGMENTS = ("CAP-004", "IP fragments, left out")
REASSEMBLED = ("CAP-004", "IP fragments, put together")
OVERLAPS = ("CAP-004", "IP fragments that contradict each other, left out")
CUT = ("CAP-005", "packets cut by the capture")
DROPPED = ("CAP-006", "packets dropped before they were captured, as the capture itself says")
TUNNELS = ("CAP-013", "packets within {}")
CLOCK = ("CAP-016", "packets with an earlier time than the one before")
INTERFACES = ("CAP-018", "interfaces in one capture")


MOST = 256
"""So many different ones are told."""


class Circumstances:
    """``met``: (id, words) -> how often, and the number of the first packet."""

    def __init__(self) -> None:
        self.met: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, what: tuple[str, str], number: int, count: int = 1) -> None:
        """Something was met at packet ``number``, ``count`` times."""
        if len(self.met) >= MOST and what not in self.met:
            return
        before, first = self.met.get(what, (0, number))
        self.met[what] = (before + count, first)
