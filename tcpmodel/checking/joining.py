"""Several views of one connection: what packets and logged states tell must be one behaviour.

Owns: keeping what is needed of several inputs, matching connections with logged endpoints, and the finding when no
behaviour explains both.
Must never hold: how one view is judged, or how a configuration and a log agree (see ``logged``).

Only what is certain is matched: the same two addresses and ports, once in the capture and once in the log. Clocks are
not compared: the packets stand in their own order, the lines in theirs, and any common course will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tcpmodel.checking.configurations import Abilities
from tcpmodel.checking.connection import Connection, NewConnection
from tcpmodel.checking.endpoint import Endpoint
from tcpmodel.checking.findings import VIOLATES, ConnectionReport, Diagnostic, Report
from tcpmodel.checking.logged import Entry, Log, LoggedAbilities, Meaning, with_position
from tcpmodel.checking.sightings import Interpreter
from tcpmodel.model.profiles import choose_profiles
from tcpmodel.model.spec import Source, Spec
from tcpmodel.semantics.program import Program
from tcpmodel.traces.records import FIELD_KEYS, Packet, Record, StateRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_OF_ONE = 4096
"""So many packets of two addresses, and lines of one endpoint, are kept; what is beyond is not compared."""

MOST = 50_000
"""So many packets and lines are kept in all."""

EPOCH_LIKE = 10**17
"""Nanoseconds; three years after 1970: a smaller time is one since a clock's own start, and says nothing elsewhere."""

APART = 60 * 10**9
"""Nanoseconds by which clocks that count from 1970 may differ."""

Pair = tuple[int, str, str, str]
"""Index of the input, protocol, and two addresses in order."""


class Views:
    """Keeps packets and lines while the inputs are read one after another."""

    def __init__(self) -> None:
        self.packets: dict[Pair, list[Packet]] = {}
        self.lines: dict[tuple[int, str, str], list[StateRecord]] = {}
        self._kept = 0

    def noting(self, records: Iterable[Record], origin: int) -> Iterator[Record]:
        """The same records, which are kept on the way; ``origin`` is the index of their input."""
        for record in records:
            if self._kept < MOST:
                if isinstance(record, Packet):
                    a, b = sorted((record.source, record.destination))
                    packets = self.packets.setdefault((origin, record.protocol, a, b), [])
                    if len(packets) < MOST_OF_ONE:
                        packets.append(record)
                        self._kept += 1
                elif isinstance(record, StateRecord):
                    lines = self.lines.setdefault((origin, record.protocol, record.endpoint), [])
                    if len(lines) <= MOST_OF_ONE:
                        lines.append(record)
                        self._kept += 1
            yield record


def join(views: Views, report: Report, specs: Iterable[Spec], profiles: Sequence[str]) -> None:
    """Add what the views do not agree on to the reports of the captured connections."""
    if not views.lines or not views.packets:
        return
    by_protocol = {spec.over or spec.name: spec for spec in specs}
    ends = _logged_ends(views)
    joiners: dict[str, _Joiner] = {}
    owners = _owners(report)
    for pair, packets in views.packets.items():
        _, protocol, a, b = pair
        if protocol not in by_protocol or len(owners.get(pair, ())) != 1 or packets[0].flags is None:
            continue  # packets and lines in one input make two reports: which is which is not told
        index = owners[pair][0]
        one = report.connections[index]
        for origin in sorted({key[0] for key in ends if key[1] == protocol and set(key[2:]) == {a, b}}):
            joiner = joiners.setdefault(protocol, _Joiner(by_protocol[protocol], profiles))
            first, second = (ends.get((origin, protocol, *way)) for way in ((one.a, one.b), (one.b, one.a)))
            logged = _reported(report, origin, {a, b})
            if _apart(packets, [*(first or ()), *(second or ())]):
                continue
            if one.verdict == VIOLATES or any(other.verdict == VIOLATES or other.diagnostics for other in logged):
                continue
            finding = joiner.disagreement(one, packets, first, second, report, origin)
            if finding is not None:
                found = sorted((*one.diagnostics, finding), key=lambda item: item.place)
                one = replace(one, verdict=VIOLATES, diagnostics=tuple(found))
                report.connections[index] = one


def _logged_ends(views: Views) -> dict[Pair, list[StateRecord]]:
    """The lines of each end that exactly one socket of the log can be."""
    found: dict[Pair, list[StateRecord]] = {}
    twice: set[Pair] = set()
    for (origin, protocol, _), lines in views.lines.items():
        known = {(line.local, line.remote) for line in lines if _whole(line.local) and _whole(line.remote)}
        if len(known) != 1 or len(lines) > MOST_OF_ONE:
            twice.update((origin, protocol, *way) for way in known)
            continue
        key = (origin, protocol, *known.pop())
        if key in found:
            twice.add(key)
        found[key] = lines
    return {key: lines for key, lines in found.items() if key not in twice}


