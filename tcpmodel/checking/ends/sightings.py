"""From a packet in a reader's words to a message in a spec's words.

Owns: unwrapping sequence numbers of both ends, mapping flags and fields by the names that the spec gives, and writing a
message in the notation of the spec.
Must never hold: what a field means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum, Range, Seq
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.values import Interval
from tcpmodel.traces.records import FLAG_BITS, Packet

CONTROLS = 2
"""How many numbers a message can occupy besides what it carries."""

UNKNOWN, NUMBER = -1, -2
"""In a pattern of what is known of each field: nothing; a number."""

Reading = tuple[int, tuple[int, ...], list[int]]
"""The flags of a packet, what is known of each field (its value if it is a word), and the numbers that are known."""


class Numbers:
    """The two numberings of a connection, as integers that never wrap.

    ``near[side]`` is the last seen of a side, if only in the connection before; ``first[side]`` is the first one.
    """

    def __init__(self) -> None:
        self.near: list[int | None] = [None, None]
        self.first: list[int | None] = [None, None]

    def unwrap(self, side: int, number: int) -> int:
        """``number`` in the numbering of ``side`` (0 or 1), placed next to the numbers seen before."""
        near = self.near[side]
        return number if near is None else v.unwrap(number, near)

    def learn(self, side: int, number: int) -> None:
        """Remember the place of a number that was explained."""
        if self.first[side] is None:
            self.first[side] = number
        self.near[side] = number


class Interpreter:
    """Reads packets of one protocol as messages of the spec that judges it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.message: m.Message = program.spec.messages[0]
        bits = program.flag_bits[self.message.name]
        self._flags = [(FLAG_BITS[name], bits[name]) for name in self.message.flags if name in FLAG_BITS]
        self._by_bits: dict[int, int] = {}
        layout = program.layout
        self._fields: list[tuple[m.Field, int, str, int]] = []
        for item in self.message.fields:
            space = item.type.space if isinstance(item.type, Seq) else ""
            needed = bits.get(item.only_with or "", 0)
            self._fields.append((item, layout.fields[self.message.name, item.name], space, needed))
        self.sources = [
            (item.source, space, needed, not isinstance(item.type, Enum | Range))
            for item, _, space, needed in self._fields
        ]
        self.number_slot = next((slot for _, slot, space, _ in self._fields if space == "sender"), None)
        self.answer_slot = next((slot for _, slot, space, _ in self._fields if space == "receiver"), None)

    def flags(self, packet: Packet) -> int:
        """The spec's flag bits of a packet whose flags are known."""
        return self.spec_flags(packet.flags or 0)

    def spec_flags(self, seen: int) -> int:
        """The spec's flag bits for those of a header."""
        known = self._by_bits.get(seen)
        if known is None:
            known = sum(own for bit, own in self._flags if seen & bit)
            self._by_bits[seen] = known
        return known

    def reading(self, packet: Packet, side: int, near: Sequence[int | None]) -> Reading:
        """What the packet tells as a message that ``side`` sent; sequence numbers placed next to ``near``."""
        flags = self.flags(packet)
        pattern: list[int] = []
        numbers: list[int] = []
        fields = packet.fields
        for source, space, needed, symbolic in self.sources:
            number = fields.get(source)
            if number is None or (needed and not flags & needed):
                pattern.append(UNKNOWN)
            elif not symbolic:
                pattern.append(number)
            else:
                pattern.append(NUMBER)
                if space:
                    at = near[side if space == "sender" else 1 - side]
                    numbers.append(number if at is None else v.unwrap(number, at))
                numbers.append(number)
        return flags, tuple(pattern), numbers

    def message_of(self, flags: int, pattern: Sequence[int], numbers: Sequence[int]) -> Sighting:
        """The message of a reading."""
        fields: dict[str, Interval] = {}
        raw: dict[int, int] = {}
        left = iter(numbers)
        for (item, slot, space, _), known in zip(self._fields, pattern, strict=True):
            if known == UNKNOWN:
                continue
            number = known if known != NUMBER else next(left)
            fields[item.name] = (number, number)
            if space:
                raw[slot] = next(left)
        slots = dict(self.program.message_slots(self.message.name, flags, fields))
        return Sighting(self.message.name, flags, slots, raw)

    def sighting(self, packet: Packet, side: int, numbers: Numbers) -> Sighting:
        """The packet as a message that ``side`` sent."""
        return self.message_of(*self.reading(packet, side, numbers.near))

    def learn(self, sighting: Sighting, side: int, numbers: Numbers) -> None:
        """Remember where the numbers of an explained message lie."""
        for _, slot, space, _ in self._fields:
            known = sighting.slots[slot]
            if not space or known is None or known[0] != known[1]:
                continue
            whose = side if space == "sender" else 1 - side
            if space == "sender" or numbers.near[whose] is None:
                numbers.learn(whose, known[0])

    def carried(self, sighting: Sighting) -> int:
        """How much a message carries: the sum of the fields that have a default."""
        known = [sighting.slots[slot] for item, slot, _, _ in self._fields if item.default is not None]
        return sum(each[0] for each in known if each is not None and each[0] > 0)

    def numbered(self, sighting: Sighting) -> Interval | None:
        """The numbers that a message may occupy, from the first of them to behind the last; None if not known."""
        known = sighting.slots[self.number_slot] if self.number_slot is not None else None
        return None if known is None else (known[0], known[0] + self.carried(sighting) + CONTROLS)

    def skipped(self, sighting: Sighting, limits: Sequence[int]) -> Interval | None:
        """The numbers that a message has skipped whose sender had used those up to ``limits``; None if none."""
        known = sighting.slots[self.number_slot] if self.number_slot is not None else None
        below = [number for number in limits if known is not None and number <= known[0]]
        return (max(below), known[0]) if known is not None and below and max(below) < known[0] else None

    def without_answer(self, sighting: Sighting) -> Sighting:
        """The message, with nothing known of what its sender says about the numbers of the receiver."""
        slots = {slot: v.ANY if slot == self.answer_slot else known for slot, known in sighting.slots.items()}
        return replace(sighting, slots=slots)

    def measured(self, sighting: Sighting) -> bool:
        """Is it known how much the message carries?"""
        known = [sighting.slots[slot] for item, slot, _, _ in self._fields if item.default is not None]
        return all(each is not None and each[0] == each[1] for each in known)

    def behind(self, sighting: Sighting) -> int:
        """A number behind all that a message can occupy."""
        known = sighting.slots[self.number_slot] if self.number_slot is not None else None
        return v.INFINITY if known is None else known[1] + self.carried(sighting) + CONTROLS

    def relative(self, sighting: Sighting, side: int, numbers: Numbers) -> str:
        """As ``write``, with numbers counted from the first that was seen of their end."""
        moved = dict(sighting.slots)
        for _, slot, space, _ in self._fields:
            known = moved[slot]
            first = numbers.first[side if space == "sender" else 1 - side] if space else None
            if known is not None and space:
                moved[slot] = v.subtract(known, known if first is None else (first, first))
        return self.write(replace(sighting, slots=moved), modulus=0)

    def write(self, sighting: Sighting, modulus: int = v.MODULUS) -> str:
        """The message in the notation of the spec: ``<SEQ=100><CTL=SYN>``; numbers as they are for a modulus of 0."""
        parts: list[str] = []
        for item, slot, space, needed in self._fields:
            known = sighting.slots[slot]
            if known is None or known[0] != known[1] or (needed and not sighting.flags & needed):
                continue
            if item.default is not None and known[0] == item.default:
                continue
            number = known[0] % modulus if space and modulus else known[0]
            if space or item.default is not None or not self.message.flags:
                parts.append(f"<{item.name}={number}>")
        names = [n for n, bit in self.program.flag_bits[self.message.name].items() if sighting.flags & bit]
        if self.message.flags:
            parts.insert(sum(1 for p in self._fields if p[2]) or 0, f"<CTL={','.join(names) or 'none'}>")
        return "".join(parts)
