"""Connections of which a capture shows a part only, counted over one input.

Owns: which they are, the counts, and the words in which the report tells of them.
Must never hold: how a connection is judged, or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.checking.outcome.standing import Standing

BEGUN, ONE_WAY, OPEN = "CAP-007", "CAP-008", "CAP-014"
"""The codes of a beginning, a direction and an end that were not captured."""

WITHIN = "CAP-012"
"""The code of connections that never leave their host."""

SEVERAL = 3
"""So many packets of one end in the middle of a connection are not alone by chance."""

_WORDS = {
    BEGUN: "connections whose beginning was not captured",
    ONE_WAY: "connections of which one direction was not captured, although it is answered",
    WITHIN: "connections within one host, as on a loopback interface",
    OPEN: "connections that were not over when the capture ended",
}
_LOCAL = ("127.", "[::1]:")


def unseen(standing: Standing, packets: int, lost: int, *, itself: bool) -> tuple[str, ...]:
    """What a capture does not show of a connection, by codes. ``packets``: how many it shows; ``lost``: how often some
    are missing for certain; ``itself``: both ends have one address and port."""
    # Who was never answered may have spoken to nobody: only what answers shows that the other end spoke.
    answers = not itself and (lost > 0 or (not standing.from_start and packets >= SEVERAL))
    missing = (not standing.from_start, answers and not standing.answered, standing.unfinished)
    return tuple([code for code, one in zip((BEGUN, ONE_WAY, OPEN), missing, strict=True) if one])


class Partial:
    """``take`` is called once for each connection."""

    def __init__(self) -> None:
        self._all = 0
        self._met: dict[str, list[int]] = {}

    def take(self, codes: Sequence[str], a: str, b: str, place: int) -> None:
        """A connection between two addresses that begins at ``place``; ``codes`` tell what is not shown of it."""
        self._all += 1
        for code in codes:
            self._add(code, place)
        if a.startswith(_LOCAL) or a.rpartition(":")[0] == b.rpartition(":")[0]:
            self._add(WITHIN, place)

    def take_several(self, codes: Sequence[str], count: int, place: int) -> None:
        """So many connections between two hosts, of which the first begins at ``place``."""
        self._all += count
        for code in codes:
            self._add(code, place, count)

    def _add(self, code: str, place: int, count: int = 1) -> None:
        known = self._met.get(code)
        if known is None:
            self._met[code] = [count, place]
        else:
            known[0] += count
            known[1] = min(known[1], place)

    def findings(self, in_lines: bool) -> list[Diagnostic]:
        """What is to be said of all connections together, as notes on the input."""
        found = []
        for code, words in _WORDS.items():
            if code in self._met:
                count, place = self._met[code]
                note = Diagnostic(code, "capture", "", place, in_lines, f"{words}: {count:,} of {self._all:,}")
                note.values = (("connections", str(count)), ("of", str(self._all)))
                found.append(note)
        return found
