"""What the checker found, before anybody decides how to show it.

Owns: diagnostics, the verdict of a connection, the report of a whole run, and keeping in little room the many reports
of a flood or a scan: what they have in common once, and the number and addresses of each.
Must never hold: text layout, colours, JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass, field, replace
from typing import overload

CONFORMS = "conforms"
VIOLATES = "violates"
INCONCLUSIVE = "inconclusive"

SEVERITY_OF = {
    "must": "violation",
    "normative": "violation",
    "should": "warning",
    "unusual": "note",
    "capture": "capture",
    "legal": "note",
}
"""What breaking a rule of a spec's severity word is reported as."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of a message: what would have been allowed (``100``, ``90..100``, ``any``) beside what was seen.

    ``off``: how far what was seen lies above (below: negative) of what is allowed; None where that means nothing.
    """

    name: str
    expected: str
    actual: str
    agrees: bool
    off: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that sends such messages, in a state in which the endpoint could have been, and what was in its way.

    ``problem``: ``guard`` (it does not fire: ``condition`` is the part of its guard that is false), ``message`` (it
    sends ``message``, which differs in the fields ``differing``), or ``where`` (each field can be as it is, but
    ``condition`` does not hold of all together). ``values``: names and values that settle the condition.
    """

    rule: str
    state: str
    event: str
    problem: str
    condition: str
    values: tuple[tuple[str, str], ...]
    message: str
    differing: tuple[Compared, ...]
    cites: tuple[str, ...]


