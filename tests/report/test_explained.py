"""``tcpmodel explain``: whatever a report may name is explained, and rules show their examples."""

from __future__ import annotations

import pytest

from tcpmodel.cli.main import main
from tcpmodel.model.load import load_spec
from tcpmodel.report.finding_codes import GENERAL, explain
from tcpmodel.report.policy import codes
from tcpmodel.report.rule_text import describe

SPECS = [load_spec(name) for name in ("tcp", "udp", "conntrack", "zeek")]
NAMES = tuple(spec.name for spec in SPECS)


def test_every_code_of_a_report() -> None:
    unknown = [
        code
        for code in (*codes(SPECS), *GENERAL)
        if explain(code, NAMES) is None and not any(describe(spec, code) for spec in SPECS)
    ]
    assert unknown == []


def test_examples_are_shown_whole() -> None:
    text = describe(SPECS[0], "tcp-fin-001") or ""
    breaks, legal = text.split("\n\nan example that is legal: what was sent before comes again\n")
    assert "\n\nan example that breaks it\n  --> <SEQ=100><CTL=SYN>" in breaks
    assert "<CTL=ACK><DATA=10>  ! the FIN was the last thing to be sent\n" in breaks
    assert breaks.endswith("<CTL=FIN,ACK>  ! text came before, where this FIN is")
    assert " ! " not in legal


def test_waiting_and_the_place_of_the_capture() -> None:
    text = describe(SPECS[0], "TCP-KA-002") or ""
    assert "(captured at the host of the left end)\n" in text and "\n  ... 2 s later\n" in text
    assert "needs     a capture at the sender\n" in text


def test_what_cannot_be_decided_says_why() -> None:
    text = describe(SPECS[0], "TCP-HS-017") or ""
    assert "reported  never: only the users and their hosts know" in text


def test_long_conditions_are_wrapped() -> None:
    lines = (describe(SPECS[0], "TCP-SEQ-001") or "").splitlines()
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("code", ["CAP-007", "view-001", "TCP-UNEXPLAINED", "udp-transition", "TCP-CALL"])
def test_what_no_spec_declares(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0
    assert capsys.readouterr().out.startswith(f"{code.upper()}: ")


def test_near_names_are_offered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "VIEW-01"]) == 2
    assert "did you mean VIEW-001?" in capsys.readouterr().err


def test_conditions_that_a_rule_names_are_told_with_those_inside_them() -> None:
    lines = (describe(SPECS[0], "TCP-OPT-003") or "").splitlines()
    assert [line.split()[1] for line in lines if line.startswith("where ")] == ["damaged", "wrong-sum"]
