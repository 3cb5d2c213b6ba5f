"""Absolute sequence numbers from what tcpdump prints.

Owns: the rule by which tcpdump prints relative numbers, and telling a log with relative numbers from one without (-S).
Must never hold: how a line is taken apart, or what a number means to the protocol.

tcpdump remembers, for each conversation, the numbers of its first segment with ACK, and anew those of every SYN with
ACK; these it prints as they are, all later segments with ACK as differences: ``seq`` to the remembered number of that
direction, ``ack`` to one less than the remembered acknowledgment number. A segment without ACK is always printed as it
is and not remembered. With -S nothing is ever a difference.
"""

from __future__ import annotations

_SYN = 0x02
_RST = 0x04
_ACK = 0x10
_MASK = 0xFFFFFFFF
_CONVERSATIONS_KEPT = 1 << 17


def _distance(first: int, second: int) -> int:
    """How far two numbers are apart on the circle of 2^32."""
    ahead = (first - second) & _MASK
    return min(ahead, 0x100000000 - ahead)


class _Conversation:
    """What tcpdump remembers: per endpoint the base, and how far above it the next number is expected (0 or 1)."""

    __slots__ = ("bases", "relative", "steps")

    def __init__(self) -> None:
        self.bases: dict[str, int | None] = {}
        self.steps: dict[str, int] = {}
        self.relative: bool | None = None


class Numbers:
    """Turns printed numbers into absolute ones, segment by segment, in the order of the log."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Conversation] = {}
        self._forgot = False
        self._usual: bool | None = None

    def absolute(
        self, source: str, destination: str, flags: int, seq: int | None, ack: int | None
    ) -> tuple[int | None, int | None]:
        """Absolute ``(seq, ack)`` of a segment; None where the log does not show or not allow to know a number.

        If the log hides the first number of a direction (a pure ACK begins the log), that direction counts from an
        unknown base, which is taken as 0: its numbers are right among each other, which is all that is ever compared.
        """
        key = (source, destination) if source < destination else (destination, source)
        known = self._known.get(key)
        if not flags & _ACK:
            if known is not None and known.relative and known.bases.get(source) is None and not flags & _SYN:
                return None, ack
            return seq, ack
        if known is None or flags & _SYN:
            return self._remember(key, known, source, destination, flags, seq, ack)
        relative = known.relative
        if relative is None:
            fixed = flags & _RST and self._usual is not None  # the number of a reset may be none of the sequence
            relative = None if fixed else self._decide(known, source, destination, seq, ack)
            if relative is None:
                relative = self._usual
                if relative is None:
                    # A base of 0 makes no difference; with any other nothing is known.
                    return (
                        seq if known.bases.get(source) == 0 else None,
                        ack if known.bases.get(destination) == 0 else None,
                    )
            else:
                known.relative = self._usual = relative
        if not relative:
            return seq, ack
        if seq is not None:
            seq = (seq + (known.bases.get(source) or 0)) & _MASK
        if ack is not None:
            ack = (ack + (known.bases.get(destination) or 0)) & _MASK
        return seq, ack

    def _remember(
        self,
        key: tuple[str, str],
        known: _Conversation | None,
        source: str,
        destination: str,
        flags: int,
        seq: int | None,
        ack: int | None,
    ) -> tuple[int | None, int | None]:
        fresh = _Conversation()
        if known is not None:
            fresh.relative = known.relative
        elif len(self._known) >= _CONVERSATIONS_KEPT:
            self._known.pop(next(iter(self._known)))
            self._forgot = True
        self._known[key] = fresh
        if self._forgot and not flags & _SYN and known is None:
            # It may be one that was forgotten: whether these numbers are differences cannot be known.
            fresh.relative = self._usual
            return seq, ack
        fresh.bases = {source: seq, destination: None if ack is None else (ack - 1) & _MASK}
        fresh.steps = {source: 1 if flags & _SYN else 0, destination: 1}
        return seq, ack

    @staticmethod
    def _decide(known: _Conversation, source: str, destination: str, seq: int | None, ack: int | None) -> bool | None:
        """Whether these numbers are nearer to the remembered ones (absolute) or to nothing (differences)."""
        if_absolute = if_relative = 0
        for value, endpoint in ((seq, source), (ack, destination)):
            base = known.bases.get(endpoint)
            if value is not None and base is not None:
                step = known.steps.get(endpoint, 0)
                if_absolute += _distance(value, base + step)
                if_relative += _distance(value, step)
        return None if if_absolute == if_relative else if_relative < if_absolute
