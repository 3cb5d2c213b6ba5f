"""Connections that are idle while there are many, in little room.

Owns: which connections can be put away as a few numbers, these numbers, and making connections of them again.
Must never hold: how a connection is judged, or when it is put away (see ``table``).

Only a connection of which everything is known by memory (see ``memo``) is put away: its two shapes and their numbers,
and nothing that was told of it or is in doubt. ``Connection`` may hold nothing else that matters later.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

from tcpmodel.checking.connection import Connection
from tcpmodel.checking.observer import Observer

_NONE = -(1 << 62)
_SHAPE = "q"


class Idle(NamedTuple):
    """One that was put away. ``light`` and ``notes`` are what ``memo`` and ``watchmemo`` keep of it."""

    protocol: str
    a: str
    b: str
    number: int
    first: int
    packets: int
    last_time: int | None
    last_flags: int | None
    light: Any
    notes: Any


class Stowed:
    """The connections that were put away, by protocol and addresses."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._shapes: list[Any] = []
        self._index: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: tuple[str, str, str], connection: Connection) -> bool:
        """Put it away if that is possible; False if it has to stay."""
        light = connection.light
        observer = connection.observer
        notes = None if observer is None else observer.light
        if (
            light is None
            or connection.previous is not None
            or connection.standpoint is not None
            or connection.diagnostics
            or connection.lost
            or connection.assumed.busy()
            or not connection.is_plain()
            or (observer is not None and (notes is None or observer.doubts))
            or any(" " in part for part in key)
        ):
            return False
        time, flags = connection.last_time, connection.last_flags
        head = [
            int(connection.id.rpartition("-")[2]),
            connection.first,
            connection.packets,
            _NONE if time is None else time,
            _NONE if flags is None else flags,
            int(connection.ends[0].address == key[1]),
            self._number(light[0]),
            len(light[1]),
            *light[1],
        ]
        if notes is not None:
            head += [self._number(notes[0]), *notes[1]]
        try:
            self._kept[" ".join(key)] = array(_SHAPE, head).tobytes()
        except OverflowError:
            return False
        return True

    def slim(self, connection: Connection) -> None:
        """Of one that has to stay, forget what memory can make again."""
        if connection.light is not None:
            for end in connection.ends:
                end.now, end.ever, end.pool = {}, {}, {}
                end.forget()

    def take(self, protocol: str, a: str, b: str) -> Idle | None:
        """What was put away of the connection between two addresses (in order), which is here no longer."""
        kept = self._kept.pop(f"{protocol} {a} {b}", None) if self._kept else None
        return None if kept is None else self._idle(protocol, a, b, kept)

    def all(self) -> Iterator[Idle]:
        """All of them; none is here afterwards."""
        kept, self._kept = self._kept, {}
        for key, value in kept.items():
            protocol, a, b = key.split(" ")
            yield self._idle(protocol, a, b, value)

    def restore(self, idle: Idle, connection: Connection) -> Connection:
        """A new connection, turned into the one that was put away."""
        connection.first, connection.packets = idle.first, idle.packets
        connection.last_time, connection.last_flags = idle.last_time, idle.last_flags
        connection.light = idle.light
        if connection.observer is not None:
            self._notes(connection.observer, idle.notes)
        return connection

    @staticmethod
    def _notes(observer: Observer, notes: Any) -> None:
        observer.light = notes
        observer.told = dict(notes[0].told)

    def _number(self, shape: object) -> int:
        """The number of a shape; shapes live as long as their memory does."""
        known = self._index.get(id(shape))
        if known is None:
            known = self._index[id(shape)] = len(self._shapes)
            self._shapes.append(shape)
        return known

    def _idle(self, protocol: str, low: str, high: str, kept: bytes) -> Idle:
        numbers = array(_SHAPE)
        numbers.frombytes(kept)
        number, first, packets, time, flags, begun_low, shape, count = numbers[:8]
        light = (self._shapes[shape], list(numbers[8 : 8 + count]))
        rest = numbers[8 + count :]
        notes = (self._shapes[rest[0]], list(rest[1:])) if rest else None
        a, b = (low, high) if begun_low else (high, low)
        return Idle(
            protocol,
            a,
            b,
            number,
            first,
            packets,
            None if time == _NONE else time,
            None if flags == _NONE else flags,
            light,
            notes,
        )
