"""A connection in which nearly every packet is a mistake: all that is told of it, and how long it is followed."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_memory import Records

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.crowds.rereading import Rereading
from tcpmodel.checking.ends import patience
from tcpmodel.checking.outcome.findings import VIOLATES
from tcpmodel.model.load import load
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet

TRACES = Path(__file__).resolve().parents[2] / "traces"


def mistakes(count: int) -> list[Packet]:
    """A connection that sends text behind its FIN, each time other octets."""
    packets = [
        record
        for record in open_trace(str(TRACES / "planted" / "m04-data-after-fin.pcap")).records()
        if isinstance(record, Packet)
    ]
    wrong = packets[8]
    again = [
        wrong._replace(
            number=20 + step,
            fields=wrong.fields | {"seq": wrong.fields["seq"] + 10 * step, "ip_id": 100 + step},
        )
        for step in range(1, count)
    ]
    return [*packets[:9], *again]


@pytest.mark.parametrize("active", [True, False], ids=["with memory", "without"])
@pytest.mark.parametrize("count", [2, 3, 40])
def test_a_connection_without_sense_is_followed_no_further(
    count: int, active: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "ENOUGH", 3)
    checker = Checker([load("tcp").spec])
    judge = checker._judge("tcp")
    assert judge is not None
    judge.memo.active = active
    packets = mistakes(count)
    checker.read(Records(packets))
    (one,) = checker.report.connections
    assert (one.verdict, one.packets) == (VIOLATES, len(packets))
    found = [item.place for item in one.diagnostics if item.code == "TCP-FIN-001"]
    assert found == [9, 10, 11][:count]
    left = [reason for reason in one.reasons if "not followed beyond" in reason]
    assert left == (["not followed beyond packet 11: nothing explains 3 of its messages"] if count >= 3 else [])


def lives(count: int) -> list[Packet]:
    """Connections between the same ends one after the other, in each of which three messages are mistakes."""
    found: list[Packet] = []
    for life in range(count):
        for each in mistakes(3):
            fields = each.fields | {"seq": (each.fields["seq"] + (life << 24)) % (1 << 32)}
            if each.fields.get("ack"):
                fields["ack"] = (fields["ack"] + (life << 24)) % (1 << 32)
            place = len(found) + 1
            found.append(each._replace(number=place, time=10**9 + place, fields=fields))
    return found


@pytest.mark.parametrize("active", [True, False], ids=["with memory", "without"])
def test_connections_without_sense_between_the_same_ends(active: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "ENOUGH", 8)
    monkeypatch.setattr(Rereading, "mixed", lambda *_: False)  # lives that are so alike look like one seen twice
    checker = Checker([load("tcp").spec])
    judge = checker._judge("tcp")
    assert judge is not None
    judge.memo.active = active
    packets = lives(5)
    checker.read(Records(packets))
    found = list(checker.report.connections)
    assert [one.verdict for one in found] == [VIOLATES] * 3
    assert sum(one.packets for one in found) == len(packets)
    assert [item.place for one in found for item in one.diagnostics if item.code == "TCP-FIN-001"] == [
        9, 10, 11, 20, 21, 22, 31, 32,
    ]  # fmt: skip
    left = "not followed beyond packet 32: nothing explains 2 of its messages, and 6 of those before between its ends"
    assert left in found[2].reasons


def test_what_makes_sense_otherwise_begins_anew_without_blame() -> None:
    trouble = patience.Trouble(patience.Patience())
    for place in range(1, 4):
        assert not trouble.add(place)
    assert trouble.again(packets=20).before == 3
    assert trouble.again(packets=20).again(packets=2).before == 3
    assert trouble.again(packets=40).before == 0


def test_in_a_capture_without_sense_one_message_is_enough() -> None:
    calm, upset = patience.Patience(), patience.Patience()
    for number in range(1, 2000):
        assert not patience.Trouble(calm).add(8 * number)
        assert patience.Trouble(upset).add(2 * number) == (number > patience.SPENT)


def alone(port: int, wrong: int) -> list[Packet]:
    """A connection from that port, of which the last ``wrong`` messages are mistakes."""

    def moved(end: str) -> str:
        return f"{end.rpartition(':')[0]}:{port}" if end.endswith(client) else end

    packets = mistakes(wrong)[: 8 + wrong]
    client = packets[0].source.rpartition(":")[2]
    return [each._replace(source=moved(each.source), destination=moved(each.destination)) for each in packets]


@pytest.mark.parametrize("active", [True, False], ids=["with memory", "without"])
def test_in_a_capture_without_sense_nothing_is_looked_into_until_it_makes_sense_again(
    active: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SPENT", 4)
    monkeypatch.setattr(patience, "SHARE", 100)
    monkeypatch.setattr(Rereading, "mixed", lambda *_: False)
    checker = Checker([load("tcp").spec])
    judge = checker._judge("tcp")
    assert judge is not None
    judge.memo.active = active
    several = [alone(2000 + number, 1) for number in range(7)]
    several += [alone(3000 + number, 0) for number in range(12)]
    several += [alone(4000, 1)]
    packets = [each for packets in several for each in packets]
    checker.read(
        Records([each._replace(number=place, time=10**9 + place) for place, each in enumerate(packets, start=1)])
    )
    found = list(checker.report.connections)
    wrong = ["TCP-FIN-001" in {item.code for item in one.diagnostics} for one in found]
    assert wrong == [True] * 5 + [False] * 2 + [False] * 12 + [True]
    for number, one in enumerate(found[5:7], start=6):
        why = "nothing explains very many of all messages in this input"
        assert f"not followed beyond packet {9 * number}: {why}" in one.reasons
