"""Many connections of one packet: what is said of them together, and how little memory each one takes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from in_memory import Records

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.connection import Connection
from tcpmodel.checking.crowds.alone import Alone
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.table import Table
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.execution import Sighting
from tcpmodel.traces.records import Packet

SYN, SYN_ACK, RST_ACK = 0x02, 0x12, 0x14
Judge = Callable[..., Checker]


def segment(source: str, destination: str, flags: int, seq: int = 7, ack: int = 0) -> Packet:
    fields = {"seq": seq, "ack": ack, "window": 512, "length": 0, "urgent": 0, "offset": 20, "ip_payload": 20}
    return Packet(1, 10**9, "tcp", source, destination, flags, fields)


def openings(count: int, flags: int = SYN) -> Iterator[Packet]:
    for number in range(count):
        source = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:4000"
        yield segment(source, "192.0.2.1:80", flags, number * 40503 & 0xFFFFFFFF, 1 if flags & 0x10 else 0)


def notes(checker: Checker) -> list[tuple[str, str, str]]:
    return [
        (note.code, note.severity, note.endpoint)
        for note in checker.report.inputs[0].notes
        if note.severity != "capture"
    ]


@pytest.mark.parametrize(("count", "told"), [(100, False), (101, True)])
def test_a_flood_is_said_to_be_one(judge: Judge, count: int, told: bool) -> None:
    found = notes(judge(list(openings(count))))
    assert found == ([("TCP-HS-019", "note", "192.0.2.1:80")] if told else [])


def test_unanswered_answers_count_too(judge: Judge) -> None:
    packets = []
    for opening in openings(101):
        answer = segment(opening.destination, opening.source, SYN_ACK, 9, opening.fields["seq"] + 1)
        packets += [opening, answer, answer]
    assert notes(judge(packets)) == [("TCP-HS-019", "note", "192.0.2.1:80")]


def test_what_was_refused_was_answered(judge: Judge) -> None:
    packets = []
    for opening in openings(101):
        refusal = segment(opening.destination, opening.source, RST_ACK, 0, opening.fields["seq"] + 1)
        packets += [opening, refusal]
    assert notes(judge(packets)) == []


def test_a_scan_of_ports_and_a_sweep_of_hosts(judge: Judge) -> None:
    ports = [segment("10.0.0.1:4000", f"192.0.2.1:{port}", SYN, port**3) for port in range(1, 102)]
    assert notes(judge(ports)) == [("TCP-HS-019", "note", "192.0.2.1")]
    hosts = [segment("10.0.0.1:4000", f"192.0.2.{host}:22", SYN, host**3) for host in range(1, 102)]
    assert notes(judge(hosts)) == [("TCP-HS-019", "note", "10.0.0.1")]


def test_each_is_still_reported(judge: Judge) -> None:
    report = judge(list(openings(300))).report
    assert [one.id for one in report.connections] == [f"tcp-{number}" for number in range(1, 301)]
    assert {(one.verdict, one.a_states, one.b) for one in report.connections} == {
        ("inconclusive", ("SYN-SENT",), "192.0.2.1:80")
    }
    assert report.connections[256].a == "10.0.1.0:4000"
    assert report.connections[0].reasons == ("nothing was captured from 192.0.2.1:80", "the end was not captured")
    assert report.checked == 300


def test_one_that_goes_on_keeps_its_place(judge: Judge) -> None:
    packets = list(openings(5))
    packets.append(segment("192.0.2.1:80", packets[2].source, RST_ACK, 0, packets[2].fields["seq"] + 1))
    found = judge(packets).report.connections
    assert [(one.id, one.packets) for one in found] == [(f"tcp-{n}", 2 if n == 3 else 1) for n in range(1, 6)]


def told(count: int) -> Iterator[Packet]:
    """Openings of which something is told: they have no options, and their sums are worked out later."""
    for number, packet in enumerate(openings(count)):
        more = {"option_octets": 0, "checksum_partial": 1, "window": 100 + number * 7 % 5000, "ttl": number % 60}
        yield packet._replace(fields={**packet.fields, **more}, number=number + 1, time=10**9 + number)


def test_what_is_told_of_each_is_found_once(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = Table._made

    def made(self: Table, judge: Any, number: int, packet: Packet, previous: Any) -> Connection:
        calls.append(packet.number)
        return real(self, judge, number, packet, previous)

    monkeypatch.setattr(Table, "_made", made)
    found = list(judge(list(told(400))).report.connections)
    assert len(calls) < 20
    assert {item.code for one in found for item in one.diagnostics} >= {"TCP-OPT-017"}
    monkeypatch.setattr(Alone, "like", lambda *_: None)
    each = list(judge(list(told(400))).report.connections)
    assert len(calls) > 400
    assert found == each
    assert len({item.observed for one in found for item in one.diagnostics}) == 400


def test_a_text_that_numbers_decide_otherwise_is_no_pattern(specs: list[Spec], monkeypatch: pytest.MonkeyPatch) -> None:
    real = Interpreter.write

    def judge(packets: list[Packet]) -> Checker:
        checker = Checker(specs)
        checker.read(Records(packets))
        return checker

    def write(self: Interpreter, sighting: Sighting, modulus: int = 1 << 32) -> str:
        half = [known[0] // 2 for known in sighting.slots.values() if known is not None and known[0] > 0]
        return f"{real(self, sighting, modulus)} {half}"

    monkeypatch.setattr(Interpreter, "write", write)
    found = list(judge(list(told(50))).report.connections)
    monkeypatch.setattr(Alone, "like", lambda *_: None)
    assert found == list(judge(list(told(50))).report.connections)


def test_memory_of_a_flood(judge: Judge) -> None:
    class Stream(Records):
        def records(self) -> Iterator[Packet]:
            return (packet._replace(number=number) for number, packet in enumerate(openings(50_000), 1))

    checker = judge([])
    checker.read(Stream([]))  # compiles the spec and fills caches
    del checker.report.connections[:]
    tracemalloc.start()
    checker.read(Stream([]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / 50_000 < 450, f"{peak / 50_000:.0f} octets for each connection"
