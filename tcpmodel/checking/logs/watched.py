"""What observers on the way tell of a connection, held against the packets of a capture.

Owns: whether the packets that a capture shows can have moved an observer as its log says, and whether what it counted
is what the capture shows.
Must never hold: how an observer works (its spec says that), or the words of its log.

An observer stands elsewhere than the capture was made, so either may have seen packets that the other did not. What
only one of them shows is a packet that is missing, and no mistake of an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tcpmodel.checking.ends.configurations import Abilities, Configurations, Reception
from tcpmodel.checking.ends.sightings import Interpreter, Numbers
from tcpmodel.checking.logs.state_words import Words
from tcpmodel.checking.logs.telling import Line
from tcpmodel.checking.outcome.findings import CONFORMS, ConnectionReport, Diagnostic
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.program import Program
from tcpmodel.traces.records import FLAG_BITS, OCTETS, PACKETS, SENDER, TOLD, WITH, WITHOUT, Event, Packet, StateRecord

MODULUS = 1 << 32

LONGEST = 1 << 30
"""Two numbers of one end that are farther apart are not compared."""


@dataclass(slots=True)
class Watched:
    """``missing``: the observer saw what the capture does not show. ``differs``: they did not see the same."""

    findings: list[Diagnostic] = field(default_factory=list)
    missing: bool = False
    differs: bool = False


class Watchers:
    """The observers of one protocol of observers, as its spec says."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._machine: tuple[Abilities, Interpreter] | None = None
        self._words: dict[str, Words] = {}

    def compare(
        self, packets: Sequence[Packet], lines: Sequence[Line], main: ConnectionReport, one: ConnectionReport
    ) -> Watched:
        """What ``one``, of which ``lines`` tell, does not have in common with the packets of ``main``.

        ``packets`` bear the addresses that the lines have.
        """
        if not packets or not lines or any(packet.flags is None for packet in packets):
            return Watched()
        if self.spec.messages:
            return self._followed(packets, [line for line in lines if isinstance(line, StateRecord)], one)
        return _recounted(packets, [line for line in lines if isinstance(line, Event)], main, one)

    def _followed(self, packets: Sequence[Packet], lines: Sequence[StateRecord], one: ConnectionReport) -> Watched:
        """Can these packets, in whatever order and however often, have led to what the lines tell?"""
        found = Watched()
        if self._machine is None:
            abilities = Abilities(Program(self.spec, {}))
            self._machine = abilities, Interpreter(abilities.program)
        abilities, interpreter = self._machine
        names = abilities.program.states
        received = list(_receptions(interpreter, packets, one.a))
        now: Configurations | None = None
        was = ""
        for line in lines:
            name = self._state(line, names)
            if name is None:
                return found
            if now is None:
                known = abilities.universe() if line.new else abilities.fresh()
                now = {key: c for key, c in known.items() if names[c.state] == name}
                was = name
                continue
            closed = abilities.close(now, received, unseen=True)
            now = {key: c for key, c in closed.items() if names[c.state] == name}
            if not now:
                words = f"{was} -> {name}: only a packet that the capture does not show leads an observer there"
                found.findings.append(_fault(one, line, words))
                found.missing = True
                return found
            was = name
        return found

    def _state(self, line: StateRecord, names: Sequence[str]) -> str | None:
        if not line.new:
            return names[self._machine[0].program.initial] if self._machine else None
        for source in self.spec.sources:
            if source.name not in self._words:
                self._words[source.name] = Words(source, names)
            name = self._words[source.name].state(line.new)
            if name is not None:
                return name
        return None


def _receptions(interpreter: Interpreter, packets: Iterable[Packet], local: str) -> Iterable[Reception]:
    """The classes of these packets, as messages that an observer sees; ``local`` is the end that its lines call so."""
    known: set[tuple[object, ...]] = set()
    numbers = Numbers()
    for packet in packets:
        side = int(packet.source != local)
        sighting = interpreter.sighting(packet._replace(fields={**packet.fields, SENDER: side}), side, numbers)
        slots = tuple(sighting.slots.items())
        key = (sighting.message, sighting.flags, slots)
        if key not in known:
            known.add(key)
            yield Reception(("message", sighting.message), sighting.flags, slots)


