"""A whole run: opens traces one after another, has them checked, and notes where each connection came from.

Owns: the way from paths to a report.
Must never hold: how records are checked (see ``checker``), or what is shown of a report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from tcpmodel.checking.checker import Checker, Progress
from tcpmodel.checking.judge import Found
from tcpmodel.checking.outcome.findings import InputReport, Report
from tcpmodel.model.spec import Spec
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import Packet, Record, TraceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tcpmodel.checking.logs.kept import Views
    from tcpmodel.traces.logs.pattern import Patterns


def check(
    paths: Iterable[str],
    specs: Iterable[Spec],
    profiles: Sequence[str] = (),
    *,
    progress: Progress | None = None,
    read: Callable[[Report], None] | None = None,
    watch: Callable[[Any, Packet, int], None] | None = None,
    found: Found | None = None,
    growing: bool = False,
    patterns: Patterns | None = None,
    vantage: str = "auto",
) -> Report:
    """Check these traces (``-`` is standard input) against these specs, one for each protocol.

    ``profiles`` names profiles to judge by; without any, each may be on or off. Every input is read even when another
    one cannot be: its entry in ``inputs`` of the report then says why in ``error``. ``progress`` is called now and then
    with the path and how many of its records were read; ``read`` with the report so far: after an input, or
    after all of them if there are several, since one may tell something about a connection of another; ``watch`` after
    each packet with its connection, the packet and its side; ``found`` for each finding as soon as it is made.
    ``growing``: at the end of a file, wait for more until somebody interrupts. ``patterns``: they read all text.
    ``vantage``: where captures were made: the address of a host, ``client`` (the end that sent first), ``server``,
    ``middle``, or ``auto``: as far as packets prove it.
    """
    from tcpmodel.traces.open import open_traces

    paths, specs = list(paths), list(specs)
    checker = Checker(specs, profiles, watch, found, vantage, keep=True)
    report = checker.report
    views = None
    for path in paths:
        try:
            for trace in open_traces(path, growing=growing, patterns=patterns):
                if views is None and (len(paths) > 1 or trace.source):
                    from tcpmodel.checking.logs.kept import Views

                    views = Views()  # a file with records of several kinds may hold several traces, too
                _read(checker, trace, progress, views)
                if read is not None and views is None:
                    read(report)
                if report.interrupted:
                    break
        except TraceError as problem:
            report.inputs.append(InputReport(path, "", 0, {}, str(problem)))
            if read is not None and views is None:
                read(report)
        if report.interrupted:
            break
    checker.keep()
    if any(item.packets for item in report.inputs):
        # A listing without sockets says something of its time, beside inputs that tell more.
        for item in report.inputs:
            item.error = "" if item.blank else item.error
    if views is not None:
        from tcpmodel.checking.logs.joining import join

        join(views, report, specs, profiles)
        if read is not None:
            read(report)
    return report


def _read(checker: Checker, trace: Trace, progress: Progress | None, views: Views | None) -> None:
    report = checker.report
    noting = _Noting(trace, views, len(report.inputs))
    checker.read(noting, progress)
    if views is not None:
        views.translated.update(trace.translated)
    report.inputs[-1].first_time = noting.first_time
    report.inputs[-1].source = trace.source


class _Noting(Trace):
    """A trace that keeps the time of its first record, and for ``views`` what they keep of input ``origin``."""

    def __init__(self, trace: Trace, views: Views | None, origin: int) -> None:
        self.path, self.format, self.source = trace.path, trace.format, trace.source
        self.counts_lines, self.skipped = trace.counts_lines, trace.skipped
        self.circumstances = trace.circumstances
        self.offer = None if views is not None else trace.offer
        self.first_time: int | None = None
        self._trace, self._views, self._origin = trace, views, origin

    def records(self) -> Iterator[Record]:
        """All records in order."""
        rest = iter(self._trace.records())
        first = list(islice(rest, 1))
        if first:
            self.first_time = first[0].time
        records = chain(first, rest)
        return records if self._views is None else self._views.noting(records, self._origin)
