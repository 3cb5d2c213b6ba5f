"""The text of a report: whole examples beside this file, and the rules that every text has to follow.

``UPDATE_GOLDEN=1 pytest tests/report`` writes the examples anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, InputReport, Report
from tcpmodel.report import check_text
from tcpmodel.report.style import Style

GOLDEN = Path(__file__).parent / "golden"
Make = Callable[..., ConnectionReport]
Reports = dict[str, Callable[[], Report]]

PIPE = Style()
TERMINAL = Style(width=80)
CASES: dict[str, tuple[str, Style, dict[str, bool]]] = {
    "small-pipe": ("small", PIPE, {}),
    "small-80-columns": ("small", TERMINAL, {}),
    "small-ascii": ("small", Style(width=80, signs=False), {}),
    "small-color": ("small", Style(width=120, color=True), {}),
    "small-quiet": ("small", PIPE, {"quiet": True}),
    "several-80-columns": ("several", TERMINAL, {}),
    "several-quiet": ("several", TERMINAL, {"quiet": True}),
    "large-80-columns": ("large", TERMINAL, {}),
    "large-quiet": ("large", TERMINAL, {"quiet": True}),
}


def text(report: Report, style: Style = PIPE, *, quiet: bool = False, verbose: bool = False) -> str:
    return "".join(line + "\n" for line in check_text.lines(report, style, quiet=quiet, verbose=verbose))


@pytest.mark.parametrize("name", CASES)
def test_example(reports: Reports, name: str) -> None:
    which, style, options = CASES[name]
    shown = text(reports[which](), style, **options)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(shown, encoding="utf-8", newline="\n")
    assert shown == path.read_text(encoding="utf-8")


def test_no_example_is_forgotten() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


def test_nothing_to_show(reports: Reports) -> None:
    assert text(reports["empty"]()) == ""


def test_every_line_fits_the_terminal(report: Report) -> None:
    for width in 75, 80, 120:
        for line in text(report, Style(width=width)).splitlines():
            assert len(line) <= width


def test_no_line_ends_in_blanks(report: Report) -> None:
    for style in PIPE, TERMINAL, Style(width=50):
        assert not re.search(r"[ \t]$", text(report, style), re.MULTILINE)


def test_colors_change_nothing_else(report: Report) -> None:
    for width in None, 80:
        colored = text(report, Style(width=width, color=True))
        assert re.sub(r"\x1b\[[\d;]*m", "", colored) == text(report, Style(width=width))


def test_plain_signs_are_ascii(report: Report) -> None:
    assert text(report, Style(signs=False)).isascii()


def test_one_line_for_each_connection_in_a_pipe(report: Report) -> None:
    shown = [line for line in text(report, verbose=True).splitlines() if re.match(r"[✓✗?] ", line)]
    assert [line.split()[2] for line in shown] == [one.id for one in report.connections]


def test_limit_of_many(reports: Reports) -> None:
    few = reports["large"]()
    few.connections = few.connections[:50]
    assert text(few).count("✓ conforms") == 45
    few.connections = [*few.connections, few.connections[0]]
    assert "✓ conforms" not in text(few)
    assert text(few, verbose=True).count("✓ conforms") == 46


def test_many_findings_of_one_connection(make: Make, violation: Diagnostic) -> None:
    found = [replace(violation, place=number) for number in range(1, 10)]
    found += [Diagnostic("CAP-006", "capture", "x", number, False, "lost") for number in range(1, 8)]
    report = Report([InputReport("a", "pcap", 10, {})], [make("violates", 1, *found)])
    assert "  … and 6 more findings: 4 TCP-FIN-001, 2 CAP-006\n" in text(report)
    assert "  … and 4 more findings: 4 TCP-FIN-001\n" in text(report, quiet=True)
    assert "more finding" not in text(report, verbose=True)
    assert text(report, verbose=True).count("[TCP-FIN-001]") == 9


def test_many_states(make: Make) -> None:
    one = make()
    one.a_states = ("S1", "S2", "S3", "S4", "S5")
    report = Report([InputReport("a", "pcap", 10, {})], [one])
    assert "ends in one of 5 states / CLOSED or LAST-ACK" in text(report)
    assert "ends in S1, S2, S3, S4 or S5 / CLOSED or LAST-ACK" in text(report, verbose=True)


@pytest.mark.parametrize(
    ("time", "first", "shown"),
    [
        (None, 5, "packet 9: "),
        (1_795_247_195_808_479_000, 1_795_247_195_805_680_000, "packet 9 at 0.002799 s: "),
        (1_795_247_195_808_479_001, 1_795_247_195_805_680_000, "packet 9 at 0.002799001 s: "),
        (1_795_247_195_805_679_000, 1_795_247_195_805_680_000, "packet 9 at -0.000001 s: "),
        (1_795_247_195_808_479_000, None, "packet 9 at 07:46:35.808479 UTC: "),
        (61_000_000_000, None, "packet 9 at 61.000000 s: "),
        (0, None, "packet 9 at 0.000000 s: "),
    ],
)
def test_time(make: Make, violation: Diagnostic, time: int | None, first: int | None, shown: str) -> None:
    item = replace(violation, time=time)
    report = Report([InputReport("a", "pcap", 10, {}, "", first)], [make("violates", 1, item)])
    assert f"  {shown}10.77.1.2:40246 sends" in text(report)


@pytest.mark.parametrize(
    ("severity", "message", "shown"),
    [
        ("violation", "sends too much", "packet 9: 1.1.1.1:1 sends too much [X]"),
        ("violation", "Length is wrong", "packet 9: 1.1.1.1:1: Length is wrong [X]"),
        ("violation", "1.1.1.1:1 is wrong", "packet 9: 1.1.1.1:1 is wrong [X]"),
        ("warning", "options are wrong", "warning: packet 9: 1.1.1.1:1: options are wrong [X]"),
        ("note", "port 0", "note: packet 9: 1.1.1.1:1: port 0 [X]"),
        ("capture", "lost", "capture: packet 9: 1.1.1.1:1: lost [X]"),
    ],
)
def test_sentence(make: Make, severity: str, message: str, shown: str) -> None:
    item = Diagnostic("X", severity, "1.1.1.1:1", 9, False, message)
    report = Report([InputReport("a", "pcap", 10, {})], [make("violates", 1, item)])
    assert f"  {shown}\n" in text(report)


def test_clauses_name_their_document_once(make: Make, violation: Diagnostic) -> None:
    item = replace(
        violation, requirements=(), cites=("RFC9293 §3.4", "RFC9293 MUST-26", "RFC5961 §4.2", "LINUX", "LINUX")
    )
    report = Report([InputReport("a", "pcap", 10, {})], [make("violates", 1, item)])
    assert "clause   RFC9293 §3.4, MUST-26, RFC5961 §4.2, LINUX, LINUX\n" in text(report)


def test_lines_are_called_lines(make: Make, violation: Diagnostic) -> None:
    report = Report([InputReport("a", "x", 10, {})], [make("violates", 1, replace(violation, in_lines=True))])
    assert "  line 9 at " in text(report)


def test_many_reasons_for_leaving_out(make: Make) -> None:
    skipped = {f"reason {number}": number for number in range(1, 11)}
    report = Report([InputReport("a", "pcap", 10, skipped)], [make()])
    assert "10 packets checked, 55 left out (10 reason 10, 9 reason 9, " in text(report)
    assert ", 5 reason 5, 10 for other reasons)\n" in text(report)
    assert "1 reason 1)\n" in text(report, verbose=True)


@given(st.text())
def test_nothing_from_outside_controls_the_terminal(hostile: str) -> None:
    item = Diagnostic(hostile, "violation", hostile, 1, False, hostile, (hostile,), 0, hostile)
    item.states, item.allowed, item.excuse = (hostile,), (hostile,), hostile
    other = replace(item, severity="note")
    one = ConnectionReport(
        hostile, hostile, hostile, hostile, "inconclusive", (hostile,), (hostile,), (), 1, (item, other)
    )
    for connections in [one], [replace(one, verdict="violates")] * (check_text.MANY + 1):
        report = Report([InputReport(hostile, hostile, 1, {hostile: 1}, hostile)], connections)
        report.inputs.append(replace(report.inputs[0]))
        for each in report.connections:
            each.input = 0
        for style in PIPE, Style(width=40), Style(signs=False):
            for line in check_text.lines(report, style):
                assert line.isprintable()
