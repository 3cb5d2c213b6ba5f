"""What is said of inputs as a whole, and what was ignored, as text for people.

Owns: the lines below the summary of a check: their order and words, and what is left out when there is too much.
Must never hold: what is noted (see ``checking`` and ``traces``), or how text is wrapped and escaped (see ``style``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tcpmodel.checking.outcome.findings import SEVERITIES, ConnectionReport, Diagnostic, InputReport, Report, grouped
from tcpmodel.report.finding_codes import GENERAL
from tcpmodel.report.finding_text import clauses
from tcpmodel.report.style import Style, counted

MOST_ALONE = 3
"""What more connections or inputs than this have is told once, unless all is asked for."""

MOST_OF_A_CODE = 5
"""So many notes of one code are shown of one input, unless all are asked for."""

OF_WEIGHT = frozenset({"CAP-006", "CAP-007", "CAP-008", "CAP-014"})
"""Faults of a capture that make verdicts inconclusive."""

ROLES = {"violation": "bad", "warning": "unclear", "note": "faint", "capture": "faint"}
"""How the word before a finding is painted, by its severity."""


def note_lines(report: Report, style: Style, *, quiet: bool, verbose: bool) -> Iterator[str]:
    """The notes of all inputs, the most serious first. ``quiet``: only those that make the exit status 1."""
    common = {} if quiet or verbose else _common(report)
    for item in report.inputs:
        shown: dict[str, int] = {}
        hidden = 0
        for note in sorted(item.notes, key=_rank):
            if (quiet and not report.counts(note)) or (note.ignored and not verbose):
                continue
            if note.code in common and _is_fault(note):
                continue
            shown[note.code] = shown.get(note.code, 0) + 1
            if shown[note.code] > MOST_OF_A_CODE and not verbose:
                hidden += 1
                continue
            yield from _note(note, item, style, named=len(report.inputs) > 1)
        if hidden:
            yield f"{style.clean('…')} and {counted(hidden, 'more note')} of this kind"
    for code, inputs in common.items():
        title = GENERAL[code].title
        yield from _fault(
            f"{title}: {len(inputs):,} of {len(report.inputs):,} inputs, the first {inputs[0]}", code, style
        )


def _common(report: Report) -> dict[str, list[str]]:
    """By code, the inputs that have a fault of the capture which more than a few have."""
    found: dict[str, list[str]] = {}
    for item in report.inputs:
        for code in dict.fromkeys(note.code for note in item.notes if _is_fault(note) and note.code in GENERAL):
            found.setdefault(code, []).append(_path(item))
    return {code: inputs for code, inputs in found.items() if len(inputs) > MOST_ALONE}


def _fault(words: str, code: str, style: Style) -> Iterator[str]:
    lines = list(style.fold(style.clean(f"capture: {words} [{code}]"), 4))
    lines[0] = style.paint(ROLES["capture"], "capture:") + lines[0].removeprefix("capture:")
    yield from lines


def _path(item: InputReport) -> str:
    return "standard input" if item.path == "-" else item.path


def _rank(note: Diagnostic) -> tuple[int, bool]:
    """The most serious first, and of faults of the capture those on which verdicts depend."""
    return (SEVERITIES.index(note.severity), note.code not in OF_WEIGHT)


def _note(note: Diagnostic, item: InputReport, style: Style, *, named: bool) -> Iterator[str]:
    word = note.severity
    if note.ignored:
        word = f"ignored ({note.ignored}) {word}"
    if named:
        word += f" of {_path(item)}"
    cites = f" ({clauses(note.cites)})" if note.cites else ""
    place = f"{'line' if note.in_lines else 'packet'} {note.place}"
    lines = list(style.fold(style.clean(f"{word}: {note.message}, the first with {place}{cites} [{note.code}]"), 4))
    start = style.clean(word) + ":"
    if lines[0].startswith(start):
        lines[0] = style.paint(ROLES[note.severity], start) + lines[0].removeprefix(start)
    yield from lines


class Gathered(NamedTuple):
    """A fault of the capture that many connections have: how many of both, the first of them, and of which input."""

    findings: int
    connections: int
    words: str
    first: Diagnostic
    connection: ConnectionReport


def gathered(report: Report) -> dict[str, Gathered]:
    """By code, the faults of the capture that are told once because more than a few connections have them."""
    found: dict[str, Gathered] = {}
    for one, many in grouped(report.connections):
        for code, number in codes_of([item for item in one.diagnostics if _is_fault(item)]).items():
            first = next(item for item in one.diagnostics if item.code == code and _is_fault(item))
            known = found.get(code) or Gathered(0, 0, in_general(first, one), first, one)
            if (one.input, first.place) < (known.connection.input, known.first.place):
                known = known._replace(words=in_general(first, one), first=first, connection=one)
            found[code] = known._replace(findings=known.findings + number * many, connections=known.connections + many)
    return {code: each for code, each in found.items() if each.connections > MOST_ALONE}


def gathered_lines(found: dict[str, Gathered], report: Report, style: Style) -> Iterator[str]:
    """One line for each of them."""
    for code, each in found.items():
        place = f"{'line' if each.first.in_lines else 'packet'} {each.first.place} of {each.connection.id}"
        origin = each.first.input if each.first.input >= 0 else each.connection.input
        if len(report.inputs) > 1 and 0 <= origin < len(report.inputs):
            place += f" in {_path(report.inputs[origin])}"
        yield from _fault(f"{each.words}: {each.connections:,} connections, the first with {place}", code, style)


def _is_fault(item: Diagnostic) -> bool:
    return item.severity == "capture" and not item.ignored


def in_general(item: Diagnostic, one: ConnectionReport) -> str:
    """The message without what is special to its connection."""
    text = item.message.replace(one.a, "one end").replace(one.b, "one end")
    return " ".join("some" if word.isdigit() else word for word in text.split(" "))


def ignored_lines(report: Report, style: Style) -> Iterator[str]:
    """How many findings are of no consequence, by the reason and their codes."""
    found: dict[str, dict[str, int]] = {}
    for item in report.findings():
        if item.ignored:
            codes = found.setdefault(item.ignored, {})
            codes[item.code] = codes.get(item.code, 0) + 1
    for reason, codes in found.items():
        total = counted(sum(codes.values()), "finding")
        yield from style.fold(f"{total} ignored ({style.clean(reason)}): {by_code(codes, style)}", 0)


def by_code(codes: dict[str, int], style: Style) -> str:
    """How many findings there are of each code."""
    return ", ".join(f"{number:,} {style.clean(code)}" for code, number in codes.items())


def codes_of(found: Sequence[Diagnostic]) -> dict[str, int]:
    """How many of these findings have which code."""
    codes: dict[str, int] = {}
    for item in found:
        codes[item.code] = codes.get(item.code, 0) + 1
    return codes
