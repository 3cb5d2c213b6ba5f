"""Remembers what followed from a packet, so that the next packet of the same kind is taken at once.

Owns: for each shape of a connection and each kind of packet, the ways in which such packets were taken: under which
bounds on the numbers, to which shape, with which numbers. Each way is found by running the checker once on recorded
numbers and is then a plain function; so there is one meaning, and this only saves repeating it.
Must never hold: how a packet is explained, or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tcpmodel.checking.compiled import compile_way
from tcpmodel.checking.configurations import Abilities
from tcpmodel.checking.connection import Connection, NewConnection, Standing
from tcpmodel.checking.endpoint import Explanation
from tcpmodel.checking.findings import ConnectionReport, Diagnostic
from tcpmodel.checking.forms import Form, Forms, Near
from tcpmodel.checking.gaps import Place
from tcpmodel.checking.observer import WatchProgram
from tcpmodel.checking.recording import Recorder, Unrecordable
from tcpmodel.checking.shapes import Freezer, Shape, Thawer, symbolic_slots
from tcpmodel.checking.sightings import Interpreter
from tcpmodel.checking.vantage import Standpoint
from tcpmodel.checking.watchmemo import WatchMemo
from tcpmodel.semantics.execution import Sighting
from tcpmodel.traces.records import Packet

MOST = 4000
"""How many ways, and how many shapes, are remembered; what comes after that is worked out each time."""

MOST_OF_A_KIND = 100
"""How many ways are remembered for packets of one kind, since they are tried one after another."""

Values = tuple[int, ...]
Way = Callable[[Values, Sequence[int]], "tuple[Known, Values] | None"]
"""A function of the numbers of a connection and of a packet: what is known then, or None where it does not apply."""


_OWN = (Explanation.BEHAVIOUR, Explanation.LATE)
"""Explanations that come before connections before this one are asked."""


class Known:
    """One shape. ``ways`` lists for each kind of packet the ways that were found, the one used last first."""

    __slots__ = ("ends", "near", "shape", "ways")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.near: tuple[int | None, int | None] = shape[3]
        self.ways: dict[Any, list[Way]] = {}
        self.ends: list[Callable[[Values, Values], tuple[Standing, Values] | None]] = []


class Memo:
    """For one spec. ``observe`` takes a packet for a connection, by memory where that is possible."""

    def __init__(self, abilities: Abilities, interpreter: Interpreter, rules: WatchProgram) -> None:
        self.abilities = abilities
        self.interpreter = interpreter
        self.watch = WatchMemo(rules, interpreter)
        self._form = Forms(interpreter, rules).of
        self.symbolic = symbolic_slots(abilities.program)
        self.known: dict[Shape, Known] = {}
        self._fresh: tuple[Known, Values] | None = None
        self.active = True
        self.recorded = 0
        self.refused = 0
        self.recalled = 0
        self.slow = 0

    def observe(self, connection: Connection, packet: Packet, side: int) -> None:
        """Take one packet; NewConnection as ``Connection.observe`` raises it."""
        if not self.active or packet.at:
            self._thaw_all(connection)
            connection.observe(packet, side)
            return
        if not connection.packets and connection.light is None:
            connection.light = self._fresh = self._fresh or self._freeze(connection)
        light = connection.light
        if light is None or packet.flags is None:
            self._slowly(connection, packet, side)
            return
        known, numbers = light
        a, b = known.near
        near = (None if a is None else numbers[a], None if b is None else numbers[b])
        if side:
            near = (near[1], near[0])
        form = self._form(packet)
        given = form.given(packet.fields, *near)
        # What came before is asked when nothing of this connection explains a packet.
        alone = connection.previous is None
        in_order = connection.standpoint is not None and connection.standpoint.ordered[side]
        kind = (side, form.flags, form.pattern, alone, in_order)
        ways = known.ways.get(kind)
        if ways is None:
            ways = known.ways[kind] = []
        for index, way in enumerate(ways):
            after = way(numbers, given)
            if after is not None:
                connection.light = after
                connection.packets += 1
                self.recalled += 1
                if connection.observer is not None:
                    self._watch(connection, packet, side, form, given, near)
                if index:
                    ways[0], ways[index] = way, ways[0]
                return
        room = len(ways) < MOST_OF_A_KIND and self.recorded < MOST and len(self.known) < MOST
        found = self._record(known, numbers, side, form, given, alone, in_order) if room else None
        if found is not None:
            ways.insert(0, found)
            connection.light = found(numbers, given)
            assert connection.light is not None
            connection.packets += 1
            if connection.observer is not None:
                self._watch(connection, packet, side, form, given, near)
            return
        self._slowly(connection, packet, side)

    def _slowly(self, connection: Connection, packet: Packet, side: int) -> None:
        self._thaw_all(connection)
        self.slow += 1
        connection.observe(packet, side)
        if connection.is_plain() and len(self.known) < MOST:
            connection.light = self._freeze(connection)

    def hear(self, connection: Connection, packet: Packet, side: int) -> None:
        """Take what a packet of another protocol tells about one that ``side`` sent."""
        light = connection.light
        if light is None or not self.active:
            self._thaw_all(connection)
            numbers = connection.numbers.near
            notices = connection.hear(packet, side, (numbers[side], numbers[1 - side]))
            if notices and not connection.opaque:
                connection.ends[side].notice(notices)
            if self.active and connection.is_plain() and len(self.known) < MOST:
                connection.light = self._freeze(connection)
            return
        if connection.observer is not None and connection.observer.light is not None:
            self.watch.thaw(connection.observer)
            connection.observer.light = None
        known, values = light
        near = [None if each is None else values[each] for each in known.near]
        notices = connection.hear(packet, side, (near[side], near[1 - side]))
        if not notices:
            return
        try:
            connection.light = self._noticed(known, values, side, tuple(notices))
        except Unrecordable:
            self.thaw(connection)
            connection.ends[side].notice(notices)
            connection.light = self._freeze(connection)

    def _noticed(self, known: Known, numbers: Values, side: int, notices: tuple[str, ...]) -> tuple[Known, Values]:
        """What is known of a connection when ``side`` may have had these notices."""
        ways = known.ways.setdefault(("notice", side, notices), [])
        for way in ways:
            after = way(numbers, ())
            if after is not None:
                return after
        recorder, inputs = self._inputs(numbers)
        trial = self._trial(known, inputs)
        trial.ends[side].notice(list(notices))
        freezer = Freezer(self.symbolic)
        target = self._shape(trial, freezer)
        found: Way = compile_way(recorder, target, freezer.numbers, len(numbers))
        ways.append(found)
        after = found(numbers, ())
        assert after is not None
        return after

    def _watch(self, connection: Connection, packet: Packet, side: int, form: Form, given: Values, near: Near) -> None:
        """Have the rules over messages judge a packet that was taken by memory."""

        def tell(finding: Diagnostic, sighting: Sighting) -> None:
            if connection.light is not None:
                known, numbers = connection.light
                connection.numbers.first = [None if code is None else numbers[code] for code in known.shape[4]]
            connection.tell(finding, side, packet, sighting)

        assert connection.observer is not None
        if connection.packets == 1 and connection.observer.light is None:
            connection.observer.light = self.watch.fresh(connection.observer)
        self.watch.observe(connection.observer, packet, side, near, form, given, connection.lossless, tell)

    def _thaw_all(self, connection: Connection) -> None:
        for each in (connection, connection.previous):
            if each is not None and each.light is not None:
                self.thaw(each)
        if connection.observer is not None and connection.observer.light is not None:
            self.watch.thaw(connection.observer)
            connection.observer.light = None

    def thaw(self, connection: Connection) -> None:
        """Give the connection its objects back."""
        assert connection.light is not None
        known, numbers = connection.light
        connection.light = None
        self._fill(connection, known.shape, numbers)

    def report(self, connection: Connection) -> ConnectionReport:
        """The verdict on a connection, as ``Connection.report`` gives it."""
        return connection.report(self.standing(connection))

    def alone(self, packet: Packet) -> Standing | None:
        """Where the ends of a connection are that has no other packet; None if that is not known by memory, or if
        something is told of the packet."""
        if self._fresh is None or not self.active or packet.at or packet.flags is None:
            return None
        known, numbers = self._fresh
        form = self._form(packet)
        given = form.given(packet.fields, None, None)
        after = None
        for way in known.ways.get((0, form.flags, form.pattern, True, False), ()):
            after = way(numbers, given)
            if after is not None:
                break
        if after is None or not self.watch.silent(packet, form, given):
            return None
        return self.known_standing(after)

    def known_standing(self, light: tuple[Known, Values]) -> Standing | None:
        """Where the ends of a connection are; None if that was not asked of such a one before."""
        known, numbers = light
        for end in known.ends:
            found = end(numbers, ())
            if found is not None:
                standing: Standing = found[0]
                return standing
        return None

    def standing(self, connection: Connection) -> Standing | None:
        """Where the ends of a connection are; None when that is not known by memory and has to be asked of it."""
        if connection.light is None:
            return None
        known, numbers = connection.light
        standing = self.known_standing(connection.light)
        if standing is not None:
            return standing
        recorder, inputs = self._inputs(numbers)
        trial = self._trial(known, inputs)
        standing = trial.standing()
        known.ends.append(compile_way(recorder, standing, [], len(numbers)))
        return standing

    def _inputs(self, numbers: Sequence[int]) -> tuple[Recorder, list[Any]]:
        recorder = Recorder(list(numbers))
        return recorder, [recorder.number(index) for index in range(len(numbers))]

    def _trial(self, known: Known, numbers: Sequence[Any]) -> Connection:
        trial = Connection("", self.abilities, self.interpreter, None, "", "", False)
        trial.packets = int(known.shape[0])
        self._fill(trial, known.shape, numbers)
        return trial

    def _fill(self, connection: Connection, shape: Shape, numbers: Sequence[Any]) -> None:
        thawer = Thawer(self.symbolic, numbers)
        thawer.endpoint(shape[1], connection.ends[0])
        thawer.endpoint(shape[2], connection.ends[1])
        connection.numbers.near = thawer.near(shape[3])
        connection.numbers.first = thawer.near(shape[4])

    def _shape(self, connection: Connection, freezer: Freezer) -> Known:
        a, b = connection.ends
        near = freezer.near(connection.numbers.near)
        first = freezer.near(connection.numbers.first)
        shape = (connection.packets > 0, freezer.endpoint(a), freezer.endpoint(b), near, first)
        known = self.known.get(shape)
        if known is None:
            known = self.known[shape] = Known(shape)
        return known

    def _freeze(self, connection: Connection) -> tuple[Known, Values]:
        freezer = Freezer(self.symbolic)
        return self._shape(connection, freezer), tuple(freezer.numbers)  # type: ignore[arg-type]

    def _record(
        self,
        known: Known,
        numbers: Values,
        side: int,
        form: Form,
        given: Sequence[int],
        alone: bool,
        in_order: bool,
    ) -> Way | None:
        try:
            recorder, inputs = self._inputs([*numbers, *given])
            trial = self._trial(known, inputs[: len(numbers)])
            trial.standpoint = Standpoint((True, True)) if in_order else None
            found = inputs[len(numbers) :]
            sighting = self.interpreter.message_of(form.flags, form.pattern, [found[place] for place in form.order])
            trial.take(None, sighting, side, Place(0, None))
        except (Unrecordable, NewConnection):
            self.refused += 1
            return None
        if not trial.is_plain() or trial.diagnostics or trial.lost or not (alone or trial.last in _OWN):
            self.refused += 1
            return None
        self.recorded += 1
        freezer = Freezer(self.symbolic)
        target = self._shape(trial, freezer)
        way: Way = compile_way(recorder, target, freezer.numbers, len(numbers))
        return way
