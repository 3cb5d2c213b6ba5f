"""Connections that are idle while there are many, in little room.

Owns: which connections can be put away as a few numbers, these numbers, and making connections of them again.
Must never hold: how a connection is judged, or when it is put away (see ``table``).

Only a connection of which everything is known by memory (see ``memo``) is put away: its two shapes and their numbers,
and what was told of it. ``Connection`` may hold nothing else that matters later.

The numbers of connections of one shape differ much alike: where one is a little more than another, so it is in most
of them. So for each shape the first one that is put away says how each number follows from one before it, and of any
other only those numbers are kept that do not follow.
"""

from __future__ import annotations

import pickle
import struct
import zlib
from array import array
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from tcpmodel.checking.connection import Connection
from tcpmodel.checking.ends.gaps import Gaps
from tcpmodel.checking.faults.vantage import Standpoint
from tcpmodel.checking.memory.revival import revive
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.checking.outcome.standing import Standing, Standings

_NONE = -(1 << 62)
_UNKNOWN = -1
_HEAD = struct.Struct("<QQqIiiiBB")
_SHORT = 1 << 15


class Rest(NamedTuple):
    """What few connections have besides: findings and how many were told, what is missing, the standpoint, and how
    many messages nothing explains."""

    diagnostics: list[Diagnostic]
    told: int
    lost: int
    gaps: tuple[Gaps, Gaps] | None
    standpoint: bytes | None
    unexplained: tuple[int, int]

    def packed(self) -> bytes:
        """All of it in few octets."""
        return zlib.compress(pickle.dumps(self, pickle.HIGHEST_PROTOCOL), 1)


class Kind(NamedTuple):
    """The shapes of both ends and of the notes, and how many numbers the former have. Each number, the notes' after
    those of the ends, is the one of the place in ``like`` and the step in ``steps`` more, if it follows."""

    ends: Any
    notes: Any
    own: int
    like: list[int]
    steps: list[int]

    @property
    def places(self) -> str:
        """The type code of places."""
        return "B" if len(self.like) <= 256 else "I"


class Idle(NamedTuple):
    """One that was put away. ``standing``: where its ends are, None if that is not known. ``kept``: all else of it."""

    protocol: str
    a: str
    b: str
    number: int
    first: int
    packets: int
    last_time: int | None
    last_flags: int | None
    standing: Standing | None
    kept: bytes
    rest: Rest | None

    @property
    def plain(self) -> bool:
        """Is there nothing to report of it but where its ends are?"""
        rest = self.rest
        return rest is None or not (rest.diagnostics or rest.lost or rest.gaps)


