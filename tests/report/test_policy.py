"""Which findings are of consequence, and that no choice changes a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tcpmodel.checking.outcome.findings import Diagnostic, Report
from tcpmodel.model.load import load_spec
from tcpmodel.report import check_text, policy
from tcpmodel.report.policy import Policy, PolicyError
from tcpmodel.report.style import Style

Reports = dict[str, Callable[[], Report]]


def found(report: Report) -> list[tuple[str, str, str]]:
    return [(item.code, item.severity, item.ignored) for one in report.connections for item in one.diagnostics]


@pytest.mark.parametrize(
    ("choice", "ignored", "status"),
    [
        (Policy(), set(), 1),
        (Policy(ignore=("TCP-FIN-001",)), {"TCP-FIN-001"}, 0),
        (Policy(ignore=("tcp-fin",)), {"TCP-FIN-001"}, 0),
        (Policy(ignore=("TCP-FI",)), set(), 1),
        (Policy(ignore=("note", "CAP")), {"UDP-007", "CAP-006"}, 1),
        (Policy(select=("UDP",)), {"TCP-FIN-001", "CAP-006"}, 0),
        (Policy(select=("UDP",), fail_on="warning"), {"TCP-FIN-001", "CAP-006"}, 1),
        (Policy(select=("UDP",), ignore=("UDP-005",), fail_on="warning"), {"TCP-FIN-001", "CAP-006", "UDP-005"}, 0),
        (Policy(fail_on="never"), set(), 0),
        (Policy(levels={"TCP": "warning"}), set(), 0),
        (Policy(levels={"TCP": "note", "TCP-FIN": "violation"}), set(), 1),
        (Policy(levels={"UDP-007": "violation", "TCP": "note"}), set(), 1),
    ],
)
def test_choice(reports: Reports, choice: Policy, ignored: set[str], status: int) -> None:
    report = reports["small"]()
    choice.apply(report)
    assert {code for code, _, why in found(report) if why} == ignored
    assert report.exit_code == status
    assert [one.verdict for one in report.connections] == ["conforms", "violates", "inconclusive"]


def test_what_is_ignored_is_told(reports: Reports, violation: Diagnostic) -> None:
    report = reports["small"]()
    report.connections[1].diagnostics = (violation,)
    Policy(ignore=("TCP-FIN",)).apply(report)
    for quiet in False, True:
        text = "\n".join(check_text.lines(report, Style(), quiet=quiet))
        assert "1 violates (1 accepted)" in text and "sends new octets" not in text
    assert "1 finding ignored (--ignore): 1 TCP-FIN-001" in "\n".join(check_text.lines(report, Style()))
    assert "ignored (--ignore) violation: packet 9" in "\n".join(check_text.lines(report, Style(), verbose=True))


def test_baseline_knows_how_often(reports: Reports, violation: Diagnostic) -> None:
    report = reports["small"]()
    report.connections[1].diagnostics = (violation,)
    known = policy.baseline(report)["findings"]
    assert sum(known.values()) == 3 and not any(name.startswith("CAP") for name in known)
    later = replace(violation, place=70, time=None)
    report.connections[1].diagnostics = (violation, later)
    Policy(known=dict(known)).apply(report)
    assert (violation.ignored, later.ignored, report.exit_code) == ("baseline", "", 1)


def test_identity_has_no_place_time_or_address(reports: Reports, violation: Diagnostic) -> None:
    one = reports["small"]().connections[1]
    violation.relative = "<SEQ=1>"
    moved = replace(one, a="10.9.9.9:1", b="10.9.9.8:2", id="tcp-9")
    other = replace(violation, endpoint="10.9.9.9:1", place=99, time=1, observed="<SEQ=77>")
    assert policy.identity(violation, one) == policy.identity(other, moved) == "TCP-FIN-001 tcp a <SEQ=1>"
    assert policy.identity(replace(other, endpoint=moved.b), moved) != policy.identity(other, moved)


def test_unknown_words() -> None:
    known = policy.codes([load_spec("tcp"), load_spec("udp")])
    policy.check_words(["TCP-FIN-001", "tcp-fin", "UDP", "note", "capture", "TCP-UNEXPLAINED"], known, "--ignore")
    with pytest.raises(
        PolicyError, match="--ignore: no finding has the code or severity 'TCP-FNI'; did you mean TCP-FIN"
    ):
        policy.check_words(["TCP-FNI"], known, "--ignore")
    with pytest.raises(PolicyError, match="codes begin with"):
        policy.check_words(["###"], known, "--ignore")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "{}", '{"tcpmodel baseline": 2}', '{"tcpmodel baseline": 1}', "\xff", "[" * 100_000]
    + ['{"tcpmodel baseline": 1, "findings": {"x": ' + value + "}}" for value in ("0", "true", '"1"')],
)
def test_no_baseline(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(PolicyError, match="known"):
        policy.read_baseline(str(path))
