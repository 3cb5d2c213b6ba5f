"""Logs of kernel states: which changes are violations, and what a log is excused for.

The lines are written as the kernel's tracepoint prints them and go through the reader of ftrace.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES, ConnectionReport, Report
from tcpmodel.checking.run import check
from tcpmodel.model.load import parse_spec
from tcpmodel.model.spec import Spec

LINE = (
    "  python3-7591    [001] .Ns2.  1.{at:06d}: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP{sock} "
    "sport={sport} dport={dport} saddr={saddr} daddr={daddr} saddrv6=::ffff:{saddr} daddrv6=::ffff:{daddr} "
    "oldstate=TCP_{old} newstate=TCP_{new}\n"
)
WORDS = {
    "CLO": "CLOSE",
    "LIS": "LISTEN",
    "SYS": "SYN_SENT",
    "SYR": "SYN_RECV",
    "EST": "ESTABLISHED",
    "FW1": "FIN_WAIT1",
    "FW2": "FIN_WAIT2",
    "CLW": "CLOSE_WAIT",
    "CLG": "CLOSING",
    "LAK": "LAST_ACK",
    "TMW": "TIME_WAIT",
}

# F drawn in figure 5 of RFC 9293, T required by its text, O optional, P with a profile, e the net effect of one event.
MATRIX = """
    CLO LIS SYS SYR EST FW1 FW2 CLW CLG LAK TMW
