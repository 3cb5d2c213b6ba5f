"""Which findings are of consequence: what somebody chose to ignore, to take for more or less serious, or knows already.

Owns: choosing findings by their codes and severities, the file of known findings (baseline), and marking a report.
Must never hold: a verdict: a connection that violates the spec does so whatever somebody chooses to ignore.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, Report
from tcpmodel.checking.outcome.reports import change
from tcpmodel.model.spec import Spec
from tcpmodel.report.finding_codes import GENERAL

SEVERITIES = ("violation", "warning", "note", "capture")
"""From the most serious to the least."""

LEVELS = ("violation", "warning", "note")
"""What a finding can be taken for."""

BASELINE_KEY = "tcpmodel baseline"
BASELINE_VERSION = 1

_NUMBERS = r"\[[0-9a-f:]*\]|\d[\d.,:]*"


class PolicyError(Exception):
    """A choice that cannot be made; the text says what is wrong and what would be right."""


def codes(specs: Iterable[Spec]) -> list[str]:
    """Every code that a finding can have when these specs judge."""
    found: list[str] = []
    for spec in specs:
        found += [fault.id for fault in spec.faults]
        found += [rule.id for rule in spec.packet_rules if rule.severity != "legal"]
        kinds = dict.fromkeys(event.kind.upper() for event in spec.events if event.kind not in ("message", "own"))
        found += [f"{spec.name.upper()}-{word}" for word in ("UNEXPLAINED", "TRANSITION", *kinds, "SIGNAL")]
    return list(dict.fromkeys([*found, *GENERAL]))


def fails(level: str) -> frozenset[str]:
    """The severities that are at least as serious as ``level``, one of ``LEVELS``, or ``never``."""
    return frozenset() if level == "never" else frozenset(LEVELS[: LEVELS.index(level) + 1])


def matches(words: Iterable[str], item: Diagnostic) -> bool:
    """Is the finding meant by one of the words: its code, the beginning of its code, or its severity?"""
    return any(_matches(word, item.code, item.severity) for word in words)


def _matches(word: str, code: str, severity: str) -> bool:
    code, word = code.upper(), word.upper()
    return (
        code == word
        or severity.upper() == word
        or (code.startswith(word) and word.endswith("-"))
        or (code.startswith(word + "-"))
    )


def check_words(words: Sequence[str], known: Sequence[str], option: str) -> None:
    """Raise PolicyError for the first word that is neither a code, nor the beginning of one, nor a severity."""
    import difflib

    for word in words:
        if any(_matches(word, code, "") for code in known) or word.lower() in SEVERITIES:
            continue
        candidates = {each.upper(): each for each in (*known, *SEVERITIES)}
        for code in known:
            pieces = code.split("-")
            candidates |= {"-".join(pieces[:n]).upper(): "-".join(pieces[:n]) for n in range(1, len(pieces))}
        near = [candidates[name] for name in difflib.get_close_matches(word.upper(), candidates, n=3, cutoff=0.5)]
        families = dict.fromkeys("-".join(code.split("-")[:2]) for code in known)
        hint = f"did you mean {' or '.join(near)}?" if near else f"codes begin with {', '.join(families)}"
        raise PolicyError(f"{option}: no finding has the code or severity '{word}'; {hint}")


@dataclass
class Policy:
    """What to do with findings.

    ``select``: codes, beginnings of codes or severities that are of interest, all if empty. ``ignore``: those that are
    not, although they are selected. ``levels``: severities by code or beginning of one; the longest that fits counts.
    ``known``: how often a finding of that identity is known already.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    levels: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    fail_on: str = "violation"

    def settle(self, report: Report) -> None:
        """Say which severities count as failure."""
        report.fails = fails(self.fail_on)

    def apply(self, report: Report, known_connections: int = 0, known_inputs: int = 0) -> None:
        """Mark the findings of a report, but for those of the first connections and inputs: they were marked before."""
        self.settle(report)
        if not (self.select or self.ignore or self.levels or self.known):
            return

        def mark(connection: ConnectionReport) -> None:
            for item in connection.diagnostics:
                self.mark(item, connection)

        change(report.connections, mark, known_connections)
        for each in report.inputs[known_inputs:]:
            for item in each.notes:
                self.mark(item, None)

    def mark(self, item: Diagnostic, connection: ConnectionReport | None) -> None:
        """Set the severity of one finding, and whether it is ignored. A finding that is known is used up by this.

        ``connection``: None for what is said of a whole input.
        """
        reason = ""
        if self.select and not matches(self.select, item):
            reason = "not selected"
        elif matches(self.ignore, item):
            reason = "--ignore"
        elif self.known:
            name = identity(item, connection)
            if self.known.get(name, 0):
                self.known[name] -= 1
                reason = "baseline"
        item.ignored = reason
        fitting = [word for word in self.levels if _matches(word, item.code, "")]
        if fitting:
            item.severity = self.levels[max(fitting, key=len)]


def identity(item: Diagnostic, connection: ConnectionReport | None) -> str:
    """What makes two findings of different runs the same: the code, which end it is, and what was seen.

    Numbers count from the beginning of the connection; times, frames, addresses and ports have no part in it. Of what
    is said of a whole input (``connection`` is None) no number has one: how often something was met may change.
    """
    if connection is None:
        return f"{item.code} input {re.sub(_NUMBERS, 'some', item.message)}"
    end = {connection.a: "a", connection.b: "b"}.get(item.endpoint, "?")
    seen = item.relative or item.observed
    if not seen:
        words = item.message.replace(connection.a, "a").replace(connection.b, "b")
        seen = " ".join("some" if word.isdigit() else word for word in words.split())
    return f"{item.code} {connection.protocol} {end} {seen}"


def baseline(report: Report) -> dict[str, Any]:
    """All findings of a report that are no fault of the capture, as the document of a file of known findings."""
    found: dict[str, int] = {}
    for connection in report.connections:
        for item in connection.diagnostics:
            if item.severity != "capture":
                name = identity(item, connection)
                found[name] = found.get(name, 0) + 1
    for each in report.inputs:
        for item in each.notes:
            if item.severity != "capture":
                name = identity(item, None)
                found[name] = found.get(name, 0) + 1
    return {BASELINE_KEY: BASELINE_VERSION, "findings": dict(sorted(found.items()))}


def read_baseline(path: str) -> dict[str, int]:
    """How often which finding is known; PolicyError when the file is no baseline, OSError when it cannot be read."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        place = f": line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise PolicyError(f"{path}{place}: not a baseline, which is JSON as --write-baseline writes it") from None
    if not isinstance(document, dict) or BASELINE_KEY not in document:
        raise PolicyError(f'{path}: not a baseline: there is no "{BASELINE_KEY}"; --write-baseline writes one')
    if document[BASELINE_KEY] != BASELINE_VERSION:
        raise PolicyError(f"{path}: a baseline of version {document[BASELINE_KEY]!r}; {BASELINE_VERSION} can be read")
    found = document.get("findings")
    if not isinstance(found, dict) or any(not _is_count(number) for number in found.values()):
        raise PolicyError(f'{path}: "findings" has to be an object of numbers that are at least 1')
    return dict(found)


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1
