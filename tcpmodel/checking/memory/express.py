"""The express lane: packets of the commonest form, taken without making an object of each.

Owns: which connections may go by it, and what the compiled module has to be told of them, of forms of packets and of
what was learned. Connections of which there is nothing but shapes and numbers are with it alone: they begin there, and
become objects when something comes that it does not know.
Must never hold: what follows from a packet (that is learned, see ``memo`` and ``watchmemo``).

The compiled module is optional: without it every packet takes the way of all others, and every report is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from struct import Struct
from typing import Any, NamedTuple

from tcpmodel.checking.connection import Connection
from tcpmodel.checking.ends.beginnings import Beginnings
from tcpmodel.checking.faults.doubles import Doubles
from tcpmodel.checking.faults.texts import Texts
from tcpmodel.checking.memory.compiled import Way
from tcpmodel.checking.memory.forms import Form
from tcpmodel.checking.memory.kinds import Kind, mergeable
from tcpmodel.checking.memory.known import STANDING
from tcpmodel.checking.memory.memo import Memo
from tcpmodel.checking.memory.plans import Plan
from tcpmodel.checking.memory.revival import revive
from tcpmodel.checking.memory.tellings import Tellings, Told
from tcpmodel.checking.memory.watchmemo import tellable
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.checking.outcome.partial import SEVERAL
from tcpmodel.checking.outcome.reports import Likes
from tcpmodel.checking.outcome.standing import Standing, Standings
from tcpmodel.traces.addresses import endpoint_text, ipv6_text, packed
from tcpmodel.traces.captures.link import packet_in
from tcpmodel.traces.records import Framing, Packet, Taken

INTERFACE = 9
"""That of the compiled module as it is called here: one that was compiled before a change is not used."""

Core: Any = None
"""What was compiled; None if nothing was, as where there is no compiler."""

with suppress(ImportError, AttributeError):
    from tcpmodel.checking.memory import _express

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
    "mss",
    "wscale",
    "sackok",
)
"""The fields that it finds, in its order."""

_SLOTS = {key: slot for slot, key in enumerate(_FIELDS)}

_PLACE = Struct("=4q")


class Recent:
    """The last packets: records, or as they stand in a capture, many at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: deque[Packet | tuple[bytes, bytes]] = deque()
        self._count = 0

    def append(self, packet: Packet) -> None:
        """The next one."""
        self._items.append(packet)
        self._count += 1
        self._trim()

    def extend(self, buffer: bytes, places: bytes) -> None:
        """The next ones, which lie in a buffer; ``places``: start, end, number and time of each."""
        if places:
            self._items.append((buffer, places))
            self._count += len(places) // _PLACE.size
            self._trim()

    def _trim(self) -> None:
        while self._count - (size := _size(self._items[0])) >= self._most:
            self._items.popleft()
            self._count -= size

    def __iter__(self) -> Iterator[Packet]:
        return islice(self._all(), max(self._count - self._most, 0), None)

    def _all(self) -> Iterator[Packet]:
        for item in self._items:
            if isinstance(item, Packet):
                yield item
            else:
                buffer, places = item
                for place in _PLACE.iter_unpack(places):
                    yield packet_in(buffer, *place)

    def __reversed__(self) -> Iterator[Packet]:
        left = self._most
        for item in reversed(self._items):
            if left <= 0:
                return
            if isinstance(item, Packet):
                yield item
                left -= 1
                continue
            buffer, places = item
            for at in range(len(places) - _PLACE.size, -1, -_PLACE.size):
                if left <= 0:
                    return
                yield packet_in(buffer, *_PLACE.unpack_from(places, at))
                left -= 1


def _size(item: Packet | tuple[bytes, bytes]) -> int:
    return 1 if isinstance(item, Packet) else len(item[1]) // _PLACE.size


class Over(NamedTuple):
    """A connection of which nothing more is expected. ``connection`` is there if nothing is known of its standing."""

    number: int
    a: str
    b: str
    first: int
    packets: int
    last_flags: int
    standing: Standing | None
    findings: Sequence[Diagnostic]
    connection: Connection | None


class Drained(NamedTuple):
    """Connections of which nothing more is expected: some by themselves, and those like others as lines, with the kinds
    of lines."""

    single: Iterator[Over]
    lines: list[str]
    kinds: list[Likes]


