"""Slips in the model of TCP that its own proofs must notice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from shipped import tcp_text

from tcpmodel.analysis.results import Verification, Witness
from tcpmodel.analysis.verify import verify
from tcpmodel.model.load import parse_spec

DEFAULT = frozenset({"rfc5961"})


def mutated(root: Path, pattern: str, replacement: str, *, whole: bool = False) -> Verification:
    """The proofs of the shipped model with one change, under the default profiles unless ``whole``."""
    text = tcp_text(root)
    changed, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    assert count == 1, "the rule that this test changes is not there any more"
    return verify(parse_spec(changed, str(root / "specs" / "tcp.tcpspec")), None if whole else DEFAULT, behaviour=False)


def witnesses(result: Verification) -> dict[str, tuple[Witness, ...]]:
    """What fails, without the properties that only give another proof its name."""
    named = ("property P-01", "property P-04", "property P-05", "property P-06")
    checks = [check for one in result.sections for check in one.checks if not check.holds]
    return {check.name: check.witnesses for check in checks if check.name not in named}


def test_last_ack_waits_again(root: Path) -> None:
    found = witnesses(mutated(root, r"(LAK-A1: .*?-> )CLOSED", r"\1TIME-WAIT"))
    assert list(found) == ["property last-ack", "property P-07"]
    (witness,) = found["property last-ack"]
    assert witness.rules == ("LAK-A1",)
    assert witness.path[0].state == "CLOSED" and witness.path[-1].target == "TIME-WAIT"


def test_listener_without_handshake(root: Path) -> None:
    found = witnesses(mutated(root, r"(LIS-14: .*?-> )SYN-RECEIVED", r"\1ESTABLISHED"))
    assert list(found) == ["property handshake", "property P-07"]


@pytest.mark.parametrize(
    ("rule", "states"),
    [("TMW-02", {"CLOSING", "TIME-WAIT"}), ("EST-F0", {"SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"})],
)
def test_end_forgotten(root: Path, rule: str, states: set[str]) -> None:
    """Rules that let processing continue handle nothing: one of a later step has to end it."""
    found = witnesses(mutated(root, rf"^  {rule}: .*\n", ""))
    assert list(found) == ["classes-handled"]
    assert {witness.state for witness in found["classes-handled"]} == states
    assert all("brings SEG to an end" in witness.text for witness in found["classes-handled"])


def test_case_forgotten(root: Path) -> None:
    found = witnesses(mutated(root, r"^  LIS-15: .*\n", ""))
    assert list(found) == ["classes-handled"]
    (witness,) = found["classes-handled"]
    values = dict(witness.values)
    assert witness.state == "LISTEN" and values["SEG flags"] == "none"


def test_call_forgotten(root: Path) -> None:
    found = witnesses(mutated(root, r"LIS-07: on CLOSE", "LIS-07: on timeout KEEPALIVE"))
    assert list(found) == ["events-handled"]
    (witness,) = found["events-handled"]
    assert (witness.state, witness.event) == ("LISTEN", "CLOSE")


def test_no_way_out(root: Path) -> None:
    """Without USER, R2, ABORT and resets in it, an endpoint could wait for its last acknowledgment for ever."""
    text = tcp_text(root)
    start = text.index("state LAST-ACK")
    end = text.index("\n///", start)
    body = re.sub(r"-> CLOSED", "stay", text[start:end])
    body = re.sub(r"  use (abort-quietly|give-up|give-up-sending|check-reset-quietly|resets-in-the-wild)\n", "", body)
    body = body.replace("use calls-while-open", "use calls-while-open\n  on ABORT stay")
    found = witnesses(
        verify(parse_spec(text[:start] + body + text[end:], str(root / "specs" / "tcp.tcpspec")), DEFAULT)
    )
    assert "closable" in found and "livelock-free" in found
    (witness,) = found["livelock-free"]
    assert witness.state == "LAST-ACK"


@pytest.mark.slow
def test_rule_that_hides_others(root: Path) -> None:
    found = witnesses(mutated(root, r"SYR-20: on SEG without ACK", "SYR-20: on SEG when SEG.DATA >= 0", whole=True))
    hidden = {witness.rules for witness in found["rules-used"]}
    assert {("SYR-21", "SYR-20"), ("SYR-22", "SYR-20")} <= hidden