def _recounted(
    packets: Sequence[Packet], events: Sequence[Event], main: ConnectionReport, one: ConnectionReport
) -> Watched:
    """Does an observer tell of the packets that the capture shows, and of no others?"""
    found = Watched()
    told = [0, 0]
    for event in events:
        sender, wanted, unwanted = (event.values.get(key) for key in (SENDER, WITH, WITHOUT))
        if not isinstance(sender, int) or not isinstance(wanted, int) or not isinstance(unwanted, int):
            continue
        told[sender & 1] |= wanted
        mine = (packet.flags or 0 for packet in packets if (packet.source != one.a) == bool(sender))
        if not any(flags & wanted == wanted and not flags & unwanted for flags in mine):
            end = one.b if sender else one.a
            found.findings.append(_fault(one, event, f"{event.name}: the capture shows no such packet of {end}"))
            found.missing = True
    for event in events:
        if not found.missing and TOLD in event.values:
            _counted(found, packets, event, told, main, one)
    return found


def _counted(
    found: Watched,
    packets: Sequence[Packet],
    event: Event,
    told: Sequence[int],
    main: ConnectionReport,
    one: ConnectionReport,
) -> None:
    """What is in the capture and the observer does not tell of; then how much it counted."""
    mask = event.values[TOLD]
    for side, end in enumerate((one.a, one.b)):
        mine = [packet for packet in packets if packet.source == end]
        seen = 0
        for packet in mine:
            seen |= packet.flags or 0
        silent = seen & mask & ~told[side] if isinstance(mask, int) else 0
        names = [name for name, bit in FLAG_BITS.items() if silent & bit]
        words: list[str] = []
        if names:
            words.append(f"nothing is told of packets with {', '.join(names)} of {end}, which the capture shows")
        octets, count = event.values.get(f"{OCTETS}{side}"), event.values.get(f"{PACKETS}{side}")
        text = _text(mine)
        if not names and main.verdict == CONFORMS and isinstance(octets, int) and text is not None and octets != text:
            words.append(f"counts {octets:,} octets of {end}, and the capture shows {text:,}")
        for each in words:
            found.differs = True
            found.findings.append(_at(one, event, "VIEW-002", "warning", each))
        if not words and isinstance(count, int) and count != len(mine):
            text_of = (
                f"counts {count:,} packets of {end}, and the capture shows {len(mine):,}: one of the two lost some"
            )
            found.findings.append(_fault(one, event, text_of))


def _text(packets: Sequence[Packet]) -> int | None:
    """How many octets of text packets of one end carry, each number once; None if that is not certain.

    What has no numbers is counted whole. The number of a first packet without text is none of the text.
    """
    if any("length" not in packet.fields for packet in packets):
        return None
    if not any("seq" in packet.fields for packet in packets):
        return sum(packet.fields["length"] for packet in packets)
    first = packets[0]
    if "seq" not in first.fields or first.fields["length"]:
        return None
    start = first.fields["seq"]
    pieces: list[tuple[int, int]] = []
    for packet in packets:
        if packet.fields["length"]:
            if "seq" not in packet.fields:
                return None
            at = (packet.fields["seq"] - start) % MODULUS
            if at > LONGEST:
                return None
            pieces.append((max(at, 1), at + packet.fields["length"]))
    total = 0
    end = 1
    for low, high in sorted(pieces):
        total += max(high - max(low, end), 0)
        end = max(end, high)
    return total


def _fault(one: ConnectionReport, line: Line, words: str) -> Diagnostic:
    return _at(one, line, "CAP-006", "capture", words)


def _at(one: ConnectionReport, line: Line, code: str, severity: str, words: str) -> Diagnostic:
    return Diagnostic(code, severity, one.a, line.number, True, words, (), line.time, input=one.input)