New = Callable[[int, str, str], Connection]
"""Makes a connection of this number between these ends."""

SWEEP_EVERY = 4096
"""After so many connections that began, those that are quiet are looked for."""

AWAKE = 4096
"""So many connections are there with all numbers; of others those that do not follow from others."""

FINDINGS = 4
"""A connection with more findings stays an object."""

DRAINED, SINGLE = 4096, 256
"""So many connections are given away at once that are like others, and so many that are not."""


class Lane:
    """Packets of one input, for one judge. ``taken``: called with how many were taken; ``new``: see there; ``sweep``:
    called now and then with the time of the last packet; ``tells``: may it have findings of its own?"""

    def __init__(
        self,
        memo: Memo,
        recent: Recent,
        doubles: Doubles,
        texts: Texts,
        beginnings: Beginnings | None,
        taken: Callable[[int], None],
        new: New,
        sweep: Callable[[int], None],
        tells: bool = True,
    ) -> None:
        self._memo = memo
        self._tellings = Tellings(memo.watch) if tells else None
        self._recent = recent
        self._doubles = doubles
        self._beginnings = beginnings
        self._taken = taken
        self._new = new
        self._sweep = sweep
        self._swept = 0
        self._forms: list[tuple[Form, tuple[int, ...], tuple[str, ...]]] = []
        self._standings = Standings()
        self._patterns: dict[int, int] = {}
        self._core = Core(self._form, self._plan, self._fresh, _name, self._standing, self._used, AWAKE)
        doubles.remember_in(self._core.copy)
        texts.remember_in(self._core.text, self._core.place)
        memo.told_apart = self._core.stale
        memo.count_uses = memo.watch.count_uses = self._core.count

    def take(self, buffer: bytes, at: int, size: int, number: int, last: int, framing: Framing) -> Taken:
        """Take packets from ``at`` on, as many as are known."""
        memo = self._memo
        order, unit, offset, limit, blocks = framing
        at, after, last, with_id, cut, first_cut, padded, first_padded, recent, opened = self._core.run(
            buffer, at, size, number, last, order == ">", blocks, unit, offset, limit
        )
        count = after - number
        if count:
            self._doubles.packets += with_id
            memo.recalled += count
            memo.watch.recalled += count
            self._recent.extend(buffer, recent)
            if self._beginnings is not None:
                for source, index, place, values in opened:
                    form, _, keys = self._forms[index]
                    self._beginnings.began(source, place, form.flags, dict(zip(keys, values, strict=True)))
            self._taken(count)
            if self._core.begun - self._swept >= SWEEP_EVERY:
                self._swept = self._core.begun
                self._sweep(last)
        return Taken(at, after, last, cut, first_cut, padded, first_padded)

    def count_from(self, begun: int) -> None:
        """So many connections have begun."""
        self._core.begun = self._swept = begun

    def begin(self) -> int:
        """The number of a connection that begins."""
        self._core.begun += 1
        return int(self._core.begun)

    def adopt(self, connection: Connection, packet: Packet) -> bool:
        """Have packets of a connection go by this lane, if everything that is known of it is known by memory.

        True if it is with the lane alone from now on: then there is nothing else of it.
        """
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
            return False
        a, b = connection.ends
        known, numbers = connection.light
        if known.after is not None or a.address == b.address:
            return False
        side = 0 if packet.source == a.address else 1
        notes, noted = observer.light
        ends = (a.address, b.address)
        whole = None
        if _is_whole(connection):
            number = int(connection.id.rpartition("-")[2])
            whole = (number, connection.first, connection.packets, packet.number, packet.flags, _rest(connection))
        if not self._core.adopt(
            connection, packet.number, side, known, numbers, notes, noted, ends, packet.time, whole
        ):
            return False
        connection.light = observer.light = None
        return connection.lane < 0

    def fetch(self, number: int, source: str, destination: str) -> tuple[int, Packet] | Connection | None:
        """The connection between two addresses, of packet ``number`` or the one that it tells about, if it is here.

        It is here no longer. If there is but one packet of it, that one and the number of the connection.
        """
        told = self._core.fetch(number, b"" if number == self._core.pending else _flow(source, destination))
        if told is None:
            return None
        if len(told) == 5:
            return _first(told)
        return self._restored(told, *((source, destination) if told[0] == 0 else (destination, source)))

    def keep_off(self, number: int, source: str, destination: str) -> None:
        """A connection between these addresses is not here, and does not begin here."""
        self._core.keep_off(number, b"" if number == self._core.pending else _flow(source, destination))

    def elsewhere(self) -> int:
        """Of how many addresses it is told that their connection is not here."""
        return int(self._core.counts()[2])

    def forget(self) -> None:
        """Forget of which addresses that was told."""
        self._core.forget()

    def firsts(self, most: int = 0) -> list[tuple[int, Packet]]:
        """All connections of one packet and their numbers, if there are so many; they are here no longer."""
        return sorted([_first(each) for each in self._core.firsts(most)], key=lambda each: each[0])

    def over(self, origin: int, like: Callable[[Over], int], before: int = -1) -> Iterator[Drained]:
        """All connections of several packets, which are here no longer. With ``before`` only those whose last packet
        came before that time, in nanoseconds, and that may be left. ``origin``: the index of their input; ``like``
        gives the pattern like which a connection is reported, or -1: one that has no finding, or one as the text that
        ``Tellings`` have of it."""

        def told(number: int, first: int, packets: int, flags: int, a: str, b: str, place: int, text: int) -> int:
            found = () if self._tellings is None or text < 0 else (self._tellings.text(text),)
            return like(Over(number, a, b, first, packets, flags, self._standings[place], found, None))

        start, more = 0, True
        while more:
            start, found, lines, kinds = self._core.drain(
                start, DRAINED, SINGLE, before, origin, SEVERAL, told, self._patterns
            )
            more = len(found) >= SINGLE or len(lines) >= DRAINED
            yield Drained(map(self._over, found), lines, [Likes(*kind) for kind in kinds])

    def _over(self, one: Any) -> Over:
        number, first, packets, flags, a, b, place, rest, found, told = one
        connection = None if told is None else self._restored(told, a, b)
        standing = None if place < 0 else self._standings[place]
        return Over(number, a, b, first, packets, flags, standing, self._found(rest, found, a, b)[0], connection)

    def _found(self, rest: Any, found: Any, a: str, b: str) -> tuple[Sequence[Diagnostic], int]:
        """The findings of a connection, and how many of them were told."""
        if found is None or self._tellings is None:
            return rest or ((), 0)
        return ([self._tellings.finding(Told(*found), a, b)], 0)

    def _restored(self, told: Any, a: str, b: str) -> Connection:
        _, number, first, packets, latest, last_time, last_flags, known, numbers, notes, noted, rest, found = told
        connection = self._new(number, a, b)
        connection.latest = latest
        return revive(
            connection,
            (first, packets),
            (last_time, last_flags),
            (known, numbers),
            (notes, noted),
            *self._found(rest, found, a, b),
        )

    def give_back(self, connection: Connection) -> None:
        """Have a connection that was lent as it is after all packets until now."""
        self._core.give_back(connection)

    def clear(self) -> None:
        """Have all connections that were lent as they are, and how often each way was taken."""
        self._core.clear()
        self._core.count()

    def _form(self, buffer: bytes, at: int, end: int, number: int, time: int) -> tuple[Any, ...]:
        """Which fields tell forms of such packets apart, which of them are numbers of a sequence, which are taken."""
        packet = packet_in(buffer, at, end, number, time)
        form = self._memo.form(packet)
        opens: list[str] = []
        if self._beginnings is not None:
            opens = [key for key in self._beginnings.keys(form.flags) if key in packet.fields]
        self._forms.append((form, form.words(packet.fields), tuple(opens)))
        keys = [*self._memo.few(packet), *form.word_keys]
        return (
            tuple([_SLOTS[key] for key in keys]),
            tuple([(_SLOTS[key], own) for key, own in form.sequences]),
            tuple([_SLOTS[key] for key in form.taken]),
            self._memo.watch.timed,
            tuple([_SLOTS[key] for key in opens]),
        )

    def _fresh(self) -> tuple[Any, ...] | None:
        """What is known of a connection without packets, if that was asked for: shapes and numbers."""
        ends, notes = self._memo.fresh(), self._memo.watch.fresh()
        return None if ends is None or notes is None else (*ends, *notes)

    def _standing(self, known: Any) -> tuple[Any, ...] | None:
        """What tells where the ends of a connection of this shape stand, as far as that was asked before."""
        from tcpmodel.checking.memory.decisions import MOST, chain_of
        from tcpmodel.checking.memory.plans import plan_of

        ways = known.ways[STANDING][:MOST]
        if not ways:
            return None
        parts = [way.part() for way in ways]
        plan = plan_of(chain_of(parts), parts, ways[0].own)
        places = tuple([2 * self._standings.place(way.target) + way.target.unfinished for way in ways])
        return (ways, places, plan, 0, 0, ways[0].own, 0, places) if plan else None

    def _plan(self, known: Any, index: int, side: int, notes: int) -> tuple[Any, ...] | None:
        """What was learned of packets of one form and side: for the ends, or for the notes about them."""
        form, words, _ = self._forms[index]
        unknown = (notes >> 1 & 1, notes >> 2 & 1)
        if notes:
            kind = self._memo.watch.kind(form, words, side, (bool(unknown[0]), bool(unknown[1])))
        else:
            kind = form.kinds[side]
        if not notes:
            for way in known.ways[kind]:
                if way.target is not None and way.target.after is not None:
                    self._memo.retarget(way, known)
        ways = known.ways[kind]
        plan = ways.planned(_usable)
        if plan is None or not plan.ways:
            return None
        given = len(form.sequences) + len(form.taken) + (self._memo.watch.timed + 2 - sum(unknown) if notes else 0)
        targets = tuple(plan.targets)
        told = tuple([self._telling(way) for way in plan.ways]) if notes else None
        return ways, plan, plan.words, plan.rest, plan.sorted, plan.ways[0].own, given, targets, told

    def _telling(self, way: Way) -> Any:
        return (False if way.about else None) if self._tellings is None else self._tellings.of(way)

    def _used(self, kind: Kind, plan: Plan, counts: Sequence[int], slow: bool) -> None:
        """So often each way of a plan was taken; if it is ``slow``, most of that by trying many."""
        for way, count in zip(plan.ways, counts, strict=True):
            way.uses += count
        if slow:
            kind.sort_out(_usable)


