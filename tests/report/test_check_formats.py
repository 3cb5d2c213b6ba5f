"""The formats for platforms: SARIF, JUnit, workflow commands of GitHub, JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, InputReport, Report
from tcpmodel.model.load import load_spec
from tcpmodel.report import check_github, check_json, check_junit, check_sarif

Reports = dict[str, Callable[[], Report]]


def sarif(report: Report) -> Any:
    return json.loads("\n".join(check_sarif.lines(report, [load_spec("tcp"), load_spec("udp")])))


def check_essentials(document: Any) -> None:
    """What the published schema of SARIF 2.1.0 asks for, as far as we write it."""
    assert set(document) == {"$schema", "version", "runs"}
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "tcpmodel" and driver["version"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and rule["defaultConfiguration"]["level"] in LEVELS
    for artifact in run["artifacts"]:
        urlsplit(artifact["location"]["uri"])
        assert artifact["location"]["uri"].isascii() and " " not in artifact["location"]["uri"]
    for invocation in run["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool) and isinstance(invocation["exitCode"], int)
        for notice in invocation.get("toolExecutionNotifications", ()):
            assert notice["level"] in LEVELS and notice["message"]["text"]
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    for result in run["results"]:
        check_result(result, ids, run)


LEVELS = {"none", "note", "warning", "error"}
KINDS = {"notApplicable", "pass", "fail", "review", "open", "informational"}


def check_result(result: Any, ids: list[str], run: Any) -> None:
    assert ids[result["ruleIndex"]] == result["ruleId"]
    assert result["level"] in LEVELS and result["kind"] in KINDS
    assert result["kind"] == "fail" or result["level"] == "none", "a level other than none belongs to failures"
    assert isinstance(result["message"]["text"], str) and result["message"]["text"]
    assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
    for location in result["locations"]:
        place = location["physicalLocation"]
        where = place["artifactLocation"]
        assert run["artifacts"][where["index"]]["location"]["uri"] == where["uri"]
        assert place.get("region", {"startLine": 1})["startLine"] >= 1
        assert all(each["name"] and each["fullyQualifiedName"] for each in location["logicalLocations"])
    for suppression in result.get("suppressions", ()):
        assert suppression["kind"] in ("inSource", "external") and suppression["justification"]


def test_sarif_has_what_the_schema_asks_for(report: Report) -> None:
    check_essentials(sarif(report))


def test_sarif_results(reports: Reports) -> None:
    report = reports["small"]()
    report.connections[1].diagnostics[0].ignored = "baseline"
    (run,) = sarif(report)["runs"]
    (found,) = [result for result in run["results"] if result["ruleId"] == "TCP-FIN-001"]
    assert (found["level"], found["kind"], found["suppressions"][0]["justification"]) == ("error", "fail", "baseline")
    rule = run["tool"]["driver"]["rules"][found["ruleIndex"]]
    assert rule["properties"]["clauses"] == ["RFC9293 §3.10.2", "RFC9293 §3.6"]
    lost = [result for result in run["results"] if result["ruleId"] == "CAP-006"]
    assert {(result["level"], result["kind"]) for result in lost} == {("none", "informational")}


def test_paths_as_references() -> None:
    told = {"-": "stdin", "a b%.pcap": "a%20b%25.pcap", "/x/é:1.pcap": "file:///x/%C3%A9%3A1.pcap", "a#?": "a%23%3F"}
    assert {path: check_sarif.uri(path) for path in told} == told


def test_junit_has_a_case_for_each_connection(report: Report) -> None:
    root = ElementTree.fromstring("\n".join(check_junit.lines(report)))
    cases = list(root.iter("testcase"))
    errors = sum(1 for item in report.inputs if item.error)
    assert len(cases) == len(report.connections) + errors == int(root.attrib["tests"])
    for element in [root, *root.iter("testsuite")]:
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[name]) == len(list(element.iter(tag)))
    assert int(root.attrib["failures"]) == sum(one.verdict == "violates" for one in report.connections)


def test_junit_fails_by_what_counts(reports: Reports) -> None:
    report = reports["small"]()
    report.connections[1].diagnostics[0].ignored = "--ignore"
    text = "\n".join(check_junit.lines(report))
    assert "<failure" not in text and "(ignored: --ignore)" in text
    report.fails = frozenset({"violation", "warning"})
    (failure,) = ElementTree.fromstring("\n".join(check_junit.lines(report))).iter("failure")
    assert failure.attrib["type"] == "UDP-005"


def test_github_commands(reports: Reports) -> None:
    lines = list(check_github.lines(reports["small"]()))
    assert [line.split(" ")[0] for line in lines[:-1]] == ["::notice", "::warning", "::error"]
    assert lines[1].startswith("::warning file=a.pcap,line=3,title=UDP-005 (tcp-1%2C line 3)::line 3: ")
    assert lines[-1] == "tcpmodel: 3 connections checked, 1 finding to act upon"
    ignored = reports["small"]()
    ignored.connections[1].diagnostics[0].ignored = "baseline"
    assert not any(line.startswith("::error") for line in check_github.lines(ignored))


def test_github_escapes_its_own_syntax() -> None:
    told = check_github.command("error", {"file": "a:b,c%\r\n", "line": ""}, "50%\r\n::warning::x, y: z")
    assert told == "::error file=a%3Ab%2Cc%25\\r%0A::50%25\\r%0A::warning::x, y: z"


def test_json_lines(report: Report) -> None:
    found = [json.loads(line) for line in [*check_json.record_lines(report), check_json.summary_line(report)]]
    kinds = [each["kind"] for each in found]
    assert kinds == ["connection"] * len(report.connections) + ["input"] * len(report.inputs) + ["summary"]
    whole = json.loads("\n".join(check_json.lines(report)))
    assert [{k: v for k, v in each.items() if k != "kind"} for each in found if each["kind"] == "connection"] == whole[
        "connections"
    ]


@given(st.text())
def test_nothing_from_outside_breaks_a_format(hostile: str) -> None:
    item = Diagnostic(hostile, "violation", hostile, 1, False, hostile, (hostile,), 0, hostile)
    item.states, item.allowed, item.excuse = (hostile,), (hostile,), hostile
    one = ConnectionReport(hostile, hostile, hostile, hostile, "violates", (hostile,), (), (), 1, (item,), 0)
    report = Report([InputReport(hostile, hostile, 1, {}, hostile)], [one, replace(one, diagnostics=())])
    json.loads("\n".join(check_sarif.lines(report, [])))
    ElementTree.fromstring("\n".join(check_junit.lines(report)))
    for line in check_github.lines(report):
        assert line.isprintable()
