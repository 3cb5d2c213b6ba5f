"""IP fragments put together again, in bounded memory.

Owns: the pieces of packets that are not whole yet, when they are given up, and what is done where pieces overlap.
Must never hold: IP headers, or what is found in a whole packet (see ``network`` and ``link``).

Pieces that cover each other with other octets have no one meaning: hosts differ in which they take. Such a packet is
left out whole.
"""

from __future__ import annotations

from tcpmodel.traces.captures.link import within
from tcpmodel.traces.captures.network import whole
from tcpmodel.traces.captures.tunnels import MOST_DEEP, Inner, Piece
from tcpmodel.traces.circumstances import FRAGMENTS, OVERLAPS, REASSEMBLED, TUNNELS, Circumstances
from tcpmodel.traces.records import Packet, Skipped

PATIENCE = 60 * 10**9
"""Nanoseconds of the capture after which a packet that is not whole is given up."""

MOST = 4096
"""So many packets wait for their pieces; then the oldest are given up."""

MOST_OCTETS = 1 << 24
"""So many octets are kept of all of them."""

LONGEST = 65535
"""No packet is longer; one whose pieces reach farther is left out."""

OVERLAPPING = "IP fragment that overlaps another one"
TOO_LONG = "IP fragment beyond the longest packet"

Key = tuple[bytes, int, int]


class _Waiting:
    """One packet: its ``pieces`` by their place, and how many octets it has, None as long as its end was not seen."""

    __slots__ = ("begun", "frames", "kept", "length", "number", "pieces", "spoilt", "twice")

    def __init__(self, number: int, begun: int | None) -> None:
        self.number = number
        self.begun = begun
        self.pieces: dict[int, Piece] = {}
        self.frames: list[int] = []
        self.length: int | None = None
        self.kept = 0
        self.twice = 0
        self.spoilt = ""


class Fragments:
    """``take`` gives the whole packet once its last piece is there; ``finish`` gives up all others."""

    def __init__(self, skipped: Skipped, met: Circumstances) -> None:
        self._skip = skipped.add
        self._met = met.add
        self._told = met
        self._waiting: dict[Key, _Waiting] = {}
        self._kept = 0

    def take(self, piece: Piece, number: int, time: int | None) -> Packet | None:
        """The packet that this piece completes, under the number and time of this piece; None if there is none yet."""
        self._give_up_old(time)
        key = piece.key
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = _Waiting(number, time)
        self._add(waiting, piece)
        frames = self._told.pieces
        if frames is not None and waiting.pieces.get(piece.offset) is piece:
            waiting.frames += frames.pop(number, (number,))
        if waiting.spoilt or not _complete(waiting):
            if len(self._waiting) > MOST or self._kept > MOST_OCTETS:
                self._give_up(next(iter(self._waiting)))
            return None
        self._forget(key)
        return self._whole(waiting, number, time)

    def finish(self) -> None:
        """Nothing more comes."""
        for key in list(self._waiting):
            self._give_up(key)

    def _add(self, waiting: _Waiting, piece: Piece) -> None:
        end = piece.offset + piece.length
        known = waiting.pieces.get(piece.offset)
        if waiting.spoilt:
            waiting.twice += 1
        elif known is not None and known.data == piece.data and known.last == piece.last:
            waiting.twice += 1  # the same once more
        elif end > LONGEST:
            self._spoil(waiting, TOO_LONG)
        elif (
            any(other.offset < end and piece.offset < other.offset + other.length for other in waiting.pieces.values())
            or (waiting.length is not None and (piece.last or end > waiting.length))
            or (piece.last and any(other.offset >= end for other in waiting.pieces.values()))
            or known is not None
        ):
            self._spoil(waiting, OVERLAPPING)
        else:
            waiting.pieces[piece.offset] = piece
            waiting.kept += len(piece.data)
            self._kept += len(piece.data)
            if piece.last:
                waiting.length = end

    def _spoil(self, waiting: _Waiting, reason: str) -> None:
        waiting.spoilt = reason
        waiting.twice += len(waiting.pieces) + 1
        waiting.pieces = {}
        self._kept -= waiting.kept
        waiting.kept = 0

    def _forget(self, key: Key) -> _Waiting:
        waiting = self._waiting.pop(key)
        self._kept -= waiting.kept
        return waiting

    def _give_up_old(self, time: int | None) -> None:
        while time is not None and self._waiting:
            key, oldest = next(iter(self._waiting.items()))
            if oldest.begun is None or time - oldest.begun <= PATIENCE:
                return
            self._give_up(key)

    def _give_up(self, key: Key) -> None:
        waiting = self._forget(key)
        pieces = len(waiting.pieces) + waiting.twice
        reason = waiting.spoilt or ("IPv4 fragment" if len(key[0]) == 8 else "IPv6 fragment")
        for _ in range(pieces):
            self._skip(reason)
        self._met(OVERLAPS if waiting.spoilt else FRAGMENTS, waiting.number, pieces)

    def _whole(self, waiting: _Waiting, number: int, time: int | None) -> Packet | None:
        assert waiting.length is not None
        parts: list[bytes] = []
        end = 0
        for offset in sorted(waiting.pieces):
            piece = waiting.pieces[offset]
            parts.append(piece.data)
            end += len(piece.data)
            if len(piece.data) < piece.length:
                break  # cut by the capture: what follows has no place
        first = waiting.pieces[0]
        buffer = b"".join(parts)
        found = whole(first, buffer, end, waiting.length, number, time)
        count = len(waiting.pieces) + waiting.twice
        if self._told.pieces is not None:
            self._told.pieces[number] = tuple(waiting.frames)
        self._met(REASSEMBLED, waiting.number, count)
        for _ in range(MOST_DEEP):
            if isinstance(found, Inner):
                found, names = within(found, buffer, number, time)
                self._met((TUNNELS[0], TUNNELS[1].format(names)), number)
            if not isinstance(found, Piece):
                break
            return self.take(found, number, time)
        if isinstance(found, Packet):
            found.fields["fragments"] = len(waiting.pieces)
            return found
        for _ in range(count):
            self._skip(str(found))
        return None


def _complete(waiting: _Waiting) -> bool:
    if waiting.length is None:
        return False
    return sum(piece.length for piece in waiting.pieces.values()) == waiting.length