class Stowed:
    """The connections that were put away, by protocol and addresses; those put away last come last."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes | tuple[bytes, bytes]] = {}
        self._kinds: list[Kind] = []
        self._index: dict[tuple[int, int], int] = {}
        self._standings = Standings()

    def __len__(self) -> int:
        return len(self._kept)

    def keys(self) -> Iterator[tuple[str, str, str]]:
        """Protocol and addresses of each."""
        for key in self._kept:
            protocol, a, b = key.split(" ")
            yield protocol, a, b

    def put(self, key: tuple[str, str, str], connection: Connection, standing: Standing | None) -> bool:
        """Put it away if that is possible; False if it has to stay. ``standing`` of its ends, if that is known."""
        observer = connection.observer
        notes = None if observer is None else observer.light
        if (
            connection.light is None
            or connection.previous is not None
            or connection.assumed.watching()
            or not connection.is_plain()
            or (observer is not None and (notes is None or observer.doubts))
            or any(" " in part for part in key)
        ):
            return False
        time, seen = connection.last_time, connection.last_flags
        ends, numbers = connection.light
        notes, others = notes or (None, [])
        number = self._kind(ends, numbers, notes, others)
        kind, worths = self._kinds[number], [*numbers, *others, 0]
        odd = [
            (place, step)
            for place, (worth, like, usual) in enumerate(zip(worths, kind.like, kind.steps, strict=False))
            if (step := worth - worths[like] - usual)
        ]
        short = [each for each in odd if -_SHORT <= each[1] < _SHORT]
        long = [each for each in odd if not -_SHORT <= each[1] < _SHORT]
        try:
            head = _HEAD.pack(
                int(connection.id.rpartition("-")[2]),
                connection.first,
                _NONE if time is None else time,
                connection.packets,
                _UNKNOWN if seen is None else seen,
                _UNKNOWN if standing is None else self._standings.place(standing),
                number,
                connection.ends[0].address == key[1],
                len(long),
            )
            body = array("q", [step for _, step in long]).tobytes() + array("h", [step for _, step in short]).tobytes()
        except (OverflowError, struct.error):
            return False
        places = array(kind.places, [place for place, _ in (*long, *short)]).tobytes()
        rest = _rest(connection)
        kept = head + body + places
        self._kept[" ".join(key)] = kept if rest is None else (kept, rest.packed())
        return True

    def slim(self, connection: Connection) -> None:
        """Of one that has to stay, forget what memory can make again."""
        if connection.light is not None:
            for end in connection.ends:
                end.now, end.ever, end.pool = {}, {}, {}
                end.forget()

    def take(self, protocol: str, a: str, b: str) -> Idle | None:
        """What was put away of the connection between two addresses (in order), which is here no longer."""
        key = f"{protocol} {a} {b}"
        kept = self._kept.pop(key, None) if self._kept else None
        return None if kept is None else self._idle(key, kept)

    def oldest(self, most: int) -> Iterator[Idle]:
        """Up to so many, those first that were put away first; they are here no longer."""
        for key in list(islice(self._kept, most)):
            yield self._idle(key, self._kept.pop(key))

    def quiet(self, before: int, most: int) -> Iterator[Idle]:
        """Of up to so many that were put away first, those that had their last packet before that time (nanoseconds)
        and may have ended; these are here no longer. The others are looked at again after all that were put away."""
        for key in list(islice(self._kept, most)):
            kept = self._kept[key]
            idle = self._idle(key, kept)
            if idle.last_time is None or idle.last_time >= before:
                return
            del self._kept[key]
            if idle.standing is not None and not idle.standing.unfinished:
                yield idle
            else:
                self._kept[key] = kept

    def restore(self, idle: Idle, connection: Connection) -> Connection:
        """A new connection, turned into the one that was put away."""
        kind, numbers = self._numbers(idle.kept)
        rest = idle.rest
        revive(
            connection,
            (idle.first, idle.packets),
            (idle.last_time, idle.last_flags),
            (kind.ends, numbers[: kind.own]),
            (kind.notes, numbers[kind.own :]),
            *((rest.diagnostics, rest.told) if rest is not None else ()),
        )
        if rest is not None:
            connection.assumed.lost = rest.lost
            if rest.gaps is not None:
                connection.assumed.gaps = rest.gaps
            if rest.standpoint is not None:
                connection.standpoint = Standpoint.unpacked(rest.standpoint)
            connection.trouble.before, connection.trouble.unexplained = rest.unexplained
        return connection

    # ---------------------------------------------------------------------------------------------------- numbers

    def _kind(self, ends: Any, numbers: list[int], notes: Any, others: list[int]) -> int:
        """The number of the kind of two shapes; if it is new, what is usual there is learned of these numbers."""
        kind = self._index.get((id(ends), id(notes)))
        if kind is None:
            kind = self._index[id(ends), id(notes)] = len(self._kinds)
            like: list[int] = []
            steps: list[int] = []
            before = {0: -1}  # behind all numbers stands a 0
            for place, worth in enumerate([*numbers, *others]):
                near = min(before, key=lambda each: abs(worth - each))
                like.append(before[near])
                steps.append(worth - near)
                before.setdefault(worth, place)
            self._kinds.append(Kind(ends, notes, len(numbers), like, steps))
        return kind

    def _numbers(self, kept: bytes) -> tuple[Kind, list[int]]:
        """The kind, and the numbers in all places of it."""
        *_, number, _, long = _HEAD.unpack_from(kept)
        kind = self._kinds[number]
        width = array(kind.places).itemsize
        at = _HEAD.size + 8 * long
        short = (len(kept) - at - width * long) // (2 + width)
        body, places = array("q", kept[_HEAD.size : at]), array(kind.places, kept[at + 2 * short :])
        odd = dict(zip(places, [*body, *array("h", kept[at : at + 2 * short])], strict=True))
        worths = [0] * (len(kind.like) + 1)
        for place, (like, step) in enumerate(zip(kind.like, kind.steps, strict=True)):
            worths[place] = worths[like] + step + odd.get(place, 0)
        return kind, worths[:-1]

    def _idle(self, key: str, kept: bytes | tuple[bytes, bytes]) -> Idle:
        protocol, low, high = key.split(" ")
        octets, packed = (kept, None) if isinstance(kept, bytes) else kept
        rest: Rest | None = None if packed is None else pickle.loads(zlib.decompress(packed))
        number, first, time, packets, flags, place, _, begun_low, _ = _HEAD.unpack_from(octets)
        a, b = (low, high) if begun_low else (high, low)
        return Idle(
            protocol,
            a,
            b,
            number,
            first,
            packets,
            None if time == _NONE else time,
            None if flags == _UNKNOWN else flags,
            None if place == _UNKNOWN else self._standings[place],
            octets,
            rest,
        )


def _rest(connection: Connection) -> Rest | None:
    assumed = connection.assumed
    gaps = assumed.gaps if any(assumed.gaps) else None
    standpoint = connection.standpoint
    trouble = connection.trouble
    if not (connection.diagnostics or assumed.lost or gaps or standpoint or trouble.before):
        return None
    place = None if standpoint is None else standpoint.packed()
    blame = (trouble.before, trouble.unexplained)
    return Rest(connection.diagnostics, connection.told, assumed.lost, gaps, place, blame)
