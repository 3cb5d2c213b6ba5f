"""How packets of one form are read: which numbers are taken from them, and in which order.

Owns: for packets that have the same fields and flags, the one way in which their numbers become inputs of what is
remembered (see ``memo`` and ``watchmemo``).
Must never hold: what a number means, or what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from tcpmodel.checking.observer import COMPLETE, WatchProgram
from tcpmodel.checking.sightings import NUMBER, UNKNOWN, Interpreter
from tcpmodel.model.types import Range
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


class Form:
    """Packets with these fields and flags.

    ``given`` takes their numbers. ``order`` has the places in it that ``Interpreter.message_of``
    wants beside ``pattern``, and ``seen`` (key, place) of what observers look at. ``words`` takes the values of which
    there are few; ``word_keys`` says which. ``look`` is equal for forms that an observer cannot tell apart.
    """

    __slots__ = ("_sequences", "_take", "flags", "look", "order", "pattern", "seen", "word_keys", "words")

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
        self._sequences = tuple(sequences)
        self._take = _taker(taken)
        self.words, self.word_keys = _taker(words), tuple(words)
        self.seen = tuple([(key, ahead + taken.index(key)) for key in looked])
        self.look = (seen, self.pattern, self.seen, self.word_keys, COMPLETE in fields)

    def given(self, fields: Mapping[str, int], mine: int | None, theirs: int | None) -> tuple[int, ...]:
        """The numbers of a packet: those of sequences placed next to the last ones of their end, then all as they are.

        ``mine`` and ``theirs``: the last number of the sender and of the receiver.
        """
        placed: list[int] = []
        for key, own in self._sequences:
            near = mine if own else theirs
            number = fields[key]
            placed.append(number if near is None else near + ((number - near + HALF & _MASK) - HALF))
        return (*placed, *self._take(fields))


class Forms:
    """The forms of one protocol, each made once."""

    def __init__(self, interpreter: Interpreter, watch: WatchProgram) -> None:
        self._interpreter = interpreter
        self._watch = watch
        self._forms: dict[tuple[object, ...], Form] = {}
        self._values = tuple([source for source, _, _, symbolic in interpreter.sources if not symbolic])

    def of(self, packet: Packet) -> Form:
        """The form of a packet whose flags are known."""
        fields = packet.fields
        key: tuple[object, ...] = (packet.flags, *fields)
        if self._values:
            key += tuple([fields.get(each) for each in self._values])
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= KEPT:
                self._forms.clear()
            form = self._forms[key] = Form(packet, self._interpreter, self._watch)
        return form
