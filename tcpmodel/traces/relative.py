"""Numbers that are counted from the first one of their direction.

Owns: which directions count so, and what of such numbers may be believed.
Must never hold: a format, or what a number means to the protocol.

Where a direction begins is nowhere in such a trace, so its numbers are given as if it began at 0: they are right among
each other, which is all that is ever compared. Two things would break that and are left out: numbers of the other kind
in the same direction, and the number of a segment with RST, which may be a fixed number instead of one of the sequence.
"""

from __future__ import annotations

from tcpmodel.traces.records import FLAG_BITS

_RST = FLAG_BITS["RST"]
_DIRECTIONS_KEPT = 1 << 17


class Relative:
    """Judges numbers segment by segment, in the order of the trace."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], bool] = {}

    def believed(
        self, source: str, destination: str, flags: int | None, seq: int | None, ack: int | None, *, relative: bool
    ) -> tuple[int | None, int | None]:
        """``(seq, ack)`` with None for each that cannot be compared with the others of its direction."""
        if seq is not None and (
            self._kind(source, destination, relative) is not relative or (relative and (flags is None or flags & _RST))
        ):
            seq = None
        if ack is not None and self._kind(destination, source, relative) is not relative:
            ack = None
        return seq, ack

    def _kind(self, source: str, destination: str, relative: bool) -> bool:
        known = self._kinds.get((source, destination))
        if known is None:
            if len(self._kinds) >= _DIRECTIONS_KEPT:
                for key in list(self._kinds)[: _DIRECTIONS_KEPT // 2]:
                    del self._kinds[key]
            known = self._kinds[source, destination] = relative
        return known
