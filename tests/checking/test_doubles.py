"""Copies of packets in a capture: recognised by what no sender repeats, told as notes, and nobody's fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_memory import Records

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.faults.doubles import Doubles
from tcpmodel.checking.outcome.findings import Report
from tcpmodel.model.load import load
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet

TRACES = Path(__file__).resolve().parents[2] / "traces"
MILLISECOND = 10**6


def packets(name: str) -> list[Packet]:
    return [record for record in open_trace(str(TRACES / name)).records() if isinstance(record, Packet)]


def checked(records: list[Packet]) -> Report:
    checker = Checker([load("tcp").spec, load("udp").spec])
    checker.read(Records(records))
    return checker.report


def notes(report: Report) -> dict[str, str]:
    return {note.code: note.message for note in report.inputs[0].notes}


def merged(a: list[Packet], b: list[Packet], offset: int, hops: int = 0) -> list[Packet]:
    """Two captures of the same packets in one, the clock of the second ``offset`` nanoseconds ahead."""
    second = [
        packet._replace(time=packet.time + offset, fields=packet.fields | {"ttl": packet.fields["ttl"] - hops})
        for packet in b
        if packet.time is not None
    ]
    return sorted([*a, *second], key=lambda packet: packet.time or 0)


def test_each_packet_twice() -> None:
    report = checked(packets("hazards/normal-client-close.h05-each-packet-twice.pcap"))
    assert [one.verdict for one in report.connections] == ["conforms"]
    assert notes(report)["CAP-010"].startswith("packets that were doubled")


@pytest.mark.parametrize("offset", [-40, -2, 0, 2, 40])
def test_captures_of_both_ends_in_one(offset: int) -> None:
    client = packets("lab/normal-client-close.client.pcap")
    server = packets("lab/normal-client-close.server.pcap")
    report = checked(merged(client, server, offset * MILLISECOND, hops=1))
    assert not [one.diagnostics for one in report.connections if one.verdict == "violates"]
    told = notes(report)
    assert ("CAP-016" in told) == (abs(offset) >= 2)
    assert "with another TTL" in told["CAP-016" if abs(offset) >= 2 else "CAP-010"]


@pytest.mark.parametrize(
    "name",
    [
        "lab/normal-client-close.client.pcap",
        "lab/loss-retransmit.client.pcap",
        "zeek/ftp-ipv6.pcap",
    ],
)
def test_retransmissions_are_no_copies(name: str) -> None:
    assert not {"CAP-010", "CAP-016"} & notes(checked(packets(name))).keys()


def test_a_network_that_doubles_packets_is_no_merged_capture() -> None:
    assert notes(checked(packets("real/bulk-loss.pcap")))["CAP-010"].endswith(": 4")


def test_a_port_that_is_used_again() -> None:
    told = notes(checked(packets("real/portreuse.pcap")))
    assert told["CAP-015"] == "new connections between the addresses and ports of one before: 5"


def packet(number: int, time: int, **fields: int) -> Packet:
    return Packet(number, time, "tcp", "10.0.0.1:1", "10.0.0.2:2", 0x10, {"seq": 7, "ip_payload": 20, **fields})


@pytest.mark.parametrize(
    ("second", "codes"),
    [
        (packet(2, 10, ip_id=5), ["CAP-010"]),
        (packet(2, 5 * MILLISECOND, ip_id=5), ["CAP-010"]),
        (packet(2, 999 * MILLISECOND, ip_id=5), ["CAP-010"]),
        (packet(2, 2000 * MILLISECOND, ip_id=5), []),
        (packet(2, 10, ip_id=6), []),
        (packet(2, 10, ip_id=5, seq=8), []),
    ],
)
def test_what_a_copy_is(second: Packet, codes: list[str]) -> None:
    doubles = Doubles()
    doubles.take(packet(1, 0, ip_id=5))
    doubles.take(second)
    assert [each.code for each in doubles.findings(False)] == codes


@pytest.mark.parametrize("apart", [5, 2000])
def test_two_captures_show_both_ends_twice(apart: int) -> None:
    doubles = Doubles()
    for number, (time, source) in enumerate(((0, "a:1"), (1, "b:2"), (apart, "a:1"), (apart + 1, "b:2")), 1):
        doubles.take(packet(number, time * MILLISECOND, ip_id=5)._replace(source=source))
    assert [(each.code, each.place) for each in doubles.findings(False)] == [("CAP-016", 3)]


def test_an_identification_that_comes_again_is_no_copy() -> None:
    doubles = Doubles()
    for number in range(1, 10):
        doubles.take(packet(number, 2000 * MILLISECOND * number, ip_id=5 if number in (1, 9) else 10 + number))
    assert doubles.findings(False) == []


def test_a_host_that_gives_all_packets_one_identification_doubles_none() -> None:
    doubles = Doubles()
    for number, seq in enumerate((1, 1, 2, 2, 3, 4, 5), 1):
        doubles.take(packet(number, number, ip_id=1, seq=seq))
    assert doubles.findings(False) == []


def test_without_an_identification_nothing_is_concluded() -> None:
    doubles = Doubles()
    for number in (1, 2):
        doubles.take(packet(number, 0, ip_id=0))
        doubles.take(packet(number, 0))
    assert doubles.findings(False) == []


def test_memory_is_bounded() -> None:
    doubles = Doubles()
    for number in range(1, 20_000):
        doubles.take(packet(number, number, ip_id=number, seq=number))
    assert len(doubles._recent) <= 4096
