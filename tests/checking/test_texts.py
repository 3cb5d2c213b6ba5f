"""A number stands for one octet: other text under the same numbers is found, however long ago it came."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from in_memory import Records

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.faults import texts
from tcpmodel.checking.faults.texts import Texts
from tcpmodel.checking.judge import Judge
from tcpmodel.checking.memory import express
from tcpmodel.model.spec import Spec
from tcpmodel.traces.captures.pcap import PcapTrace
from tcpmodel.traces.records import OTHER_TEXT, Packet
from tcpmodel.traces.source import Source

LAB = Path(__file__).resolve().parents[2] / "traces" / "lab" / "loss-retransmit.client.pcap"
FIRST, SECOND = "10.0.0.1:40", "10.0.0.2:80"


def packets() -> list[Packet]:
    with LAB.open("rb") as file:
        trace = PcapTrace(Source(str(LAB), file.read))
        return [record for record in trace.records() if isinstance(record, Packet)]


learned: dict[str, Judge] = {}
"""What was learned of packets, for all checks."""


def found(specs: list[Spec], records: list[Packet]) -> list[tuple[str, int]]:
    checker = Checker(specs)
    checker._judges.update(learned)
    checker.read(Records(records))
    learned.update(checker._judges)
    return [(each.code, each.place) for one in checker.report.connections for each in one.diagnostics]


def again(records: list[Packet]) -> list[int]:
    """The places of texts that were sent before."""
    top: dict[str, int] = {}
    places: list[int] = []
    for place, packet in enumerate(records):
        length = packet.fields.get("length", 0)
        if packet.protocol != "tcp" or length < 2:
            continue
        number = packet.fields["seq"]
        if number < top.get(packet.source, 0):
            places.append(place)
        top[packet.source] = max(top.get(packet.source, 0), number + length)
    return places


def test_each_text_that_comes_again_in_a_real_capture(specs: list[Spec]) -> None:
    whole = packets()
    places = again(whole)
    assert len(places) > 10
    assert found(specs, whole) == []
    for place in places[::6]:
        packet = whole[place]
        other = packet._replace(fields=packet.fields | {"payload_sum": (packet.fields["payload_sum"] + 7) % 0xFFFF})
        assert found(specs, [*whole[:place], other, *whole[place + 1 :]]) == [("TCP-SEQ-004", place + 1)]
        hops = other._replace(fields=other.fields | {"ttl": 17})
        assert found(specs, [*whole[:place], hops, *whole[place + 1 :]]) == []
        spoiled = other._replace(fields=other.fields | {"checksum_ok": 0})
        assert ("TCP-SEQ-004", place + 1) not in found(specs, [*whole[:place], spoiled, *whole[place + 1 :]])


def text(at: int, octets: bytes, time: int = 0, **fields: int) -> Packet:
    total = int.from_bytes(octets + bytes(len(octets) % 2), "big") % 0xFFFF
    given = {"seq": at, "length": len(octets), "payload_sum": total, "checksum_ok": 1, "ttl": 64} | fields
    return Packet(1, time, "tcp", FIRST, SECOND, 16, given)


def marked(sent: list[Packet]) -> list[int | None]:
    taker = Texts()
    return [taker.take(packet).fields.get(OTHER_TEXT) for packet in sent]


STORY = b"a number stands for one octet!"


def part(start: int, end: int, base: int = 1, time: int = 0) -> Packet:
    return text((base + start) % 2**32, STORY[start:end], time)


@pytest.mark.parametrize("base", [0, 1, 2**32 - 9, 2**32 - 20])
def test_texts_cut_in_other_places_are_the_same(base: int) -> None:
    sent = [part(*each, base=base) for each in ((0, 7), (7, 12), (12, 30), (0, 12), (7, 30), (0, 9), (9, 30), (0, 30))]
    assert marked(sent) == [None] * len(sent)


@pytest.mark.parametrize("base", [0, 1, 2**32 - 9, 2**32 - 20])
def test_another_text_is_told_with_the_time_of_the_first(base: int) -> None:
    sent = [part(0, 7, base, 5000), part(7, 12, base, 6000), part(12, 30, base, 7000)]
    other = text((base + 7) % 2**32, b"x" + STORY[8:30], 9000)
    assert marked([*sent, other]) == [None, None, None, 5]
    behind = [text(base % 2**32, b"x" + STORY[1:9], 8000), part(9, 12, base, 9000)]
    assert marked([*sent, *behind]) == [None, None, None, None, 5]


def test_what_is_not_compared() -> None:
    sent = [part(0, 7), part(7, 30)]
    for other in (
        text(3, b"x" * 20),  # it begins within a text
        text(1, b"x"),  # a single octet
        text(1, b"x" * 7, checksum_ok=0),
        text(1, b"x" * 7, ttl=60),
        text(1, b"x" * 7)._replace(source=SECOND, destination=FIRST),
        text(1, b"x" * 7)._replace(time=None),
    ):
        assert marked([*sent, other]) == [None, None, None]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "REMEMBERED", 8)
    taker = Texts()
    for start in range(0, 4000, 40):
        taker.take(text(start, b"xy" * 20))
        assert len(taker._kept) <= 8
    late = text(0, b"yx" * 20)
    assert taker.take(late) is late


@pytest.mark.skipif(express.Core is None, reason="the express lane was not built, or from another source")
def test_the_express_lane_remembers_alike(specs: list[Spec]) -> None:
    def none(*_: object) -> None:
        raise AssertionError

    core = express.Core(none, none, none, none, none, none, 8)
    chance = random.Random(7)
    here, there = Texts(), Texts()
    for step in range(30000):
        if step == 50:
            there.remember_in(core.text, core.place)
        start = chance.randrange(12000) * 2
        octets = bytes([chance.randrange(4)]) * chance.choice((2, 4, 7))
        one = text(start + 2**32 - 6000 & 0xFFFFFFFF, octets, step, ttl=chance.choice((64, 64, 300)))
        assert here.take(one).fields == there.take(one).fields
