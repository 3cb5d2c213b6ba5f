"""Debug lines of stacks are judged as their source allows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES

STACKS = Path(__file__).parents[2] / "traces" / "logs" / "stacks"


@pytest.mark.parametrize("path", sorted(STACKS.iterdir()), ids=lambda path: path.name)
def test_samples_are_legal(judge, path):
    report = judge(path).report
    assert {one.verdict for one in report.connections} == {INCONCLUSIVE if path.name == "lwip.txt" else CONFORMS}
    assert not any(one.diagnostics for one in report.connections)


FIRST = {
    "smoltcp": "10.0.0.1:40:10.0.0.2:80: state={}=>{}\n",
    "zephyr": "<dbg> net_tcp: tcp_in: [0x2000a1c0] {}->{}\n",
    "freertos": "Socket 40 -> [10.0.0.2]:80 State {}->{}\n",
    "kernel": "TCP sk=c1234560, State {} -> {}\n",
    "any": "10.0.0.1:40 -> 10.0.0.2:80 state {} -> {}\n",
}
WRONG = {
    "smoltcp": ["CLOSED SYN-SENT", "SYN-SENT ESTABLISHED", "ESTABLISHED FIN-WAIT-2"],
    "zephyr": ["LISTEN SYN_SENT", "SYN_SENT ESTABLISHED", "ESTABLISHED FIN_WAIT_2"],
    "freertos": ["eCLOSED eCONNECT_SYN", "eCONNECT_SYN eESTABLISHED", "eESTABLISHED eFIN_WAIT_2"],
    "kernel": ["Close Listen", "Listen Established"],
    "any": ["Closed SynSent", "SynSent Established", "Established SynSent"],
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_change_that_no_rule_allows_is_a_violation(judge, tmp_path, kind):
    log = tmp_path / "log"
    separator = "," if kind == "kernel" else " "
    pairs = [words.replace(" ", separator).split(separator) for words in WRONG[kind]]
    log.write_text("".join(FIRST[kind].format(*pair) for pair in pairs))
    (one,) = judge(log).report.connections
    assert one.verdict == VIOLATES
    (found,) = one.diagnostics
    assert (found.code, found.place) == ("TCP-TRANSITION", len(pairs))


@pytest.mark.parametrize("end", ["eFIN_WAIT_2", "eLAST_ACK", "eCONNECT_SYN", "eESTABLISHED"])
def test_freertos_waits_for_the_owner_of_a_socket_in_close_wait(judge, tmp_path, end):
    ways = {
        "eCONNECT_SYN": [],
        "eESTABLISHED": ["eESTABLISHED"],
        "eFIN_WAIT_2": ["eESTABLISHED", "eFIN_WAIT_1", "eFIN_WAIT_2"],
        "eLAST_ACK": ["eESTABLISHED", "eLAST_ACK"],
    }
    states = ["eCLOSED", "eCONNECT_SYN", *ways[end], "eCLOSE_WAIT", "eCLOSED"]
    log = tmp_path / "log"
    log.write_text("".join(FIRST["freertos"].format(*pair) for pair in pairwise(states)))
    assert not any(one.verdict == VIOLATES for one in judge(log).report.connections)
