"""Properties of behaviour: those of TCP, and that each form notices what breaks it."""

from __future__ import annotations

import pytest

from tcpmodel.analysis.behaviour import SECTION, behaviour_section
from tcpmodel.analysis.coverage import Observer
from tcpmodel.analysis.results import Check, Verification
from tcpmodel.model.load import parse_spec

SPEC = """\
spec toy "a toy" over tcp
  cites RFC9293
profile odd "counts twice"
var N : seq(local) "next number"
var R : seq(peer) "number expected"
var W : octets = 0 "amount"
message SEG "a message"
  flag ACK, RST
  field SEQ : seq(sender) "number"
call OPEN, SEND "calls"
initial state A "start"
  on OPEN -> B
    W <- 1
    N <- any
    R <- any
  on SEND drop
  on SEG with RST stay
    send <SEQ=0><CTL=RST>
  on SEG drop
state B "open"
  on OPEN -> A
    W <- 0
  @odd on SEND stay
    N <- N + 2
  on SEND stay
    N <- N + 1
    send <SEQ=N><CTL=ACK>
    signal "sent"
  on SEG when SEG.SEQ = R stay
    R <- R + 1
  on SEG drop
"""

HOLD = [
    "always W =< 1",
    "always W = 1 in B",
    "each step N =< N'",
    "each step N' =< N + 1 under no-odd",
    "each step N' =< N + 1 when W = 1 in B under no-odd",
    'each step N\' =< N + 1 under odd fails "it counts twice"',
    "never B -> A when W = 0",
    "on SEG without RST sends nothing",
    "on SEG with RST never sends with ACK",
    "on SEND never sends with RST in B",
    "in B sends only with ACK",
    "on SEND always sends with ACK in B under no-odd",
    "on SEND each step N' = N + 1 in B under no-odd",
    'on SEND always signals "sent" in B under no-odd',
    "on OPEN never signals",
    "on SEG never signals into A",
    'always signals into B fails "SEG and OPEN are silent"',
    'on SEND always signals in A fails "it is dropped"',
]

FAIL = [
    ("always W = 0", 1),
    ("always W = 0 in B", 1),
    ("each step N' = N", 2),
    ("each step R' = R in B", 2),
    ("never B -> A when W = 1", 2),
    ("on SEG with RST sends nothing", 1),
    ("on SEG never sends with RST", 1),
    ("in A sends only with ACK", 1),
    ("each step N' =< N + 1 under odd", 2),
    ("each step N' =< N + 1", 2),
    ("on OPEN always sends", 1),
    ("always signals into A", 1),
    ('on SEND always signals "sends" in B', 2),
    ("on SEND never signals", 2),
    ("on SEND each step N' = N in B", 2),
    ('each step N =< N\' fails "it does not"', 0),
]


def behaviour(result: Verification) -> tuple[Check, ...]:
    return next(one for one in result.sections if one.name == SECTION).checks


def judge(claim: str) -> Check:
    spec = parse_spec(f"{SPEC}property p {claim}\n", "toy.tcpspec")
    found = behaviour_section(Observer(spec))
    assert found is not None
    (check,) = found.checks
    return check


@pytest.mark.parametrize("claim", HOLD)
def test_holds(claim: str) -> None:
    check = judge(claim)
    assert check.holds, check.witnesses


@pytest.mark.parametrize(("claim", "events"), FAIL)
def test_fails_by_the_shortest_run(claim: str, events: int) -> None:
    check = judge(claim)
    assert not check.holds
    (witness,) = check.witnesses
    lines = [words for _, words in witness.details if not words.startswith((">", "from"))]
    assert len(lines) == events, witness


def test_profile_that_breaks_it_is_named() -> None:
    check = judge("on SEND always signals in B")
    assert check.message.startswith("does not hold with odd: ")
    assert check.witnesses[0].details[0] == ("run", "from A with odd")
    assert "2 choices of profiles" in judge("always W =< 1").message


def test_cases_beyond_what_is_reached() -> None:
    """What is brought about is asked of every case, also of one that no run leads to."""
    check = judge("on SEG without RST when W = 5 sends nothing")
    assert check.holds and " cases" in check.message


def test_run_is_told_as_a_scenario() -> None:
    (witness,) = judge("each step R' = R in B").witnesses
    assert [words for _, words in witness.details] == [
        "from A",
        "OPEN => B (W = 1)",
        "< <SEQ=4294967293> => B (R = 4294967294)",
    ]


def test_numbers_pass_their_end() -> None:
    """What compares as plain numbers would fail after 2^32 - 1 (P-25)."""
    lines = [words for _, words in judge("each step N' - N =< 0 in B").witnesses[0].details]
    assert lines[-2] == "SEND => B (N = 4294967295)"
    assert judge("always N < N + 1").holds


def test_tcp(tcp_proved: Verification) -> None:
    found = behaviour(tcp_proved)
    assert all(check.holds for check in found), [check.name for check in found if not check.holds]
    must_fail = {
        check.name.removeprefix("property ") for check in found if check.message.startswith("fails as it must")
    }
    assert must_fail == {"P-05c", "P-12a", "P-16c", "P-16f", "P-17s", "P-20t", "P-22s", "P-66l"}


def test_every_property_of_one_end_has_a_verdict(tcp_proved: Verification) -> None:
    """P-25, the wrap, is no property of its own: every run begins just before it."""
    shown = {check.name.removeprefix("property ") for one in tcp_proved.sections for check in one.checks}
    assert shown >= {f"P-{number:02}" for number in range(1, 25)}
    assert {"P-05a", "P-05b"} <= shown


def test_counterexamples_of_tcp_are_the_known_ones(tcp_proved: Verification) -> None:
    checks = {check.name: check for check in behaviour(tcp_proved)}
    run = checks["property P-16f"].notes
    assert run[-2].startswith("CLOSE => FIN-WAIT-1") and "CTL=FIN,ACK" in run[-1]
    assert any("WND=0" in line for line in checks["property P-17s"].notes)
