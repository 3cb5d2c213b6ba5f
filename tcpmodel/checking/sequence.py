"""The course of connections, message by message, for who wants to see it.

Owns: what is kept of each message, and how little of a long connection.
Must never hold: how a message is judged (see ``connection``), or how the course is drawn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from tcpmodel.checking.connection import Connection
from tcpmodel.traces.records import Packet

KEPT = 40
"""So many messages are kept of the beginning of a connection, and as many of its end."""


@dataclass(frozen=True, slots=True)
class Step:
    """One message that ``side`` (0 for a, 1 for b) sent, and where both ends may be after it.

    ``number`` of the packet or line; ``time`` in nanoseconds. Numbers in ``message`` count from the first seen of
    their end.
    """

    number: int
    time: int | None
    side: int
    message: str
    states: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(slots=True)
class Course:
    """``first`` messages, then ``left_out`` that were not kept, then the ``last`` ones."""

    first: list[Step] = field(default_factory=list)
    last: deque[Step] = field(default_factory=deque)
    left_out: int = 0


class Recorder:
    """Watches connections, by their ids; all of them if none is ``wanted``. ``kept``: see KEPT; None keeps all."""

    def __init__(self, wanted: Iterable[str] = (), kept: int | None = KEPT) -> None:
        self.courses: dict[str, Course] = {}
        self._wanted = frozenset(wanted)
        self._kept = kept

    def __call__(self, connection: Connection, packet: Packet, side: int) -> None:
        """Note a message that the connection has taken."""
        if self._wanted and connection.id not in self._wanted:
            return
        message = "flags not known"
        if packet.flags is not None:
            sighting = connection.interpreter.sighting(packet, side, connection.numbers)
            message = connection.interpreter.relative(sighting, side, connection.numbers)
        a, b = connection.ends
        step = Step(packet.number, packet.time, side, message, (tuple(a.states()), tuple(b.states())))
        course = self.courses.setdefault(connection.id, Course())
        if self._kept is None or len(course.first) < self._kept:
            course.first.append(step)
            return
        course.last.append(step)
        if len(course.last) > self._kept:
            course.last.popleft()
            course.left_out += 1