CLO  .   F   F   -   -   -   -   -   -   -   -
LIS  F   .   F   F   -   -   -   e   -   -   -
SYS  F   -   .   F   F   -   -   e   -   -   -
SYR  T   F   -   .   F   F   -   T   -   -   P
EST  T   -   -   -   .   F   -   F   -   -   P
FW1  T   -   -   -   -   .   F   -   F   -   T
FW2  T   -   -   -   -   -   .   -   -   -   F
CLW  T   -   -   -   -   -   -   .   -   F   P
CLG  T   -   -   -   -   -   -   -   .   -   F
LAK  F   -   -   -   -   -   -   -   -   .   -
TMW  F   -   -   O   -   -   -   -   -   -   .
"""

# Every change that Linux prints, apart from a state that stays.
PRINTED = """
CLO LIS, CLO SYS, LIS CLO, LIS SYR, SYS CLO, SYS EST, SYS SYR, SYR EST, SYR FW1, SYR CLW, SYR CLO, EST FW1, EST CLW,
EST CLO, FW1 FW2, FW1 CLG, FW1 CLO, FW2 CLO, CLG CLO, CLW LAK, CLW CLO, LAK CLO
"""
STAYS = ("FW1", "FW2", "LAK", "CLG", "CLO")


def marked(*marks: str) -> list[tuple[str, str]]:
    """The pairs of the matrix with one of these marks."""
    head, *rows = (row.split() for row in MATRIX.strip().splitlines())
    return [(row[0], new) for row in rows for new, mark in zip(head, row[1:], strict=True) if mark in marks]


def pairs(text: str) -> list[tuple[str, str]]:
    found = [tuple(pair.split()) for pair in text.replace("\n", " ").split(",")]
    return [(old, new) for old, new in found]


def line(
    at: int, old: str, new: str, *, local: str = "10.0.0.1:80", remote: str = "10.0.0.2:999", sock: str = ""
) -> str:
    saddr, _, sport = local.rpartition(":")
    daddr, _, dport = remote.rpartition(":")
    address = f" skaddr={sock}" if sock else ""
    return LINE.format(at=at, sock=address, sport=sport, dport=dport, saddr=saddr, daddr=daddr, old=old, new=new)


Log = Callable[..., Report]


@pytest.fixture
def log(tmp_path: Path, judge: Callable[[Path], Checker]) -> Log:
    """Check changes of one socket, given as ``CLO SYS EST``, or as whole lines."""

    def run(*texts: str) -> Report:
        lines: list[str] = []
        for text in texts:
            if text.endswith("\n"):
                lines.append(text)
                continue
            words = [WORDS[word] for word in text.split()]
            lines += [line(len(lines) + n, *pair) for n, pair in enumerate(pairwise(words))]
        path = tmp_path / "log.txt"
        path.write_text("".join(lines))
        return judge(path).report

    return run


def only(report: Report) -> ConnectionReport:
    (connection,) = report.connections
    return connection


def codes(connection: ConnectionReport) -> list[tuple[str, int]]:
    return [(item.code, item.place) for item in connection.diagnostics]


# ---------------------------------------------------------------------------------------------------- single changes


@pytest.mark.parametrize(("old", "new"), pairs(PRINTED))
def test_what_linux_prints_is_allowed(log: Log, old: str, new: str) -> None:
    assert only(log(f"{old} {new}")).verdict != VIOLATES


@pytest.mark.parametrize("state", STAYS)
def test_records_without_a_change_are_normal(log: Log, state: str) -> None:
    report = log(f"{state} {state}")
    assert only(report).verdict != VIOLATES


def test_the_matrix_is_whole() -> None:
    assert len(marked("-")) == 76
    assert len(marked(*"FTOPe")) == 34
    assert len(pairs(PRINTED)) == 22
    assert set(pairs(PRINTED)) <= set(marked("F", "T"))


@pytest.mark.parametrize(("old", "new"), marked("-"))
def test_what_no_rule_allows_is_a_violation(log: Log, old: str, new: str) -> None:
    connection = only(log(f"{old} {new}"))
    assert connection.verdict == VIOLATES
    (finding,) = connection.diagnostics
    assert (finding.code, finding.place, finding.in_lines) == ("TCP-TRANSITION", 1, True)
    assert finding.observed == f"TCP_{WORDS[old]} -> TCP_{WORDS[new]}"


@pytest.mark.parametrize(("old", "new"), marked("F", "T"))
def test_what_the_rfc_says_is_allowed(log: Log, old: str, new: str) -> None:
    assert only(log(f"{old} {new}")).verdict != VIOLATES


@pytest.mark.parametrize(("old", "new"), marked("P"))
def test_who_aborts_does_not_wait(log: Log, old: str, new: str) -> None:
    """A note of the RFC would have it so, but no stack that writes such logs."""
    assert codes(only(log(f"{old} {new}"))) == [("TCP-TRANSITION", 1)]


# ------------------------------------------------------------------------------------------------------- whole lives

LIVES = [
    ("CLO SYS EST FW1 FW2 CLO", CONFORMS, {"FIN-WAIT-2", "TIME-WAIT", "CLOSED"}),
    ("CLO SYS EST FW1 CLG CLO", CONFORMS, {"TIME-WAIT", "CLOSED"}),
    ("CLO SYS EST CLW LAK CLO", CONFORMS, {"CLOSED"}),
    ("CLO SYS EST CLW CLO", CONFORMS, {"CLOSED"}),
    ("CLO SYS SYR EST FW1 CLG CLO", CONFORMS, {"TIME-WAIT", "CLOSED"}),
    ("CLO SYS CLO", CONFORMS, {"CLOSED"}),
    ("CLO SYS CLO SYS EST CLO", CONFORMS, {"CLOSED"}),
    ("CLO LIS CLO", CONFORMS, {"CLOSED"}),
    ("LIS SYR EST CLW LAK CLO", CONFORMS, {"CLOSED"}),
    ("LIS SYR EST FW1 FW1 FW2 FW2 CLO", CONFORMS, {"FIN-WAIT-2", "TIME-WAIT", "CLOSED"}),
    ("LIS SYR EST CLW LAK LAK CLO", CONFORMS, {"CLOSED"}),
    ("LIS SYR CLO", CONFORMS, {"CLOSED"}),
    ("CLO SYS EST", INCONCLUSIVE, {"ESTABLISHED"}),
    ("EST CLW LAK CLO", INCONCLUSIVE, {"CLOSED"}),
    ("FW1 FW2 CLO", INCONCLUSIVE, {"FIN-WAIT-2", "TIME-WAIT", "CLOSED"}),
]


@pytest.mark.parametrize(("words", "verdict", "states"), LIVES, ids=[words for words, _, _ in LIVES])
def test_lives(log: Log, words: str, verdict: str, states: set[str]) -> None:
    report = log(words)
    last = report.connections[-1]
    assert last.verdict == verdict, last
    assert set(last.a_states) == states
    assert not last.diagnostics


def test_the_change_that_is_wrong_is_named_and_the_log_goes_on(log: Log) -> None:
    connection = only(log("CLO SYS EST LAK CLO"))
    assert codes(connection) == [("TCP-TRANSITION", 3)]
    finding = connection.diagnostics[0]
    assert finding.states == ("ESTABLISHED",)
    targets = {text.split(":")[0] for text in finding.allowed}
    assert {"ESTABLISHED -> FIN-WAIT-1", "ESTABLISHED -> CLOSE-WAIT"} <= targets
    assert finding.cites


def test_where_a_socket_comes_from_matters(log: Log) -> None:
    """A reset takes SYN-RECEIVED back to LISTEN only after a passive OPEN; this one was active."""
    connection = only(log("CLO SYS SYR LIS"))
    assert codes(connection) == [("TCP-TRANSITION", 3)]
    assert only(log("SYR LIS")).verdict != VIOLATES, "of this one nothing is known"


def test_a_fin_of_our_own_is_not_forgotten(log: Log) -> None:
    assert only(log("CLO SYS EST FW1 EST")).verdict == VIOLATES
    assert only(log("CLO SYS EST CLW FW1")).verdict == VIOLATES


# ----------------------------------------------------------------------------------- sockets, ends and what is missing


def test_the_child_of_a_listener_is_a_socket_of_its_own(log: Log) -> None:
    report = log(
        line(0, "CLOSE", "LISTEN", remote="0.0.0.0:0", sock="aa"),
        line(1, "LISTEN", "SYN_RECV", sock="bb"),
        line(2, "SYN_RECV", "ESTABLISHED", sock="bb"),
        line(3, "ESTABLISHED", "CLOSE_WAIT", sock="bb"),
        line(4, "LISTEN", "CLOSE", remote="0.0.0.0:0", sock="aa"),
        line(5, "CLOSE_WAIT", "LAST_ACK", sock="bb"),
        line(6, "LAST_ACK", "CLOSE", sock="bb"),
    )
    listener, child = report.connections
    assert (listener.verdict, listener.packets, child.verdict, child.packets) == (CONFORMS, 2, CONFORMS, 5)
    assert child.b == "10.0.0.2:999"


def test_both_ends_in_one_log_are_one_connection(log: Log) -> None:
    client, server = "10.0.0.2:999", "10.0.0.1:80"
    report = log(
        line(0, "CLOSE", "SYN_SENT", local="10.0.0.2:0", remote=server, sock="cc"),
        line(1, "SYN_SENT", "ESTABLISHED", local=client, remote=server, sock="cc"),
        line(2, "LISTEN", "SYN_RECV", local=server, remote=client, sock="bb"),
        line(3, "SYN_RECV", "ESTABLISHED", local=server, remote=client, sock="bb"),
        line(4, "ESTABLISHED", "FIN_WAIT1", local=client, remote=server, sock="cc"),
        line(5, "ESTABLISHED", "CLOSE_WAIT", local=server, remote=client, sock="bb"),
        line(6, "FIN_WAIT1", "FIN_WAIT2", local=client, remote=server, sock="cc"),
        line(7, "CLOSE_WAIT", "LAST_ACK", local=server, remote=client, sock="bb"),
        line(8, "FIN_WAIT2", "CLOSE", local=client, remote=server, sock="cc"),
        line(9, "LAST_ACK", "CLOSE", local=server, remote=client, sock="bb"),
    )
    connection = only(report)
    assert (connection.verdict, connection.packets) == (CONFORMS, 10)
    assert (connection.a, connection.b) == (client, server)
    assert "TIME-WAIT" in connection.a_states and connection.b_states == ("CLOSED",)


def test_a_kernel_object_may_serve_another_socket_later(log: Log) -> None:
    report = log(
        line(0, "CLOSE", "SYN_SENT", local="10.0.0.1:5", sock="aa"),
        line(1, "SYN_SENT", "CLOSE", local="10.0.0.1:5", sock="aa"),
        line(2, "CLOSE", "LISTEN", local="10.0.0.1:6", remote="0.0.0.0:0", sock="aa"),
        line(3, "LISTEN", "CLOSE", local="10.0.0.1:6", remote="0.0.0.0:0", sock="aa"),
        line(4, "LISTEN", "SYN_RECV", local="10.0.0.1:7", sock="aa"),
        line(5, "SYN_RECV", "CLOSE", local="10.0.0.1:7", sock="aa"),
    )
    assert [(c.a, c.packets, c.verdict) for c in report.connections] == [
        ("10.0.0.1:5", 2, CONFORMS),
        ("10.0.0.1:6", 2, CONFORMS),
        ("10.0.0.1:7", 2, CONFORMS),
    ]


def test_lost_records_are_no_violation(log: Log) -> None:
    connection = only(
        log(
            line(0, "CLOSE", "SYN_SENT", sock="aa"),
            line(1, "SYN_SENT", "ESTABLISHED", sock="aa"),
            line(2, "CLOSE_WAIT", "LAST_ACK", sock="aa"),
            line(3, "LAST_ACK", "CLOSE", sock="aa"),
        )
    )
    assert connection.verdict == INCONCLUSIVE
    assert [(item.code, item.severity, item.place) for item in connection.diagnostics] == [("CAP-006", "capture", 3)]
    assert any("missing" in reason for reason in connection.reasons)


def test_a_violation_beside_lost_records_is_one(log: Log) -> None:
    connection = only(
        log(
            line(0, "CLOSE", "SYN_SENT", sock="aa"),
            line(1, "CLOSE_WAIT", "LAST_ACK", sock="aa"),
            line(2, "LAST_ACK", "TIME_WAIT", sock="aa"),
        )
    )
    assert connection.verdict == VIOLATES
    assert [item.place for item in connection.diagnostics if item.severity == "violation"] == [3]


def test_names_that_the_spec_does_not_know_are_left_out(log: Log) -> None:
    report = log(
        line(0, "CLOSE", "SYN_SENT"),
        line(1, "SYN_SENT", "BOUND_INACTIVE"),
        line(2, "SYN_SENT", "CLOSE"),
    )
    assert only(report).verdict == CONFORMS
    (reason,) = report.inputs[0].skipped
    assert "BOUND_INACTIVE" in reason


NO_SOURCES = """spec none over tcp
message SEG
  flag SYN