def _apart(packets: list[Packet], lines: list[StateRecord]) -> bool:
    """Were the two certainly written at different times, so that the addresses served two connections?"""
    seen = [packet.time for packet in packets if packet.time is not None]
    told = [line.time for line in lines if line.time is not None]
    if not seen or not told or min(*seen, *told) < EPOCH_LIKE:
        return False
    return max(seen) + APART < min(told) or max(told) + APART < min(seen)


def _whole(address: str) -> bool:
    return address.rpartition(":")[2] not in ("0", "")


def _owners(report: Report) -> dict[Pair, list[int]]:
    """The places of the reports between two addresses, by input."""
    found: dict[Pair, list[int]] = {}
    for index, one in enumerate(report.connections):
        a, b = sorted((one.a, one.b))
        found.setdefault((one.input, one.protocol, a, b), []).append(index)
    return found


def _reported(report: Report, origin: int, addresses: set[str]) -> list[ConnectionReport]:
    return [one for one in report.connections if one.input == origin and {one.a, one.b} == addresses]


class _Joiner:
    """Judges packets together with logs, for one spec."""

    def __init__(self, spec: Spec, profiles: Sequence[str]) -> None:
        self.spec = spec
        choice = choose_profiles(spec, profiles) if profiles else {}
        self.program = Program(with_position(spec), choice, seen_fields=FIELD_KEYS)
        self.abilities = Abilities(self.program)
        self.interpreter = Interpreter(self.program)
        self.index = {name: number for number, name in enumerate(self.program.states)}

    def disagreement(
        self,
        one: ConnectionReport,
        packets: list[Packet],
        first: list[StateRecord] | None,
        second: list[StateRecord] | None,
        report: Report,
        origin: int,
    ) -> Diagnostic | None:
        """The first packet that nothing explains which agrees with the lines of both ends; None if there is none."""
        connection = Connection(0, self.abilities, self.interpreter, None, one.a, one.b, False)
        ends = []
        for address, lines in ((one.a, first), (one.b, second)):
            source = self._source(lines, report.inputs[origin].source)
            log = self._log(lines, source) if lines and source is not None else None
            abilities = LoggedAbilities(self.abilities, log) if log is not None else self.abilities
            ends.append(Endpoint(abilities, address))
        if all(end.abilities is self.abilities for end in ends):
            return None
        connection.ends = (ends[0], ends[1])
        try:
            for packet in packets:
                connection.observe(packet, 0 if packet.source == one.a else 1)
        except NewConnection:
            return None
        known = {(item.place, item.code) for item in one.diagnostics}
        for item in connection.diagnostics:
            if item.severity == "violation" and (item.place, item.code) not in known:
                return self._finding(item, one, first, second, report, origin)
        return None

    def _finding(
        self,
        item: Diagnostic,
        one: ConnectionReport,
        first: list[StateRecord] | None,
        second: list[StateRecord] | None,
        report: Report,
        origin: int,
    ) -> Diagnostic:
        lines = first if item.endpoint == one.a else second
        path = report.inputs[origin].path
        told = ", ".join(f"{line.old} -> {line.new} (line {line.number})" for line in (lines or ())[:8])
        return replace(
            item,
            code="VIEW-001",
            message=f"{path} tells another story of {item.endpoint} than its packets",
            in_lines=False,
            cites=(),
            requirements=(),
            allowed=(),
            values=(),
            compared=(),
            candidates=(),
            elsewhere=(),
            excuse=f"each view has an explanation, but none has both; logged are {told}",
        )

    def _source(self, lines: list[StateRecord] | None, name: str) -> Source | None:
        wanted = (lines[0].source or name) if lines else ""
        return next((item for item in self.spec.sources if item.name == wanted), None)

    def _log(self, lines: list[StateRecord], source: Source) -> Log | None:
        """The lines as a log; None if they are samples, or words that the source does not know."""
        words, reads = dict(source.names), {(old, new): states for old, new, states in source.reads}
        hidden = frozenset(self.index[name] for name in source.hides)
        resting = frozenset(at for at, rests in enumerate(self.abilities.resting) if rests)
        entries: list[Entry] = []
        before: frozenset[int] | None = None
        meant: frozenset[int] | None = None
        over = False
        for line in lines:
            old = words.get(line.old.upper().replace("_", "-"))
            new = words.get(line.new.upper().replace("_", "-"))
            if old is None or new is None:
                return None
            if old == new and source.self_records:
                continue
            if over:
                return None  # another socket of the same name
            states = frozenset(self.index[name] for name in reads.get((old, new), (new,)))
            if meant is None:
                if (old, new) in source.births:
                    before = hidden | {self.program.initial, self.index[old], self.index[new]}
                elif self.index[old] == self.program.initial:
                    before = hidden | {self.index[old]}
            elif self.index[old] not in meant:
                return None
            then = states | hidden
            entries.append(Entry(line.number, line.time, f"{old} -> {new}", (Meaning(states=states),), then))
            meant = states
            if self.index[new] == self.program.initial:
                over = True
        if not entries:
            return None
        # The log may have ended before the endpoint did; one that has come to rest may rest elsewhere.
        last = entries[-1].then
        entries[-1] = replace(entries[-1], then=last | resting if over and last is not None else None)
        return Log(tuple(entries), before, False)
