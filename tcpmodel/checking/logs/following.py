"""Following packets and logs of one connection together.

Owns: running a connection whose ends have logs, checking that each line of a log can be true where it stands, and what
is found when it cannot.
Must never hold: which packets and lines belong together (see ``joining``), what the lines mean (``telling``), or how a
configuration and a log agree (``logged``).

Where packets and lines were written by one host, their order counts, but not to the letter: whether a change of state
is logged before or after the message that goes with it is up to who wrote the log. So the lines are taken in blocks,
each of which begins with something that came from outside: a message received, a timer, a notice. A call may be logged
when it returns: then what it did stands before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tcpmodel.checking.connection import Connection, NewConnection
from tcpmodel.checking.ends.configurations import Abilities, Configurations
from tcpmodel.checking.ends.endpoint import Endpoint, Explanation
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.logs.logged import Entry, Log, LoggedAbilities
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.semantics.execution import Run
from tcpmodel.traces.records import Packet

AHEAD = 1
"""So many messages received later may have led to what is logged before them."""

MOST_TOLD = 8
"""So many lines of a log are quoted."""


_LOST = (Explanation.UNSEEN_SENT, Explanation.UNSEEN_RECEIVED)


@dataclass(slots=True)
class Job:
    """Packets between ``addresses``, in their order, and the logs of the two ends.

    ``host``: the side that wrote its log and its packets into one trace, so that their numbers tell the order.
    ``hears``: the packets show what this side received; else it may have received anything.
    """

    addresses: tuple[str, str]
    packets: Sequence[Packet]
    logs: tuple[Log | None, Log | None]
    host: int | None = None
    hears: bool = True


@dataclass(slots=True)
class Found:
    """What the views say together and none says alone. ``lost``: something was received that no view shows."""

    findings: list[Diagnostic] = field(default_factory=list)
    lost: bool = False
    states: tuple[str, ...] = ()


class Follower:
    """Follows jobs under one program, which has a position in a log (see ``logged.with_position``)."""

    def __init__(self, abilities: Abilities) -> None:
        self.abilities = abilities
        self.interpreter = Interpreter(abilities.program)

    def follow(self, job: Job) -> Found:
        """Everything that is found, in the order of the packets and lines."""
        return _Course(self, job).run()


class _Course:
    def __init__(self, follower: Follower, job: Job) -> None:
        self.follower = follower
        self.job = job
        self.found = Found()
        self.plain = self._connection(None)
        self.joint = self._connection(job.logs)
        self.known = 0
        self.at = 0
        self.broken = False

    def _connection(self, logs: tuple[Log | None, Log | None] | None) -> Connection:
        base, (a, b) = self.follower.abilities, self.job.addresses
        connection = Connection(0, base, self.follower.interpreter, None, a, b, False)
        ends = []
        for address, log in zip((a, b), logs or (None, None), strict=True):
            ends.append(Endpoint(LoggedAbilities(base, log) if log is not None else base, address))
        connection.ends = (ends[0], ends[1])
        return connection

    # ------------------------------------------------------------------------------------------------------- order

    def run(self) -> Found:
        job = self.job
        log = job.logs[job.host] if job.host is not None else None
        order = _Order(log, job) if log is not None else None
        marks = list(order.marks) if order is not None else []
        for self.at, packet in enumerate(job.packets):
            while marks and marks[0][0] <= packet.number and not self.broken:
                self._check(marks.pop(0)[1])
            if self.broken or not self._packet(packet, order):
                return self.found
        self.at = len(job.packets)
        for _, position in marks:
            if not self.broken:
                self._check(position)
        if not self.broken:
            self._end()
        return self.found

    def _packet(self, packet: Packet, order: _Order | None) -> bool:
        """Have both connections take a packet; False when nothing more can be said."""
        job = self.job
        side = 0 if packet.source == job.addresses[0] else 1
        if packet.flags is None:
            return False
        try:
            self.plain.observe(packet, side)
            self._bound(side, packet, order)
            self.joint.observe(packet, side)
        except NewConnection:
            return False
        if self._packet_finding() or self.plain.last is Explanation.NONE:
            return False
        told = job.logs[side] is not None
        if told and self.plain.last is Explanation.BEHAVIOUR and self.joint.last in _LOST and not self.found.lost:
            self.found.lost = True
            words = "after what is logged, only packets that are not shown explain this one"
            address = job.addresses[side]
            own = job.host is not None
            note = Diagnostic("CAP-006", "capture", address, packet.number, own, words, (), packet.time)
            self.found.findings.append(note)
        return True

    def _bound(self, side: int, packet: Packet, order: _Order | None) -> None:
        abilities = self.joint.ends[side].abilities
        if not isinstance(abilities, LoggedAbilities):
            return
        abilities.least, abilities.most = 0, abilities.total
        here = packet.at == self.job.addresses[side]
        if order is not None and side == self.job.host and here and self.plain.last is Explanation.BEHAVIOUR:
            abilities.least, abilities.most = order.bounds(packet.number)

    def _packet_finding(self) -> bool:
        known = {(item.place, item.code) for item in self.plain.diagnostics}
        for item in self.joint.diagnostics[self.known :]:
            self.known += 1
            if item.severity == "violation" and (item.place, item.code) not in known:
                self.found.findings.append(self._at_packet(item))
                return True
        return False

    def _end(self) -> None:
        """What was assumed of lost packets comes out at the end."""
        for connection in (self.plain, self.joint):
            connection.report()
        host = self.job.host
        if host is not None:
            self.found.lost = self.found.lost or self.joint.assumed.lost > self.plain.assumed.lost
            end = self.joint.ends[host]
            assert isinstance(end.abilities, LoggedAbilities)
            last = self._reached(end.abilities, self._everything(end), end.abilities.total)
            self.found.states = tuple(end.abilities.likely_states(last))
            return
        for end in self.joint.ends:
            if isinstance(end.abilities, LoggedAbilities) and not self.found.lost:
                self._goes_on(end, end.abilities)

    def _goes_on(self, end: Endpoint, abilities: LoggedAbilities) -> None:
        """Does the log tell of more than the packets, and what the end may do on its own, can lead to?"""
        now = self._everything(end)
        if self._reached(abilities, now, abilities.total):
            return
        self.found.lost = True
        entry = abilities.log.entries[_highest(abilities, now)]
        words = f"line {entry.place} of its log, {entry.words}: only a packet that is not shown leads there"
        last = self.job.packets[-1].number if self.job.packets else 0
        self.found.findings.append(Diagnostic("CAP-006", "capture", end.address, last, False, words, (), None))

    # ------------------------------------------------------------------------------------------------------- lines

    def _check(self, position: int) -> None:
        """Can the host be so far along its log by now?"""
        host = self.job.host
        assert host is not None  # there are marks only for a host
        end = self.joint.ends[host]
        abilities = end.abilities
        assert isinstance(abilities, LoggedAbilities)
        if not self.job.hears:
            if self._settled(end, self._reached(abilities, self._everything(end, unheard=True), position)):
                return
        elif any(self._reached(abilities, how(), position) for how in (end.closed, lambda: self._everything(end))):
            return
        if not end.sent and abilities.log.before is None and end.from_start:
            end.now = abilities.universe()
            end.ever = dict(end.now)
            end.from_start = False
            end.forget()
            if self._reached(abilities, self._everything(end), position):
                return
        now = self._everything(end)
        if self._overtaken(end, position):
            return
        if self.job.hears and self._settled(
            end, self._reached(abilities, self._everything(end, unheard=True), position)
        ):
            self.found.lost = True
            entry = abilities.log.entries[min(_highest(abilities, now), position - 1)]
            words = f"{entry.words}: only something that it received and that is not shown leads there"
            self.found.findings.append(
                Diagnostic("CAP-006", "capture", end.address, entry.place, True, words, (), entry.time)
            )
            return
        self.found.findings.append(self._at_line(end, abilities, now))
        self.broken = True

    def _overtaken(self, end: Endpoint, position: int) -> bool:
        """Does what is received next lead there? Then lines were swapped."""
        assert self.job.host is not None
        trial = end.copy()
        abilities = trial.abilities
        assert isinstance(abilities, LoggedAbilities)
        ahead = [
            packet
            for packet in self.job.packets[self.at :]
            if packet.source != end.address and packet.flags is not None
        ]
        for packet in ahead[:AHEAD]:
            trial.receive(self.follower.interpreter.sighting(packet, 1 - self.job.host, self.joint.numbers))
            reached = self._reached(abilities, self._everything(trial), position)
            if reached:
                line = abilities.log.entries[position - 1].place
                words = f"what was received in line {packet.number} is logged later than what it led to"
                self.found.findings.append(
                    Diagnostic("CAP-009", "capture", end.address, line, True, words, (), packet.time)
                )
                end.now = {**end.now, **reached}
                end.forget()
                return True
        return False

    def _everything(self, end: Endpoint, *, unheard: bool = False) -> Configurations:
        """Where the end may be, also if messages that it sent, or ``unheard`` ones that it received, are not shown."""
        abilities = end.abilities
        receptions = abilities.anything() if unheard else end.receptions()
        # That a new life begins would be seen, if anything is.
        return abilities.close(end.now, receptions, unseen=True, anew=not (unheard and self.job.hears))

    def _reached(self, abilities: LoggedAbilities, closed: Configurations, position: int) -> Configurations:
        return {key: c for key, c in closed.items() if (c.values[abilities.slot] or (0, 0))[1] >= position}

    def _settled(self, end: Endpoint, reached: Configurations) -> bool:
        """Take what leads there for what is; False if nothing does."""
        if reached:
            end.now = {**end.now, **reached}
            end.forget()
        return bool(reached)

    # ---------------------------------------------------------------------------------------------------- findings

    def _at_packet(self, item: Diagnostic) -> Diagnostic:
        side = self.job.addresses.index(item.endpoint)
        log = self.job.logs[side]
        if self.job.host is None or log is None:
            return replace(
                item,
                code="VIEW-001",
                in_lines=False,
                cites=(),
                requirements=(),
                allowed=(),
                values=(),
                compared=(),
                candidates=(),
                elsewhere=(),
                excuse=f"each view has an explanation, but none has both; logged are {told(log)}",
            )
        before = [entry for entry in log.entries if entry.place < item.place]
        quoted = ", ".join(_quoted(entry) for entry in before[-MOST_TOLD:]) or "nothing"
        return replace(
            item,
            code="VIEW-001",
            in_lines=True,
            message="sends what the spec does not allow after what is logged",
            excuse=f"without the log, the packet has an explanation; logged before it: {quoted}",
        )

    def _at_line(self, end: Endpoint, abilities: LoggedAbilities, now: Configurations) -> Diagnostic:
        """The first line that nothing leads to."""
        furthest = _highest(abilities, now)
        entry = abilities.log.entries[furthest]
        there = self._reached(abilities, now, furthest)
        names = abilities.likely_states(there)
        spec = abilities.program.spec
        allowed, cites = self._ways(end, abilities, there)
        heard = "" if self.job.hears else ", whatever it received"
        return Diagnostic(
            f"{spec.name.upper()}-{entry.kind.upper() or 'TRANSITION'}",
            "violation",
            end.address,
            entry.place,
            True,
            f"logs what cannot be there: nothing that was logged, sent or received before leads to it{heard}",
            cites,
            entry.time,
            observed=entry.words,
            states=tuple(names),
            allowed=allowed,
            excuse="no message that the log may have left out explains it",
        )

    def _ways(
        self, end: Endpoint, abilities: LoggedAbilities, there: Configurations
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What would have led from there to another state, with the clauses of the rules."""
        program = abilities.program
        ways: dict[str, dict[str, None]] = {}
        cites: dict[str, None] = {}
        hidden = {event for c in there.values() for event in abilities.hidden[c.state]}
        for configuration in there.values():
            steps = [(event, None, ()) for event in hidden if program.rules_for(configuration.state, event)]
            for event, flags, slots in (*steps, *end.receptions()):
                run = Run(program, event, unseen=True, flags=flags)
                for outcome in run.start(configuration.state, configuration.values, slots):
                    if outcome.state != configuration.state and outcome.rules:
                        rule = outcome.rules[-1].source
                        old, new = program.states[configuration.state], program.states[outcome.state]
                        clause = ", ".join(str(cite) for cite in rule.cites)
                        ways.setdefault(f"{old} -> {new}", {})[f"{outcome.rules[0].source.event} [{clause}]"] = None
                        cites.update(dict.fromkeys(str(cite) for cite in rule.cites))
        told = tuple(f"{way}: {'; '.join(list(events)[:3])}" for way, events in ways.items())
        return told[:6], tuple(cites)[:2]


