"""Checks records against specs, and collects the verdicts.

Owns: which spec judges which records.
Must never hold: which packet belongs to which connection (see ``table``), how a connection is judged, how a format is
read, how a report is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tcpmodel.checking.judge import Found, Judge
from tcpmodel.checking.logs.eventwords import EventWords
from tcpmodel.checking.logs.statelog import StateLog
from tcpmodel.checking.memory.express import PROTOCOL
from tcpmodel.checking.outcome.findings import Diagnostic, InputReport, Report
from tcpmodel.checking.outcome.reports import ConnectionReports
from tcpmodel.checking.table import Table
from tcpmodel.model.spec import Spec
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import ABOUT, ERRORS, Event, Packet, StateRecord, TraceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tcpmodel.checking.logs.retold import Observers, Retold

Progress = Callable[[str, int], None]
"""Called now and then with the path and how many records were read."""

APART = "#"
"""Stands between the address of an end and the number of one of several conversations that it has with one other."""

PROGRESS_EVERY = 2048

NOTHING = "nothing to check in it"


class Checker:
    """Feeds records to connections. Use ``run.check`` unless records do not come from files."""

    def __init__(
        self,
        specs: Iterable[Spec],
        profiles: Sequence[str] = (),
        watch: Callable[[Any, Packet, int], None] | None = None,
        found: Found | None = None,
        vantage: str = "auto",
        *,
        keep: bool = False,
    ) -> None:
        """``watch``: called with the connection, the packet and its side after each packet that a connection took.

        ``found``: called for each finding as soon as it is made; what only the end shows is in the report alone.
        ``vantage``: where captures were made, see ``vantage``. ``keep``: use what was learned in earlier runs, and keep
        what is learned (see ``learned``).
        """
        self._keep = keep and watch is None
        self._watch = watch
        self._vantage = vantage
        self._found = found
        self._reports = ConnectionReports()
        self.report = Report(connections=self._reports)
        self._specs = {spec.over or spec.name: spec for spec in specs}
        self._of_observers = {protocol for protocol, spec in self._specs.items() if not spec.messages}
        self._profiles = profiles
        self._judges: dict[str, Judge] = {}
        self._direct: dict[str, Judge] = {}
        """The judges of protocols of which every packet is judged."""
        self._observers: dict[str, Observers] = {}

    def _judge(self, protocol: str) -> Judge | None:
        judge = self._judges.get(protocol)
        if judge is None and protocol in self._specs:
            judge = self._judges[protocol] = Judge(self._specs[protocol], self._profiles)
            if self._keep:
                from tcpmodel.checking.memory import learned

                learned.recall(judge.memo, self._profiles)
            if self._watch is not None:
                judge.watch(self._watch)
            if self._found is not None:
                judge.tell(self._found)
        return judge

    def keep(self) -> None:
        """Keep what was learned for the next run."""
        if self._keep:
            from tcpmodel.checking.memory import learned

            for judge in self._judges.values():
                learned.keep(judge.memo, self._profiles)

    def read(self, trace: Trace, progress: Progress | None = None) -> None:
        """Check all records of one trace and add what was found to the report."""
        count = unused = 0
        error = ""
        logs: dict[tuple[str, str], StateLog] = {}
        words = EventWords()
        told: dict[tuple[str, str], Retold] = {}
        direct = self._direct
        table = Table(self._reports, len(self.report.inputs), trace.counts_lines, self._vantage)

        def taken(packets: int) -> None:
            nonlocal count
            count += packets
            if progress is not None and count % PROGRESS_EVERY < packets:
                progress(trace.path, count)

        offer = trace.offer
        try:
            for record in trace.records():
                if isinstance(record, Packet):
                    judge = direct.get(record.protocol)
                    if judge is not None:
                        table.packet(judge, record)
                        count += 1
                        if progress is not None and count % PROGRESS_EVERY == 0:
                            progress(trace.path, count)
                        continue
                    used = self._packet(record, table)
                    if offer is not None and record.protocol == PROTOCOL and PROTOCOL in direct:
                        table.express(direct[PROTOCOL], offer, taken)
                        offer = None
                elif record.protocol in self._of_observers:
                    used = self._told(record, record.source or trace.source, told)
                elif isinstance(record, StateRecord):
                    used = self._state(record, record.source or trace.source, logs)
                else:
                    used = self._event(record, record.source or trace.source, words)
                if used:
                    unused += 1
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
        table.finish()
        for story in told.values():
            story.finish()
        for log in logs.values():
            for one in log.reports(len(self.report.connections) + 1):
                one.input = len(self.report.inputs)
                self.report.connections.append(one)
        if not count and not error and not self.report.interrupted:
            reasons = ", ".join(f"{number} {reason}" for reason, number in trace.skipped.reasons.items())
            error = f"{trace.path}: {NOTHING}" + (f" (left out: {reasons})" if reasons else "")
        whole = InputReport(trace.path, trace.format, count, dict(trace.skipped.reasons), error)
        whole.blank = not count and not unused and error.startswith(f"{trace.path}: {NOTHING}")
        logged = [each for log in logs.values() for each in log.findings()]
        whole.notes = (*_circumstances(trace), *table.findings(), *logged)
        self.report.inputs.append(whole)

    def _packet(self, packet: Packet, table: Table) -> str:
        if packet.protocol == ERRORS:
            return self._error(packet, table)
        judge = self._judge(packet.protocol)
        if judge is None:
            return f"no spec for {packet.protocol}"
        spec = judge.spec
        if spec.port < 0 and not spec.by:
            self._direct[packet.protocol] = judge
        if spec.port >= 0 and spec.port not in (
            packet.fields.get("source_port"),
            packet.fields.get("destination_port"),
        ):
            return f"{packet.protocol} of other ports than {spec.port}, of which {spec.name} says nothing"
        if spec.by:
            apart = packet.fields.get(spec.by)
            if apart is None:
                return f"{packet.protocol} that does not show what {spec.name} tells conversations apart by"
            source, destination = f"{packet.source}{APART}{apart}", f"{packet.destination}{APART}{apart}"
            packet = packet._replace(source=source, destination=destination)
        table.packet(judge, packet)
        return ""

    def _event(self, event: Event, source: str, words: EventWords) -> str:
        """Events are judged once all inputs are read, together with what else is known of their endpoint."""
        judge = self._judge(event.protocol)
        if judge is None:
            return f"no spec for {event.protocol}"
        return words.unknown(event, source, judge.spec)

    def _error(self, packet: Packet, table: Table) -> str:
        protocol = ABOUT.get(packet.fields.get("about", 0), "")
        judge = self._judge(protocol)
        if judge is None or not any(one.source == packet.protocol for one in judge.spec.told):
            return f"errors about {protocol or 'other packets'}, of which no spec says anything"
        table.error(judge, protocol, packet)
        return ""

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
            log.found = self._found
        return log.observe(record)

    def _told(self, record: StateRecord | Event, source: str, told: dict[tuple[str, str], Retold]) -> str:
        """A record of an observer that tells all that it saw, judged by a spec without messages."""
        retold = told.get((record.protocol, source))
        if retold is None:
            from tcpmodel.checking.logs.retold import Observers, Retold

            spec = self._specs[record.protocol]
            declared = next((item for item in spec.sources if item.name == source), None)
            if declared is None:
                return f"the spec {spec.name} does not say what {source} shows"
            observers = self._observers.setdefault(record.protocol, Observers(spec))
            retold = Retold(observers, declared, self._reports, len(self.report.inputs))
            told[record.protocol, source] = retold
        return retold.state(record) if isinstance(record, StateRecord) else retold.event(record)


def _circumstances(trace: Trace) -> list[Diagnostic]:
    """What a capture tells of itself."""
    found = trace.circumstances
    if found is None:
        return []
    return [
        Diagnostic(code, "capture", "", first, trace.counts_lines, f"{words}: {count:,}")
        for (code, words), (count, first) in found.met.items()
    ]
