"""What the checker found, before anybody decides how to show it.

Owns: diagnostics, the verdict of a connection, and the report of a whole run.
Must never hold: text layout, colours, JSON, or how many reports are kept in little room (see ``reports``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableSequence
from dataclasses import dataclass, field, replace

CONFORMS = "conforms"
VIOLATES = "violates"
INCONCLUSIVE = "inconclusive"

SEVERITIES = ("violation", "warning", "note", "capture")
"""How serious findings are, the most serious first."""

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
    ``place`` is in, -1 for that of the connection. ``told``: was it shown already, while the input was read?
    ``more``: so many others of this code there were, which are counted here and not kept.
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
    told: bool = field(default=False, compare=False)
    more: int = 0


MOST_OF_A_CODE = 200
"""So many findings of one code are kept of one connection; what is beyond is counted."""


class Findings(list[Diagnostic]):
    """Those of one connection. Of one code so many are kept, and the last of them says how many more there were."""

    __slots__ = ("_last", "_size")

    def __init__(self, found: Iterable[Diagnostic] = ()) -> None:
        super().__init__(found)
        self._last: dict[str, tuple[int, Diagnostic]] = {}
        self._size = 0

    def append(self, item: Diagnostic) -> None:
        """Add one, or count it."""
        if len(self) < MOST_OF_A_CODE:
            super().append(item)
            return
        if self._size != len(self):
            self._last.clear()
            for each in self:
                self._last[each.code] = self._last.get(each.code, (0, each))[0] + 1, each
        number, last = self._last.get(item.code, (0, item))
        if number < MOST_OF_A_CODE:
            self._last[item.code] = number + 1, item
            super().append(item)
        else:
            last.more += 1
        self._size = len(self)


def with_rest(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """These, those that stand for others in words that say so."""
    return tuple([_with_rest(item) if item.more else item for item in found])


def _with_rest(item: Diagnostic) -> Diagnostic:
    return replace(item, message=f"{item.message}; and {item.more:,} more of this kind, which are not kept")


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


def grouped(reports: Iterable[ConnectionReport]) -> Iterator[tuple[ConnectionReport, int]]:
    """Each report with how many there are that differ from it in number, addresses and other numbers only."""
    groups: Callable[[], Iterator[tuple[ConnectionReport, int]]] | None = getattr(reports, "groups", None)
    return ((each, 1) for each in reports) if groups is None else groups()


@dataclass(slots=True)
class InputReport:
    """What was read: ``packets`` records, and how many were left out for which reason.

    ``error`` says why reading stopped early, "" if it did not. ``first_time`` is the time of the first record in
    nanoseconds, None when it has none or nobody noted it. ``source`` names what made a log of states
    (``linux-states``); it is "" where records are packets. ``notes``: what is said of the input as a whole.
    ``blank``: it was read to its end, and tells of nothing.
    """

    path: str
    format: str
    packets: int
    skipped: dict[str, int]
    error: str = ""
    first_time: int | None = None
    source: str = ""
    notes: tuple[Diagnostic, ...] = ()
    blank: bool = False


@dataclass(slots=True)
class Report:
    """A whole run. ``interrupted``: somebody stopped it; what was read until then is reported.

    ``fails``: the severities of findings for which the exit code is 1. A verdict never depends on them.
    """

    inputs: list[InputReport] = field(default_factory=list)
    connections: MutableSequence[ConnectionReport] = field(default_factory=list)
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
        """Those of all connections, then those of all inputs; one that several connections have in common comes as
        often as there are such connections."""
        for connection, number in grouped(self.connections):
            for _ in range(number if connection.diagnostics else 0):
                yield from connection.diagnostics
        for item in self.inputs:
            yield from item.notes

    def counts(self, item: Diagnostic) -> bool:
        """Does this finding make the exit code 1?"""
        return item.severity in self.fails and not item.ignored

    @property
    def failing(self) -> int:
        """How many findings make the exit code 1."""
        return sum(1 + item.more for item in self.findings() if self.counts(item))

    @property
    def exit_code(self) -> int:
        """0 nothing that counts as failure, 1 at least one, 2 when an input was unusable or nothing was checked."""
        if any(item.error for item in self.inputs) or not self.checked:
            return 2
        return 1 if self.failing else 0
