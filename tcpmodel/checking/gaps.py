"""Numbers of a sender that the capture skipped.

Owns: noting where they were skipped, and crossing out what comes late.
Must never hold: how a message is explained, or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tcpmodel.checking.findings import Diagnostic
from tcpmodel.checking.sightings import CONTROLS, Interpreter
from tcpmodel.semantics.execution import Sighting


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
    """Those of one end. True where there are any."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._open: list[Gap] = []

    def __bool__(self) -> bool:
        return bool(self._open)

    def note(self, place: Place, sighting: Sighting, limits: Sequence[int]) -> None:
        """A message whose number lies above all that its end had used; ``limits`` as the end knew them before."""
        slot = self._interpreter.number_slot
        known = sighting.slots[slot] if slot is not None else None
        below = [number for number in limits if known is not None and number <= known[0]]
        if known is not None and below and max(below) < known[0]:
            self._open.append(Gap(place, max(below), known[0]))

    def fill(self, sighting: Sighting) -> None:
        """A message that came late shrinks the gap that it left; what controls occupy is not counted exactly."""
        slot = self._interpreter.number_slot
        known = sighting.slots[slot] if slot is not None and self._open else None
        if known is None:
            return
        start = known[0]
        end = start + self._interpreter.carried(sighting) + CONTROLS
        left: list[Gap] = []
        for gap in self._open:
            if end <= gap.low or start >= gap.high:
                left.append(gap)
                continue
            if gap.low < start - CONTROLS:
                left.append(Gap(gap.place, gap.low, start))
            if end < gap.high:
                left.append(Gap(gap.place, end, gap.high))
        self._open = left

    def findings(self, address: str, in_lines: bool) -> list[Diagnostic]:
        """What was never captured; the gaps are forgotten."""
        found: list[Diagnostic] = []
        for gap in self._open:
            words = f"{gap.high - gap.low} numbers before this packet were never captured"
            found.append(Diagnostic("CAP-006", "capture", address, gap.place.number, in_lines, words))
        self._open = []
        return found