initial state A
  on SEG stay
"""


def test_a_spec_without_sources_says_so(tmp_path: Path) -> None:
    spec = parse_spec(NO_SOURCES, "none.tcpspec")
    path = tmp_path / "log.txt"
    path.write_text(line(0, "CLOSE", "SYN_SENT"))
    report = check([str(path)], [spec])
    assert report.exit_code == 2 and not report.connections
    assert "linux-states" in report.inputs[0].error


def test_words_of_windows_in_german(tmp_path: Path, specs: list[Spec]) -> None:
    """As the command line writes them, in code page 850."""
    rows = "\r\n".join(
        f"  TCP    10.0.0.5:5100{number}         10.0.0.9:443           {word}"
        for number, word in enumerate(("HERGESTELLT", "WARTEND", "SCHLIESSEN_WARTEN", "SYN_GESENDET", "FIN_WARTEN_2"))
    )
    heading = "\r\nAktive Verbindungen\r\n\r\n  Proto  Lokale Adresse         Remoteadresse          Status\r\n"
    listening = "  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN\r\n"
    path = tmp_path / "netstat.txt"
    path.write_bytes((heading + listening + rows + "\r\n").encode("cp850"))
    assert [one.a_states for one in check([str(path)], specs).connections] == [
        ("ESTABLISHED",),
        ("TIME-WAIT",),
        ("CLOSE-WAIT",),
        ("SYN-SENT",),
        ("FIN-WAIT-2",),
    ]
