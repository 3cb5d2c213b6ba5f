"""Connection tracking: its lines, its spec, and what a log of it proves."""

from __future__ import annotations

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES
from tcpmodel.model.load import load_spec
from tcpmodel.traces.open import open_trace

TUPLES = (
    "src=10.0.0.1 dst=10.0.0.2 sport=40 dport=80 {}src=192.168.0.2 dst=192.168.0.1 sport=8080 dport=1040 {}mark=0 use=1"
)
PATH = "SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT"


def line(
    event, state, *, time="[1795247211.123770]\t", layer="", seconds="120 ", unreplied="", assured="", mark=" id=7"
):
    middle = TUPLES.format(unreplied, assured)
    time += f" [{event}] " if event else ""
    return f"{time}{layer}tcp      6 {seconds}{state + ' ' if state else ''}{middle}{mark}\n"


def log(states, **how):
    words = states.split()
    return line("NEW", words[0], **how) + "".join(line("UPDATE", word, **how) for word in words[1:])


@pytest.fixture
def check(tmp_path):
    spec = load_spec("conntrack")

    def run(text):
        path = tmp_path / "log"
        path.write_text(text)
        checker = Checker([spec])
        checker.read(open_trace(str(path)))
        return checker.report

    return run


VARIANTS = [
    {},
    {"time": ""},
    {"layer": "ipv4     2 "},
    {"unreplied": "[UNREPLIED] "},
    {"assured": "[ASSURED] "},
    {"mark": ""},
]


@pytest.mark.parametrize("how", VARIANTS)
def test_options(check, how):
    (one,) = check(log(PATH, **how) + line("DESTROY", "", seconds="", **how)).connections
    assert (one.verdict, one.a, one.b, one.a_states) == (CONFORMS, "10.0.0.1:40", "10.0.0.2:80", ("NONE",))
    assert one.diagnostics == ()


def test_times(check):
    (one,) = check(log("SYN_SENT") + line("UPDATE", "SYN_SENT2") + line("UPDATE", "ESTABLISHED")).connections
    assert [item.time for item in one.diagnostics] == [1795247211123770000]


@pytest.mark.parametrize(
    "states",
    [
        PATH,
        "SYN_SENT SYN_SENT2 SYN_RECV ESTABLISHED",
        "ESTABLISHED FIN_WAIT LAST_ACK TIME_WAIT",
        "SYN_SENT SYN_RECV CLOSE",
        "SYN_SENT SYN_RECV ESTABLISHED SYN_RECV ESTABLISHED",
        "SYN_SENT SYN_RECV FIN_WAIT CLOSE_WAIT LAST_ACK CLOSE",
        "SYN_SENT SYN_SENT SYN_RECV ESTABLISHED ESTABLISHED",
    ],
)
def test_what_the_kernel_does(check, states):
    (one,) = check(log(states) + line("DESTROY", states.split()[-1], seconds="")).connections
    assert (one.verdict, one.diagnostics) == (CONFORMS, ())


@pytest.mark.parametrize("states", ["SYN_SENT ESTABLISHED", "SYN_SENT SYN_RECV ESTABLISHED LAST_ACK", "CLOSE_WAIT"])
def test_lines_are_missing(check, states):
    """Events are lost when the reader is slow, and two processors may tell of theirs at once."""
    (one,) = check(log(states)).connections
    assert (one.verdict, [item.code for item in one.diagnostics]) == (INCONCLUSIVE, ["CAP-006"])


@pytest.mark.parametrize(
    "states", ["SYN_SENT SYN_RECV SYN_SENT", "ESTABLISHED SYN_SENT2", "ESTABLISHED CLOSE SYN_SENT"]
)
def test_an_entry_does_not_begin_again(check, states):
    (one,) = check(log(states)).connections
    assert one.verdict == VIOLATES
    assert [(item.code, item.place) for item in one.diagnostics] == [("CONNTRACK-TRANSITION", len(states.split()))]
    assert VIOLATES not in [one.verdict for one in check(log(states, mark="")).connections], (
        "another entry, without ids"
    )


def test_a_refused_connection_and_the_next_on_its_addresses(check):
    text = log("SYN_SENT") + line("DESTROY", "CLOSE")
    assert [one.verdict for one in check(text + text).connections] == [CONFORMS, CONFORMS]
    # Without the line that it is gone.
    text = log(PATH) + log(PATH)
    assert [one.verdict for one in check(text).connections] == [CONFORMS, CONFORMS]


def test_lists_and_other_protocols(check):
    udp = "udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5 use=1\n"
    icmp = "icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=5 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=5\n"
    report = check(udp + icmp + "conntrack v1.4.7: 2 flow entries\n" + line("", "ESTABLISHED", time=""))
    assert [one.verdict for one in report.connections] == [INCONCLUSIVE]
    assert report.inputs[0].skipped == {
        "an entry of another protocol than TCP": 2,
        "not a line about an entry": 1,
    }


@pytest.mark.parametrize("name", ["half-close", "loss-retransmit", "refused", "rst-abort-client"])
def test_logs_of_a_real_kernel(check, root, name):
    (one,) = check((root / "traces/logs/lab" / name / "conntrack_rtc.log").read_text()).connections
    assert (one.verdict, one.diagnostics) == (CONFORMS, ())
