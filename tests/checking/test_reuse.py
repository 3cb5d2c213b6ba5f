"""Addresses and ports that are used again: whatever numbers the new connection has, both are what they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.traces.records import FLAG_BITS, Packet

Judge = Callable[..., Checker]
ENDS = ("10.0.0.1:4000", "10.0.0.2:80")
A, B = 10_000_000, 15_000_000
"""The numbers with which the first connection begins."""


def packet(side: int, flags: str, seq: int, ack: int = 0, length: int = 0) -> Packet:
    fields = {"seq": seq % 2**32, "ack": ack % 2**32, "length": length, "window": 60000, "option_octets": 0}
    return Packet(0, 0, "tcp", ENDS[side], ENDS[1 - side], sum(FLAG_BITS[flag] for flag in flags.split(",")), fields)


def life(a: int, b: int, end: str, opener: int = 0) -> list[Packet]:
    """A connection in which both ends send a little; ``a`` and ``b`` are the numbers of ends 0 and 1."""
    x, y = opener, 1 - opener
    i, r = (a, b) if opener == 0 else (b, a)
    told = [
        packet(x, "SYN", i),
        packet(y, "SYN,ACK", r, i + 1),
        packet(x, "ACK", i + 1, r + 1),
        packet(x, "ACK", i + 1, r + 1, 5),
        packet(y, "ACK", r + 1, i + 6),
        packet(y, "ACK", r + 1, i + 6, 3),
        packet(x, "ACK", i + 6, r + 4),
    ]
    if end == "closed":
        told += [
            packet(x, "FIN,ACK", i + 6, r + 4),
            packet(y, "FIN,ACK", r + 4, i + 7),
            packet(x, "ACK", i + 7, r + 5),
        ]
    elif end == "reset":
        told.append(packet(x, "RST,ACK", i + 6, r + 4))
    return told


def timed(packets: list[Packet]) -> list[Packet]:
    return [each._replace(time=number * 10**6) for number, each in enumerate(packets, 1)]


def violations(checker: Checker) -> list[tuple[str, int]]:
    every = [item for one in checker.report.connections for item in one.diagnostics]
    return [(item.code, item.place) for item in every if item.severity == "violation"]


@pytest.mark.parametrize("end", ["closed", "reset", "open"])
@pytest.mark.parametrize(
    ("opener", "da", "db"),
    [
        (0, 0, -1_000_000),
        (0, 0, -5),
        (0, 0, 1_000_000),
        (0, -1_000_000, 5),
        (0, 5, -1_000_000),
        (0, 7, 2**31 - 5),
        (1, -1_000_000, 0),
        (1, -5, 0),
        (1, 5, 0),
        (1, 1000, 0),
        (1, 0, -5),
        (1, -5, -1_000_000),
    ],
)
def test_nobody_is_accused(judge: Judge, end: str, opener: int, da: int, db: int) -> None:
    first = life(A, B, end)
    checker = judge(timed([*first, *life(A + da, B + db, "closed", opener)]))
    assert not violations(checker)
    assert sum(one.packets for one in checker.report.connections) == len(first) + 10


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("end", ["closed", "reset"])
@pytest.mark.parametrize(("da", "db"), [(-1_000_000, 0), (5, -1_000_000), (-1_000_000, -5), (1_000_000, 3)])
def test_a_new_one_without_its_beginning(judge: Judge, end: str, da: int, db: int, lost: int) -> None:
    """The capture has lost the first packets of the new connection, whose numbers lie close on one side."""
    assert not violations(judge(timed([*life(A, B, end), *life(A + da, B + db, "closed")[lost:]])))


@pytest.mark.parametrize(
    ("da", "db", "gone", "lost"),
    [
        (1_700_000, 65_500, (7,), 2),
        (1_700_000, 65_500, (7, 9), 3),
        (65_500, 65_500, (7,), 3),
        (65_500, 65_500, (8,), 2),
    ],
)
def test_one_without_its_end_before_one_without_its_beginning(
    judge: Judge, da: int, db: int, gone: tuple[int, ...], lost: int
) -> None:
    """The third connection of a fast succession, after one that was reset and one of which a FIN was lost."""
    second = [each for place, each in enumerate(life(A + da, B + db, "closed")) if place not in gone]
    third = life(A + 2 * da, B + 2 * db, "closed")[lost:]
    assert not violations(judge(timed([*life(A, B, "reset"), *second, *third])))


@pytest.mark.parametrize("wrong", [packet(0, "ACK", A + 7, B + 5, 30), packet(1, "ACK", B + 5, A + 90)])
def test_numbers_that_lie_close_on_both_sides_are_of_the_old_one(judge: Judge, wrong: Packet) -> None:
    told = life(A, B, "closed")
    assert [place for _, place in violations(judge(timed([*told, wrong])))] == [len(told) + 1]


@pytest.mark.parametrize(("opener", "da", "db"), [(0, 5, -1_000_000), (0, 1000, 1000), (1, 1000, 1000)])
def test_what_is_wrong_in_the_new_one_is_found(judge: Judge, opener: int, da: int, db: int) -> None:
    first = life(A, B, "closed")
    second = life(A + da, B + db, "closed", opener)
    wrong = second[4]
    second[4] = wrong._replace(fields={**wrong.fields, "ack": wrong.fields["ack"] + 90_000})
    assert violations(judge(timed([*first, *second])))[0] == ("TCP-ACK-001", len(first) + 5)


def test_an_old_syn_does_not_excuse_what_is_wrong(judge: Judge) -> None:
    """A copy of the SYN comes late; that is no new connection, and so the octets after the FIN stay wrong."""
    told = life(A, B, "open")
    late = [
        packet(0, "SYN", A),
        packet(0, "FIN,ACK", A + 6, B + 4),
        packet(0, "ACK", A + 7, B + 4, 20),
    ]
    assert ("TCP-FIN-001", len(told) + 3) in violations(judge(timed([*told, *late])))
