"""What follows from a change is worked out once, and the same afterwards."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tcpmodel.checking.logs import statelog
from tcpmodel.traces.records import StateRecord

TRACES = Path(__file__).parents[2] / "traces"
LIFE = ["CLOSE", "SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE"]
WRONG = ["CLOSE", "SYN_SENT", "ESTABLISHED", "FIN_WAIT2", "SYN_SENT", "LAST_ACK", "CLOSE"]


def lives(count, words):
    return [
        StateRecord(
            (len(words) - 1) * at + step, 7 * at, "tcp", f"socket {at}", f"10.0.0.1:{at + 1}", "10.0.0.2:80", old, new
        )
        for at in range(count)
        for step, (old, new) in enumerate(pairwise(words), 1)
    ]


@pytest.fixture
def work(monkeypatch):
    done = []
    real = statelog.StateLog._outcomes
    monkeypatch.setattr(statelog.StateLog, "_outcomes", lambda *given, **how: done.append(1) or real(*given, **how))
    return done


@pytest.mark.parametrize("words", [LIFE, WRONG])
def test_many_lives_are_no_more_work_than_one(judge, work, words):
    judge(lives(1, words), "linux-states")
    one = len(work)
    work.clear()
    report = judge(lives(50, words), "linux-states").report
    assert len(report.connections) == 50
    assert len(work) == one > 0


@pytest.mark.parametrize("words", [LIFE, WRONG])
def test_what_is_remembered_is_told_of_whom_it_is(judge, words):
    report = judge(lives(3, words), "linux-states").report
    found = [
        [(item.code, item.endpoint, item.place, item.time) for item in one.diagnostics] for one in report.connections
    ]
    first = found[0]
    assert bool(first) == (words is WRONG)
    for at in (1, 2):
        assert found[at] == [
            (code, f"10.0.0.1:{at + 1}", place + (len(words) - 1) * at, 7 * at) for code, _, place, _ in first
        ]


@pytest.mark.parametrize("name", ["logs/lab/half-close/ftrace.txt", "logs/stacks/freertos.txt", None])
def test_memory_changes_nothing(judge, monkeypatch, name):
    what = TRACES / name if name else lives(4, WRONG) + lives(3, LIFE)
    with_memory = judge(what, "linux-states").report.connections[:]
    monkeypatch.setattr(statelog, "MOST_STEPS", 0)
    assert judge(what, "linux-states").report.connections[:] == with_memory


@pytest.mark.parametrize("words", [LIFE, WRONG, LIFE[:3]])
def test_too_many_are_reported_as_they_stand(judge, monkeypatch, words):
    expected = judge(lives(90, words), "linux-states").report
    monkeypatch.setattr(statelog, "MOST_LIVES", 20)
    most = []
    real = statelog.StateLog.observe

    def observe(log, record):
        most.append(len(log.lives))
        return real(log, record)

    monkeypatch.setattr(statelog.StateLog, "observe", observe)
    found = judge(lives(90, words), "linux-states").report
    assert max(most) <= 20
    assert list(found.connections) == list(expected.connections)
    told = [(note.code, note.place) for note in found.inputs[0].notes if "as they stood" in note.message]
    assert bool(told) == (words == LIFE[:3])


def test_one_that_goes_on_afterwards_is_not_accused(judge, monkeypatch):
    monkeypatch.setattr(statelog, "MOST_LIVES", 20)
    records = sorted(lives(60, LIFE), key=lambda record: (record.number - 1) % (len(LIFE) - 1))
    records = [record._replace(number=place) for place, record in enumerate(records, 1)]
    found = judge(records, "linux-states").report
    assert {one.verdict for one in found.connections} <= {"conforms", "inconclusive"}
    assert sum(one.packets for one in found.connections) == len(records)
