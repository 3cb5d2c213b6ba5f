"""Packets that their sender sent in another order than the capture shows: legal, so never a violation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.findings import CONFORMS, VIOLATES
from tcpmodel.traces.records import FLAG_BITS, Packet

ENDS = ("10.0.0.1:1000", "10.0.0.2:2000")
Line = tuple[int, str, int, int, int]

# (who, flags, SEQ, ACK, octets of text)
CASES: dict[str, list[Line]] = {
    "two late packets in a row": [
        (0, "SYN", 1000, 0, 0),
        (1, "SYN,ACK", 5000, 1001, 0),
        (0, "ACK", 1001, 5001, 0),
        (1, "FIN,ACK", 5001, 1001, 0),
        (0, "ACK", 1003, 5002, 0),
        (0, "ACK", 1001, 5001, 2),
        (0, "ACK", 1003, 5001, 0),
    ],
    "text overtaken by an acknowledgment with an old number": [
        (0, "SYN", 1000, 0, 0),
        (1, "SYN,ACK", 5000, 1001, 0),
        (0, "ACK", 1001, 5001, 0),
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
        (0, "SYN", 1000, 0, 0),
        (1, "SYN,ACK", 5000, 1001, 0),
        (0, "ACK", 1001, 5001, 0),
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
