"""Each fault of a capture, alone in a capture of a good conversation: named, with its evidence, and nobody's fault."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import conversation
from conversation import ACK, FIN, PSH, RST, SYN, Segment, Segments, shifted

from tcpmodel.checking.outcome.findings import Diagnostic, Report
from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec
from tcpmodel.report.finding_codes import GENERAL
from tcpmodel.report.policy import Policy, codes

TRACES = Path(__file__).resolve().parents[2] / "traces"
MILLISECOND = 10**6
SPECS = [load_spec("tcp"), load_spec("udp")]
A, B = 0, 1


def options(side: int, tick: int, *, syn: bool = False) -> bytes:
    mss = bytes((2, 4)) + struct.pack("!H", 1460) if syn else b""
    own, other = (5000, 90000) if side == A else (90000, 5000)
    return mss + b"\1\1" + bytes((8, 10)) + struct.pack("!II", own + tick, 0 if syn and side == A else other + tick)


def plain() -> Segments:
    """A conversation without any fault: its number of the packet is the index plus one."""
    story = [
        (A, SYN, 100, 0, 0),
        (B, SYN | ACK, 300, 101, 0),
        (A, ACK, 101, 301, 0),
        (A, ACK, 101, 301, 1400),
        (A, ACK | PSH, 1501, 301, 1400),
        (B, ACK, 301, 2901, 0),
        (B, ACK | PSH, 301, 2901, 500),
        (A, ACK, 2901, 801, 0),
        (A, ACK | FIN, 2901, 801, 0),
        (B, ACK | FIN, 801, 2902, 0),
        (A, ACK, 2902, 802, 0),
    ]
    found: Segments = []
    counts = [1000, 7000]
    for place, (side, flags, seq, ack, length) in enumerate(story):
        told = options(side, place, syn=bool(flags & SYN))
        time = 10**18 + place * MILLISECOND
        ip_id = counts[side]
        counts[side] += 1
        ttl = 64 if side == A else 57
        found.append(Segment(time, side, seq, ack, flags, 60000, length, told, ttl=ttl, ip_id=ip_id))
    return found


def more(each: Segment, what: str) -> Segment:
    return replace(each, more=each.more | {what})


def of(side: int, change: Callable[[Segment], Segment]) -> Segments:
    return [change(each) if each.side == side else each for each in plain()]


def at(place: int, change: Callable[[Segment], Segment]) -> Segments:
    return [change(each) if number == place else each for number, each in enumerate(plain())]


def one_way() -> Segments:
    return [each for each in plain() if each.side == A]


def padded() -> Segments:
    """Without timestamps most of the frames are shorter than Ethernet has them."""
    return [more(replace(each, options=each.options[:4] if each.flags & SYN else b""), "padding") for each in plain()]


def joined(segments: Segments) -> Segments:
    """Both segments with text of A in one."""
    return [*segments[:3], replace(segments[3], length=2800), *segments[5:]]


def left_to_the_card(segments: Segments) -> Segments:
    return [replace(each, checksum="pseudo") if each.side == A else each for each in segments]


def copied(hops: int, after: int) -> Segments:
    copies = [more(replace(each, ttl=each.ttl - hops, time=each.time + after), "other hardware") for each in plain()]
    return sorted([*plain(), *copies], key=lambda each: each.time)


def stepped(by: int) -> Segments:
    return [replace(each, time=each.time + by) if place > 5 else each for place, each in enumerate(plain())]


def swapped() -> Segments:
    good = plain()
    one, other = replace(good[4], time=good[3].time), replace(good[3], time=good[4].time)
    return [*good[:3], one, other, *good[5:]]


def again() -> Segments:
    later = [replace(each, time=each.time + 10**9) for each in shifted(plain(), (7_000_000, 9_000_000))]
    return plain() + [replace(each, ip_id=each.ip_id + 100) for each in later]


def own_reset() -> Segments:
    """What a raw socket sends has its own numbers of hops and packets; the kernel answers with a reset."""
    good = plain()
    reset = Segment(good[1].time + 1000, A, 101, 0, RST, 0, 0, ttl=64, ip_id=0)
    return [*good[:2], reset, *good[2:]]


def reset_by_a_box() -> Segments:
    good = plain()[:6]
    return [*good, Segment(good[-1].time + 1000, B, 301, 2901, RST | ACK, 0, 0, ttl=200, ip_id=0)]


class Case(NamedTuple):
    """``codes``: all that is said of the capture. ``place``: the packet that is named for the first of them.
    ``words``: what its text or its values say."""

    segments: Segments
    codes: str
    place: int
    words: str
    verdict: str = "conforms"


CASES = {
    "offloaded checksums": Case(left_to_the_card(plain()), "CAP-001", 1, "worked out after the capture"),
    "not cut yet": Case(joined(left_to_the_card(plain())), "CAP-002 CAP-001", 4, "peer.MSS=1460 SEG.DATA=2800"),
    "no length": Case(
        at(3, lambda each: more(each, "no length")), "CAP-002", 4, "without a length in the header of IP"
    ),
    "joined": Case(joined(plain()), "CAP-003", 4, "peer.MSS=1460 SEG.DATA=2800"),
    "fragments": Case(at(3, lambda each: more(each, "fragments")), "CAP-004", 4, "put together: 2"),
    "cut": Case([replace(each, kept=80) for each in plain()], "CAP-005", 4, "cut by the capture: 3"),
    "lost": Case([*plain()[:6], *plain()[7:]], "CAP-006", 7, "does not show", "inconclusive"),
    "lost text": Case([*plain()[:3], *plain()[4:]], "CAP-006", 4, "1400 numbers", "inconclusive"),
    "begins late": Case(plain()[4:], "CAP-007", 1, "1 of 1", "inconclusive"),
    "one direction": Case(one_way(), "CAP-008 CAP-006 CAP-014", 1, "1 of 1", "inconclusive"),
    "swapped": Case(swapped(), "CAP-009", 5, "SEG.ID=1002 LEFT-OUT=1002"),
    "doubled": Case(copied(0, 0), "CAP-010", 2, "doubled by the network or by the capture: 11"),
    "doubled, forwarded": Case(copied(1, 9000), "CAP-010", 2, "11 of them with another TTL: 11"),
    "reset by a box": Case(reset_by_a_box(), "CAP-011", 7, "HOPS=57 SEG.HOPS=200"),
    "one VLAN": Case([more(each, "tag") for each in plain()], "CAP-013", 1, "VLAN tag 7: 11"),
    "VLAN one way": Case(of(B, lambda each: more(each, "tag")), "CAP-013", 2, "VLAN tag 7: 4"),
    "ends early": Case(plain()[:8], "CAP-014", 1, "1 of 1", "inconclusive"),
    "ports again": Case(again(), "CAP-015", 12, "ports of one before: 1"),
    "clock back": Case(stepped(-5 * 10**9), "CAP-016", 7, "earlier time than the one before: 1"),
    "clock forward": Case(stepped(3600 * 10**9), "CAP-016", 7, "SEG.TIME="),
    "two captures": Case(copied(1, 40 * MILLISECOND), "CAP-016", 12, "two captures were merged"),
    "own resets": Case(own_reset(), "CAP-017", 3, "SEG.SEQ=101 ISN=100"),
    "padding": Case(padded(), "CAP-019", 1, "behind the packet, which are no part of it: 8"),
}


def said(report: Report) -> list[Diagnostic]:
    found = [note for item in report.inputs for note in item.notes if note.code.startswith("CAP")]
    return [*found, *(item for one in report.connections for item in one.diagnostics if item.code.startswith("CAP"))]


def judged(tmp_path: Path, segments: Segments) -> Report:
    path = tmp_path / "x.pcap"
    conversation.write(path, [segments])
    report = check([str(path)], SPECS)
    Policy().apply(report)
    return report


def test_of_a_good_capture_nothing_is_said(tmp_path: Path) -> None:
    report = judged(tmp_path, plain())
    assert not said(report) and [one.verdict for one in report.connections] == ["conforms"]


@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_named(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    report = judged(tmp_path, case.segments)
    found = said(report)
    assert set(case.codes.split()) == {item.code for item in found}
    first = min((item for item in found if item.code == case.codes.split()[0]), key=lambda item: item.place)
    assert first.place == case.place
    assert case.words in first.message or case.words in " ".join(f"{key}={value}" for key, value in first.values)
    assert {item.severity for item in found} == {"capture"}
    assert {one.verdict for one in report.connections} == {case.verdict}
    assert report.exit_code == 0


def test_one_direction_is_told_apart_from_both(tmp_path: Path) -> None:
    for case, times in (("VLAN one way", 1), ("one VLAN", 0)):
        found = [item.message for item in said(judged(tmp_path, CASES[case].segments))]
        assert sum("in one direction only: 1" in message for message in found) == times


def test_several_interfaces_in_one_capture(tmp_path: Path) -> None:
    """Only pcapng has that."""

    def block(kind: int, body: bytes) -> bytes:
        size = len(body) + 12
        return struct.pack("<II", kind, size) + body + struct.pack("<I", size)

    data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += 2 * block(1, struct.pack("<HHI", 1, 0, 0))
    for each in plain():
        frame = conversation.frame(each, (100, 300))
        time = each.time // 1000
        head = struct.pack("<IIIII", each.side, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
        data += block(6, head + frame + b"\0" * (-len(frame) % 4))
    path = tmp_path / "x.pcapng"
    path.write_bytes(data)
    report = check([str(path)], SPECS)
    (note,) = said(report)
    assert (note.code, note.place, note.message) == ("CAP-018", 2, "interfaces in one capture: 2")
    assert [one.verdict for one in report.connections] == ["conforms"]


@pytest.mark.parametrize("ends", [("127.0.0.1", "127.0.0.53"), ("10.0.0.1", "10.0.0.1")])
def test_within_one_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: tuple[str, str]) -> None:
    monkeypatch.setattr(conversation, "ENDS", ((ends[0], 40000), (ends[1], 80)))
    report = judged(tmp_path, plain())
    (note,) = said(report)
    assert (note.code, note.place) == ("CAP-012", 1) and note.message.endswith(": 1 of 1")
    assert [one.verdict for one in report.connections] == ["conforms"]


def test_every_code_has_its_case() -> None:
    shown = {case.codes.split()[0] for case in CASES.values()} | {"CAP-012", "CAP-018"}
    told = {code for code in GENERAL if code.startswith("CAP")}
    assert shown == told and told <= set(codes(SPECS))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("h01-midstream-first4-cut", {"CAP-007"}),
        ("h05-each-packet-twice", {"CAP-010"}),
        ("h08-capture-loss-every-5th", {"CAP-014"}),  # what is missing was acknowledged by nobody, but for the end
        ("h11-tx-checksum-offload", {"CAP-001"}),
        ("h13-ethernet-padding", set()),  # with timestamps no frame is so short that it has any
    ],
)
def test_shared_hazards(name: str, told: set[str]) -> None:
    report = check([str(TRACES / "hazards" / f"normal-client-close.{name}.pcap")], SPECS)
    assert {item.code for item in said(report)} == told and report.exit_code == 0


@pytest.mark.parametrize(
    "name", ["lab/normal-client-close.client.pcap", "lab/half-close.client.pcap", "zeek/http-get.pcap"]
)
def test_nothing_is_said_of_good_captures(name: str) -> None:
    assert said(check([str(TRACES / name)], SPECS)) == []
