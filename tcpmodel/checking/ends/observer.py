"""What one who watches both directions of a connection notes, and which rules over messages are broken.

Owns: the notes of both directions, when a rule that needs later messages is decided, and how often it is told.
Must never hold: the condition of any rule (those stand in the spec), or how endpoints are followed (see ``endpoint``).

A rule is broken only when that is certain: ``forbid`` holds, no ``except`` may hold, everything in ``needs`` is known,
and, if it has ``once``, that holds afterwards too. What is not known leaves a rule undecided, and undecided is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tcpmodel.checking.ends.diagnosis import requirements
from tcpmodel.checking.outcome.findings import SEVERITY_OF, Diagnostic
from tcpmodel.model import spec as m
from tcpmodel.model.types import Seq
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.expressions import Environment
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.values import FALSE, OPEN, TRUE, Interval
from tcpmodel.semantics.watching import CompiledObservation, CompiledWatch, Watch
from tcpmodel.traces.records import FLAG_BITS, WORKED_OUT, Packet

PATIENCE = 64
"""How many later messages of the connection a rule waits for what it wants to see once."""

WAITING = 16
"""How many rules wait at a time for one connection."""

TOLD = 4
"""How often one rule is told of one direction; what is merely unusual is told once."""

COMPLETE = "option_octets"
"""The key by which readers say that they have looked at everything optional."""

BETWEEN = "between"
"""Where a packet was seen that was captured between the two hosts, and at neither of them."""

CLOCK = "time"
"""The key under which a message has its own time."""

_NO_SIGHTING = Sighting("", 0, {}, {})

Facts = Callable[[], bool]
Tell = Callable[[Diagnostic, Sighting], None]


@dataclass(slots=True)
class Doubt:
    """A rule that is broken if later messages say so."""

    watch: Watch
    rule: CompiledWatch
    side: int
    environment: Environment
    left: int
    tell: Callable[[], None]


class WatchProgram:
    """What is the same for all connections: the compiled rules, and how packets of one shape look to them."""

    def __init__(self, program: Program, message: str = "") -> None:
        """``message``: the one that is observed, "" for the first of the spec. ``told`` has the programs of others."""
        watch = self.watch = Watch(program.spec, program.profiles, message)
        self.told: dict[str, WatchProgram] = (
            {} if message else {one.source: WatchProgram(program, one.name) for one in program.spec.told}
        )
        self.idle: bool = not watch.rules and all(other.idle for other in self.told.values())
        known = {item: slot for (of, item), slot in program.layout.fields.items() if of == watch.message}
        self.fields = [(slot, known[item]) for item, slot in watch.fields.items() if item in known]
        self.seen = [
            (slot, key, optional, full, type_.space if isinstance(type_, Seq) else "")
            for slot, key, optional, full, type_ in watch.seen
        ]
        self.looked_at = [(slot, key, type_) for slot, key, _, _, type_ in watch.seen]
        self.notes = len(watch.unknown)
        self.fresh = watch.fresh()
        self._templates: dict[int, Environment] = {}
        self._possible: dict[tuple[int, int], tuple[list[CompiledWatch], list[CompiledObservation]]] = {}

    def template(self, flags: int) -> Environment:
        """An environment that holds the flags of a message and nothing else."""
        template = self._templates.get(flags)
        if template is None:
            template = [None] * self.watch.size
            for name, slot in self.watch.flags.items():
                bit = FLAG_BITS.get(name)
                template[slot] = v.MAYBE if bit is None else (v.YES if flags & bit else v.NO)
            self._templates[flags] = template
        return template

    def possible(
        self, flags: int, shape: int, environment: Environment
    ) -> tuple[list[CompiledWatch], list[CompiledObservation]]:
        """What matters for messages with these flags, and of this shape: which seen fields are there."""
        key = (flags, shape)
        found = self._possible.get(key)
        if found is None:
            found = self._possible[key] = self.watch.possible(environment)
        return found


class Observer:
    """``observe`` takes each packet of a connection once, in the order in which it was seen.

    ``light``: the notes as ``watchmemo`` keeps them; while it is there, ``notes`` may be old. ``began``: has it seen
    anything? What ``observe`` consults of an observer beside ``notes``, ``told`` and ``doubts`` has to become part of
    their shape there.
    """

    def __init__(self, program: WatchProgram) -> None:
        self.program = program
        self.notes: tuple[list[Interval | None], list[Interval | None]] = (list(program.fresh), list(program.fresh))
        self.doubts: list[Doubt] = []
        self.told: dict[tuple[str, int], int] = {}
        self.light: Any = None
        self.began = False

    def inherit(self, before: tuple[Sequence[Interval | None], Sequence[Interval | None]]) -> None:
        """Take over, as the spec says, from notes of both directions in the connection before."""
        for mine, theirs in zip(self.notes, before, strict=True):
            for to, of in self.program.watch.inherited:
                mine[to] = theirs[of]
        self.began = True

    def observe(
        self,
        packet: Packet,
        sighting: Sighting,
        side: int,
        near: tuple[int | None, int | None],
        lossless: Facts,
        tell: Tell,
    ) -> None:
        """Judge one packet that ``side`` sent, and note what it shows.

        ``near``: the last number seen of the sender and of the receiver. ``lossless`` answers whether nothing is known
        to be missing. ``tell`` takes the findings, at once or when later packets decide.
        """
        self.began = True
        program = self.program
        environment = list(program.template(packet.flags or 0))
        slots = sighting.slots
        for mine, theirs in program.fields:
            environment[mine] = slots[theirs]
        self._judge(program, environment, packet, sighting, side, near, lossless, tell)

    def told_of(
        self, rules: Sequence[int], packet: Packet, sighting: Sighting, side: int, near: tuple[int | None, int | None]
    ) -> list[Diagnostic]:
        """What is told of rules (by their places in the program) that a packet breaks which is not noted yet."""
        program, watch = self.program, self.program.watch
        environment = list(program.template(packet.flags or 0))
        slots = sighting.slots
        for mine, theirs in program.fields:
            environment[mine] = slots[theirs]
        _look(program, packet, environment, near)
        environment[watch.own : watch.own + program.notes] = self.notes[side]
        environment[watch.peer : watch.peer + program.notes] = self.notes[1 - side]
        return [self.finding(watch.rules[rule].source, watch, environment) for rule in rules]

    def hear(
        self, packet: Packet, side: int, near: tuple[int | None, int | None], lossless: Facts, tell: Tell
    ) -> list[str]:
        """Judge a packet of another protocol that tells something about one that ``side`` sent.

        The other arguments are those of ``observe``. Returns the notices that ``side`` may have had by it.
        """
        program = self.program.told.get(packet.protocol)
        if program is None:
            return []
        environment = list(program.template(packet.flags or 0))
        return self._judge(program, environment, packet, _NO_SIGHTING, side, near, lossless, tell)

    def _judge(
        self,
        program: WatchProgram,
        environment: Environment,
        packet: Packet,
        sighting: Sighting,
        side: int,
        near: tuple[int | None, int | None],
        lossless: Facts,
        tell: Tell,
    ) -> list[str]:
        shape = _look(program, packet, environment, near)
        notices: list[str] = []
        watch, count = program.watch, program.notes
        own, peer = self.notes[side], self.notes[1 - side]
        environment[watch.own : watch.own + count] = own
        environment[watch.peer : watch.peer + count] = peer
        rules, observations = program.possible(packet.flags or 0, shape, environment)
        for rule in rules:
            if rule.forbid.test(environment) == TRUE:
                self._broken(program.watch, rule, environment, packet, sighting, side, lossless, tell)
        for one in observations:
            answer = TRUE if one.when is None else one.when.test(environment)
            if answer != FALSE:
                _note(one, environment, answer == OPEN)
                if one.notices:
                    notices += one.notices
        own[:] = environment[watch.own : watch.own + count]
        if self.doubts:
            self.settle(lossless)
        return notices

    def _broken(
        self,
        watch: Watch,
        rule: CompiledWatch,
        environment: Environment,
        packet: Packet,
        sighting: Sighting,
        side: int,
        lossless: Facts,
        tell: Tell,
    ) -> None:
        if any(each.test(environment) != FALSE for each in rule.excepts):
            return
        if any(each.test(environment) != TRUE for each in rule.needs) or not _known(rule, packet, lossless):
            return
        if self.told.get((rule.source.id, side), 0) >= (1 if rule.source.severity in ("unusual", "capture") else TOLD):
            return

        before = list(environment)

        def say() -> None:
            key = (rule.source.id, side)
            self.told[key] = self.told.get(key, 0) + 1
            tell(self.finding(rule.source, watch, before), sighting)

        if rule.once is None and rule.lapses is None:
            say()
        elif len(self.doubts) < WAITING:
            self.doubts.append(Doubt(watch, rule, side, before, PATIENCE, say))

    def finding(self, rule: m.PacketRule, watch: Watch, environment: Environment) -> Diagnostic:
        """What is told of a broken rule."""
        return _finding(rule, watch, environment)

    def settle(self, lossless: Facts) -> None:
        """Ask the rules that wait again."""
        count = self.program.notes
        kept: list[Doubt] = []
        for doubt in self.doubts:
            environment, watch = doubt.environment, doubt.watch
            environment[watch.own_later : watch.own_later + count] = self.notes[doubt.side]
            environment[watch.peer_later : watch.peer_later + count] = self.notes[1 - doubt.side]
            rule = doubt.rule
            if rule.lapses is not None and rule.lapses.test(environment) != FALSE:
                continue
            doubt.left -= 1
            if rule.once is not None and rule.once.test(environment) == TRUE:
                if "lossless" not in rule.facts or lossless():
                    doubt.tell()
            elif doubt.left > 0:
                kept.append(doubt)
            elif rule.once is None:
                doubt.tell()
        self.doubts = kept

    def close(self, lossless: Facts) -> None:
        """Nothing more comes: what only waited for a contradiction is told."""
        for doubt in self.doubts:
            if doubt.rule.once is None and ("lossless" not in doubt.rule.facts or lossless()):
                doubt.tell()
        self.doubts = []


def _look(program: WatchProgram, packet: Packet, environment: Environment, near: tuple[int | None, int | None]) -> int:
    """Fill in what only observers see; the result tells which of it is there."""
    fields = packet.fields
    complete = COMPLETE in fields
    shape = 1
    for slot, key, optional, full, space in program.seen:
        number = fields.get(key)
        if number is None and key == CLOCK and packet.time is not None:
            number = packet.time // 1000
        if number is not None:
            if space:
                base = near[0] if space == "sender" else near[1]
                number = number if base is None else v.unwrap(number, base)
            environment[slot] = (number, number)
            shape = shape * 3 + 1
        elif optional and (complete or key in WORKED_OUT):
            shape *= 3
        else:
            environment[slot] = full
            shape = shape * 3 + 2
    return shape


def _note(one: CompiledObservation, environment: Environment, perhaps: bool) -> None:
    """Write down what a message shows; ``perhaps``: it may show something else."""
    for slot, evaluate, fixed in one.jottings:
        new = fixed if evaluate is None else evaluate(environment)
        environment[slot] = v.join(environment[slot], new) if perhaps else new


def _known(rule: CompiledWatch, packet: Packet, lossless: Facts) -> bool:
    """Whether all is known of the capture that the rule needs."""
    for fact in rule.facts:
        if fact == "lossless":
            known = lossless()
        elif fact == "clock":
            known = packet.time is not None
        elif fact == "sender":
            known = packet.at == packet.source
        elif fact == "receiver":
            known = packet.at == packet.destination
        elif fact == "between":
            known = packet.at == BETWEEN
        else:
            known = False
        if not known:
            return False
    return True


def _finding(rule: m.PacketRule, watch: Watch, environment: Environment) -> Diagnostic:
    """What is told of a broken rule. What the path may have done is no violation of an endpoint."""
    severity = SEVERITY_OF[rule.severity]
    if severity == "violation" and rule.blames in ("path", "capture"):
        severity = "warning"
    finding = Diagnostic(rule.id, severity, "", 0, False, rule.title, tuple(str(cite) for cite in rule.cites))
    finding.values = watch.values(rule.forbid, environment)
    finding.requirements = requirements(watch.spec, rule.id, rule.cites)
    return finding
