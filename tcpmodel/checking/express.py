"""The express lane: packets of the commonest form, taken without making an object of each.

Owns: which connections may go by it, and what the compiled module has to be told of them, of forms of packets and of
what was learned.
Must never hold: what follows from a packet (that is learned, see ``memo`` and ``watchmemo``).

The compiled module is optional: without it every packet takes the way of all others, and every report is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from tcpmodel.checking.connection import Connection
from tcpmodel.checking.doubles import Doubles
from tcpmodel.checking.forms import Form
from tcpmodel.checking.known import Known
from tcpmodel.checking.memo import Memo
from tcpmodel.traces.link import packet_in
from tcpmodel.traces.records import Framing, Packet, Taken

INTERFACE = 3
"""That of the compiled module as it is called here: one that was compiled before a change is not used."""

Core: Any = None
"""What was compiled; None if nothing was, as where there is no compiler."""

with suppress(ImportError, AttributeError):
    from tcpmodel.checking import _express

    if _express.INTERFACE == INTERFACE:
        Core = _express.Express

PROTOCOL = "tcp"
"""The compiled module finds packets of this protocol."""

_FIELDS = (
    "seq",
    "ack",
    "window",
    "length",
    "urgent",
    "offset",
    "ip_payload",
    "source_port",
    "destination_port",
    "ttl",
    "ip_version",
    "checksum",
    "ip_id",
    "payload_sum",
    "checksum_ok",
    "tsval",
    "tsecr",
    "option_octets",
    "sack_blocks",
    "sack_high",
)
"""The fields that it finds, in its order."""

_SLOTS = {key: slot for slot, key in enumerate(_FIELDS)}

Raw = tuple[bytes, int, int, int, int]
"""A packet as ``link.packet_in`` takes it."""


class Recent:
    """The last packets, as records or as they stand in the capture."""

    def __init__(self, most: int) -> None:
        self._items: deque[Packet | Raw] = deque(maxlen=most)
        self.append = self._items.append
        self.extend = self._items.extend

    def __iter__(self) -> Iterator[Packet]:
        return map(_packet, self._items)

    def __reversed__(self) -> Iterator[Packet]:
        return map(_packet, reversed(self._items))


def _packet(item: Packet | Raw) -> Packet:
    if isinstance(item, Packet):
        return item
    return packet_in(*item)


class Lane:
    """Packets of one input, for one judge. ``taken``: called with how many were taken."""

    def __init__(self, memo: Memo, recent: Recent, doubles: Doubles, taken: Callable[[int], None]) -> None:
        self._memo = memo
        self._recent = recent
        self._doubles = doubles
        self._taken = taken
        self._forms: list[tuple[Form, tuple[int, ...]]] = []
        self._core = Core(self._form, self._plan)
        doubles.remember_in(self._core.copy)
        memo.told_apart = self._core.stale

    def take(self, buffer: bytes, at: int, size: int, number: int, last: int, framing: Framing) -> Taken:
        """Take packets from ``at`` on, as many as are known."""
        memo = self._memo
        order, unit, offset, limit, blocks = framing
        at, after, last, with_id, cut, first_cut, padded, first_padded, recent = self._core.run(
            buffer, at, size, number, last, order == ">", blocks, unit, offset, limit
        )
        count = after - number
        if count:
            self._doubles.packets += with_id
            memo.recalled += count
            memo.watch.recalled += count
            self._recent.extend([(buffer, *item) for item in recent])
            self._taken(count)
        return Taken(at, after, last, cut, first_cut, padded, first_padded)

    def adopt(self, connection: Connection, packet: Packet) -> None:
        """Have packets of a connection go by this lane, if everything that is known of it is known by memory."""
        observer, assumed = connection.observer, connection.assumed
        if (
            connection.light is None
            or observer is None
            or observer.light is None
            or observer.doubts
            or connection.standpoint is not None
            or assumed.watching()
            or assumed.gaps[0]
            or assumed.gaps[1]
            or packet.time is None
            or packet.at
        ):
            return
        a, b = connection.ends
        known, numbers = connection.light
        if known.after is not None or a.address == b.address:
            return
        side = 0 if packet.source == a.address else 1
        notes, noted = observer.light
        ends = (a.address, b.address)
        if self._core.adopt(connection, packet.number, side, known, numbers, notes, noted, ends, packet.time):
            connection.light = observer.light = None

    def give_back(self, connection: Connection) -> None:
        """Have a connection as it is after all packets until now."""
        self._core.give_back(connection)

    def clear(self) -> None:
        """Have all connections as they are."""
        self._core.clear()

    def _form(self, buffer: bytes, at: int, end: int, number: int, time: int) -> tuple[Any, ...]:
        """Which fields tell forms of such packets apart, which of them are numbers of a sequence, which are taken."""
        packet = packet_in(buffer, at, end, number, time)
        form = self._memo.form(packet)
        self._forms.append((form, form.words(packet.fields)))
        keys = [*self._memo.few(packet), *form.word_keys]
        return (
            tuple([_SLOTS[key] for key in keys]),
            tuple([(_SLOTS[key], own) for key, own in form.sequences]),
            tuple([_SLOTS[key] for key in form.taken]),
            self._memo.watch.timed,
        )

    def _plan(self, known: Any, index: int, side: int, notes: int) -> tuple[Any, ...] | None:
        """What was learned of packets of one form and side: for the ends, or for the notes about them."""
        form, words = self._forms[index]
        if notes:
            kind = self._memo.watch.kind(form, words, side)
        else:
            kind = form.kinds[side]
        ways = known.ways[kind]
        if ways.step is None or not ways.plan:
            return None
        _, inside, targets = ways.merged
        if any(isinstance(target, Known) and target.after is not None for target in targets):
            ways.forget()
            return None
        given = len(form.sequences) + len(form.taken) + (self._memo.watch.timed + 2 if notes else 0)
        return ways, ways.merged, ways.plan, inside[0].own, given, tuple(targets)


def lane(memo: Memo, recent: Recent, doubles: Doubles, taken: Callable[[int], None]) -> Lane | None:
    """An express lane, if it was built."""
    return None if Core is None else Lane(memo, recent, doubles, taken)
