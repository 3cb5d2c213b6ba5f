"""How packets of one form are read: which numbers are taken from them, and in which order.

Owns: for packets that have the same fields and flags, the one way in which their numbers become inputs of what is
remembered (see ``memo`` and ``watchmemo``).
Must never hold: what a number means, or what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from tcpmodel.checking.ends.observer import COMPLETE, WatchProgram
from tcpmodel.checking.ends.sightings import NUMBER, UNKNOWN, Interpreter
from tcpmodel.model.types import Range
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.values import HALF, MODULUS
from tcpmodel.traces.records import Packet

KEPT = 4096
"""How many forms are remembered; then they are found anew."""

FEW = 4
"""A range of so many values is a matter of kind, not of number."""

_MASK = MODULUS - 1

Near = tuple[int | None, int | None]


def _taker(keys: Sequence[str]) -> Callable[[Mapping[str, int]], tuple[int, ...]]:
    """A function that gives the values under these keys."""
    if not keys:
        return lambda _fields: ()
    if len(keys) == 1:
        key = keys[0]
        return lambda fields: (fields[key],)
    return itemgetter(*keys)


Given = Callable[[Mapping[str, int], int | None, int | None], tuple[int, ...]]
"""Gives the numbers of a packet: those of sequences placed next to the last ones of their end, then all as they are.
The arguments are the fields and the last number of the sender and of the receiver."""


def _given(sequences: Sequence[tuple[str, bool]], taken: Sequence[str]) -> Given:
    """What gives the numbers under ``taken``; ``sequences``: those of a numbering, and whether it is its own."""
    take = _taker(taken)
    if [own for _, own in sequences] == [True, False]:
        (first, _), (second, _) = sequences

        def both(fields: Mapping[str, int], mine: int | None, theirs: int | None) -> tuple[int, ...]:
            a, b = fields[first], fields[second]
            if mine is not None:
                a = mine + ((a - mine + HALF & _MASK) - HALF)
            if theirs is not None:
                b = theirs + ((b - theirs + HALF & _MASK) - HALF)
            return (a, b, *take(fields))

        return both

    def each(fields: Mapping[str, int], mine: int | None, theirs: int | None) -> tuple[int, ...]:
        placed: list[int] = []
        for key, own in sequences:
            near = mine if own else theirs
            number = fields[key]
            placed.append(number if near is None else near + ((number - near + HALF & _MASK) - HALF))
        return (*placed, *take(fields))

    return each


class Form:
    """Packets with these fields and flags.

    ``given`` takes their numbers: the ``sequences``, each of its own numbering or that of the other end, then those
    that are ``taken`` as they are. ``order`` has the places in it that ``Interpreter.message_of``
    wants beside ``pattern``, and ``seen`` (key, place) of what observers look at. ``words`` takes the values of which
    there are few; ``word_keys`` says which. ``look`` is equal for forms that an observer cannot tell apart. ``kinds``
    names the kinds of such packets: of side 0 and 1, and the same for a side that is seen in its order; ``looks`` is
    for the kinds of an observer.
    """

    __slots__ = (
        "flags",
        "given",
        "kinds",
        "look",
        "looks",
        "order",
        "pattern",
        "seen",
        "sequences",
        "taken",
        "word_keys",
        "words",
    )

    def __init__(self, packet: Packet, interpreter: Interpreter, watch: WatchProgram) -> None:
        fields, seen = packet.fields, packet.flags or 0
        self.flags = flags = interpreter.spec_flags(seen)
        pattern: list[int] = []
        sequences: list[tuple[str, bool]] = []
        taken: list[str] = []
        for source, space, needed, symbolic in interpreter.sources:
            if source not in fields or (needed and not flags & needed):
                pattern.append(UNKNOWN)
            elif not symbolic:
                pattern.append(fields[source])
            else:
                pattern.append(NUMBER)
                taken.append(source)
                if space:
                    sequences.append((source, space == "sender"))
        self.pattern = tuple(pattern)
        ahead = len(sequences)
        self.order: list[int] = []
        for place, source in enumerate(taken):
            self.order += [at for at, (key, _) in enumerate(sequences) if key == source]
            self.order.append(ahead + place)
        words: list[str] = []
        looked: list[str] = []
        for _, key, type_ in watch.looked_at:
            if key in fields:
                few = isinstance(type_, Range) and type_.high - type_.low < FEW
                (words if few else looked).append(key)
        taken += [key for key in dict.fromkeys(looked) if key not in taken]
        self.given = _given(sequences, taken)
        self.sequences, self.taken = sequences, taken
        self.words, self.word_keys = _taker(words), tuple(words)
        self.seen = tuple([(key, ahead + taken.index(key)) for key in looked])
        self.look = (seen, self.pattern, self.seen, self.word_keys, COMPLETE in fields)
        self.kinds = tuple([repr((side, flags, self.pattern, order)) for order in (False, True) for side in (0, 1)])
        self.looks: dict[int | tuple[int, tuple[int, ...]], str] = {}

    def message(self, interpreter: Interpreter, given: Sequence[Any]) -> Sighting:
        """The message of a packet of this form that has the numbers ``given``."""
        return interpreter.message_of(self.flags, self.pattern, [given[place] for place in self.order])


class _Few:
    """Forms that differ in words only, which ``take`` takes."""

    __slots__ = ("_forms", "_take")

    def __init__(self, take: Callable[[Mapping[str, int]], tuple[int, ...]]) -> None:
        self._take = take
        self._forms: dict[tuple[int, ...], Form] = {}

    def of(self, packet: Packet, interpreter: Interpreter, watch: WatchProgram) -> Form:
        """That of this packet."""
        words = self._take(packet.fields)
        form = self._forms.get(words)
        if form is None:
            if len(self._forms) >= KEPT:
                self._forms.clear()
            form = self._forms[words] = Form(packet, interpreter, watch)
        return form


class Forms:
    """The forms of one protocol, each made once."""

    def __init__(self, interpreter: Interpreter, watch: WatchProgram) -> None:
        self._interpreter = interpreter
        self._watch = watch
        self._forms: dict[tuple[object, ...], Form | _Few] = {}
        self._values = [source for source, _, _, symbolic in interpreter.sources if not symbolic]

    def few(self, packet: Packet) -> list[str]:
        """The fields whose values tell forms of packets with such fields apart."""
        return [each for each in self._values if each in packet.fields]

    def of(self, packet: Packet) -> Form:
        """The form of a packet whose flags are known."""
        fields = packet.fields
        key = (packet.flags, *fields)
        form = self._forms.get(key)
        if isinstance(form, Form):
            return form
        if form is None:
            if len(self._forms) >= KEPT:
                self._forms.clear()
            values = self.few(packet)
            if not values:
                form = self._forms[key] = Form(packet, self._interpreter, self._watch)
                return form
            few = self._forms[key] = _Few(_taker(values))
        else:
            few = form
        return few.of(packet, self._interpreter, self._watch)
