"""Sampled states: what listings of sockets prove, and what they leave open."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES
from tcpmodel.traces.records import StateRecord

A, B = "10.0.0.1:40", "10.0.0.2:80"
PATH = "SYN-SENT ESTAB FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"


def samples(words, name=f"{A} > {B}", protocol="tcp"):
    """``-`` stands for a listing in which the socket is missing."""
    return [
        StateRecord(0, None, protocol, name, A, B, "", "" if word == "-" else word, "linux-sockets")
        for word in words.split()
    ]


@pytest.fixture
def log(judge):
    def run(words, **how):
        return judge(samples(words, **how)).report.connections

    return run


@pytest.mark.parametrize(
    "words",
    [
        f"- {PATH} -",
        "- ESTAB -",
        "- TIME-WAIT -",
        "- SYN-RECV CLOSE-WAIT -",
        "- ESTAB LAST-ACK -",
        "- LISTEN -",
        "- LISTEN ESTAB -",
    ],
)
@pytest.mark.parametrize("name", [f"{A} > {B}", "socket 4a"])
def test_states_that_follow_each_other(log, words, name):
    (one,) = log(words, name=name)
    assert (one.verdict, one.diagnostics) == (CONFORMS, ())


def test_a_state_that_stays_is_nothing(log):
    (one,) = log("- ESTAB ESTAB ESTAB - -")
    assert (one.verdict, one.packets) == (CONFORMS, 6)


BACKWARDS = [(after, before) for before, after in pairwise(PATH.split()[:-1])]


@pytest.mark.parametrize(("first", "second"), [*BACKWARDS, ("CLOSE-WAIT", "ESTAB"), ("FIN-WAIT-2", "CLOSE-WAIT")])
def test_a_socket_does_not_go_back(log, first, second):
    """A socket has one life; the addresses of a socket may serve another one between two listings."""
    (one,) = log(f"- {first} {second} -", name="socket 4a")
    assert one.verdict == VIOLATES
    (found,) = one.diagnostics
    assert (found.code, found.place, found.observed) == ("TCP-TRANSITION", 3, second)
    old, new = log(f"- {first} {second} -")
    assert (old.verdict, new.verdict) == (INCONCLUSIVE, INCONCLUSIVE)
    assert [item.code for item in old.diagnostics] == ["CAP-006"]
    assert "the beginning was not logged" in new.reasons


def test_two_lives_on_the_same_addresses(log):
    assert [one.verdict for one in log("- ESTAB - ESTAB -")] == [CONFORMS, CONFORMS]


@pytest.mark.parametrize(
    ("words", "reasons"),
    [
        ("ESTAB -", ("the beginning was not logged",)),
        ("- ESTAB", ("the end was not logged",)),
        ("ESTAB", ("the beginning was not logged", "the end was not logged")),
    ],
)
def test_what_was_not_seen(log, words, reasons):
    (one,) = log(words)
    assert (one.verdict, one.reasons) == (INCONCLUSIVE, reasons)


def test_where_a_missing_socket_is(log):
    """A listing that shows TIME-WAIT would have shown it."""
    (one,) = log("- ESTAB -")
    assert one.a_states == ("CLOSED", "TIME-WAIT")
    (one,) = log("- ESTAB TIME-WAIT -")
    assert one.a_states == ("CLOSED",)


def test_an_unknown_word(judge):
    checker = judge([*samples("ESTAB NONSENSE OTHER NONSENSE")])
    assert checker.report.inputs[0].skipped == {
        "unknown state name NONSENSE (first in line 2)": 2,
        "unknown state name OTHER (first in line 3)": 1,
    }
    checker = judge(samples(" ".join(["ESTAB", *(f"W{number}" for number in range(100))])))
    assert checker.report.inputs[0].skipped["other unknown state names"] == 80


def test_udp(log):
    (one,) = log("- UNCONN ESTAB -", protocol="udp")
    assert (one.verdict, one.protocol) == (CONFORMS, "udp")


LISTINGS = [
    ("normal-client-close/ss_rtc.log", ["TIME-WAIT"]),
    ("half-close/ss_rtc.log", ["TIME-WAIT"]),
    ("half-close/ss_rts.log", ["CLOSED", "CLOSED"]),
    ("rst-abort-client/ss_rtc.log", ["CLOSED"]),
    ("rst-abort-client/ss_rts.log", ["CLOSED", "CLOSED"]),
    ("normal-client-close/netstat_rtc.log", ["TIME-WAIT"]),
    ("half-close/netstat_rts.log", ["CLOSED", "CLOSED"]),
]


@pytest.mark.parametrize(("name", "ends"), LISTINGS)
def test_listings_of_real_hosts(judge, root, name, ends):
    report = judge(root / "traces/logs/lab" / name).report
    assert [one.verdict for one in report.connections] == [CONFORMS] * len(ends)
    assert all(end in one.a_states for one, end in zip(report.connections, ends, strict=True))
    assert not any(one.diagnostics for one in report.connections)


def test_a_table_of_connections_that_are_over(judge, root):
    """Both ends are one connection, and nothing is known of its beginning."""
    (one,) = judge(root / "traces/logs/lab/normal-client-close/tcplife.txt").report.connections
    assert (one.verdict, one.reasons, one.a_states) == (
        INCONCLUSIVE,
        ("the beginning was not logged",),
        ("CLOSED",),
    )
