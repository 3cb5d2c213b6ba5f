"""Initial numbers that grow evenly from one connection of a host to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.traces.records import Packet

Judge = Callable[..., Checker]
SYN, SYN_ACK = 0x02, 0x12


def opening(host: str, port: int, number: int, flags: int = SYN) -> Packet:
    fields = {"seq": number % 2**32, "ack": 0, "window": 512, "length": 0, "offset": 20}
    return Packet(1, port * 10**6, "tcp", f"{host}:{port}", "192.0.2.1:80", flags, fields)


def openings(numbers: Iterable[int], host: str = "10.0.0.1", flags: int = SYN) -> list[Packet]:
    return [opening(host, 1024 + port, number, flags) for port, number in enumerate(numbers)]


def told(judge: Judge, packets: list[Packet]) -> list[tuple[str, int]]:
    """The hosts, and the packet with which it was too much."""
    notes = judge(packets).report.inputs[0].notes
    return [(note.endpoint, note.place) for note in notes if note.code == "TCP-HS-016"]


@pytest.mark.parametrize("step", [0, 1, 64_000, 2**31, -5])
def test_even_numbers(judge: Judge, step: int) -> None:
    numbers = [2**32 - 100 + step * count for count in range(22)]
    assert told(judge, openings(numbers)) == [("10.0.0.1", 21)]
    assert not told(judge, openings(numbers[:20]))


def test_numbers_that_nobody_can_guess(judge: Judge) -> None:
    random = Random(1)
    assert not told(judge, openings([random.getrandbits(32) for _ in range(60)]))


def test_one_that_does_not_fit_begins_a_new_row(judge: Judge) -> None:
    numbers = [7] * 15 + [9] + [7] * 15
    assert not told(judge, openings(numbers))


def test_each_host_has_its_own_numbers(judge: Judge) -> None:
    a = openings([5 * count for count in range(25)], "10.0.0.1")
    b = openings([count**3 for count in range(25)], "10.0.0.2")
    mixed = [each for pair in zip(a, b, strict=True) for each in pair]
    assert told(judge, mixed) == [("10.0.0.1", 41)]


def test_only_those_that_open(judge: Judge) -> None:
    assert not told(judge, openings([7] * 30, flags=SYN_ACK))


def test_the_same_syn_again_counts_once(judge: Judge) -> None:
    assert not told(judge, [opening("10.0.0.1", 1024, 7)] * 30)
