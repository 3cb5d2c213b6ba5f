"""Remembers what an observer made of a packet, so that the next one of the same kind is taken at once.

Owns: notes taken apart into their shape and their numbers, and for each kind of packet the ways in which an observer
took such packets: under which bounds on the numbers, with which notes afterwards, and which rules they break. Each way
is found by running the observer once on recorded numbers. Of packets of which something may be told later, only that is
remembered.
Must never hold: what a rule says, or when it is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from tcpmodel.checking.ends.observer import BETWEEN, CLOCK, COMPLETE, Observer, WatchProgram
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.memory.compiled import Way
from tcpmodel.checking.memory.forms import Form, Near
from tcpmodel.checking.memory.kinds import Kind, Ways
from tcpmodel.checking.memory.known import Shapes
from tcpmodel.checking.memory.shapes import identity
from tcpmodel.checking.memory.thinning import thin
from tcpmodel.checking.memory.trials import UNUSED, Counting, Noting
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.model.types import Enum, Range
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.recording import Number, Recorder, Unrecordable
from tcpmodel.semantics.values import INFINITY, Interval
from tcpmodel.traces.records import Packet

MOST = 4000
"""How many ways found in this run, and how many shapes, are remembered; then those used least are forgotten."""

MOST_OF_A_KIND = 64
"""How many ways are remembered for packets of one kind; then some of them go."""

_FAR = INFINITY // 2

_LATEST = 1 << 62
"""No number of a packet that is taken by memory lies beyond this, its time in nanoseconds neither."""

_MOST_LOOKS = 256

EXACT = "="
"""In a shape: a number stands here, and is known exactly."""


class Bounds(NamedTuple):
    """In a shape: an interval; where a bound is None, a number stands."""

    low: int | None
    high: int | None


Values = Sequence[int]
Facts = Callable[[], bool]


class Lossless(Protocol):
    """What is assumed of a capture."""

    def lossless(self) -> bool:
        """Does nothing show that packets are missing?"""
        ...


Tell = Callable[[Diagnostic, Sighting], None]


class Known:
    """One shape of notes, and the rules that are not told any more."""

    __slots__ = ("shape", "told", "ways")

    def __init__(self, shape: tuple[Any, ...], told: frozenset[tuple[tuple[str, int], int]]) -> None:
        self.shape = shape
        self.told = told
        self.ways = Ways()


class WatchMemo:
    """For one spec. ``observe`` does what ``Observer.observe`` does."""

    def __init__(self, program: WatchProgram, interpreter: Interpreter) -> None:
        self.program = program
        self.interpreter = interpreter
        self.known = Shapes()
        self._fresh: tuple[Known, Values] | None = None
        self._alone: dict[str, list[Way]] = {}
        self.recorded = 0
        self._left = MOST
        self.count_uses: Callable[[], None] = lambda: None
        self.teach: Callable[..., None] | None = None
        self.recalled = 0
        self.slow = 0
        self.timed = any(key == CLOCK for _, key, _ in program.looked_at)
        self._symbolic = [not isinstance(note.type, Enum | Range) for note in program.watch.spec.notes]

    def recall(
        self,
        observer: Observer,
        packet: Packet,
        side: int,
        mine: int | None,
        theirs: int | None,
        form: Form,
        given: Values,
        assumed: Lossless,
    ) -> bool:
        """Judge one packet if that is known by memory and nothing is told; False if ``observe`` has to."""
        if observer.doubts:
            return False
        light = observer.light
        if light is None:
            light = observer.light = self._freeze(observer) if observer.began else self._begin(observer)
        known, numbers = light
        time = packet.time
        if time is not None and time > _LATEST:
            return False
        if mine is None or theirs is None or time is None or packet.at:
            kind = self._kind(packet, side, (mine, theirs), form)
            inputs = self._inputs(packet, given, (mine, theirs))
        else:
            look = (side, form.words(packet.fields)) if form.word_keys else side
            kind = form.looks.get(look) or self._kind(packet, side, (mine, theirs), form)
            inputs = (*given, time // 1000, mine, theirs) if self.timed else (*given, mine, theirs)
        ways = known.ways[kind]
        if ways.step is not None:
            found = ways.step(numbers, inputs)
            if found is not None:
                observer.light = found
                self.recalled += 1
                return True
        taken = _taken(ways, numbers, inputs, assumed.lossless)
        if taken is None or taken[0].target is None or taken[0].about:
            return False
        ways.missed(certain)
        observer.light = taken[1]
        self.recalled += 1
        return True

    def observe(
        self,
        observer: Observer,
        packet: Packet,
        side: int,
        near: Near,
        form: Form,
        given: Values,
        lossless: Facts,
        tell: Tell,
    ) -> None:
        """Judge one packet that ``side`` sent; ``near``: the last number of its sender and receiver before."""
        light = observer.light
        if light is None:
            light = self._freeze(observer) if observer.began else self._begin(observer)
        known, numbers = light
        kind = self._kind(packet, side, near, form)
        ways = known.ways[kind]
        inputs = self._inputs(packet, given, near)
        taken = _taken(ways, numbers, inputs, lossless)
        if (
            taken is None
            and (room := self._room(known.ways, kind)) is not None
            and (recorded := self._record(known, numbers, inputs, packet, side, near, form, lossless)) is not None
        ):
            room.learn(recorded)
            taken = recorded[0], recorded[0].run(numbers, inputs)
        if taken is not None and taken[0].target is not None:
            way, found = taken
            if way.about:
                self._tell(observer, light, way, packet, side, near, form.message(self.interpreter, given), tell)
                if self.teach is not None:
                    self.teach(known, numbers, inputs, way, ways, packet, side, near, form)
            observer.light = found
            self.recalled += 1
            if observer.doubts:
                self.thaw(observer)
                observer.light = None  # what is told now is part of the shape
                observer.settle(lossless)
            return
        self.slow += 1
        self.thaw(observer)
        observer.light = None
        sighting = form.message(self.interpreter, given)
        observer.observe(packet, sighting, side, near, lossless, tell)

    def _tell(
        self,
        observer: Observer,
        light: tuple[Known, Values],
        way: Way,
        packet: Packet,
        side: int,
        near: Near,
        sighting: Sighting,
        tell: Tell,
    ) -> None:
        """Tell what breaks the rules that packets of this way break; ``light``: the notes as they were before."""
        observer.light = light
        self.thaw(observer)
        for finding in observer.told_of(way.about, packet, sighting, side, near):
            tell(finding, sighting)
        observer.told = dict(way.target.told)

    def freeze(self, observer: Observer) -> None:
        """Keep notes by memory that are not, if nothing of them is in doubt."""
        if observer.light is None and not observer.doubts and self._has_room():
            observer.light = self._freeze(observer)

    def alone(self, packet: Packet, form: Form, given: Values) -> Way | None:
        """The way that a packet takes which is alone in its connection, all of which is seen; None if none is known.

        The target of the way is how much is told of it. Packets of one way are told the same but for numbers.
        """
        if self._fresh is None:
            self._fresh = self._freeze(Observer(self.program))
        known, numbers = self._fresh
        near = (None, None)
        inputs = self._inputs(packet, given, near)
        kind = self._kind(packet, 0, near, form)
        ways = self._alone.get(kind, [])
        for way in ways:
            if way.run(numbers, inputs) is not None:
                return way
        if (packet.time or 0) > _LATEST or not self._has_room():
            return None
        told: list[str] = []
        trial = Counting(self.program)

        def tell(finding: Diagnostic, _sighting: Sighting) -> None:
            told.append(finding.code)

        try:
            recorder = Recorder([*numbers, *inputs])
            self._try(trial, known, _all(recorder, numbers, inputs), len(numbers), packet, 0, near, form, _yes, tell)
            trial.close(_yes)
        except Unrecordable:
            return None
        self.recorded += 1
        self._left -= 1
        way = Way.of(recorder, len(told), [], len(numbers))
        self._alone[kind] = [way, *ways[: MOST_OF_A_KIND - 1]]
        return way

    def _room(self, of: Ways, kind: str) -> Kind | None:
        """The ways of this kind, with room for another; None if there is none."""
        if not self._has_room():
            return None
        return of[kind].with_room(MOST_OF_A_KIND)

    def _has_room(self) -> bool:
        """May another shape, or another way, be remembered?"""
        if self._left <= 0 or len(self.known) >= MOST:
            self._alone.clear()
            self.count_uses()
            fresh = None if self._fresh is None else self._fresh[0]
            self._left = MOST - thin(self.known, lambda entry: entry[0], (fresh,), MOST // 2)
        return len(self.known) < MOST

    def _inputs(self, packet: Packet, given: Values, near: Near) -> Values:
        """All numbers that a way may depend on besides notes: of the packet, its time, the last ones of both ends."""
        clock = (packet.time // 1000,) if self.timed and packet.time is not None else ()
        return (*given, *clock, *[each for each in near if each is not None])

    def fresh(self) -> tuple[Known, Values] | None:
        """The notes of who has seen nothing, once they were asked for; None if there are no rules."""
        return None if self.program.idle else self._fresh

    def kind(self, form: Form, words: tuple[int, ...], side: int, unknown: tuple[bool, bool]) -> str:
        """The kind of packets that have a time, and of which the capture says no place. ``unknown``: has the sender
        sent nothing before, and the receiver?"""
        before = None if any(unknown) else form.looks.get((side, words) if words else side)
        return before or _named(form, words, side, (*unknown, False), "")

    def _kind(self, packet: Packet, side: int, near: Near, form: Form) -> str:
        words = form.words(packet.fields)
        if packet.time is not None and not packet.at and None not in near:
            before = form.looks.get((side, words) if words else side)
            if before is not None:
                return before
        known = (near[0] is None, near[1] is None, packet.time is None)
        at = packet.at and (packet.at == packet.source, packet.at == packet.destination, packet.at == BETWEEN)
        kind = _named(form, words, side, known, at)
        if not any(known) and not at and len(form.looks) < _MOST_LOOKS:
            form.looks[(side, words) if words else side] = kind
        return kind

    # ------------------------------------------------------------------------------------------- shapes and numbers

    def _begin(self, observer: Observer) -> tuple[Known, Values]:
        """Notes of who has seen nothing: always the same."""
        observer.began = True
        if self._fresh is None:
            self._fresh = self._freeze(observer)
        known, numbers = self._fresh
        return known, list(numbers)

    def _freeze(self, observer: Observer) -> tuple[Known, Values]:
        numbers: list[Any] = []
        known = self._known(observer, numbers)
        return known, numbers

    def _known(self, observer: Observer, numbers: list[Number | int]) -> Known:
        shape: list[Any] = []
        for notes in observer.notes:
            for symbolic, note in zip(self._symbolic, notes, strict=True):
                if note is None or not symbolic:
                    shape.append(note)
                    continue
                low, high = note
                if not _bounded(low) and not _bounded(high):
                    shape.append(note)
                    continue
                if _bounded(low):
                    numbers.append(low)
                if _bounded(high) and identity(low) != identity(high):
                    numbers.append(high)
                shape.append(EXACT if identity(low) == identity(high) else Bounds(_limit(low), _limit(high)))
        told = frozenset(observer.told.items())
        key = (told, *shape)
        known: Known | None = self.known.find(key)
        if known is None:
            known = self.known[key] = Known(tuple(shape), told)
        return known

    def _filled(self, known: Known, numbers: Sequence[Any]) -> list[Interval | None]:
        """The notes of both directions, one after the other."""
        left = iter(numbers)
        notes: list[Interval | None] = []
        for code in known.shape:
            if code is EXACT:
                number = next(left)
                notes.append((number, number))
            elif code.__class__ is Bounds:
                low = next(left) if code.low is None else code.low
                notes.append((low, next(left) if code.high is None else code.high))
            else:
                notes.append(code)
        return notes

    def notes(self, observer: Observer) -> tuple[Sequence[Interval | None], Sequence[Interval | None]]:
        """The notes of both directions, which the observer may not have itself."""
        if observer.light is None:
            return observer.notes
        notes = self._filled(*observer.light)
        return notes[: self.program.notes], notes[self.program.notes :]

    def thaw(self, observer: Observer) -> None:
        """Give the observer its notes back."""
        if observer.light is not None:
            a, b = self.notes(observer)
            observer.notes = (list(a), list(b))
            observer.began = True

    # ------------------------------------------------------------------------------------------------- remembering

    def _record(
        self,
        known: Known,
        numbers: Values,
        inputs: Values,
        packet: Packet,
        side: int,
        near: Near,
        form: Form,
        lossless: Facts,
    ) -> tuple[Way, bool | None] | None:
        asked: list[bool] = []

        def fact() -> bool:
            asked.append(lossless())
            return asked[0]

        def tell(_finding: Diagnostic, _sighting: Sighting) -> None:
            pass

        trial = Noting(self.program)
        try:
            recorder = Recorder([*numbers, *inputs])
            self._try(trial, known, _all(recorder, numbers, inputs), len(numbers), packet, side, near, form, fact, tell)
        except Unrecordable:
            return None
        self.recorded += 1
        self._left -= 1
        outputs: list[Number | int] = []
        target = None if trial.doubts else self._known(trial, outputs)
        way = Way.of(recorder, target, outputs, len(numbers), in_place=target is known)
        way.about = tuple(trial.broken)
        return way, asked[0] if asked else None

    def _try(
        self,
        trial: Observer,
        known: Known,
        recorded: list[Any],
        own: int,
        packet: Packet,
        side: int,
        near: Near,
        form: Form,
        fact: Facts,
        tell: Tell,
    ) -> None:
        """Have a fresh observer that knows this judge a packet on recorded numbers, of which the first are ``own``."""
        trial.told = dict(known.told)
        seen, sighting, places = self.placed(trial, known, recorded, own, packet, near, form)
        trial.observe(seen, sighting, side, places, fact, tell)

    def placed(
        self, trial: Observer, known: Known, recorded: list[Any], own: int, packet: Packet, near: Near, form: Form
    ) -> tuple[Packet, Sighting, Any]:
        """Has an observer know the first ``own`` of recorded numbers; a packet with the others, its message, and the
        last numbers of both ends."""
        given = recorded[own:]
        notes = self._filled(known, recorded[:own])
        half = self.program.notes
        trial.notes = (notes[:half], notes[half:])
        behind = len(given) - sum(each is not None for each in near)
        ends = iter(given[behind:])
        places: Any = tuple([None if each is None else next(ends) for each in near])
        fields: dict[str, Any] = {key: given[place] for key, place in form.seen}
        if self.timed and packet.time is not None:
            fields[CLOCK] = given[behind - 1]
        fields.update(zip(form.word_keys, form.words(packet.fields), strict=True))
        fields.update({key: 0 for key in packet.fields if key not in fields and key == COMPLETE})
        sighting = form.message(self.interpreter, given)
        time: Any = None if packet.time is None else UNUSED
        return packet._replace(number=UNUSED, time=time, fields=fields), sighting, places


def _taken(ways: Kind, numbers: Values, inputs: Values, lossless: Facts) -> tuple[Way, Any] | None:
    """The first of the ways that fits and what it gives; one that is used often moves towards the front."""
    for index, (way, fact) in enumerate(ways):
        if fact is not None and fact != lossless():
            continue
        found: tuple[Any, list[int]] | None = way.run(numbers, inputs)
        if found is not None:
            way.uses += 1
            if index and way.uses > ways[index - 1][0].uses:
                ways[index - 1], ways[index] = ways[index], ways[index - 1]
            return way, found
    return None


def _all(recorder: Recorder, numbers: Values, inputs: Values) -> list[Any]:
    return [recorder.number(index) for index in range(len(numbers) + len(inputs))]


def _yes() -> bool:
    return True


def certain(entry: tuple[Way, bool | None]) -> Way | None:
    """The way, if it asks nothing of the capture and nothing is told."""
    way, fact = entry
    return way if fact is None and way.target is not None and not way.about else None


def tellable(entry: tuple[Way, bool | None]) -> Way | None:
    """As ``certain``, or it is known what is told."""
    way, fact = entry
    return way if fact is None and way.target is not None and (not way.about or way.aside is not None) else None


def _named(form: Form, words: tuple[int, ...], side: int, known: tuple[bool, ...], at: Any) -> str:
    return repr((form.look, words, side, *known, at))


def _bounded(number: Number | int) -> bool:
    return isinstance(number, Number) or -_FAR < number < _FAR


def _limit(number: Number | int) -> int | None:
    return None if isinstance(number, Number) or -_FAR < number < _FAR else number