@dataclass(slots=True)
class Diagnostic:
    """One finding. ``place`` is the 1-based number of the packet or line, ``in_lines`` tells which of the two.

    ``states``: where the endpoint could have been before. ``allowed``: what the spec would have allowed instead, the
    nearest first, one line each; ``compared``: the nearest field by field beside what was seen. ``values``: names and
    values that settle the condition that gave the finding its code. ``candidates``: rules that send such messages, and
    what was in their way; ``elsewhere``: if there is none, the states that have one. ``requirements``: ids of the
    requirements that it breaks, such as MUST-5. ``excuse``: why no fault of the capture explains it, or what was
    assumed instead.

    ``relative``: what was observed with numbers that do not depend on where the numbering of an end began. ``ignored``:
    why it is of no consequence for the exit code, in words; "" when it is. ``input``: the index of the input that
    ``place`` is in, -1 for that of the connection.
    """

    code: str
    severity: str
    endpoint: str
    place: int
    in_lines: bool
    message: str
    cites: tuple[str, ...] = ()
    time: int | None = None
    observed: str = ""
    states: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    excuse: str = ""
    values: tuple[tuple[str, str], ...] = ()
    compared: tuple[Compared, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    elsewhere: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    relative: str = ""
    ignored: str = ""
    input: int = -1


@dataclass(frozen=True, slots=True)
class View:
    """What one of several inputs told of a connection: its index, the id and verdict there, and how many records."""

    input: int
    id: str
    packets: int
    verdict: str


@dataclass(slots=True)
class ConnectionReport:
    """The verdict on one connection; ``a`` is the side that sent the first message seen.

    ``input`` is the index of its input in ``Report.inputs``, -1 when nobody noted it. ``logged``: no packets were seen,
    only what a log tells. ``views``: all inputs that tell of it, if there are several; ``packets`` counts ``input``.
    ``unseen``: the codes of what the capture does not show of it: its beginning, one direction, its end.
    """

    id: str
    protocol: str
    a: str
    b: str
    verdict: str
    reasons: tuple[str, ...]
    a_states: tuple[str, ...]
    b_states: tuple[str, ...]
    packets: int
    diagnostics: tuple[Diagnostic, ...]
    input: int = -1
    logged: bool = False
    views: tuple[View, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """How many records all inputs have of it."""
        return sum(view.packets for view in self.views) if self.views else self.packets

    @property
    def accepted(self) -> bool:
        """Does it violate the spec, but only in what was ignored or lowered on request?"""
        return self.verdict == VIOLATES and all(
            each.ignored or each.severity != "violation" for each in self.diagnostics
        )


_A, _B = "\x01", "\x02"


class Pattern:
    """What connections have in common that differ in nothing but their number, addresses and how many packets."""

    __slots__ = ("_name", "report")

    def __init__(self, report: ConnectionReport) -> None:
        """``report``: of one of them; it has no findings."""
        self._name = report.id.rpartition("-")[0]
        names = sorted(((report.a, _A), (report.b, _B)), key=lambda pair: -len(pair[0]))
        reasons = report.reasons
        for address, mark in names:
            reasons = tuple(each.replace(address, mark) for each in reasons)
        self.report = replace(report, reasons=reasons)

    def of(self, number: int, a: str, b: str, origin: int, packets: int) -> ConnectionReport:
        """The report of one of them; ``origin`` is the index of its input."""
        reasons = tuple([each.replace(_A, a).replace(_B, b) for each in self.report.reasons])
        name = f"{self._name}-{number}"
        return replace(self.report, id=name, a=a, b=b, reasons=reasons, input=origin, packets=packets)


class ConnectionReports(MutableSequence[ConnectionReport]):
    """A list of reports. One that was added by its pattern is made anew whenever it is asked for, so a change of it is
    kept only when it is put back."""

    def __init__(self, reports: Iterable[ConnectionReport] = ()) -> None:
        self._items: list[ConnectionReport | str] = list(reports)
        self._patterns: list[Pattern] = []
        self._index: dict[int, int] = {}

    def add_like(self, pattern: Pattern, number: int, a: str, b: str, origin: int, packets: int) -> None:
        """Add a report that differs from others of its pattern in these only."""
        if " " in a or " " in b:
            self._items.append(pattern.of(number, a, b, origin, packets))
            return
        index = self._index.get(id(pattern))
        if index is None:
            index = self._index[id(pattern)] = len(self._patterns)
            self._patterns.append(pattern)
        self._items.append(f"{index} {packets} {number} {origin} {a} {b}")

    def _made(self, item: ConnectionReport | str) -> ConnectionReport:
        if not isinstance(item, str):
            return item
        index, packets, number, origin, a, b = item.split(" ")
        return self._patterns[int(index)].of(int(number), a, b, int(origin), int(packets))

    def sort(self, start: int) -> None:
        """Put those from the index ``start`` on into the order of their numbers."""
        rest = self._items[start:]
        rest.sort(key=_number)
        self._items[start:] = rest

    def groups(self) -> Iterator[tuple[ConnectionReport, int]]:
        """Each report with how many there are of its kind: those of one pattern with as many packets are one kind."""
        counts: dict[tuple[str, ...], int] = {}
        for item in self._items:
            if isinstance(item, str):
                kind = tuple(item.split(" ", 2)[:2])
                counts[kind] = counts.get(kind, 0) + 1
        for item in self._items:
            if not isinstance(item, str):
                yield item, 1
            elif number := counts.pop(tuple(item.split(" ", 2)[:2]), 0):
                yield self._made(item), number

    # ------------------------------------------------------------------------------------------ as any other list

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[ConnectionReport]:
        return map(self._made, self._items)

    @overload
    def __getitem__(self, index: int) -> ConnectionReport: ...
    @overload
    def __getitem__(self, index: slice) -> MutableSequence[ConnectionReport]: ...
    def __getitem__(self, index: int | slice) -> ConnectionReport | MutableSequence[ConnectionReport]:
        if isinstance(index, slice):
            return [self._made(item) for item in self._items[index]]
        return self._made(self._items[index])

    def __setitem__(self, index: int | slice, value: ConnectionReport | Iterable[ConnectionReport]) -> None:
        self._items[index] = value  # type: ignore[index, assignment]

    def __delitem__(self, index: int | slice) -> None:
        del self._items[index]

    def insert(self, index: int, value: ConnectionReport) -> None:
        """Put a report before the one with that index."""
        self._items.insert(index, value)


def _number(item: ConnectionReport | str) -> int:
    return int(item.split(" ", 3)[2] if isinstance(item, str) else item.id.rpartition("-")[2])


def grouped(reports: Iterable[ConnectionReport]) -> Iterator[tuple[ConnectionReport, int]]:
    """Each report with how many there are that differ from it in number and addresses only."""
    if isinstance(reports, ConnectionReports):
        return reports.groups()
    return ((each, 1) for each in reports)


@dataclass(slots=True)
class InputReport:
    """What was read: ``packets`` records, and how many were left out for which reason.

    ``error`` says why reading stopped early, "" if it did not. ``first_time`` is the time of the first record in
    nanoseconds, None when it has none or nobody noted it. ``source`` names what made a log of states
    (``linux-states``); it is "" where records are packets. ``notes``: what is said of the input as a whole.
    """

    path: str
    format: str
    packets: int
    skipped: dict[str, int]
    error: str = ""
    first_time: int | None = None
    source: str = ""
    notes: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class Report:
    """A whole run. ``interrupted``: somebody stopped it; what was read until then is reported.

    ``fails``: the severities of findings for which the exit code is 1. A verdict never depends on them.
    """

    inputs: list[InputReport] = field(default_factory=list)
    connections: MutableSequence[ConnectionReport] = field(default_factory=ConnectionReports)
    interrupted: bool = False
    fails: frozenset[str] = frozenset({"violation"})

    def count(self, verdict: str) -> int:
        """How many connections got this verdict."""
        return sum(number for one, number in grouped(self.connections) if one.verdict == verdict)

    @property
    def checked(self) -> int:
        """How many records were checked."""
        return sum(one.records * number for one, number in grouped(self.connections))

    def findings(self) -> Iterator[Diagnostic]:
        """Those of all connections, then those of all inputs."""
        for connection, _ in grouped(self.connections):
            yield from connection.diagnostics
        for item in self.inputs:
            yield from item.notes

    def counts(self, item: Diagnostic) -> bool:
        """Does this finding make the exit code 1?"""
        return item.severity in self.fails and not item.ignored

    @property
    def failing(self) -> int:
        """How many findings make the exit code 1."""
        return sum(map(self.counts, self.findings()))

    @property
    def exit_code(self) -> int:
        """0 nothing that counts as failure, 1 at least one, 2 when an input was unusable or nothing was checked."""
        if any(item.error for item in self.inputs) or not self.checked:
            return 2
        return 1 if self.failing else 0
