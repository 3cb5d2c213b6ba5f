"""Coincidences of loss, reordering and assumptions that once led to a wrong verdict, each as short as it can be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.traces.records import FLAG_BITS, Packet

Judge = Callable[..., Checker]
Line = tuple[str, str, int, int, int]
"""Who sends, flags, SEQ, ACK and octets of text; numbers count from the sender's and the receiver's first."""

A, B = "10.0.0.1:4000", "10.0.0.2:80"
FIRST = {"A": 2**32 - 100, "B": 7000}


def packets(*lines: Line) -> list[Packet]:
    found = []
    for number, (who, flags, seq, ack, length) in enumerate(lines, 1):
        peer = "B" if who == "A" else "A"
        bits = sum(FLAG_BITS[name] for name in flags.split(","))
        known = (FIRST[peer] + ack) % 2**32 if "ACK" in flags.split(",") else 0
        fields = {"seq": (FIRST[who] + seq) % 2**32, "ack": known, "length": length, "window": 65535}
        ends = (A, B) if who == "A" else (B, A)
        found.append(Packet(number, None, "tcp", *ends, bits, fields))
    return found


def accused(judge: Judge, lines: list[Line]) -> list[tuple[str, int]]:
    found = [d for c in judge(packets(*lines)).report.connections for d in c.diagnostics if d.severity == "violation"]
    return [(item.code, item.place) for item in found]


HANDSHAKE: list[Line] = [("A", "SYN", 0, 0, 0), ("B", "SYN,ACK", 0, 1, 0), ("A", "ACK", 1, 1, 0)]

LEGAL: dict[str, list[Line]] = {
    "late, and acknowledges text that was lost": [
        ("B", "SYN,ACK", 0, 1, 0),
        ("B", "SYN,ACK", 0, 1, 0),
        ("A", "FIN,ACK", 3, 5, 1460),
        ("B", "ACK", 5, 1464, 0),
        ("B", "ACK", 1, 3, 1),
    ],
    "text comes late when nothing bounds what was sent": [
        *HANDSHAKE[:2],
        ("B", "ACK", 1, 101, 1460),
        ("A", "ACK", 101, 1461, 0),
        ("A", "ACK", 1, 1, 100),
        ("A", "ACK", 101, 1461, 0),
    ],
    "a simultaneous open of which a SYN was lost": [
        ("A", "SYN", 0, 0, 0),
        ("B", "SYN,ACK", 0, 1, 0),
        ("A", "ACK", 1, 1, 0),
        ("A", "SYN,ACK", 0, 1, 0),
        ("B", "ACK", 1, 1, 0),
    ],
}


@pytest.mark.parametrize("lines", LEGAL.values(), ids=list(LEGAL))
def test_nobody_is_accused(judge: Judge, lines: list[Line]) -> None:
    assert accused(judge, lines) == []


CLOSED: list[Line] = [
    *HANDSHAKE,
    ("A", "ACK", 1, 1, 10),
    ("B", "ACK", 1, 11, 100),
    ("A", "FIN,ACK", 11, 101, 0),
    ("B", "FIN,ACK", 101, 12, 0),
    ("A", "ACK", 12, 102, 0),
]


@pytest.mark.parametrize(("seq", "ack"), [(12, -(10**6)), (-(10**6), 102), (12, -1), (-3, 102)])
def test_numbers_from_before_the_first_are_never_late(judge: Judge, seq: int, ack: int) -> None:
    (found,) = accused(judge, [*CLOSED, ("A", "ACK", seq, ack, 0)])
    assert found[1] == 9


def test_nothing_before_the_peers_syn_can_have_been_received(judge: Judge) -> None:
    lines = [*CLOSED]
    lines[2] = ("A", "ACK", 1, 0, 0)
    (found,) = accused(judge, lines)
    assert found[1] == 3


@pytest.mark.parametrize("seq", [98, 50, 1])
def test_a_fin_is_not_late_if_another_one_was_sent(judge: Judge, seq: int) -> None:
    lines = [*CLOSED[:7], ("B", "FIN,ACK", seq, 12, 0), CLOSED[7]]
    assert accused(judge, lines) == [("TCP-FIN-002", 8)]


@pytest.mark.parametrize("text", [0, 40])
def test_a_fin_may_come_late(judge: Judge, text: int) -> None:
    """An acknowledgment numbered behind it was captured first, and perhaps a part of its text."""
    late: Line = ("B", "FIN,ACK", 101 - text, 12, text)
    lines = [*CLOSED[:6], ("B", "ACK", 102, 12, 0), ("B", "ACK", 101, 12, 0), late, ("A", "ACK", 12, 102, 0)]
    checker = judge(packets(*lines))
    (connection,) = checker.report.connections
    assert connection.verdict != "violates"
    assert "ESTABLISHED" not in connection.b_states and "CLOSE-WAIT" not in connection.b_states


def test_text_that_was_never_sent_is_not_acknowledged_because_classes_are_wide(judge: Judge) -> None:
    """Segments of 1000 and 10 octets: the last one begins at 1001, but does not carry 1000."""
    text: list[Line] = [("B", "ACK", 1, 1, 1000), ("B", "ACK", 1001, 1, 10), ("A", "ACK", 1, 1001, 0)]
    close: list[Line] = [("B", "FIN,ACK", 1011, 1, 0), ("A", "ACK", 1, 1013, 0)]
    assert accused(judge, [*HANDSHAKE, *text, *close]) == [("TCP-ACK-001", 8)]


@pytest.mark.parametrize("again", [77_000, -77_000])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_an_old_syn_does_not_end_the_connection(judge: Judge, again: int, place: int) -> None:
    """A copy of a SYN from long before: the connection goes on beside what the old SYN began."""
    lines = [*CLOSED[:place], ("A", "SYN", again, 0, 0), *CLOSED[place:]]
    checker = judge(packets(*lines))  # type: ignore[arg-type]
    assert [c.verdict for c in checker.report.connections] == ["conforms", "inconclusive"]
    assert [c.packets for c in checker.report.connections] == [len(CLOSED), 1]


@pytest.mark.parametrize("again", [77_000, -77_000])
def test_a_listener_that_answers_twice_goes_on_with_either(judge: Judge, again: int) -> None:
    lines = [*CLOSED[:2], ("B", "SYN,ACK", again, 1, 0), *CLOSED[2:]]
    assert accused(judge, lines) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [-1000, -1, 1, 1000])
def test_a_wrong_answer_to_a_syn_is_found_where_it_is(judge: Judge, wrong: int) -> None:
    lines = [*CLOSED]
    lines[1] = ("B", "SYN,ACK", 0, 1 + wrong, 0)
    assert {place for _, place in accused(judge, lines)} == {2}


def test_the_answer_to_an_older_syn_is_legal(judge: Judge) -> None:
    """Figure 8 of RFC 9293; the capture did not see the old SYN."""
    lines: list[Line] = [CLOSED[0], ("B", "SYN,ACK", 400, -9, 0), ("A", "RST", -9, 0, 0), *CLOSED[1:]]
    assert accused(judge, lines) == []
    del lines[2]
    assert accused(judge, lines) == []


def test_text_of_unknown_length_may_reach_anywhere(judge: Judge) -> None:
    """Packets that were cut in the header do not show how much they carry."""
    lines = packets(*CLOSED)
    lines[3].fields.pop("length")  # type: ignore[attr-defined]
    (connection,) = judge(lines).report.connections
    assert connection.verdict == "conforms"
    assert not connection.diagnostics


def test_the_third_segment_may_answer_either_number(judge: Judge) -> None:
    """A server without memory worked its number out anew; the client took the first one."""
    lines = packets(*CLOSED[:2], ("B", "SYN,ACK", -77_000, 1, 0), *CLOSED[2:])
    for number, each in enumerate(lines):
        each.fields["ip_id"] = 100 + number  # type: ignore[index]
    lines[3].fields["ip_id"] = 101  # type: ignore[index]
    found = [d for c in judge(lines).report.connections for d in c.diagnostics if d.severity == "violation"]
    assert not found
