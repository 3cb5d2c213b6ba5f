"""Ports that are used again with a number that is the old one, or near to it: another connection, and no violation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS
from tcpmodel.traces.records import FLAG_BITS, Packet

ENDS = ("10.0.0.1:1000", "10.0.0.2:2000")
SECOND = 10**9


def life(start: int, server: int, octets: int, at: int) -> list[Packet]:
    """A whole connection: the numbers of both ends, the text of the client, and when it begins, in seconds."""
    text, behind = start + 1, start + 1 + octets
    lines = [
        (0, "SYN", start, 0, 0),
        (1, "SYN,ACK", server, text, 0),
        (0, "ACK", text, server + 1, 0),
        (0, "ACK", text, server + 1, octets),
        (1, "ACK", server + 1, behind, 20),
        (0, "FIN,ACK", behind, server + 21, 0),
        (1, "FIN,ACK", server + 21, behind + 1, 0),
        (0, "ACK", behind + 1, server + 22, 0),
    ]
    packets = []
    for number, (who, flags, seq, ack, length) in enumerate(lines):
        bits = sum(FLAG_BITS[name] for name in flags.split(","))
        fields = {"seq": seq, "ack": ack, "length": length}
        packets.append(Packet(number, at * SECOND + number * 1000, "tcp", ENDS[who], ENDS[1 - who], bits, fields))
    return packets


def test_the_answer_shows_that_the_syn_was_no_copy(judge: Callable[..., Checker]) -> None:
    found = judge(life(1000, 5000, 10, 0) + life(1000, 90000, 30, 5)).report.connections
    assert [d.code for each in found for d in each.diagnostics if d.severity == "violation"] == []
    assert len(found) == 2
    assert found[0].verdict == CONFORMS


@pytest.mark.parametrize("server", [5000, 90000])
def test_no_copy_is_so_old(judge: Callable[..., Checker], server: int) -> None:
    found = judge(life(1000, 5000, 10, 0) + life(1000, server, 30, 400)).report.connections
    assert [each.verdict for each in found] == [CONFORMS, CONFORMS]


def test_the_half_of_one_end_is_enough_to_tell_two_connections_apart(judge: Callable[..., Checker]) -> None:
    """Linux picks a number just above the old one for ports that are used again."""
    both = life(1000, 5000, 10, 0) + life(1_600_000, 5022 + 65_537, 30, 1)
    found = judge([packet for packet in both if packet.source == ENDS[1]]).report.connections
    assert [d.code for each in found for d in each.diagnostics if d.severity == "violation"] == []


def test_a_late_copy_of_a_syn_begins_nothing(judge: Callable[..., Checker]) -> None:
    first = life(1000, 5000, 10, 0)
    found = judge([*first, first[0]._replace(time=2 * SECOND)]).report.connections
    assert [each.verdict for each in found] == [CONFORMS]