def _usable(entry: Any) -> Way | None:
    return mergeable(entry) if isinstance(entry, Way) else tellable(entry)


def _is_whole(connection: Connection) -> bool:
    """Is there nothing of a connection but its shapes and numbers, and a few findings that no other will change?"""
    return not (
        connection.previous is not None
        or len(connection.diagnostics) > FINDINGS
        or any(finding.severity == "violation" for finding in connection.diagnostics)
        or connection.assumed.lost
        or connection.trouble.before
        or connection.last_flags is None
        or not connection.is_plain()
    )


def _rest(connection: Connection) -> tuple[list[Diagnostic], int] | None:
    return (list(connection.diagnostics), connection.told) if connection.diagnostics else None


def _first(told: Any) -> tuple[int, Packet]:
    _, number, first, time, frame = told
    return number, packet_in(frame, 0, len(frame), first, time)


def _name(address: bytes, port: int) -> str:
    return endpoint_text(ipv6_text(address), port)


def _flow(source: str, destination: str) -> bytes:
    """Addresses and ports as the compiled module has them; b"" if they are no addresses of IP."""
    (from_host, _, from_port), (to_host, _, to_port) = source.rpartition(":"), destination.rpartition(":")
    addresses = packed(from_host.strip("[]"), to_host.strip("[]"))
    if addresses is None or not (from_port.isdecimal() and to_port.isdecimal()):
        return b""
    size = len(addresses) // 2
    ports = int(from_port).to_bytes(2, "big") + int(to_port).to_bytes(2, "big")
    return addresses[:size].ljust(16, b"\0") + addresses[size:].ljust(16, b"\0") + ports + bytes([size == 16])


def lane(
    memo: Memo,
    recent: Recent,
    doubles: Doubles,
    texts: Texts,
    beginnings: Beginnings | None,
    taken: Callable[[int], None],
    new: New,
    sweep: Callable[[int], None],
    tells: bool,
) -> Lane | None:
    """An express lane, if it was built."""
    return None if Core is None else Lane(memo, recent, doubles, texts, beginnings, taken, new, sweep, tells)
