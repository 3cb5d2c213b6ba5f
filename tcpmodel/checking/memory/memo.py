"""Remembers what followed from a packet, so that the next packet of the same kind is taken at once.

Owns: for each shape of a connection and each kind of packet, the ways in which such packets were taken: under which
bounds on the numbers, to which shape, with which numbers. Each way is found by running the checker once on recorded
numbers and is then a plain function; so there is one meaning, and this only saves repeating it.
Must never hold: how a packet is explained, or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tcpmodel.checking.connection import Connection, NewConnection, Opening
from tcpmodel.checking.ends.configurations import Abilities
from tcpmodel.checking.ends.endpoint import Endpoint, Explanation
from tcpmodel.checking.ends.gaps import Place
from tcpmodel.checking.ends.observer import WatchProgram
from tcpmodel.checking.ends.patience import LeftAlone, Patience, Trouble
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.faults.assumed import Supposed
from tcpmodel.checking.faults.damage import damaged
from tcpmodel.checking.faults.vantage import Standpoint, placed
from tcpmodel.checking.memory.compiled import Way
from tcpmodel.checking.memory.courses import Course, noted, seen
from tcpmodel.checking.memory.forms import Form, Forms, Near
from tcpmodel.checking.memory.kinds import Kind, Ways, mergeable
from tcpmodel.checking.memory.known import STANDING, Known, Shapes, latest
from tcpmodel.checking.memory.recalling import Recall
from tcpmodel.checking.memory.shapes import Freezer, Thawer, symbolic_slots
from tcpmodel.checking.memory.thinning import thin
from tcpmodel.checking.memory.watchmemo import WatchMemo
from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic
from tcpmodel.checking.outcome.standing import Standing
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.recording import Recorder, Unrecordable
from tcpmodel.traces.records import Packet

MOST = 4000
"""How many ways found in this run, and how many shapes, are remembered; then those used least are forgotten."""

MOST_OF_A_KIND = 100
"""How many ways are remembered for packets of one kind, since they are tried one after another; then some go."""

Values = Sequence[int]


class Lone(NamedTuple):
    """A connection of one packet: where its ends stand, and the way in which its packet is told something, if it is."""

    standing: Standing | None
    told: Way | None


class Memo:
    """For one spec. ``observe`` takes a packet for a connection, by memory where that is possible."""

    def __init__(self, abilities: Abilities, interpreter: Interpreter, rules: WatchProgram) -> None:
        self.abilities = abilities
        self.interpreter = interpreter
        self.watch = WatchMemo(rules, interpreter)
        self._judged = self.watch.recall
        forms = Forms(interpreter, rules)
        self.form, self.few = forms.of, forms.few
        self.told_apart: Callable[[Known], None] = lambda _: None
        self.count_uses: Callable[[], None] = lambda: None
        self.symbolic = symbolic_slots(abilities.program)
        self.known = Shapes()
        self._fresh: tuple[Known, list[int]] | None = None
        self.recalls = abilities.recalls = Recall(self.symbolic)
        self.active = True
        self._left = MOST
        self.recorded = self.refused = self.recalled = self.slow = 0

    @property
    def active(self) -> bool:
        """Is anything remembered?"""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = active
        self.abilities.recalls = self.recalls if active else None

    def observe(self, connection: Connection, packet: Packet, side: int) -> None:
        """Take one packet; NewConnection as ``Connection.observe`` raises it."""
        if not self.active or packet.at:
            self._thaw_all(connection)
            connection.observe(packet, side)
            return
        light = connection.light
        if light is None and not connection.packets:
            light = connection.light = self._begin(connection)
        if light is None or packet.flags is None:
            self._slowly(connection, packet, side)
            return
        known, numbers = light
        if known.after is not None:
            known, numbers = latest(light)
        a, b = known.near[::-1] if side else known.near
        mine = None if a is None else numbers[a]
        theirs = None if b is None else numbers[b]
        form = self.form(packet)
        given = form.given(packet.fields, mine, theirs)
        in_order = connection.standpoint is not None and connection.standpoint.may_be_in_order(connection.ends, side)
        ways = known.ways[form.kinds[side + 2 if in_order else side]]
        assumed = connection.assumed
        busy = assumed.watching()
        if not busy and ways.step is not None:
            found = ways.step(numbers, given)
            if found is not None:
                if found[0].after is not None:
                    ways.forget()
                connection.light = found
                connection.packets += 1
                self.recalled += 1
                if assumed.gaps[side]:
                    seen(self.interpreter, assumed, side, form, given)
                observer = connection.observer
                if observer is not None and not self._judged(
                    observer, packet, side, mine, theirs, form, given, assumed
                ):
                    self._watch(connection, packet, side, form, given, (mine, theirs))
                return
        before = list(numbers) if busy else numbers
        found = None
        for index, way in enumerate(ways):
            if way.about.doubtful is not None and not way.about.applies(assumed, side):
                continue
            found = way.run(numbers, given)
            if found is not None:
                way.uses += 1
                if index and way.uses > ways[index - 1].uses:
                    ways[index - 1], ways[index] = way, ways[index - 1]
                target = way.target
                if target is not None and target.after is not None:
                    self.retarget(way, known)
                break
        else:
            room = self._room(known.ways, form.kinds[side + 2 if in_order else side])
            if room is not None:
                lost = connection.trouble.lost(packet.number)
                new = self._record(known, numbers, side, form, given, in_order, assumed.doubtful(side), lost)
                if new is not None:
                    way = new
                    room.learn(way)
                    found = way.run(numbers, given)
        if found is None or found[0] is None or not (way.plain or self._stands(connection, packet, in_order)):
            if found is not None and self._begins(connection, packet, way.about, in_order):
                raise Opening
            self._slowly(connection, packet, side)
            return
        if not busy:
            ways.missed(mergeable)
        if busy or not way.plain:
            self._assume(connection, packet, side, way, known, before, form, given)
        elif assumed.gaps[side]:
            seen(self.interpreter, assumed, side, form, given)
        connection.light = found
        connection.packets += 1
        self.recalled += 1
        observer = connection.observer
        if observer is not None and connection.standpoint is not None:
            packet = placed(packet, connection.standpoint, side)
        if observer is not None and not self._judged(observer, packet, side, mine, theirs, form, given, assumed):
            self._watch(connection, packet, side, form, given, (mine, theirs))

    def _room(self, of: Ways, kind: str) -> Kind | None:
        """The ways of this kind, with room for another; None if there is none."""
        if not self._has_room():
            return None
        return of[kind].with_room(MOST_OF_A_KIND)

    def _has_room(self) -> bool:
        """May another shape, or another way, be remembered?"""
        if self._left <= 0 or len(self.known) >= MOST:
            self.count_uses()
            fresh = None if self._fresh is None else latest(self._fresh)[0]
            self._left = MOST - thin(self.known, lambda way: way, (fresh,), MOST // 2)
        return len(self.known) < MOST

    def _stands(self, connection: Connection, packet: Packet, in_order: bool) -> bool:
        """Is what was not explained by this connection nothing that a copy, damage or one before it explains?"""
        if connection.previous is not None or damaged(packet) or connection.trouble.lost(packet.number):
            return False
        return not in_order or (connection.standpoint is not None and not connection.standpoint.copied(packet))

    def _begins(self, connection: Connection, packet: Packet, course: Course, in_order: bool) -> bool:
        """Does it begin a new connection, and not once more the one before?"""
        if course.how is not Explanation.OPENING or damaged(packet):
            return False
        if in_order and not self._stands(connection, packet, in_order):
            return False
        previous = connection.previous
        if previous is None:
            return True
        if previous.light is not None:
            self.thaw(previous)
        return not previous.began_with(packet)

    def _assume(
        self,
        connection: Connection,
        packet: Packet,
        side: int,
        way: Way,
        known: Known,
        numbers: Values,
        form: Form,
        given: Values,
    ) -> None:
        """Note what this packet, which was taken by memory, says of the capture; ``numbers`` as they were before."""
        aside = None if way.aside is None else way.aside.run(numbers, given)
        assert aside is not None
        addresses = (connection.ends[0].address, connection.ends[1].address)

        def said() -> Sighting:
            return form.message(self.interpreter, given)

        def before() -> Endpoint:
            end = self._trial(known, numbers).ends[side]
            end.address = addresses[side]
            return end

        place = Place(packet.number, packet.time)
        way.about.follow(aside[1], connection.assumed, side, place, said, before, addresses)

    def succeed(self, connection: Connection) -> None:
        """Have a new connection begin with what rules over messages want to know of the one before.

        Then its numbers go on where those of that one ended, so that the two can be compared.
        """
        before, observer = connection.previous, connection.observer
        if before is None or before.observer is None or observer is None or before.opaque:
            return
        if not self.watch.program.watch.inherited or before.ends[0].address == before.ends[1].address:
            return
        near, notes = before.numbers.near, self.watch.notes(before.observer)
        if before.light is not None:
            known, numbers = latest(before.light)
            near = [None if each is None else numbers[each] for each in known.near]
        if before.ends[0].address != connection.ends[0].address:
            near, notes = near[::-1], notes[::-1]
        connection.numbers.near = list(near)
        observer.inherit(notes)
        if self.active and self._has_room():
            connection.light = self._shape(connection)

    def _begin(self, connection: Connection) -> tuple[Known, list[int]]:
        """What is known of a connection without packets: always the same."""
        if self._fresh is None:
            self._fresh = self._shape(connection)
        known, numbers = self._fresh
        return known, list(numbers)

    def fresh(self) -> tuple[Known, list[int]] | None:
        """What is known of a connection without packets, once it was asked for."""
        return None if self._fresh is None else latest(self._fresh)

    def retarget(self, way: Way, known: Known) -> None:
        """Have a way of ``known`` lead to what replaced its target."""
        target = way.target
        places = list(range(len(target.places)))
        while target.after is not None:
            places = [places[place] for place in target.among]
            target = target.after
        way.retarget(target, places, target is known and way.plain)

    def _slowly(self, connection: Connection, packet: Packet, side: int) -> None:
        self._thaw_all(connection)
        self.slow += 1
        connection.observe(packet, side)
        if connection.is_plain() and self._has_room():
            connection.light = self._shape(connection)

    def hear(self, connection: Connection, packet: Packet, side: int) -> None:
        """Take what a packet of another protocol tells about one that ``side`` sent."""
        light = connection.light
        if light is None or not self.active:
            self._thaw_all(connection)
            numbers = connection.numbers.near
            notices = connection.hear(packet, side, (numbers[side], numbers[1 - side]))
            if notices and not connection.opaque:
                connection.ends[side].notice(notices)
            if self.active and connection.is_plain() and self._has_room():
                connection.light = self._shape(connection)
            return
        if connection.observer is not None and connection.observer.light is not None:
            self.watch.thaw(connection.observer)
            connection.observer.light = None
        known, values = light = latest(light)
        near = [None if each is None else values[each] for each in known.near]
        notices = connection.hear(packet, side, (near[side], near[1 - side]))
        if not notices:
            return
        try:
            connection.light = self._noticed(known, values, side, tuple(notices))
        except Unrecordable:
            self.thaw(connection)
            connection.ends[side].notice(notices)
            connection.light = self._shape(connection)

    def _noticed(self, known: Known, numbers: Values, side: int, notices: tuple[str, ...]) -> tuple[Known, Values]:
        """What is known of a connection when ``side`` may have had these notices."""
        ways: list[Way] = known.ways["notice", side, notices]
        for way in ways:
            after = way.run(numbers, ())
            if after is not None:
                if way.target.after is not None:
                    self.retarget(way, known)
                return after
        recorder, inputs = self._inputs(numbers)
        trial = self._trial(known, inputs)
        trial.ends[side].notice(list(notices))
        target, outputs = self._shape(trial)
        found = Way.of(recorder, target, outputs, len(numbers), in_place=target is known)
        ways.append(found)
        after = found.run(numbers, ())
        assert after is not None
        return after

    def _watch(self, connection: Connection, packet: Packet, side: int, form: Form, given: Values, near: Near) -> None:
        """Have the rules over messages judge a packet that was taken by memory."""

        def tell(finding: Diagnostic, sighting: Sighting) -> None:
            if connection.light is not None:
                known, numbers = connection.light
                connection.numbers.first = [None if code is None else numbers[code] for code in known.first]
            connection.tell(finding, side, packet, sighting)

        assert connection.observer is not None
        self.watch.observe(connection.observer, packet, side, near, form, given, connection.assumed.lossless, tell)

    def _thaw_all(self, connection: Connection) -> None:
        for each in (connection, connection.previous):
            if each is None:
                continue
            if each.light is not None:
                self.thaw(each)
            if each.observer is not None and each.observer.light is not None:
                self.watch.thaw(each.observer)
                each.observer.light = None

    def thaw(self, connection: Connection) -> None:
        """Give the connection its objects back."""
        assert connection.light is not None
        known, numbers = connection.light
        connection.light = None
        self._fill(connection, known, numbers)

    def report(self, connection: Connection) -> ConnectionReport:
        """The verdict on a connection, as ``Connection.report`` gives it."""
        standing = self.standing(connection)
        if connection.assumed.watching():
            self._thaw_all(connection)  # what is assumed is asked of the ends once more
        return connection.report(standing)

    def alone(self, packet: Packet, stand: Standpoint | None) -> Lone | None:
        """What is known of a packet that is alone in its connection, seen from there; None if that has to be found out.

        One whose flags are not known says nothing of its ends.
        """
        if packet.flags is None:
            return Lone(None, None)
        if not self.active:
            return None
        if self._fresh is None:
            self._fresh = self._shape(Connection("", self.abilities, self.interpreter, None, "", "", False))
        known, numbers = latest(self._fresh)
        form = self.form(packet)
        given = form.given(packet.fields, None, None)
        ways = known.ways[form.kinds[0]]
        after = None
        for way in ways:
            if not way.about.doubtful:
                after = way.run(list(numbers), given)
            if after is not None:
                break
        else:
            room = self._room(known.ways, form.kinds[0])
            new = None if room is None else self._record(known, numbers, 0, form, given, False, False)
            if room is None or new is None:
                return None
            way = new
            room.learn(way)
            after = way.run(list(numbers), given)
        if after is None or after[0] is None or way.about.skipped or way.about.said:
            return None
        if not way.plain and (packet.at or damaged(packet) or (stand is not None and any(stand.ordered))):
            return None
        standing = self._standing(after)
        if self.watch.program.idle:
            return Lone(standing, None)
        told = self.watch.alone(placed(packet, stand, 0), form, given)
        return None if told is None else Lone(standing, told if told.target else None)

    def known_standing(self, light: tuple[Known, list[int]]) -> Standing | None:
        """Where the ends of a connection are; None if that was not asked of such a one before."""
        known, numbers = latest(light)
        found: list[Standing] = [end.target for end in known.ways[STANDING] if end.run(numbers, ()) is not None]
        return found[0] if found else None

    def standing(self, connection: Connection) -> Standing | None:
        """Where the ends of a connection are; None when that is not known by memory and has to be asked of it."""
        if connection.light is None:
            return None
        return self._standing(connection.light)

    def _standing(self, light: tuple[Known, list[int]]) -> Standing:
        """Where the ends of a connection are, of which this is known."""
        known, numbers = light = latest(light)
        standing = self.known_standing(light)
        if standing is not None:
            return standing
        recorder, inputs = self._inputs(numbers)
        trial = self._trial(known, inputs)
        standing = trial.standing()
        ends = known.ways[STANDING]
        if len(ends) < MOST_OF_A_KIND:
            ends.append(Way.of(recorder, standing, [], len(numbers)))
        return standing

    def _inputs(self, numbers: Sequence[int]) -> tuple[Recorder, list[Any]]:
        recorder = Recorder(list(numbers))
        return recorder, [recorder.number(index) for index in range(len(numbers))]

    def _trial(self, known: Known, numbers: Sequence[Any]) -> Connection:
        trial = Connection("", self.abilities, self.interpreter, None, "", "", False)
        trial.packets = int(known.shape[0])
        self._fill(trial, known, numbers)
        return trial

    def _fill(self, connection: Connection, known: Known, numbers: Sequence[Any]) -> None:
        shape = known.shape
        thawer = Thawer(self.symbolic, known.groups, numbers)
        connection.numbers.near = thawer.near(shape[1])
        connection.numbers.first = thawer.near(shape[2])
        thawer.endpoint(shape[3], connection.ends[0])
        thawer.endpoint(shape[4], connection.ends[1])

    def _shape(self, connection: Connection) -> tuple[Known, list[Any]]:
        """What is known of a connection, and its numbers."""
        freezer = Freezer(self.symbolic)
        near, first = freezer.near(connection.numbers.near), freezer.near(connection.numbers.first)
        a, b = connection.ends
        shape = (connection.packets > 0, near, first, freezer.endpoint(a), freezer.endpoint(b))
        numbers = freezer.numbers
        before: Known = self.known.find(shape) or Known(shape, [0] * len(numbers))
        known = self.known[shape] = before.split(numbers)
        if known is not before:
            self.told_apart(before)
        return known, [numbers[place] for place in known.places]

    def _record(
        self,
        known: Known,
        numbers: Values,
        side: int,
        form: Form,
        given: Sequence[int],
        in_order: bool,
        doubtful: bool,
        lost: bool = False,
    ) -> Way | None:
        try:
            recorder, inputs = self._inputs([*numbers, *given])
        except Unrecordable:
            self.refused += 1
            return None
        self.recorded += 1
        self._left -= 1
        own = len(numbers)
        supposed = Supposed(doubtful)
        target: Known | None = None
        outputs: list[Any] = []
        beside: list[Any] = []
        try:
            trial = self._trial(known, inputs[:own])
            trial.standpoint = Standpoint((True, True)) if in_order else None
            trial.assumed, trial.trouble = supposed, Trouble(Patience(lost=lost))
            found = inputs[own:]
            sighting = form.message(self.interpreter, found)
            how = trial.take(None, sighting, side, Place(0, None))
            course, beside = noted(how, supposed, self.interpreter.numbered(sighting))
            if trial.is_plain() and not trial.diagnostics:
                target, outputs = self._shape(trial)
        except LeftAlone:
            return None
        except Opening:
            course, _ = noted(Explanation.OPENING, supposed, None)
        except (NewConnection, Unrecordable):
            course, _ = noted(Explanation.NONE, supposed, None)
        if target is None:
            self.refused += 1
        way = Way.of(recorder, target, outputs, own, in_place=target is known and course.plain)
        way.about, way.plain, way.aside = course, course.plain, Way.of(recorder, None, beside, own)
        return way
