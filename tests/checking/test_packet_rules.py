"""Rules over messages: each mistake is found at its packet and under its name, and what looks like it stays silent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS, VIOLATES
from tcpmodel.traces.records import FLAG_BITS, Packet

Judge = Callable[..., Checker]
A, B = "10.0.0.1:4000", "10.0.0.2:80"
ROOT = Path(__file__).resolve().parents[2]
SYN = {"option_octets": 20, "mss": 1460, "wscale": 7, "sackok": 1, "tsval": 9, "tsecr": 0}
STAMPED = {"option_octets": 12, "tsval": 10, "tsecr": 9}
NUMBERS = [(1000, 5000), (2**32 - 3, 2**32 - 8), (2**32 - 1, 2**31 - 5)]


def life(i: int, r: int, changes: dict[int, dict[str, int | None]]) -> list[Packet]:
    """A connection of ten packets; ``changes`` of fields by the number of the packet (None takes a field away).

    Packet 4 carries 10 octets of A, packet 6 carries 100 of B, packet 7 acknowledges these.
    """
    steps = [
        ("A", "SYN", i, 0, 0),
        ("B", "SYN,ACK", r, i + 1, 0),
        ("A", "ACK", i + 1, r + 1, 0),
        ("A", "ACK,PSH", i + 1, r + 1, 10),
        ("B", "ACK", r + 1, i + 11, 0),
        ("B", "ACK,PSH", r + 1, i + 11, 100),
        ("A", "ACK", i + 11, r + 101, 0),
        ("A", "FIN,ACK", i + 11, r + 101, 0),
        ("B", "FIN,ACK", r + 101, i + 12, 0),
        ("A", "ACK", i + 12, r + 102, 0),
    ]
    packets = []
    ids = {"A": 65530, "B": 7}
    for number, (who, flags, seq, ack, length) in enumerate(steps, 1):
        ids[who] += 1
        fields = {"seq": seq % 2**32, "ack": ack % 2**32, "length": length, "window": 500, "ip_id": ids[who] % 65536}
        fields |= {
            "offset": 32,
            "ip_payload": 32 + length,
            "checksum_ok": 1,
            "source_port": 4000,
            "destination_port": 80,
        }
        fields |= SYN if "SYN" in flags else STAMPED
        bits = sum(FLAG_BITS[name] for name in flags.split(","))
        for key, value in changes.get(number, {}).items():
            if key == "flags":
                bits |= value or 0
            elif value is None:
                fields.pop(key, None)
            else:
                fields[key] = value
        source, destination = (A, B) if who == "A" else (B, A)
        packets.append(Packet(number, number * 10**6, "tcp", source, destination, bits, fields))
    return packets


BAD: list[tuple[str, int, dict[int, dict[str, int | None]]]] = [
    ("TCP-OPT-001", 4, {4: {"mss": 1460}}),
    ("TCP-OPT-002", 7, {7: {"wscale": 7}}),
    ("TCP-OPT-003", 2, {1: {"wscale": None}}),
    ("TCP-OPT-004", 1, {1: {"wscale": 15}}),
    ("TCP-OPT-005", 5, {5: {"sackok": 1}}),
    ("TCP-OPT-006", 7, {2: {"sackok": None}, 7: {"sack_blocks": 1}}),
    ("TCP-OPT-007", 7, {7: {"sack_blocks": 1, "bad_sack": 1}}),
    ("TCP-OPT-010", 2, {1: {"tsval": None, "tsecr": None}}),
    ("TCP-OPT-021", 4, {4: {"cookie": 8}}),
    ("TCP-HDR-001", 3, {3: {"offset": 16, "length": 0}}),
    ("TCP-HDR-002", 4, {4: {"checksum_ok": 0}}),
    ("TCP-HDR-003", 4, {4: {"bad_options": 1}}),
    ("TCP-HDR-004", 4, {4: {"after_end": 1}}),
    ("TCP-HDR-005", 4, {4: {"reserved": 1}}),
    ("TCP-ECN-001", 5, {5: {"flags": FLAG_BITS["ECE"]}}),
    ("TCP-SEQ-001", 6, {4: {"window": 0}}),
    ("TCP-SEQ-001", 6, {1: {"wscale": None}, 2: {"wscale": None}, 4: {"window": 98}}),
]
GOOD: list[dict[int, dict[str, int | None]]] = [
    {},
    {2: {"mss": None}},
    {1: {"wscale": None}, 2: {"wscale": None}},
    {1: {"wscale": 14}},
    {1: {"tsval": None, "tsecr": None, "option_octets": 8}, 2: {"tsval": None, "tsecr": None}},
    {1: {"option_octets": None, "wscale": None}},
    {7: {"sack_blocks": 1}},
    {2: {"sackok": None, "option_octets": None}, 7: {"sack_blocks": 1}},
    {number: {"checksum_ok": 0} for number in (1, 3, 4, 7, 8, 10)},
    {4: {"checksum_ok": 0, "checksum_partial": 1}},
    {4: {"checksum_ok": None}},
    {1: {"flags": FLAG_BITS["ECE"] | FLAG_BITS["CWR"]}, 2: {"flags": FLAG_BITS["ECE"]}, 5: {"flags": FLAG_BITS["ECE"]}},
    {1: {"wscale": None}, 2: {"wscale": None}, 4: {"window": 99}},
    {4: {"window": 1}},
    {4: {"window": 0}, 7: {"ip_id": 40000}},
    {4: {"window": 0, "ip_id": None}, 7: {"ip_id": None}},
    {1: {"option_octets": None, "wscale": None}, 4: {"window": 1}},
    {5: {"flags": FLAG_BITS["AE"]}},
]


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize(("code", "place", "changes"), BAD)
def test_mistake_is_found(
    judge: Judge, numbers: tuple[int, int], code: str, place: int, changes: dict[int, dict[str, int | None]]
) -> None:
    (connection,) = judge(life(*numbers, changes)).report.connections
    found = [(item.code, item.place) for item in connection.diagnostics if item.severity == "violation"]
    assert found == [(code, place)] and connection.verdict == VIOLATES


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("changes", GOOD)
def test_what_looks_like_it_is_silent(
    judge: Judge, numbers: tuple[int, int], changes: dict[int, dict[str, int | None]]
) -> None:
    (connection,) = judge(life(*numbers, changes)).report.connections
    assert connection.verdict == CONFORMS
    assert {item.severity for item in connection.diagnostics} <= {"capture", "note"}


@pytest.mark.parametrize(("start", "without"), [(4, ()), (1, (4,)), (1, (2,))])
def test_a_capture_that_lacks_something_proves_nothing(judge: Judge, start: int, without: tuple[int, ...]) -> None:
    packets = life(1000, 5000, {4: {"window": 0}, 5: {"flags": FLAG_BITS["ECE"]}})
    kept = [each for each in packets if each.number >= start and each.number not in without]
    (connection,) = judge(kept).report.connections
    assert not [item for item in connection.diagnostics if item.severity == "violation"]


@pytest.mark.parametrize(
    ("name", "code", "place"),
    [
        ("m08-data-into-zero-window", "TCP-SEQ-001", 6),
        ("m13-mss-option-in-data", "TCP-OPT-001", 4),
        ("m21-bad-tcp-checksum", "TCP-HDR-002", 4),
    ],
)
def test_planted_captures(judge: Judge, name: str, code: str, place: int) -> None:
    (connection,) = judge(ROOT / "traces" / "planted" / f"{name}.pcap").report.connections
    assert [(item.code, item.place) for item in connection.diagnostics] == [(code, place)]


def test_checksums_that_are_worked_out_after_the_capture(judge: Judge) -> None:
    (path,) = (ROOT / "traces" / "hazards").glob("*h11*")
    (connection,) = judge(path).report.connections
    assert [item.code for item in connection.diagnostics] == ["CAP-001"] and connection.verdict == CONFORMS


def test_single_packets_again_and_again(judge: Judge) -> None:
    """What is remembered of a packet that is alone in its connection depends on the time as any other does."""
    packets = [
        Packet(number, number * 10**9, "tcp", f"10.0.0.1:{number + 4000}", B, FLAG_BITS["SYN"], dict(SYN, seq=number))
        for number in range(1, 40)
    ]
    reports = judge(packets).report.connections
    assert len(reports) == 39 and not [one for each in reports for one in each.diagnostics]


def test_what_no_state_explains_has_a_name_and_says_what_was_allowed(judge: Judge) -> None:
    """It is told by its state; that the next segment takes it back proves it once more, without any state."""
    packets = life(1000, 5000, {3: {"ack": 5002}})
    (connection,) = judge(packets).report.connections
    finding, proof = [one for one in connection.diagnostics if one.severity == "violation"]
    assert [(one.code, one.place) for one in (finding, proof)] == [("TCP-HS-003", 3), ("TCP-ACK-001", 3)]
    assert finding.states and finding.allowed and finding.cites
