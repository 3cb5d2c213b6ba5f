"""One capture made of two, from both sides of a box that changes sequence numbers."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import conversation
from conversation import ACK, FIN, PSH, Segment, Segments, options_of, shifted
from test_capture_faults import MILLISECOND, SPECS, A, B, plain

from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.faults import boxes
from tcpmodel.checking.outcome.findings import Report
from tcpmodel.checking.run import check
from tcpmodel.semantics.program import Program
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import FIELD_KEYS, Packet

BIG, SMALL = 3_000_000_000, 1000
SHIFTS = [(0, BIG), (BIG, 0), (BIG, BIG // 7), (0, SMALL), (SMALL, 0), (2**32 - SMALL, SMALL)]


def both_sides(by: tuple[int, int], *, hops: int, clock: int, identified: bool) -> Segments:
    """Each packet before the box and behind it; the clocks of the two captures differ by ``clock``."""
    near, far = plain(), shifted(plain(), by)
    near = [replace(each, ttl=each.ttl - hops * (each.side == B)) for each in near]
    far = [
        replace(each, ttl=each.ttl - hops * (each.side == A), time=each.time + clock + (300, -300)[each.side] * 1000)
        for each in far
    ]
    found = sorted([*near, *far], key=lambda each: each.time)
    return found if identified else [replace(each, ip_id=0) for each in found]


def judged(tmp_path: Path, segments: Segments) -> Report:
    path = tmp_path / "x.pcap"
    conversation.write(path, [segments])
    return check([str(path)], SPECS)


@pytest.mark.parametrize(
    ("by", "hops", "clock", "identified"),
    [
        ((0, BIG), 0, 0, True),
        ((0, BIG), 1, -3, False),
        ((0, SMALL), 0, 0, True),
        ((0, SMALL), 1, -3, False),
        ((SMALL, 0), 1, 0, True),
        ((2**32 - SMALL, SMALL), 0, 5, True),
    ],
)
def test_nobody_is_accused(tmp_path: Path, by: tuple[int, int], hops: int, clock: int, identified: bool) -> None:
    story = both_sides(by, hops=hops, clock=clock * MILLISECOND, identified=identified)
    report = judged(tmp_path, story)
    assert "violates" not in {one.verdict for one in report.connections}
    told = [one for one in report.connections if boxes.TOLD in one.reasons]
    assert {one.verdict for one in told} <= {"inconclusive"}
    notes = {(item.code, item.severity) for one in told for item in one.diagnostics}
    assert not told or ("CAP-011", "capture") in notes


def numbered_twice(tmp_path: Path, segments: Segments) -> bool:
    path = tmp_path / "x.pcap"
    conversation.write(path, [segments])
    packets = [each for each in open_trace(str(path)).records() if isinstance(each, Packet)]
    return boxes.two_numberings(packets, Interpreter(Program(SPECS[0], {}, seen_fields=FIELD_KEYS)))


@pytest.mark.parametrize("by", SHIFTS)
def test_two_numberings(tmp_path: Path, by: tuple[int, int]) -> None:
    assert numbered_twice(tmp_path, both_sides(by, hops=1, clock=0, identified=True))


def other_clock(each: Segment, by: int) -> Segment:
    """What the end B says of its clock, and what is sent back to it, moved by so much."""
    options = b""
    for kind, data in options_of(each.options):
        if kind == 8:
            clocks = [int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")]
            clocks[each.side != B] = (clocks[each.side != B] + by) % 2**32
            data = b"".join(clock.to_bytes(4, "big") for clock in clocks)
        options += bytes((kind,)) if kind < 2 else bytes((kind, len(data) + 2)) + data
    return replace(each, options=options)


@pytest.mark.parametrize("by", [(0, BIG), (0, SMALL)])
@pytest.mark.parametrize("views", [1, 2])
def test_a_box_that_answers_first_with_a_clock_of_its_own(tmp_path: Path, by: tuple[int, int], views: int) -> None:
    """It made the handshake before it asked the server, whose numbers and timestamps it changes from then on."""
    near = plain()
    far = [other_clock(each, 12345678) for each in shifted(near, by)]
    far = [replace(each, ip_id=each.ip_id * (place > 2), ttl=each.ttl - 1) for place, each in enumerate(far)]
    times = [each.time + (0, 3 * MILLISECOND)[place > 2] for place, each in enumerate(near)]
    near = [replace(each, time=time) for each, time in zip(near, times, strict=True)]
    far = [replace(each, time=time + (500, -500)[each.side]) for each, time in zip(far, times, strict=True)]
    far[:3] = [replace(each, time=each.time + 2 * MILLISECOND) for each in far[:3]]
    story = sorted([*near, *far] * views, key=lambda each: each.time)
    assert numbered_twice(tmp_path, story)
    if views == 1:
        assert "violates" not in {one.verdict for one in judged(tmp_path, story).connections}


def test_one_numbering(tmp_path: Path) -> None:
    assert not numbered_twice(tmp_path, plain())
    assert not numbered_twice(tmp_path, sorted([*plain(), *plain()], key=lambda each: each.time))


@pytest.mark.parametrize("ip_id", [0, 7])
def test_text_that_goes_on_alike(tmp_path: Path, ip_id: int) -> None:
    """Segments with the same text, at one tick of the clock, and what acknowledges them: one numbering."""
    story: Segments = [replace(each, ip_id=ip_id) for each in plain()[:3]]
    for number in range(40):
        text = replace(plain()[3], seq=101 + 1400 * number, ip_id=ip_id, time=story[-1].time + MILLISECOND)
        answer = replace(plain()[5], ack=1501 + 1400 * number, ip_id=ip_id, time=text.time + MILLISECOND)
        story += [text, answer]
    assert not numbered_twice(tmp_path, story)


def test_an_end_that_answers_anew_is_none(tmp_path: Path) -> None:
    """A second SYN,ACK with another number, and what it sends with that: the other end goes on with the first."""
    good = plain()
    other = [replace(each, seq=each.seq + BIG, time=each.time + 500) for each in good if each.side == B]
    story = sorted([*good, *other], key=lambda each: each.time)
    assert not numbered_twice(tmp_path, story)
    assert "violates" in {one.verdict for one in judged(tmp_path, story).connections}


def test_what_one_message_shows_stays(tmp_path: Path) -> None:
    story = both_sides((0, BIG), hops=0, clock=0, identified=True)
    wrong = [replace(each, flags=FIN | PSH | 0x20, ack=0) if place == 9 else each for place, each in enumerate(story)]
    report = judged(tmp_path, wrong)
    found = {item.code for one in report.connections for item in one.diagnostics if item.severity != "capture"}
    assert found == {"TCP-FLG-002", "TCP-HDR-010"}


def lives(by: tuple[int, int], count: int) -> list[Segments]:
    """Connections that follow each other between the same ports, alike but for numbers that each raises by so much."""
    bare = [replace(each, ip_id=0, options=b"", window=60000 + place) for place, each in enumerate(plain())]
    found = []
    for life in range(count):
        one = shifted(bare, (life * by[0] % 2**32, life * by[1] % 2**32))
        found.append([replace(each, time=each.time + life * 1000 * MILLISECOND) for each in one])
    return found


@pytest.mark.parametrize(("by", "count"), [((BIG, BIG // 7), 2), ((1 << 24, 1 << 24), 4), ((1 << 21, 0), 3)])
def test_ports_that_are_used_again_by_connections_alike(tmp_path: Path, by: tuple[int, int], count: int) -> None:
    """Their numbers differ by the same amounts in all packets; but each ends before the next begins."""
    told = lives(by, count)
    assert not numbered_twice(tmp_path, [each for life in told for each in life])
    last = told[-1]
    last[7] = replace(last[7], flags=ACK | FIN, seq=last[7].seq - 700)
    report = judged(tmp_path, [each for life in told for each in life])
    assert not [item for one in report.connections for item in one.diagnostics if item.code == "CAP-011"]
    assert [one.verdict for one in report.connections][-1] == "violates"