class _Order:
    """Where the lines of the log stand among the packets of its host."""

    def __init__(self, log: Log, job: Job) -> None:
        assert job.host is not None
        here = job.addresses[job.host]
        self.places = [entry.place for entry in log.entries]
        ends = {entry.place for entry in log.entries if entry.kind not in ("", "signal", "call")}
        ends.update(packet.number for packet in job.packets if packet.at == here and packet.source != here)
        self.ends = sorted(ends)
        self.stimuli = sorted(ends | {entry.place for entry in log.entries if entry.kind == "call"})
        self.marks: list[tuple[int, int]] = []
        last = 0
        for place in self.ends:
            position = self._before(place)
            if position > last:
                self.marks.append((place, position))
                last = position
        if len(self.places) > last:
            self.marks.append((1 << 62, len(self.places)))

    def _before(self, place: int) -> int:
        """How many entries stand before a place."""
        return bisect_left(self.places, place)

    def bounds(self, place: int) -> tuple[int, int]:
        """How many entries must, and how many can, be true when the host sends the packet there."""
        begun = bisect_right(self.stimuli, place)
        least = self._before(self.stimuli[begun - 1]) if begun else 0
        end = bisect_right(self.ends, place)
        most = self._before(self.ends[end]) if end < len(self.ends) else len(self.places)
        return least, most


def _highest(abilities: LoggedAbilities, configurations: Configurations) -> int:
    """How far along the log any of them is."""
    found = [(c.values[abilities.slot] or (0, 0))[1] for c in configurations.values()]
    return min(max(found, default=0), abilities.total - 1)


def told(log: Log | None) -> str:
    """The first lines of a log, quoted."""
    return ", ".join(_quoted(entry) for entry in (log.entries if log is not None else ())[:MOST_TOLD])


def _quoted(entry: Entry) -> str:
    return f"{entry.words} (line {entry.place})"
