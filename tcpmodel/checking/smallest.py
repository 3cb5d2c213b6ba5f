"""The smallest part of a connection's packets that still shows a finding.

Owns: leaving out packets as long as the finding stays (delta debugging), and what it means that it stays.
Must never hold: how a packet is judged, or how a capture is read and written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from tcpmodel.checking.judge import Judge
from tcpmodel.checking.outcome.findings import SEVERITIES, ConnectionReport, Diagnostic
from tcpmodel.checking.outcome.reports import ConnectionReports
from tcpmodel.checking.table import Table
from tcpmodel.model.spec import Spec
from tcpmodel.traces.records import ABOUT, ERRORS, Packet, Record

FIRST_KEPT = 1_000
BEFORE_KEPT = 20_000
AFTER_KEPT = 20_000
"""So many packets of the connection are looked at: from its beginning, before the finding and after it."""

MOST_TRIALS = 4_000


def packets_around(records: Iterable[Record], protocol: str, ends: frozenset[str], place: int) -> list[Packet]:
    """The packets between two ends around the one with the number ``place``, or only some if there are very many.

    Errors about packets between these ends are among them.
    """
    first: list[Packet] = []
    before: deque[Packet] = deque(maxlen=BEFORE_KEPT)
    after = 0
    for record in records:
        if not isinstance(record, Packet) or told_of(record) != protocol:
            continue
        if frozenset((record.source, record.destination)) != ends:
            continue
        if len(first) < FIRST_KEPT:
            first.append(record)
        elif record.number <= place or after < AFTER_KEPT:
            if record.number > place and after == 0:
                before = deque(before)  # from here on nothing is given up
            before.append(record)
            after += record.number > place
    return [*first, *before]


def told_of(packet: Packet) -> str:
    """The protocol of a packet, or of the one that an error is about."""
    return ABOUT.get(packet.fields.get("about", 0), "") if packet.protocol == ERRORS else packet.protocol


class Trial:
    """Asks whether some packets still show a finding: one of the same code, severity, end and words at its packet."""

    def __init__(self, spec: Spec, profiles: Sequence[str], finding: Diagnostic) -> None:
        self._judge = Judge(spec, profiles)
        self._finding = finding
        self.count = 0

    def shows(self, packets: Sequence[Packet]) -> bool:
        """Is the finding there when nothing else was captured?"""
        self.count += 1
        reports = ConnectionReports()
        table = Table(reports, 0, self._finding.in_lines)
        for packet in packets:
            if packet.protocol == ERRORS:
                table.error(self._judge, told_of(packet), packet)
            else:
                table.packet(self._judge, packet)
        table.finish()
        return any(same(item, self._finding) for report in reports for item in report.diagnostics)


def same(one: Diagnostic, other: Diagnostic) -> bool:
    """Are they the same finding at the same packet?"""
    return (one.place, one.code, one.severity, one.endpoint, one.message) == (
        other.place,
        other.code,
        other.severity,
        other.endpoint,
        other.message,
    )


def found_at(connections: Iterable[ConnectionReport], place: int) -> tuple[ConnectionReport, Diagnostic] | None:
    """The most serious finding at the packet ``place`` with its connection."""
    found = [
        (SEVERITIES.index(item.severity), one, item)
        for one in connections
        for item in one.diagnostics
        if item.place == place
    ]
    if not found:
        return None
    _, one, item = min(found, key=lambda each: each[0])
    return one, item


def smallest(
    packets: Sequence[Packet], place: int, trial: Trial, progress: Callable[[int, int], None] | None = None
) -> list[Packet] | None:
    """As few of ``packets`` as still show the finding at ``place``, in their order; None if not even all of them do.

    None of them can be left out alone. After ``MOST_TRIALS`` what was reached until then is given. ``progress`` is
    called with the number of trials and of the packets that are left.
    """
    until = [packet for packet in packets if packet.number <= place]
    left = until
    if not trial.shows(left):
        left = list(packets)
        if len(until) == len(left) or not trial.shows(left):
            return None
    pieces = 2
    while len(left) > 1 and trial.count < MOST_TRIALS:
        size = max(1, -(-len(left) // pieces))
        begin = 0
        shorter = False
        while begin < len(left) and trial.count < MOST_TRIALS:
            rest = left[:begin] + left[begin + size :]
            if any(packet.number == place for packet in rest) and trial.shows(rest):
                left, shorter = rest, True
            else:
                begin += size
            if progress is not None:
                progress(trial.count, len(left))
        if size == 1 and not shorter:
            break
        pieces = min(len(left), pieces * 2)
    return left
