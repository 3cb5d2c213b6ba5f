"""Numbers of a sender that the capture skipped.

Owns: noting where they were skipped, and crossing out what comes late.
Must never hold: how a message is explained, or anything of a protocol.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.checking.ends.sightings import CONTROLS
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.semantics.values import INFINITY


@dataclass(slots=True)
class Place:
    """Where a message stood: packet or line number, and time in nanoseconds."""

    number: int
    time: int | None


@dataclass(slots=True)
class Gap:
    """Numbers of a sender that were skipped: [low, high), seen to be missing at ``place``."""

    place: Place
    low: int
    high: int


class Gaps:
    """Those of one end: ``open``. True where there are any."""

    __slots__ = ("_highest", "open")

    def __init__(self) -> None:
        self.open: list[Gap] = []
        self._highest = -INFINITY

    def __bool__(self) -> bool:
        return bool(self.open)

    def note(self, place: Place, low: int, high: int) -> None:
        """A message whose number ``high`` lies above ``low``, the end of all that its end had used."""
        self.open.append(Gap(place, low, high))
        self._highest = max(self._highest, high)

    def fill(self, start: int, end: int) -> None:
        """A message with the numbers [start, end) shrinks the gap that it left if it came late; what controls occupy
        is not counted exactly.
        """
        if start >= self._highest:
            return
        left: list[Gap] = []
        for gap in self.open:
            if end <= gap.low or start >= gap.high:
                left.append(gap)
                continue
            if gap.low < start - CONTROLS:
                left.append(Gap(gap.place, gap.low, start))
            if end < gap.high:
                left.append(Gap(gap.place, end, gap.high))
        self.open = left
        self._highest = max([gap.high for gap in left], default=-INFINITY)

    def drop(self, number: int) -> None:
        """The message with this number is to blame for what looked like a gap."""
        self.open = [gap for gap in self.open if gap.place.number != number]
        self._highest = max([gap.high for gap in self.open], default=-INFINITY)

    def findings(self, address: str, in_lines: bool, left: int = 0) -> list[Diagnostic]:
        """What was never captured; those gaps are forgotten. As many as ``left``, those seen last, stay open."""
        found: list[Diagnostic] = []
        closed = len(self.open) - left
        for gap in self.open[: max(closed, 0)]:
            words = f"{gap.high - gap.low} numbers before this packet were never captured"
            found.append(Diagnostic("CAP-006", "capture", address, gap.place.number, in_lines, words))
        if found:
            self.open = self.open[closed:]
            self._highest = max([gap.high for gap in self.open], default=-INFINITY)
        return found
