"""What the checker found, before anybody decides how to show it.

Owns: diagnostics, the verdict of a connection, and the report of a whole run.
Must never hold: text layout, colours, JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class ConnectionReport:
    """The verdict on one connection; ``a`` is the side that sent the first message seen.

    ``input`` is the index of its input in ``Report.inputs``, -1 when nobody noted it.
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


@dataclass(slots=True)
class InputReport:
    """What was read: ``packets`` records, and how many were left out for which reason.

    ``error`` says why reading stopped early, "" if it did not. ``first_time`` is the time of the first record in
    nanoseconds, None when it has none or nobody noted it. ``source`` names what made a log of states
    (``linux-states``); it is "" where records are packets.
    """

    path: str
    format: str
    packets: int
    skipped: dict[str, int]
    error: str = ""
    first_time: int | None = None
    source: str = ""


@dataclass(slots=True)
class Report:
    """A whole run. ``interrupted``: somebody stopped it; what was read until then is reported."""

    inputs: list[InputReport] = field(default_factory=list)
    connections: list[ConnectionReport] = field(default_factory=list)
    interrupted: bool = False

    def count(self, verdict: str) -> int:
        """How many connections got this verdict."""
        return sum(1 for connection in self.connections if connection.verdict == verdict)

    @property
    def checked(self) -> int:
        """How many records were checked."""
        return sum(connection.packets for connection in self.connections)

    @property
    def exit_code(self) -> int:
        """0 no violation, 1 a violation, 2 when an input was unusable or nothing was checked."""
        if any(item.error for item in self.inputs) or not self.checked:
            return 2
        return 1 if self.count(VIOLATES) else 0
