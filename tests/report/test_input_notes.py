"""What is said of an input as a whole: in every format, and of consequence only when somebody wants that."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, Report
from tcpmodel.model.load import load_spec
from tcpmodel.report import check_github, check_json, check_junit, check_sarif, check_text, policy
from tcpmodel.report.policy import Policy
from tcpmodel.report.style import Style

Reports = dict[str, Callable[[], Report]]


def noted(reports: Reports) -> Report:
    """A report whose one connection conforms, with two notes on its input."""
    report = reports["small"]()
    del report.connections[1:]
    report.connections[0].diagnostics = ()
    report.inputs[0].notes = (
        Diagnostic("CAP-005", "capture", "", 2, False, "packets cut by the capture: 1,234"),
        Diagnostic("TCP-HS-019", "note", "10.0.0.1:80", 7, False, "many: 30 connections towards 10.0.0.1:80"),
    )
    return report


def sarif(report: Report) -> dict[str, dict[str, object]]:
    (run,) = json.loads("\n".join(check_sarif.lines(report, [load_spec("tcp")])))["runs"]
    assert all(run["tool"]["driver"]["rules"][found["ruleIndex"]]["id"] == found["ruleId"] for found in run["results"])
    return {found["ruleId"]: found for found in run["results"]}


def junit(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring("\n".join(check_junit.lines(report)))


def shown(report: Report, **how: bool) -> str:
    return "\n".join(check_text.lines(report, Style(), **how))


def test_every_format_has_them(reports: Reports) -> None:
    report = noted(reports)
    assert [item["code"] for item in check_json.report_document(report)["inputs"][0]["notes"]] == [
        "CAP-005",
        "TCP-HS-019",
    ]
    kinds = [json.loads(line) for line in check_json.record_lines(report)]
    assert [len(each["notes"]) for each in kinds if each["kind"] == "input"] == [2]
    found = sarif(report)
    assert (found["CAP-005"]["kind"], found["CAP-005"]["level"]) == ("informational", "none")
    assert found["CAP-005"]["message"] == {"text": "packets cut by the capture: 1,234, the first with packet 2"}
    text = junit(report).findtext("testsuite/testcase[@name='the input as a whole']/system-out") or ""
    assert "capture: packets cut by the capture: 1,234, the first with packet 2 [CAP-005]" in text
    lines = list(check_github.lines(report))
    assert lines[0] == (
        "::notice file=a.pcap,title=CAP-005::packets cut by the capture: 1,234, the first with packet 2"
    )
    assert shown(report).splitlines()[-2:] == [
        "note: many: 30 connections towards 10.0.0.1:80, the first with packet 7 [TCP-HS-019]",
        "capture: packets cut by the capture: 1,234, the first with packet 2 [CAP-005]",
    ]
    assert "CAP-005" not in shown(report, quiet=True)


def test_they_say_of_which_input_they_are(reports: Reports) -> None:
    report = reports["several"]()
    report.inputs[1].notes = noted(reports).inputs[0].notes
    assert "capture of b.log: packets cut by the capture: 1,234" in shown(report)


@pytest.mark.parametrize(
    ("choice", "ignored", "status"),
    [
        (Policy(), {}, 0),
        (Policy(fail_on="note"), {}, 1),
        (Policy(ignore=("CAP",)), {"CAP-005": "--ignore"}, 0),
        (Policy(ignore=("capture", "note")), {"CAP-005": "--ignore", "TCP-HS-019": "--ignore"}, 0),
        (Policy(select=("CAP-005",)), {"TCP-HS-019": "not selected"}, 0),
        (Policy(levels={"CAP-005": "violation"}), {}, 1),
        (Policy(levels={"CAP": "warning"}, fail_on="warning"), {}, 1),
        (Policy(levels={"CAP": "violation"}, ignore=("CAP-005",)), {"CAP-005": "--ignore"}, 0),
    ],
)
def test_choices_hold_for_them(reports: Reports, choice: Policy, ignored: dict[str, str], status: int) -> None:
    report = noted(reports)
    choice.apply(report)
    assert {note.code: note.ignored for note in report.inputs[0].notes if note.ignored} == ignored
    assert report.exit_code == status
    assert [one.verdict for one in report.connections] == ["conforms"]
    assert set(ignored) == {code for code, found in sarif(report).items() if "suppressions" in found}
    assert (junit(report).find("testsuite/testcase/failure") is not None) == bool(status)
    assert junit(report).get("failures") == str(status)
    assert not any(code in line for line in check_github.lines(report) for code in ignored)
    assert ("(--ignore)" in shown(report)) == ("--ignore" in ignored.values())
    assert len(shown(report, quiet=True).splitlines()) == 1 + status, "whatever fails is shown"


def test_those_of_inputs_that_were_marked_before_stay_as_they_are(reports: Reports) -> None:
    report = noted(reports)
    Policy(ignore=("CAP",)).apply(report, known_inputs=1)
    assert not any(note.ignored for note in report.inputs[0].notes)


def test_a_baseline_knows_them_however_often_they_are_met(reports: Reports) -> None:
    report = noted(reports)
    Policy(levels={"CAP-005": "violation"}).apply(report)
    known = policy.baseline(report)["findings"]
    assert known == {
        "CAP-005 input packets cut by the capture: some": 1,
        "TCP-HS-019 input many: some connections towards some": 1,
    }
    again = noted(reports)
    again.inputs[0].notes[0].message = "packets cut by the capture: 7"
    Policy(levels={"CAP": "violation"}, known=dict(known)).apply(again)
    assert [note.ignored for note in again.inputs[0].notes] == ["baseline", "baseline"] and again.exit_code == 0


def test_a_capture_fault_as_such_is_in_no_baseline(reports: Reports) -> None:
    report = noted(reports)
    Policy().apply(report)
    assert [name for name in policy.baseline(report)["findings"] if name.startswith("CAP")] == []


def test_a_fault_of_many_connections_is_told_once(reports: Reports, make: Callable[..., ConnectionReport]) -> None:
    def fault(number: int) -> Diagnostic:
        words = f"{number} numbers before this packet were never captured"
        return Diagnostic("CAP-006", "capture", "10.77.1.2:40246", 10 * number, False, words)

    report = reports["small"]()
    for count in (3, 4):
        report.connections[:] = [make("conforms", number, fault(number)) for number in range(1, count + 1)]
        told = [line for line in shown(report).splitlines() if "CAP-006" in line]
        if count == 3:
            assert len(told) == 3 and all(line.startswith("  capture: packet") for line in told)
        else:
            assert told == [
                "capture: some numbers before this packet were never captured: 4 connections, the first with packet 10 "
                "of tcp-1 [CAP-006]"
            ]
        assert shown(report, verbose=True).count("CAP-006") == count
    report.connections[0].diagnostics[0].severity = "violation"
    assert "numbers before this packet were never captured" in shown(report, quiet=True)


def test_a_fault_of_many_inputs_is_told_once(reports: Reports) -> None:
    for count in (3, 4):
        report = reports["several"]()
        for item in report.inputs[:count]:
            item.notes = noted(reports).inputs[0].notes
        told = [line for line in shown(report).splitlines() if "CAP-005" in line]
        if count == 3:
            assert len(told) == 3
        else:
            assert told == ["capture: packets cut by the capture: 4 of 4 inputs, the first a.pcap [CAP-005]"]
        assert shown(report, verbose=True).count("CAP-005") == shown(report).count("TCP-HS-019") == count
