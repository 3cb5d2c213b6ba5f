"""Packets that their sender sent in another order than the capture shows: legal, so never a violation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.crowds.rereading import BEFORE, IN_TIME
from tcpmodel.checking.outcome.findings import CONFORMS, VIOLATES
from tcpmodel.traces.records import FLAG_BITS, Packet

ENDS = ("10.0.0.1:1000", "10.0.0.2:2000")
Line = tuple[int, str, int, int, int]

# (who, flags, SEQ, ACK, octets of text)
HANDSHAKE: list[Line] = [(0, "SYN", 1000, 0, 0), (1, "SYN,ACK", 5000, 1001, 0), (0, "ACK", 1001, 5001, 0)]
CASES: dict[str, list[Line]] = {
    "two late packets in a row": [
        *HANDSHAKE,
        (1, "FIN,ACK", 5001, 1001, 0),
        (0, "ACK", 1003, 5002, 0),
        (0, "ACK", 1001, 5001, 2),
        (0, "ACK", 1003, 5001, 0),
    ],
    "text overtaken by an acknowledgment with an old number": [
        *HANDSHAKE,
        (0, "ACK", 1001, 5001, 5),
        (1, "ACK", 5001, 1006, 0),
        (1, "ACK", 5001, 1001, 100),
    ],
    "the capture begins with the SYN,ACK and misses what follows it": [
        (1, "SYN,ACK", 5000, 1001, 0),
        (0, "ACK", 1001, 5001, 0),
        (1, "ACK", 5001, 1203, 0),
        (1, "ACK", 5001, 1203, 500),
        (0, "FIN,ACK", 1203, 5501, 0),
        (1, "FIN,ACK", 5501, 1204, 0),
    ],
    "a copy of the SYN,ACK comes when text was sent": [
        *HANDSHAKE,
        (1, "ACK", 5001, 1001, 100),
        (0, "FIN,ACK", 1001, 5101, 0),
        (1, "ACK", 5001, 1001, 50),
        (1, "SYN,ACK", 5000, 1001, 0),
        (0, "ACK", 1002, 5101, 0),
        (1, "ACK", 5101, 1001, 0),
        (1, "FIN,ACK", 5101, 1002, 0),
        (0, "ACK", 1002, 5102, 0),
    ],
}
WHOLE = {"a copy of the SYN,ACK comes when text was sent"}
"""Those of which nothing is missing."""


@pytest.mark.parametrize("shift", [0, 2**32 - 1003], ids=["plain", "wrapping"])
@pytest.mark.parametrize("case", CASES)
def test_no_violation(judge: Callable[..., Checker], case: str, shift: int) -> None:
    packets = []
    for number, (who, flags, seq, ack, octets) in enumerate(CASES[case], 1):
        fields = {"seq": (seq + shift) % 2**32, "ack": (ack + shift) % 2**32, "length": octets}
        bits = sum(FLAG_BITS[name] for name in flags.split(","))
        packets.append(Packet(number, number * 1000, "tcp", ENDS[who], ENDS[1 - who], bits, fields))
    found = judge(packets).report.connections
    assert [item.code for each in found for item in each.diagnostics if item.severity == "violation"] == []
    assert all(each.verdict != VIOLATES for each in found)
    if case in WHOLE:
        assert [each.verdict for each in found] == [CONFORMS]


# (time in ms, who, flags, SEQ, ACK, octets of text)
STIRRED = [
    (0, 0, "SYN", 1000, 0, 0),
    (3, 0, "ACK", 2441, 5001, 1440),
    (1, 1, "SYN,ACK", 5000, 1001, 0),
    (3, 0, "ACK", 1001, 5001, 1440),
    (2, 0, "ACK", 1001, 5001, 0),
    (3, 1, "ACK", 5001, 2441, 0),
    (3, 1, "ACK", 5001, 3881, 0),
    (3, 0, "ACK", 3881, 5001, 1120),
    (4, 1, "ACK", 5001, 5001, 1440),
    (4, 1, "ACK", 6441, 5001, 1440),
    (4, 1, "ACK", 5001, 5001, 0),
    (5, 0, "ACK", 5001, 6441, 0),
    (5, 0, "ACK", 5001, 7881, 0),
    (5, 0, "ACK", 5001, 9001, 0),
    (4, 1, "ACK", 7881, 5001, 1120),
    (8, 0, "ACK", 5002, 9002, 0),
    (7, 1, "FIN,ACK", 9001, 5002, 0),
    (6, 0, "FIN,ACK", 5001, 9001, 0),
]


def stirred(lines: list[tuple[int, int, str, int, int, int]]) -> list[Packet]:
    packets = []
    for number, (time, who, flags, seq, ack, octets) in enumerate(lines, 1):
        fields = {"seq": seq, "ack": ack, "length": octets}
        bits = sum(FLAG_BITS[name] for name in flags.split(","))
        packets.append(Packet(number, time * 10**6, "tcp", ENDS[who], ENDS[1 - who], bits, fields))
    return packets


def found(checker: Checker) -> list[tuple[str, int, str]]:
    every = [item for one in checker.report.connections for item in one.diagnostics]
    return [(item.code, item.place, item.message) for item in every]


def test_packets_that_do_not_stand_in_the_order_of_their_times(judge: Callable[..., Checker]) -> None:
    codes = found(judge(stirred(STIRRED)))
    assert ("CAP-009", 18, IN_TIME) in codes
    assert not [code for code, _, _ in codes if code.startswith("TCP-FIN")]


def test_the_order_of_the_times_explains_not_everything(judge: Callable[..., Checker]) -> None:
    """The last packet is one that an end which has finished never sends, whenever it sent it."""
    wrong = [*STIRRED, (6, 0, "ACK", 5002, 9001, 100)]
    assert "TCP-FIN-001" in [code for code, place, _ in found(judge(stirred(wrong))) if place == 19]


def test_late_packets_of_the_connection_before(judge: Callable[..., Checker]) -> None:
    """A new one between the same addresses begins before all of the old one was captured."""
    old = [
        (1, 0, "SYN", 1000, 0, 0),
        (2, 1, "SYN,ACK", 5000, 1001, 0),
        (3, 0, "ACK", 1001, 5001, 3),
    ]
    new = [(4, 0, "SYN", 66542, 0, 0)]
    late = [(5, 1, "FIN,ACK", 5001, 1005, 0), (6, 0, "ACK", 1005, 5002, 0), (7, 0, "FIN,ACK", 1004, 5001, 0)]
    assert not [code for code, _, _ in found(judge(stirred([*old, *new, *late]))) if code.startswith("TCP-SEQ")]
    far = [(5, 0, "ACK", 60000, 5001, 0)]
    assert [code for code, _, _ in found(judge(stirred([*old, *new, *far])))] != []


def test_a_packet_with_the_time_of_an_earlier_connection(judge: Callable[..., Checker]) -> None:
    """One packet of a connection that has long been over is written last; a clock that was set back is no excuse."""
    lives = []
    for life in range(3):
        time, x, y = 100 * life, 1000 + 70_000 * life, 5000 + 900_000 * life
        lives += [
            (time + 1, 0, "SYN", x, 0, 0),
            (time + 2, 1, "SYN,ACK", y, x + 1, 0),
            (time + 3, 0, "ACK", x + 1, y + 1, 0),
            (time + 4, 0, "FIN,ACK", x + 1, y + 1, 0),
            (time + 5, 1, "FIN,ACK", y + 1, x + 2, 0),
            (time + 6, 0, "ACK", x + 2, y + 2, 0),
        ]
    old, rest = lives[2], lives[:2] + lives[3:13]
    codes = found(judge(stirred([*rest, old])))
    assert ("CAP-009", 13, BEFORE) in codes
    assert not [code for code, _, _ in codes if code.startswith("TCP-SEQ")]
    stepped = [(time - 1000, *line) for time, *line in lives[13:15]]
    codes = found(judge(stirred([*rest, *stepped, (-700, 0, "ACK", x - 100, y + 1, 3)])))
    assert "TCP-SEQ-007" in [code for code, place, _ in codes if place == 15]


# (who, flags, SEQ, ACK, octets of text, TSval, TSecr, identification): what 1 sends is captured four packets late
LAGGING = [
    (0, "SYN", 1000, 0, 0, 500, 0, 26973),
    (0, "ACK", 1001, 5001, 0, 503, 900, 26974),
    (0, "ACK", 1001, 5001, 100, 727, 900, 26975),
    (0, "ACK", 1101, 5001, 1448, 804, 1127, 26976),
    (1, "SYN,ACK", 5000, 1001, 0, 900, 500, 0),
    (0, "ACK", 2549, 5001, 1448, 804, 1127, 26977),
    (0, "FIN,ACK", 3997, 5001, 104, 804, 1127, 26978),
    (1, "ACK", 5001, 1101, 0, 1127, 727, 1942),
    (0, "ACK", 4102, 5002, 0, 906, 1303, 0),
    (1, "ACK", 5001, 2549, 0, 1204, 804, 1943),
    (1, "ACK", 5001, 3997, 0, 1204, 804, 1944),
    (1, "ACK", 5001, 4102, 0, 1246, 804, 1945),
    (1, "FIN,ACK", 5001, 4102, 0, 1303, 804, 1946),
]


def test_timestamps_of_what_is_captured_later(judge: Callable[..., Checker]) -> None:
    packets = []
    for number, (who, flags, seq, ack, octets, tsval, tsecr, ip_id) in enumerate(LAGGING, 1):
        fields = {"seq": seq, "ack": ack, "length": octets, "tsval": tsval, "tsecr": tsecr, "ip_id": ip_id}
        fields |= {"window": 60000, "option_octets": 12}
        bits = sum(FLAG_BITS[name] for name in flags.split(","))
        packets.append(Packet(number, number * 10**6, "tcp", ENDS[who], ENDS[1 - who], bits, fields))
    checker = judge(packets)
    assert not [item for one in checker.report.connections for item in one.diagnostics if item.severity == "violation"]
