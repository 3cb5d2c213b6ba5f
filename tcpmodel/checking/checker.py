"""Checks records against specs: splits them into connections and collects the verdicts.

Owns: which spec judges which records, and the table of connections.
Must never hold: how a connection is judged (see ``connection``), how a format is read, how a report is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tcpmodel.checking.configurations import Abilities
from tcpmodel.checking.connection import Connection, NewConnection
from tcpmodel.checking.findings import InputReport, Report
from tcpmodel.checking.sightings import Interpreter
from tcpmodel.checking.statelog import StateLog
from tcpmodel.model.profiles import choose_profiles
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.program import Program
from tcpmodel.traces.records import FIELD_KEYS, Packet, StateRecord, Trace, TraceError

Progress = Callable[[str, int], None]
"""Called now and then with the path and how many records were read."""

PROGRESS_EVERY = 2048


class Judge:
    """One spec, compiled to judge what was observed.

    Real endpoints may run any of the spec's profiles, so each profile is left open unless ``profiles`` names some: then
    exactly those are on.
    """

    def __init__(self, spec: Spec, profiles: Sequence[str] = ()) -> None:
        choice: Mapping[str, bool | None] = {}
        if profiles:
            choice = choose_profiles(spec, profiles)
        self.spec = spec
        self.abilities = Abilities(Program(spec, choice, seen_fields=FIELD_KEYS))
        self.interpreter = Interpreter(self.abilities.program)


class Checker:
    """Feeds records to connections. Use ``run.check`` unless records do not come from files."""

    def __init__(self, specs: Iterable[Spec], profiles: Sequence[str] = ()) -> None:
        self.report = Report()
        self._specs = {spec.over or spec.name: spec for spec in specs}
        self._profiles = profiles
        self._judges: dict[str, Judge] = {}
        self._connections: dict[tuple[str, str, str], Connection] = {}
        self._finished: list[Connection] = []

    def _judge(self, protocol: str) -> Judge | None:
        judge = self._judges.get(protocol)
        if judge is None and protocol in self._specs:
            judge = self._judges[protocol] = Judge(self._specs[protocol], self._profiles)
        return judge

    def read(self, trace: Trace, progress: Progress | None = None) -> None:
        """Check all records of one trace and add what was found to the report."""
        count = 0
        error = ""
        logs: dict[tuple[str, str], StateLog] = {}
        self._connections = {}
        self._finished = []
        try:
            for record in trace.records():
                if isinstance(record, Packet):
                    used = self._packet(record, trace.counts_lines)
                elif isinstance(record, StateRecord):
                    used = self._state(record, record.source or trace.source, logs)
                else:
                    used = f"{record.kind}s are not checked"
                if used:
                    trace.skipped.add(used)
                else:
                    count += 1
                if progress is not None and count % PROGRESS_EVERY == 0:
                    progress(trace.path, count)
        except TraceError as problem:
            error = str(problem)
        except KeyboardInterrupt:
            # Whoever watches a live capture ends it like this, and wants to know what was seen.
            self.report.interrupted = True
        for connection in self._finished:
            self.report.connections.append(connection.report())
        for log in logs.values():
            self.report.connections.extend(log.reports(len(self.report.connections) + 1))
        if not count and not error and not self.report.interrupted:
            reasons = ", ".join(f"{number} {reason}" for reason, number in trace.skipped.reasons.items())
            error = f"{trace.path}: nothing to check in it" + (f" (left out: {reasons})" if reasons else "")
        self.report.inputs.append(InputReport(trace.path, trace.format, count, dict(trace.skipped.reasons), error))

    def _packet(self, packet: Packet, in_lines: bool) -> str:
        judge = self._judge(packet.protocol)
        if judge is None:
            return f"no spec for {packet.protocol}"
        a, b = packet.source, packet.destination
        key = (packet.protocol, a, b) if a < b else (packet.protocol, b, a)
        connection = self._connections.get(key)
        if connection is None:
            connection = self._begin(judge, key, packet, in_lines, None)
        side = 0 if packet.source == connection.ends[0].address else 1
        try:
            connection.observe(packet, side)
        except NewConnection:
            connection = self._begin(judge, key, packet, in_lines, connection)
            connection.observe(packet, 0)
        return ""

    def _begin(
        self, judge: Judge, key: tuple[str, str, str], packet: Packet, in_lines: bool, previous: Connection | None
    ) -> Connection:
        number = len(self.report.connections) + len(self._finished) + 1
        connection = Connection(
            number, judge.abilities, judge.interpreter, packet.source, packet.destination, in_lines, previous
        )
        self._connections[key] = connection
        self._finished.append(connection)
        return connection

    def _state(self, record: StateRecord, source: str, logs: dict[tuple[str, str], StateLog]) -> str:
        judge = self._judge(record.protocol)
        if judge is None:
            return f"no spec for {record.protocol}"
        log = logs.get((record.protocol, source))
        if log is None:
            declared = next((item for item in judge.spec.sources if item.name == source), None)
            if declared is None:
                return f"the spec {judge.spec.name} does not say what {source} shows"
            log = logs[record.protocol, source] = StateLog(judge.abilities, declared)
        return log.observe(record)
