"""The connections of one input: which packet belongs to which, and when a connection may be forgotten.

Owns: finding the connection of a packet, keeping those of one packet in little room, and turning connections into
reports when nothing more is expected of them.
Must never hold: how a connection is judged (see ``connection``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tcpmodel.checking.connection import Connection, NewConnection
from tcpmodel.checking.crowds.quoted import Quoted
from tcpmodel.checking.crowds.rereading import Rereading
from tcpmodel.checking.crowds.stowed import Idle, Stowed
from tcpmodel.checking.crowds.unanswered import Unanswered
from tcpmodel.checking.crowds.waiting import MOST, Waiting
from tcpmodel.checking.ends.beginnings import Beginnings
from tcpmodel.checking.ends.patience import Patience, Trouble
from tcpmodel.checking.faults.doubles import Doubles
from tcpmodel.checking.faults.texts import Texts
from tcpmodel.checking.faults.vantage import Vantage
from tcpmodel.checking.judge import Judge
from tcpmodel.checking.memory.express import PROTOCOL, Lane, Over, lane
from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic
from tcpmodel.checking.outcome.partial import SEVERAL, Partial
from tcpmodel.checking.outcome.patterns import A, B, Pattern
from tcpmodel.checking.outcome.reports import ConnectionReports
from tcpmodel.checking.outcome.standing import Standing
from tcpmodel.traces.records import Packet, Take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

QUIET = 300 * 10**9
"""Nanoseconds after which nothing more is expected of a connection both of whose ends may have finished."""

SWEEP_FROM = 1024
"""With fewer connections than this, none is put away, nor forgotten before the end."""

MOST_AWAKE = 8192
"""If most connections that were put away are soon back, more of them stay, up to so many."""

MOST_LIVE = 1 << 14
"""So many connections that cannot be put away are kept; then half of them have to go, those that were quiet longest."""

MOST_STOWED = 1 << 18
"""So many are kept that were put away; then half of them have to go."""

PATTERNS_KEPT = 4096
"""How many patterns of connections without findings are remembered."""

FIRSTS = 1 << 14
"""So many connections of one packet stay with an express lane."""


class Table:
    """Takes packets and fills ``reports``, in which ``origin`` is the index of the input; ``vantage``: see there."""

    def __init__(self, reports: ConnectionReports, origin: int, in_lines: bool, vantage: str = "auto") -> None:
        self._reports = reports
        self._vantage = Vantage(vantage)
        self._see = self._vantage.see
        self._sees_all = vantage == "auto"
        self._origin = origin
        self._in_lines = in_lines
        self._before = self._begun = len(reports)
        self._connections: dict[tuple[str, str, str], Connection] = {}
        self._waiting = Waiting()
        self._stowed = Stowed()
        self._judges: dict[str, Judge] = {}
        self._unanswered: dict[str, Unanswered] = {}
        self._beginnings: dict[str, Beginnings] = {}
        self._awake = self._sweep_at = SWEEP_FROM
        self._back = self._come = 0
        self._given_up = self._first_given_up = 0
        self._quoted = Quoted()
        self._recent = self._quoted.recent.append
        self._rereading = Rereading(self._quoted.recent)
        self._doubles = Doubles()
        self._texts = Texts()
        self._patience = Patience()
        self._partial = Partial()
        self._reused = self._first_reuse = 0
        self._lane: Lane | None = None

    def express(self, judge: Judge, offer: Callable[[Take], None], taken: Callable[[int], None]) -> None:
        """Offer an express lane for packets of this judge, if there is one; ``taken`` is told how many it took."""
        if not judge.watched and judge.memo.active and self._sees_all:

            def new(number: int, a: str, b: str) -> Connection:
                return self._blank(judge, number, a, b)

            def sweep(last: int) -> None:
                self._sweep_lane(judge, last)

            counts = self._counts(judge)
            recent, tells = self._quoted.recent, not judge.telling
            self._lane = lane(judge.memo, recent, self._doubles, self._texts, counts, taken, new, sweep, tells)
        if self._lane is not None:
            self._lane.count_from(self._begun)
            self._keep_off(self._lane)
            offer(self._lane.take)

    def _keep_off(self, lane: Lane) -> None:
        """Tell the lane which connections are not with it."""
        for protocol, a, b in (*self._connections, *self._waiting.keys(), *self._stowed.keys()):
            if protocol == PROTOCOL:
                lane.keep_off(-1, a, b)

    def _next(self) -> int:
        """The number of a connection that begins."""
        if self._lane is not None:
            return self._lane.begin()
        self._begun += 1
        return self._begun

    def packet(self, judge: Judge, packet: Packet) -> None:
        """Take the next packet; ``judge`` is the one of its protocol."""
        a, b = packet.source, packet.destination
        key = (packet.protocol, a, b) if a < b else (packet.protocol, b, a)
        self._recent(packet)
        self._doubles.take(packet)
        packet = self._texts.take(packet)
        connection = self._connections.get(key)
        if connection is None and self._lane is not None:
            connection = self._back_from_lane(key, packet)
        if connection is None:
            connection = self._fetched(judge, key, packet)
            if connection is None:
                self._wait(judge, packet)
                return
        else:
            if connection.lane >= 0 and self._lane is not None:
                self._lane.give_back(connection)
            if (
                packet.time is not None
                and connection.last_time is not None
                and packet.time - connection.last_time > QUIET
                and self._is_over(judge, connection, packet)
            ):
                connection = self._renew(judge, key, (packet,), connection)
                connection.last_time, connection.last_flags = packet.time, packet.flags
                return
        side = 0 if a == connection.ends[0].address else 1
        self._see(connection, packet, side)
        try:
            judge.observe(connection, packet, side)
        except NewConnection as new:
            connection = self._renew(judge, key, new.since or (packet,), connection)
        else:
            if connection.standpoint is not None:
                connection.standpoint.lately.append(packet)
        connection.latest = packet.number
        connection.last_time = packet.time
        connection.last_flags = packet.flags
        if self._lane is not None and self._lane.adopt(connection, packet):
            del self._connections[key]

    def _is_over(self, judge: Judge, connection: Connection, packet: Packet) -> bool:
        """Does a packet like the first one come so long after both ends may have finished that it is no copy?"""
        standing = judge.memo.standing(connection) or connection.standing()
        if standing.unfinished or packet.flags is None:
            return False
        if connection.light is not None:
            judge.memo.thaw(connection)
        return connection.began_with(packet)

    def error(self, judge: Judge, protocol: str, packet: Packet) -> None:
        """Take an error about a packet of this protocol, whose judge is ``judge``."""
        packet = self._quoted.about(packet, protocol)
        a, b = packet.source, packet.destination
        key = (protocol, a, b) if a < b else (protocol, b, a)
        connection = self._connections.get(key)
        if connection is None and self._lane is not None:
            connection = self._back_from_lane(key, packet)
        if connection is None:
            connection = self._fetched(judge, key, packet._replace(protocol=protocol))
            if connection is None:
                self._quoted.unseen(judge.rules, packet)
                return
        if connection.lane >= 0 and self._lane is not None:
            self._lane.give_back(connection)
        judge.memo.hear(connection, packet, 0 if a == connection.ends[0].address else 1)

    def finish(self) -> None:
        """Nothing more is to come: report the rest."""
        if self._lane is not None:
            self._lane.clear()
            self._retire_over(self._judges[PROTOCOL], self._lane)
            for number, packet in self._lane.firsts():
                self._waiting.put(packet, number)
        for connection in self._connections.values():
            if connection.previous is not None:
                self._retire(connection.previous)
            self._retire(connection)
        self._connections = {}
        for idle in self._stowed.oldest(len(self._stowed)):
            self._retire_idle(idle)
        self._release(len(self._waiting))
        self._reports.sort(self._before)

    def findings(self) -> list[Diagnostic]:
        """What is to be said of all connections together."""
        found = [each for counts in self._unanswered.values() for each in counts.findings(self._in_lines)]
        found += [each for counts in self._beginnings.values() for each in counts.findings(self._in_lines)]
        found += self._quoted.findings(self._in_lines) + self._doubles.findings(self._in_lines)
        if self._reused:
            words = f"new connections between the addresses and ports of one before: {self._reused:,}"
            found.append(Diagnostic("CAP-015", "capture", "", self._first_reuse, self._in_lines, words))
        if self._given_up:
            words = f"connections reported as they stood, because too many were open at a time: {self._given_up:,}"
            found.append(Diagnostic("CAP-014", "capture", "", self._first_given_up, self._in_lines, words))
        return found + self._partial.findings(self._in_lines)

    def _ended(self, judge: Judge, flags: int | None, a: str, b: str, place: int, report: ConnectionReport) -> None:
        self._partial.take(report.unseen, a, b, place)
        if flags is not None:
            self._ends(judge).ended(judge.interpreter.spec_flags(flags), a, b, place)

    def _ends(self, judge: Judge) -> Unanswered:
        """The counts of ends."""
        counts = self._unanswered.get(judge.spec.name)
        if counts is None:
            counts = self._unanswered[judge.spec.name] = Unanswered(judge.abilities.program)
        return counts

    def _opened(self, judge: Judge, packet: Packet) -> None:
        """A connection begins with this packet."""
        counts = self._counts(judge)
        if counts is not None and packet.flags is not None:
            counts.began(packet.source, packet.number, judge.interpreter.spec_flags(packet.flags), packet.fields)

    def _counts(self, judge: Judge) -> Beginnings | None:
        """The counts of beginnings, if there are rules about them."""
        counts = self._beginnings.get(judge.spec.name)
        if counts is None and judge.abilities.program.steady_rules:
            counts = self._beginnings[judge.spec.name] = Beginnings(judge.abilities.program)
        return counts

    # ------------------------------------------------------------------------------------------------- one by one

    def _wait(self, judge: Judge, packet: Packet) -> None:
        self._opened(judge, packet)
        self._judges[packet.protocol] = judge
        if self._lane is not None and packet.protocol == PROTOCOL:
            self._lane.keep_off(packet.number, packet.source, packet.destination)
        self._waiting.put(packet, self._next())
        if len(self._waiting) >= MOST:
            self._give_up(MOST // 2, packet.number)
            self._release(MOST // 2)

    def _fetched(self, judge: Judge, key: tuple[str, str, str], packet: Packet) -> Connection | None:
        """The connection of a packet, if one of it waits or was put away."""
        idle = self._stowed.take(*key)
        if idle is None:
            first = self._waiting.take(packet)
            return None if first is None else self._begin(judge, key, first[0], first[1], None)
        self._back += 1
        self._make_room(packet.time)
        connection = self._connections[key] = self._restored(judge, idle)
        return connection

    def _back_from_lane(self, key: tuple[str, str, str], packet: Packet) -> Connection | None:
        """The connection of a packet if it was with the lane alone; what is not is among the others by now."""
        if key[0] != PROTOCOL or self._lane is None:
            return None
        found = self._lane.fetch(packet.number, packet.source, packet.destination)
        if isinstance(found, Connection):
            self._make_room(packet.time)
            self._connections[key] = found
            return found
        if found is not None:
            self._waiting.put(found[1], found[0])
        return None

    def _restored(self, judge: Judge, idle: Idle) -> Connection:
        return self._stowed.restore(idle, self._blank(judge, idle.number, idle.a, idle.b))

    def _blank(self, judge: Judge, number: int, a: str, b: str) -> Connection:
        new = Connection(number, judge.abilities, judge.interpreter, judge.rules, a, b, self._in_lines, None)
        new.rereading = self._rereading
        new.trouble = Trouble(self._patience)
        return new

    def _begin(
        self, judge: Judge, key: tuple[str, str, str], number: int, packet: Packet, previous: Connection | None
    ) -> Connection:
        self._make_room(packet.time)
        connection = self._made(judge, number, packet, previous)
        self._connections[key] = connection
        return connection

    def _made(self, judge: Judge, number: int, packet: Packet, previous: Connection | None) -> Connection:
        connection = Connection(
            number,
            judge.abilities,
            judge.interpreter,
            judge.rules,
            packet.source,
            packet.destination,
            self._in_lines,
            previous,
        )
        connection.first = connection.latest = packet.number
        connection.last_time, connection.last_flags = packet.time, packet.flags
        connection.rereading = self._rereading
        if previous is None:
            connection.trouble = Trouble(self._patience)
        else:
            connection.trouble = previous.trouble.again(previous.packets)
            judge.memo.succeed(connection)
        self._see(connection, packet, 0)
        judge.observe(connection, packet, 0)
        if connection.standpoint is not None:
            connection.standpoint.lately.append(packet)
        return connection

    def _renew(
        self, judge: Judge, key: tuple[str, str, str], since: Sequence[Packet], before: Connection
    ) -> Connection:
        """Begin a new connection with these packets, of which the last is at hand; ``before`` had the others."""
        packet = since[0]
        if len(since) > 1:
            before.packets -= len(since) - 1
            before.diagnostics[:] = [each for each in before.diagnostics if each.place < packet.number]
        if before.previous is not None:
            self._retire(before.previous)
            before.previous = None
        self._opened(judge, packet)
        number = self._next()
        self._reused += 1
        self._first_reuse = self._first_reuse or packet.number
        del self._connections[key]
        connection = self._begin(judge, key, number, packet, before)
        for each in since[1:]:
            try:
                judge.observe(connection, each, 0 if each.source == connection.ends[0].address else 1)
            except NewConnection:
                connection = self._renew(judge, key, (each,), connection)
        return connection

    # ---------------------------------------------------------------------------------------------------- forgetting

    def _make_room(self, now: int | None) -> None:
        """Another connection is to come."""
        self._come += 1
        if len(self._connections) >= self._sweep_at:
            self._sweep(now)

    def _sweep(self, now: int | None) -> None:
        """Forget connections that have been over for long, and put away those that were quiet longest."""
        if self._lane is not None:
            self._lane.clear()
        connections = self._connections
        for key in sorted(connections, key=lambda key: connections[key].latest)[: -(-3 * len(connections) // 4)]:
            connection = connections[key]
            memo = self._judges[key[0]].memo
            standing = memo.standing(connection)
            last = connection.last_time
            quiet = now is not None and last is not None and now - last > QUIET
            if quiet and not (standing or connection.standing()).unfinished:
                del connections[key]
                if connection.previous is not None:
                    self._retire(connection.previous)
                self._retire(connection)
                continue
            if connection.observer is not None:
                memo.watch.freeze(connection.observer)
            if self._stowed.put(key, connection, standing):
                del connections[key]
            else:
                self._stowed.slim(connection)
        if now is not None:
            for idle in self._stowed.quiet(now - QUIET, 4 * self._come):
                self._retire_idle(idle)
        if 2 * self._back > self._come:
            self._awake = min(2 * self._awake, MOST_AWAKE)
        self._back = self._come = 0
        self._bound()
        self._sweep_at = min(max(self._awake, 2 * len(connections)), max(self._awake, MOST_LIVE))

    def _bound(self) -> None:
        """Report as they are those that were quiet longest, if there are too many; what comes yet begins anew."""
        connections = self._connections
        if len(connections) >= MOST_LIVE:
            keys = sorted(connections, key=lambda key: connections[key].latest)[: len(connections) // 2]
            self._give_up(len(keys), connections[keys[-1]].latest)
            for key in keys:
                connection = connections.pop(key)
                if connection.previous is not None:
                    self._retire(connection.previous)
                self._retire(connection)
        if len(self._stowed) > MOST_STOWED:
            for number, idle in enumerate(self._stowed.oldest(MOST_STOWED // 2)):
                if not number:
                    self._give_up(MOST_STOWED // 2, idle.first)
                self._retire_idle(idle)

    def _give_up(self, number: int, place: int) -> None:
        self._given_up += number
        self._first_given_up = self._first_given_up or place

    def _retire_idle(self, idle: Idle) -> None:
        """Report a connection that was put away; most of them are like many others."""
        judge = self._judges[idle.protocol]
        if idle.standing is None or not idle.plain or idle.a == idle.b:
            self._retire(self._restored(judge, idle))
            return
        pattern = self._pattern(
            judge, idle.standing, idle.packets, lambda: judge.memo.report(self._restored(judge, idle))
        )
        self._ended(judge, idle.last_flags, idle.a, idle.b, idle.first, pattern.report)
        self._reports.add_like(pattern, idle.number, idle.a, idle.b, self._origin, idle.packets)

    def _pattern(
        self, judge: Judge, standing: Standing, packets: int, report: Callable[[], ConnectionReport]
    ) -> Pattern:
        """How connections without findings are reported whose ends stand there; ``report`` is that of one of them."""
        key = (standing, packets >= SEVERAL)
        pattern = judge.patterns.get(key)
        if pattern is None:
            if len(judge.patterns) >= PATTERNS_KEPT:
                judge.patterns.clear()
            pattern = judge.patterns[key] = Pattern(report())
        return pattern

    def _retire_over(self, judge: Judge, lane: Lane, before: int = -1) -> None:
        """Report connections that the lane gives away: all, or those whose last packet came before that time."""
        counts = self._ends(judge)

        def like(one: Over) -> int:
            standing = one.standing
            if standing is None or counts.counts(judge.interpreter.spec_flags(one.last_flags)):
                return -1
            if one.findings:
                return self._reports.place(Pattern(self._report_of(judge, one._replace(a=A, b=B))))
            return self._reports.place(
                self._pattern(judge, standing, one.packets, partial(self._report_of, judge, one))
            )

        for single, lines, kinds in lane.over(self._origin, like, before):
            for kind in kinds:
                self._partial.take_several(self._reports.unseen(kind.pattern), kind.amount, kind.place)
            self._reports.add_lines(lines, kinds)
            for one in single:
                if one.connection is not None:
                    self._retire(one.connection)
                elif one.findings:
                    self._retired(judge, one.last_flags, one.first, self._report_of(judge, one))
                elif one.standing is not None:
                    pattern = self._pattern(judge, one.standing, one.packets, partial(self._report_of, judge, one))
                    self._ended(judge, one.last_flags, one.a, one.b, one.first, pattern.report)
                    self._reports.add_like(pattern, one.number, one.a, one.b, self._origin, one.packets)

    def _report_of(self, judge: Judge, over: Over) -> ConnectionReport:
        connection = self._blank(judge, over.number, over.a, over.b)
        connection.packets = over.packets
        connection.diagnostics += over.findings
        return connection.report(over.standing)

    def _sweep_lane(self, judge: Judge, last: int) -> None:
        """Report connections with the lane that have been over for long, and see that not too much is kept there."""
        lane = self._lane
        assert lane is not None
        self._retire_over(judge, lane, last - QUIET)
        for number, packet in lane.firsts(FIRSTS):
            self._waiting.put(packet, number)
        if lane.elsewhere() > FIRSTS + 2 * (len(self._connections) + len(self._waiting) + len(self._stowed)):
            lane.forget()
            self._keep_off(lane)

    def _retire(self, connection: Connection) -> None:
        judge = self._judges[connection.protocol]
        self._retired(judge, connection.last_flags, connection.first, judge.memo.report(connection))

    def _retired(self, judge: Judge, flags: int | None, first: int, report: ConnectionReport) -> None:
        report.input = self._origin
        self._ended(judge, flags, report.a, report.b, first, report)
        self._reports.append(report)

    def _release(self, most: int) -> None:
        """Report the oldest connections of one packet; most of them are like many others."""
        for number, packet in self._waiting.oldest(most):
            judge = self._judges[packet.protocol]
            a, b = packet.source, packet.destination
            stand = judge.alone.standpoint(self._vantage, packet)
            found = None if judge.watched else judge.alone.like(packet, stand)
            if found is not None and not (judge.telling and found.pattern.report.diagnostics):
                self._ended(judge, packet.flags, a, b, packet.number, found.pattern.report)
                self._reports.add_like(found.pattern, number, a, b, self._origin, 1, found[1:])
                continue
            report = judge.memo.report(self._made(judge, number, packet, None))
            if found is None and not judge.watched:
                judge.alone.learn(packet, stand, report)
            self._ended(judge, packet.flags, a, b, packet.number, report)
            report.input = self._origin
            self._reports.append(report)
