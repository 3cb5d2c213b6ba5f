"""What one host wrote of a connection: calls, timers, states and segments both ways have to be one behaviour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES, ConnectionReport
from tcpmodel.checking.run import check
from tcpmodel.model.spec import Spec

Line = dict[str, Any]


def call(name: str) -> Line:
    return {"event": "call", "call": name}


def state(old: str, new: str) -> Line:
    return {"event": "state", "old": old, "state": new}


def segment(event: str, flags: str, seq: int, ack: int | None = None, length: int = 0) -> Line:
    told = {"flags": flags, "seq": seq, "len": length, "win": 8000}
    return {"event": event, "segment": told if ack is None else told | {"ack": ack}}


STORY = [
    call("OPEN active"),
    segment("send", "SYN", 1000),
    state("CLOSED", "SYN-SENT"),
    segment("receive", "SYN,ACK", 9, 1001),
    state("SYN-SENT", "ESTABLISHED"),
    segment("send", "ACK", 1001, 10),
    call("SEND"),
    segment("send", "PSH,ACK", 1001, 10, 10),
    segment("receive", "ACK", 10, 1011),
    call("CLOSE"),
    state("ESTABLISHED", "FIN-WAIT-1"),
    segment("send", "FIN,ACK", 1011, 10),
    segment("receive", "ACK", 10, 1012),
    state("FIN-WAIT-1", "FIN-WAIT-2"),
    segment("receive", "FIN,ACK", 10, 1012),
    state("FIN-WAIT-2", "TIME-WAIT"),
    segment("send", "ACK", 1012, 11),
    {"event": "timer", "timer": "TIME-WAIT"},
    state("TIME-WAIT", "CLOSED"),
]
SERVER = [
    call("OPEN passive"),
    state("CLOSED", "LISTEN"),
    segment("receive", "SYN", 1000),
    state("LISTEN", "SYN-RECEIVED"),
    segment("send", "SYN,ACK", 9, 1001),
    segment("receive", "ACK", 1001, 10),
    state("SYN-RECEIVED", "ESTABLISHED"),
    segment("receive", "FIN,ACK", 1001, 10),
    segment("send", "ACK", 10, 1002),
    state("ESTABLISHED", "CLOSE-WAIT"),
    call("CLOSE"),
    segment("send", "FIN,ACK", 10, 1002),
    state("CLOSE-WAIT", "LAST-ACK"),
    segment("receive", "ACK", 1002, 11),
    state("LAST-ACK", "CLOSED"),
]


def all_judged(stories: list[list[Line]], tmp_path: Path, specs: list[Spec]) -> dict[int, list[ConnectionReport]]:
    """The reports of several stories, each of a connection of its own, from one file."""
    path = tmp_path / "host.jsonl"
    lines = [
        json.dumps({"connection": f"c{number}", "host": "client", **line}) + "\n"
        for number, story in enumerate(stories)
        for line in story
    ]
    path.write_text("".join(lines))
    report = check([str(path)], specs)
    assert not report.inputs[0].error
    found: dict[int, list[ConnectionReport]] = {}
    for one in report.connections:
        found.setdefault(int(one.a.rpartition(":c")[2]), []).append(one)
    return found


def judged(lines: list[Line], tmp_path: Path, specs: list[Spec]) -> list[ConnectionReport]:
    return all_judged([lines], tmp_path, specs)[0]


def without(lines: list[Line], *left_out: str) -> list[Line]:
    return [line for line in lines if line["event"] not in left_out]


@pytest.mark.parametrize("story", [STORY, SERVER], ids=["active", "passive"])
def test_one_report_of_the_whole(story: list[Line], tmp_path: Path, specs: list[Spec]) -> None:
    (one,) = judged(story, tmp_path, specs)
    assert (one.verdict, one.packets, one.diagnostics) == (CONFORMS, len(story), ())
    assert (one.a_states if one.a.startswith("client") else one.b_states) == ("CLOSED",)


def test_any_kind_of_line_may_be_left_out(tmp_path: Path, specs: list[Spec]) -> None:
    kinds = [("state",), ("call",), ("timer", "call"), ("state", "timer"), ("state", "call", "timer")]
    stories = [without(story, *left_out) for story in (STORY, SERVER) for left_out in kinds]
    for found in all_judged(stories, tmp_path, specs).values():
        assert [(one.verdict, one.diagnostics) for one in found] == [(CONFORMS, ())]


def test_any_line_may_be_left_out(tmp_path: Path, specs: list[Spec]) -> None:
    stories = [[*story[:at], *story[at + 1 :]] for story in (STORY, SERVER) for at in range(0, len(story), 2)]
    for number, found in all_judged(stories, tmp_path, specs).items():
        assert all(one.verdict != VIOLATES for one in found), (number, found)


def test_a_log_may_begin_late_and_end_early(tmp_path: Path, specs: list[Spec]) -> None:
    stories = [part for at in range(1, len(STORY), 4) for part in (STORY[:at], STORY[at:])]
    for number, found in all_judged(stories, tmp_path, specs).items():
        assert all(one.verdict != VIOLATES for one in found), (number, found)


def test_neighbours_may_be_logged_the_other_way_round(tmp_path: Path, specs: list[Spec]) -> None:
    """All but a change of state that is logged only after the answer of the peer."""
    places = [0, 1, 3, 4, 7, 9, 10, 12, 15]
    stories = [[*STORY[:at], STORY[at + 1], STORY[at], *STORY[at + 2 :]] for at in places]
    for number, found in all_judged(stories, tmp_path, specs).items():
        assert [one.verdict for one in found] == [CONFORMS], number
        assert {item.code for item in found[0].diagnostics} <= {"CAP-009"}


def test_calls_alone(tmp_path: Path, specs: list[Spec]) -> None:
    (one,) = judged([line for line in STORY if line["event"] == "call"], tmp_path, specs)
    assert (one.verdict, one.packets) == (INCONCLUSIVE, 3)


FALSE_STATES = [
    # (index, state instead, the line of the finding)
    (4, "CLOSE-WAIT", 6),
    (10, "LAST-ACK", 11),
    (10, "CLOSE-WAIT", 12),
    (13, "CLOSE-WAIT", 14),
    (15, "CLOSING", 16),
]


@pytest.mark.parametrize(("index", "name", "line"), FALSE_STATES)
def test_a_state_that_nothing_leads_to(index: int, name: str, line: int, tmp_path: Path, specs: list[Spec]) -> None:
    lines = [dict(each) for each in STORY]
    lines[index]["state"] = name
    following = next(each for each in lines[index + 1 :] if "old" in each)
    following["old"] = name
    (one,) = judged(lines, tmp_path, specs)
    assert one.verdict == VIOLATES
    assert min(item.place for item in one.diagnostics if item.severity == "violation") == line


def test_a_state_that_the_segments_do_not_lead_to(tmp_path: Path, specs: list[Spec]) -> None:
    """Each is legal alone: the states are of an end that its peer closes, the segments of one that closes."""
    told = {"FIN-WAIT-1": "CLOSE-WAIT", "FIN-WAIT-2": "LAST-ACK"}
    lines = [
        {key: told.get(value, value) if key in ("old", "state") else value for key, value in line.items()}
        for line in STORY[:14]
    ]
    (one,) = judged(lines, tmp_path, specs)
    assert one.verdict == VIOLATES
    (finding,) = one.diagnostics
    assert finding.code in ("VIEW-001", "TCP-TRANSITION") and finding.place in (11, 12) and finding.states
    assert finding.allowed


@pytest.mark.parametrize(
    ("at", "line", "code"),
    [
        (9, {"event": "timer", "timer": "TIME-WAIT"}, "VIEW-001"),
        (17, {"event": "timer", "timer": "KEEPALIVE"}, "TCP-TIMER"),
        (12, {"event": "state", "state": "CLOSE-WAIT"}, "TCP-TRANSITION"),
        (17, {"event": "state", "state": "ESTABLISHED"}, "TCP-TRANSITION"),
        (9, {"event": "signal", "signal": "error: connection refused"}, "CAP-006"),
    ],
)
def test_a_line_too_many(at: int, line: Line, code: str, tmp_path: Path, specs: list[Spec]) -> None:
    lines = STORY[:at] + [line] + ([] if code == "CAP-006" else without(STORY[at:], "state"))
    (one,) = judged(lines, tmp_path, specs)
    assert code in {item.code for item in one.diagnostics}
    assert one.verdict == (INCONCLUSIVE if code == "CAP-006" else VIOLATES)


def test_sending_on_after_an_abort(tmp_path: Path, specs: list[Spec]) -> None:
    more = [segment("receive", "ACK", 10, 1021), segment("send", "PSH,ACK", 1021, 10, 10)]
    text = segment("send", "PSH,ACK", 1011, 10, 10)
    start = without(STORY[:9], "state")
    (one,) = judged([*start, text, *more], tmp_path, specs)
    assert one.verdict == INCONCLUSIVE and not one.diagnostics
    (one,) = judged([*start, call("ABORT"), text, *more], tmp_path, specs)
    assert one.verdict == INCONCLUSIVE and {item.code for item in one.diagnostics} == {"CAP-006"}
    told = [call("ABORT"), state("ESTABLISHED", "CLOSED"), text, *more]
    (one,) = judged([*STORY[:9], *told], tmp_path, specs)
    assert [(item.code, item.place) for item in one.diagnostics] == [("VIEW-001", 14)]


@pytest.mark.parametrize(("source", "verdict"), [("rfc-states", CONFORMS), ("rfc-calls", VIOLATES)])
def test_only_a_source_that_shows_all_calls_can_miss_one(
    source: str, verdict: str, tmp_path: Path, specs: list[Spec]
) -> None:
    lines = [line | {"source": source} for line in STORY]
    (one,) = judged(lines, tmp_path, specs)
    assert one.verdict == CONFORMS
    (one,) = judged([line for line in lines if line.get("call") != "CLOSE"], tmp_path, specs)
    assert one.verdict == verdict
    (one,) = judged(
        [line | ({"call": "vanish"} if line.get("call") == "CLOSE" else {}) for line in lines], tmp_path, specs
    )
    assert one.verdict == CONFORMS, "a word that nobody knows may be that call"


def test_both_hosts_in_one_file(tmp_path: Path, specs: list[Spec]) -> None:
    ends = {"client": ("10.0.0.1:5000", "10.0.0.2:80"), "server": ("10.0.0.2:80", "10.0.0.1:5000")}
    short = [*STORY[:6], call("CLOSE"), state("ESTABLISHED", "FIN-WAIT-1"), segment("send", "FIN,ACK", 1001, 10)]
    short += [segment("receive", "ACK", 10, 1002), state("FIN-WAIT-1", "FIN-WAIT-2")]
    short += [
        segment("receive", "FIN,ACK", 10, 1002),
        state("FIN-WAIT-2", "TIME-WAIT"),
        segment("send", "ACK", 1002, 11),
    ]
    told = [(line, "client") for line in short] + [(line, "server") for line in SERVER]
    lines = [line | {"host": host, "local": ends[host][0], "remote": ends[host][1]} for line, host in told]
    path = tmp_path / "hosts.jsonl"
    for last, verdict in (("CLOSED", CONFORMS), ("TIME-WAIT", VIOLATES)):
        lines[-1] = lines[-1] | {"state": last}
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert [one.verdict for one in check([str(path)], specs).connections] == [verdict]
