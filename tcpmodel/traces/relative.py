"""Numbers that are counted from the first one of their direction.

Owns: which directions count so, and what of such numbers may be believed.
Must never hold: a format, or what a number means to the protocol.

Where a direction begins is nowhere in such a trace, so its numbers are given as if it began at 0: they are right among
each other, which is all that is ever compared. Three things would break that and are left out: numbers of the other
kind in the same direction, the number of a segment with RST, which may be a fixed number instead of one of the
sequence, and all numbers of two ends from where they begin to be counted anew.
"""

from __future__ import annotations

from tcpmodel.traces.records import FLAG_BITS

_RST = FLAG_BITS["RST"]
_ANSWER = FLAG_BITS["SYN"] | FLAG_BITS["ACK"]
_NEAR = 1 << 20
"""Nobody has sent so much when an answer to a SYN comes again."""
_SYN = FLAG_BITS["SYN"]
_OPENED = -1
_ANEW = -2
_DIRECTIONS_KEPT = 1 << 17


class Relative:
    """Judges numbers segment by segment, in the order of the trace."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], bool] = {}
        self._streams: dict[tuple[str, str], int] = {}
        self._answered: dict[tuple[str, str], bool] = {}

    def counted_anew(self, source: str, destination: str, flags: int | None, stream: int | None) -> bool:
        """Whether the numbers between these ends have begun to be counted anew, with this segment or before.

        ``stream`` numbers the conversations, if that is known; else a segment with SYN after others may begin one.
        """
        ends = (source, destination) if source < destination else (destination, source)
        known = self._streams.get(ends)
        if known == _ANEW:
            return True
        new: int | None = _OPENED
        if stream is not None:
            new = stream if known is None or known == stream else _ANEW
        elif flags is not None and flags & _SYN:
            new = _ANEW if known is not None else None
        if new is not None and new != known:
            if len(self._streams) >= _DIRECTIONS_KEPT:
                for key in list(self._streams)[: _DIRECTIONS_KEPT // 2]:
                    del self._streams[key]
            self._streams[ends] = new
        return new == _ANEW

    def believed(
        self, source: str, destination: str, flags: int | None, seq: int | None, ack: int | None, *, relative: bool
    ) -> tuple[int | None, int | None]:
        """``(seq, ack)`` with None for each that cannot be compared with the others of its direction."""
        if relative and self._answered_anew(source, destination, flags, seq, ack):
            return None, None
        if seq is not None and (
            self._kind(source, destination, relative) is not relative or (relative and (flags is None or flags & _RST))
        ):
            seq = None
        if ack is not None and self._kind(destination, source, relative) is not relative:
            ack = None
        return seq, ack

    def _answered_anew(
        self, source: str, destination: str, flags: int | None, seq: int | None, ack: int | None
    ) -> bool:
        """Whether a second SYN,ACK had another number than the first: the direction is then counted from that one."""
        if flags is not None and flags & _ANSWER == _ANSWER:
            if len(self._answered) >= _DIRECTIONS_KEPT:
                self._answered.clear()
            self._answered[source, destination] = (source, destination) in self._answered
            return False
        for ends, number in (((source, destination), seq), ((destination, source), ack)):
            if number is not None and self._answered.get(ends):
                self._answered[ends] = False
                if number >= _NEAR:
                    self._streams[(source, destination) if source < destination else (destination, source)] = _ANEW
                    return True
        return False

    def _kind(self, source: str, destination: str, relative: bool) -> bool:
        known = self._kinds.get((source, destination))
        if known is None:
            if len(self._kinds) >= _DIRECTIONS_KEPT:
                for key in list(self._kinds)[: _DIRECTIONS_KEPT // 2]:
                    del self._kinds[key]
            known = self._kinds[source, destination] = relative
        return known
