"""Connections that are put away while there are many: what is reported of them is the same."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

import pytest
from in_memory import Records

from tcpmodel.checking import table
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import ERRORS, Packet

TRACES = Path(__file__).resolve().parents[2] / "traces"
NAMES = [
    *("lab/half-close.client", "lab/udp-echo.client", "lab/udp-unreach.client", "planted/m04-data-after-fin"),
    *("real/portreuse", "real/reuse-tw", "real/refused", "lab/dns.client", "lab/icmp-tcp.client"),
]


def mixed() -> list[Packet]:
    """The packets of many captures in turns, each capture with addresses of its own."""
    captures = []
    for index, name in enumerate([*NAMES, "lab/half-close.client"]):
        packets = [each for each in open_trace(str(TRACES / f"{name}.pcap")).records() if isinstance(each, Packet)]
        if index == len(NAMES):
            del packets[8:10]  # some text and its acknowledgment were not captured
        captures.append(
            [
                each._replace(source=f"h{index}-{each.source}", destination=f"h{index}-{each.destination}")
                for each in packets
            ]
        )
    found = [each for turn in zip_longest(*captures) for each in turn if each is not None]
    return [each._replace(number=number, time=number * 1000) for number, each in enumerate(found, 1)]


def shown(checker) -> list[object]:
    reports = []
    for one in checker.report.connections:
        found = [(each.code, each.place, each.message, each.endpoint, each.states) for each in one.diagnostics]
        reports.append((one.id, one.a, one.b, one.verdict, one.reasons, one.a_states, one.b_states, one.packets, found))
    return reports


@pytest.mark.parametrize("most", [1, 4])
def test_putting_away_changes_nothing(judge, monkeypatch, most):
    packets = mixed()
    expected = shown(judge(packets))
    assert len(expected) > 8
    monkeypatch.setattr(table, "SWEEP_FROM", most)
    monkeypatch.setattr(table, "MOST_AWAKE", most)
    rests = []
    original = table.Stowed.put

    def put(self, key, *others):
        done = original(self, key, *others)
        if done:
            kept = self._kept[" ".join(key)]
            rests.append(None if isinstance(kept, bytes) else self._idle(" ".join(key), kept).rest)
        return done

    monkeypatch.setattr(table.Stowed, "put", put)
    assert shown(judge(packets)) == expected
    found = [each for each in rests if each is not None]
    assert len(rests) > len(found)
    for which in ("diagnostics", "standpoint", "gaps"):
        assert any(getattr(each, which) for each in found), which


def udp(number: int, source: str, target: str, length: int) -> Packet:
    fields = {"length": length, "ip_payload": length, "checksum": 1, "checksum_ok": 1, "ip_version": 4}
    fields |= {"source_port": 4, "destination_port": 5, "source_multicast": 0, "ttl": 64, "ip_id": number & 0xFFFF}
    return Packet(number, number * 1000, "udp", source, target, 0, fields)


def test_pairs_to_many_ports_take_little_room(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 256)
    live = []
    original = table.Table._sweep

    def sweep(self, now):
        live.append(len(self._connections))
        original(self, now)

    monkeypatch.setattr(table.Table, "_sweep", sweep)
    packets = []
    for port in range(3000):
        packets.append(udp(2 * port + 1, f"10.0.0.1:{port}", "10.0.0.2:53", 40 + port % 20))
        packets.append(udp(2 * port + 2, "10.0.0.2:53", f"10.0.0.1:{port}", 90 + port % 300))
    late = [udp(6001 + port, "10.0.0.2:53", f"10.0.0.1:{port}", 99) for port in range(0, 3000, 100)]
    checker = judge([*packets, *late])
    assert max(live) <= 256
    counts = [one.packets for one in checker.report.connections]
    assert counts == [3 if port % 100 == 0 else 2 for port in range(3000)]
    assert {one.verdict for one in checker.report.connections} == {"conforms"}


def test_an_error_about_one_that_was_put_away(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 2)
    packets = []
    for port in range(20):
        packets.append(udp(2 * port + 1, f"10.0.0.1:{port}", "10.0.0.2:53", 40))
        packets.append(udp(2 * port + 2, f"10.0.0.1:{port}", "10.0.0.2:53", 40))
    fields = {"icmp_type": 3, "icmp_code": 3, "ip_version": 4, "about": 17, "destination_multicast": 0}
    packets.append(Packet(41, 41000, ERRORS, "10.0.0.1:0", "10.0.0.2:53", 0, fields))
    checker = judge(packets)
    found = [(one.a, each.code) for one in checker.report.connections for each in one.diagnostics]
    assert found == [("10.0.0.1:0", "UDP-018")]


SYN, ACK, FIN = 2, 16, 1


def segment(time: int, source: str, target: str, flags: int, seq: int, ack: int, length: int = 0) -> Packet:
    fields = {"seq": seq % 2**32, "ack": ack % 2**32, "window": 512, "length": length, "urgent": 0, "offset": 20}
    return Packet(1, time, "tcp", source, target, flags, fields | {"ip_payload": 20 + length})


def conversation(number: int, time: int, *, close: bool = True) -> list[Packet]:
    """A request and its answer between addresses of their own, with numbers and lengths of their own."""
    mine, theirs = number * 2654435761, number * 40503 * 65537
    a, b = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}:{1024 + number % 50000}", "192.0.2.1:80"
    asked, answered = 1 + number % 900, 1 + number % 1400
    said = [
        (a, b, SYN, mine, 0, 0),
        (b, a, SYN | ACK, theirs, mine + 1, 0),
        (a, b, ACK, mine + 1, theirs + 1, 0),
        (a, b, ACK, mine + 1, theirs + 1, asked),
        (b, a, ACK, theirs + 1, mine + 1 + asked, answered),
    ]
    mine, theirs = mine + 1 + asked, theirs + 1 + answered
    said.append((a, b, ACK, mine, theirs, 0))
    if close:
        said.append((a, b, ACK | FIN, mine, theirs, 0))
        said.append((b, a, ACK | FIN, theirs, mine + 1, 0))
        said.append((a, b, ACK, mine + 1, theirs + 1, 0))
    return [segment(time + 1000 * at, *each) for at, each in enumerate(said)]


def conversations(count: int, *, apart: int = 10**6, close: bool = True) -> list[Packet]:
    return [each for number in range(count) for each in conversation(number, number * apart, close=close)]


class Stream(Records):
    """Packets that are made when they are read."""

    def __init__(self, packets: Callable[[], Iterable[Packet]]) -> None:
        super().__init__([])
        self._made = packets

    def records(self) -> Iterator[Packet]:
        return (packet._replace(number=number) for number, packet in enumerate(self._made(), 1))


def test_memory_of_what_was_put_away(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 64)
    found = []
    original = table.Table.finish

    def finish(self):
        gc.collect()
        found.append(tracemalloc.get_traced_memory()[0])
        original(self)

    monkeypatch.setattr(table.Table, "finish", finish)
    checker = judge(conversations(128))  # compiles the spec and fills caches
    tracemalloc.start()
    for count in (300, 1500):
        checker.read(Stream(lambda count=count: (each for n in range(count) for each in conversation(n, n * 1000))))
    tracemalloc.stop()
    each = (found[1] - found[0]) / 1200
    assert each < 800, f"{each:.0f} octets for each connection"


def test_those_that_finished_long_ago_are_kept_no_longer(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 64)
    idle = []
    original = table.Table._sweep

    def sweep(self, now):
        original(self, now)
        idle.append(len(self._stowed) + len(self._connections))

    monkeypatch.setattr(table.Table, "_sweep", sweep)
    checker = judge(conversations(1000, apart=10**9))
    assert max(idle) < 300 + 128
    assert [one.id for one in checker.report.connections] == [f"tcp-{number}" for number in range(1, 1001)]
    assert {(one.verdict, one.packets) for one in checker.report.connections} == {("conforms", 9)}


def test_those_that_have_not_finished_are_kept(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 16)
    began = conversations(100, apart=10**9, close=False)
    rest = [each for number in range(100) for each in conversation(number, (1000 + number) * 10**9)[6:]]
    checker = judge([*began, *rest])
    assert {(one.verdict, one.packets) for one in checker.report.connections} == {("conforms", 9)}


def test_more_stay_awake_when_all_are_soon_back(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 16)
    back = []
    original = table.Stowed.restore
    monkeypatch.setattr(table.Stowed, "restore", lambda *args: back.append(1) or original(*args))
    turns = zip(*[conversation(number, number * 1000) for number in range(200)], strict=True)
    checker = judge([each for turn in turns for each in turn])
    assert {(one.verdict, one.packets) for one in checker.report.connections} == {("conforms", 9)}
    assert len(back) < 3 * 200


def notes(checker) -> list[str]:
    return [each.message for each in checker.report.inputs[0].notes if "too many" in each.message]


def test_of_those_put_away_half_have_to_go_when_there_are_too_many(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 16)
    monkeypatch.setattr(table, "MOST_STOWED", 64)
    most = []
    original = table.Table._sweep

    def sweep(self, now):
        original(self, now)
        most.append(len(self._stowed))

    monkeypatch.setattr(table.Table, "_sweep", sweep)
    checker = judge(conversations(300, close=False))
    assert max(most) <= 64
    assert [one.packets for one in checker.report.connections] == [6] * 300
    assert notes(checker) == ["connections reported as they stood, because too many were open at a time: 224"]


def test_of_those_that_cannot_be_put_away_half_have_to_go(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 16)
    monkeypatch.setattr(table, "MOST_AWAKE", 16)
    monkeypatch.setattr(table, "MOST_LIVE", 64)
    monkeypatch.setattr(table.Stowed, "put", lambda *_: False)
    most = []
    original = table.Table._make_room

    def make_room(self, now):
        original(self, now)
        most.append(len(self._connections))

    monkeypatch.setattr(table.Table, "_make_room", make_room)
    checker = judge(conversations(300, close=False))
    assert max(most) <= 64
    assert [one.packets for one in checker.report.connections] == [6] * 300
    assert len(notes(checker)) == 1


def test_what_comes_after_one_was_given_up_is_no_violation(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 16)
    monkeypatch.setattr(table, "MOST_STOWED", 32)
    began = conversations(100, close=False)
    rest = [each for number in range(100) for each in conversation(number, (1000 + number) * 10**6)[6:]]
    checker = judge([*began, *rest])
    assert len(checker.report.connections) > 150
    assert not [each for one in checker.report.connections for each in one.diagnostics if each.severity == "violation"]


def test_findings_of_what_was_put_away_take_little_room(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 64)
    found = []
    original = table.Table.finish

    def finish(self):
        gc.collect()
        found.append(tracemalloc.get_traced_memory()[0])
        original(self)

    def refused(count: int) -> Iterator[Packet]:
        fields = {"icmp_type": 3, "icmp_code": 3, "ip_version": 4, "about": 17, "destination_multicast": 0}
        for port in range(count):
            yield udp(1, "10.0.0.1:4000", f"192.0.2.1:{port}", 40)
            yield Packet(1, 0, ERRORS, "10.0.0.1:4000", f"192.0.2.1:{port}", 0, fields)
            yield udp(1, "10.0.0.1:4000", f"192.0.2.1:{port}", 41)

    monkeypatch.setattr(table.Table, "finish", finish)
    checker = judge(refused(100))
    assert {each.code for one in checker.report.connections for each in one.diagnostics}
    tracemalloc.start()
    for count in (200, 800):
        checker.read(Stream(lambda count=count: refused(count)))
    tracemalloc.stop()
    each = (found[-1] - found[-2]) / 600
    assert each < 1400, f"{each:.0f} octets for each connection"
