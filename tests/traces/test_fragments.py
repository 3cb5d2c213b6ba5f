"""IP fragments: put together in any order, given up when they never become whole, left out where they contradict."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcpmodel.traces.captures import fragments
from tcpmodel.traces.records import ERRORS

ETHERNET, ETHERNET6 = bytes(12) + b"\x08\x00", bytes(12) + b"\x86\xdd"
TEXT = bytes(range(256)) * 12
SOURCE4, TARGET4, SOURCE6, TARGET6 = b"\n\0\0\1", b"\n\0\0\2", bytes(15) + b"\1", bytes(15) + b"\2"

WHOLE = ("CAP-004", "IP fragments, put together")
MISSING = ("CAP-004", "IP fragments, left out")
CONTRADICTING = ("CAP-004", "IP fragments that contradict each other, left out")


def summed(addresses: bytes, protocol: int, data: bytes, at: int) -> bytes:
    """``data`` with its checksum at ``at``."""
    pseudo = addresses + struct.pack(">II", len(data), protocol)
    total = sum(struct.unpack(f">{(len(pseudo) + len(data) + 1) // 2}H", pseudo + data + bytes(len(data) & 1)))
    return data[:at] + struct.pack(">H", 0xFFFF - (total % 0xFFFF)) + data[at + 2 :]


def datagram(addresses: bytes, text: bytes = TEXT) -> bytes:
    return summed(addresses, 17, struct.pack(">HHHH", 4000, 53, 8 + len(text), 0) + text, 6)


def segment(addresses: bytes, text: bytes = TEXT) -> bytes:
    return summed(addresses, 6, struct.pack(">HHIIBBHHH", 4000, 80, 7, 9, 0x50, 0x18, 500, 0, 0) + text, 16)


def fragment4(
    data: bytes, start: int, end: int, protocol: int = 17, ident: int = 77, more: bool | None = None
) -> bytes:
    flags = 0x2000 if (end < len(data) if more is None else more) else 0
    piece = data[start:end]
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(piece), ident, flags | start >> 3, 64, protocol, 0)
    return ETHERNET + header + SOURCE4 + TARGET4 + piece


def fragment6(data: bytes, start: int, end: int, protocol: int = 17, ident: int = 77) -> bytes:
    piece = struct.pack(">BBHI", protocol, 0, start | (1 if end < len(data) else 0), ident) + data[start:end]
    return ETHERNET6 + struct.pack(">IHBB", 6 << 28, len(piece), 44, 64) + SOURCE6 + TARGET6 + piece


def cut(data: bytes, every: int = 1000) -> list[tuple[int, int]]:
    every &= ~7
    return [(at, min(at + every, len(data))) for at in range(0, len(data), every)]


FOUR, SIX = SOURCE4 + TARGET4, SOURCE6 + TARGET6


@pytest.mark.parametrize("order", ["as sent", "backwards", "mixed", "each twice"])
@pytest.mark.parametrize(
    ("make", "data", "protocol"),
    [
        (fragment4, datagram(FOUR), 17),
        (fragment4, segment(FOUR), 6),
        (fragment6, datagram(SIX), 17),
        (fragment6, segment(SIX), 6),
    ],
)
def test_put_together(read, build, order, make, data, protocol):
    places = cut(data)
    if order == "backwards":
        places.reverse()
    elif order == "mixed":
        random.Random(1).shuffle(places)
    elif order == "each twice":
        places = [place for place in places for _ in (0, 1)][:-1]
    reading = read(build.pcap([make(data, *place, protocol) for place in places]))
    (packet,) = reading.records
    assert packet.number == len(places)
    assert packet.protocol == {6: "tcp", 17: "udp"}[protocol]
    assert packet.fields["ip_payload"] == len(data)
    assert packet.fields["checksum_ok"] == 1
    assert packet.fields["fragments"] == len(cut(data))
    assert packet.fields["length"] == (len(TEXT) if protocol == 6 else len(data))
    assert reading.skipped == {}
    assert reading.trace.circumstances.met == {WHOLE: (len(places), 1)}


def test_pcapng_and_several_at_once(read, build):
    one, two = datagram(FOUR), datagram(FOUR, bytes(len(TEXT)))
    frames = []
    for place in cut(two):
        frames += [fragment4(one, *place), fragment4(two, *place, 17, 78)]
    data = build.section() + build.interface() + b"".join(build.enhanced(frame) for frame in frames)
    reading = read(data)
    assert [packet.fields["length"] for packet in reading.records] == [len(one), len(two)]
    assert all(packet.fields["checksum_ok"] == 1 for packet in reading.records)


def test_what_is_not_whole_is_left_out_and_named(read, build):
    data = datagram(FOUR)
    places = cut(data)
    reading = read(build.pcap([fragment4(data, *place) for place in places[:-1]]))
    assert (reading.records, reading.skipped) == ([], {"IPv4 fragment": len(places) - 1})
    assert reading.trace.circumstances.met == {MISSING: (len(places) - 1, 1)}
    reading = read(build.pcap([fragment6(data, *places[0])]))
    assert reading.skipped == {"IPv6 fragment": 1}


def test_pieces_without_a_place_in_a_cut_file_are_counted(read, build):
    data = datagram(FOUR)
    file = build.pcap([fragment4(data, *cut(data)[0])] * 2)
    reading = read(file[:-1])
    assert reading.error is not None
    assert reading.skipped == {"IPv4 fragment": 1}


@pytest.mark.parametrize(
    "other",
    [
        (0, 1000, TEXT[1:]),  # the same place, other octets
        (504, 1504, None),  # the same octets, but across the border
        (992, 1008, None),
        (8, 16, None),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_no_verdict_on_what_overlaps(read, build, other, first):
    data = datagram(FOUR)
    start, end, text = other
    strange = fragment4(text or data, start, end, more=True)
    frames = [fragment4(data, *place) for place in cut(data)]
    frames.insert(0 if first else 1, strange)
    reading = read(build.pcap(frames))
    assert reading.records == []
    assert reading.skipped == {fragments.OVERLAPPING: len(frames)}
    assert reading.trace.circumstances.met == {CONTRADICTING: (len(frames), 1)}


def test_two_ends(read, build):
    data = datagram(FOUR)
    frames = [fragment4(data, 1104, len(data)), fragment4(data, 0, 1000), fragment4(data, 1000, 1100, more=False)]
    assert read(build.pcap(frames)).skipped == {fragments.OVERLAPPING: 3}


def test_beyond_the_longest_packet(read, build):
    frames = [fragment4(bytes(70000), 65528, 66000)]
    assert read(build.pcap(frames)).skipped == {fragments.TOO_LONG: 1}


@pytest.mark.parametrize("octets", [0, 7])
def test_lengths_that_no_piece_has(read, build, octets):
    assert read(build.pcap([fragment4(TEXT, 0, octets)])).skipped == {"IPv4 fragment of an impossible length": 1}


def test_cut_by_the_capture(read, build):
    data = datagram(FOUR)
    frames = [fragment4(data, *place) for place in cut(data)]
    file = build.section() + build.interface()
    file += b"".join(build.enhanced(frame[:100], original=len(frame)) for frame in frames)
    (packet,) = read(file).records
    assert packet.fields["length"] == packet.fields["ip_payload"] == len(data)
    assert "checksum_ok" not in packet.fields


def test_an_old_piece_is_of_another_packet(read, build):
    data = datagram(FOUR)
    first, *rest = [fragment4(data, *place) for place in cut(data)]
    file = build.section() + build.interface()
    file += build.enhanced(first) + b"".join(build.enhanced(each, ticks=61_000_000) for each in rest)
    reading = read(file)
    assert reading.records == []
    assert reading.skipped == {"IPv4 fragment": len(rest) + 1}


def test_memory_is_bounded(read, build, monkeypatch):
    monkeypatch.setattr(fragments, "MOST", 10)
    data = datagram(FOUR)
    frames = [fragment4(data, 0, 1000, ident=ident) for ident in range(100)]
    reading = read(build.pcap([*frames, *[fragment4(data, *place, ident=99) for place in cut(data)[1:]]]))
    assert len(reading.records) == 1
    assert reading.skipped == {"IPv4 fragment": 99}
    monkeypatch.setattr(fragments, "MOST", 4096)
    monkeypatch.setattr(fragments, "MOST_OCTETS", 5000)
    assert len(read(build.pcap(frames)).records) == 0


def test_ping_and_errors_in_pieces(read, build):
    ping = bytes(3000)
    frames = [fragment4(ping, *place, 1) for place in cut(ping)]
    assert read(build.pcap(frames)).skipped == {"ICMP": 3}
    quoted = fragment4(datagram(FOUR), 0, 1000)[14:]
    error = b"\x03\x03" + bytes(6) + quoted
    (found,) = read(build.pcap([fragment4(error, *place, 1) for place in cut(error, 500)])).records
    assert (found.protocol, found.destination) == (ERRORS, "10.0.0.2:53")


def test_within_and_around_tunnels(read, build):
    inner = fragment4(segment(FOUR), 0, len(segment(FOUR)), 6)[14:]
    frames = [fragment4(inner, *place, 4) for place in cut(inner)]
    (packet,) = read(build.pcap(frames)).records
    assert (packet.protocol, packet.fields["checksum_ok"], packet.number) == ("tcp", 1, 4)
    data = datagram(FOUR)
    frames = []
    for place in cut(data):
        piece = fragment4(data, *place)[14:]
        frames.append(ETHERNET + struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(piece), 1, 0, 64, 4, 0) + FOUR + piece)
    (packet,) = read(build.pcap(frames)).records
    assert (packet.protocol, packet.fields["checksum_ok"], packet.number) == ("udp", 1, 4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.sets(st.integers(1, 380), max_size=12),
    order=st.randoms(use_true_random=False),
    lost=st.sets(st.integers(0, 12), max_size=1),
)
def test_any_pieces_in_any_order(read, build, cuts, order, lost):
    data = datagram(FOUR)
    borders = [0, *sorted(8 * cut for cut in cuts), len(data)]
    frames = [fragment4(data, a, b) for a, b in pairwise(borders)]
    kept = [frame for at, frame in enumerate(frames) if at not in lost]
    order.shuffle(kept)
    reading = read(build.pcap(kept)) if kept else None
    if reading is None:
        return
    if len(kept) == len(frames):
        (packet,) = reading.records
        assert packet.fields["checksum_ok"] == 1
        assert reading.skipped == {}
    else:
        assert reading.records == []
        assert reading.skipped == {"IPv4 fragment": len(kept)}


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_agrees_with_tshark(read, build, tmp_path):
    scapy = pytest.importorskip("scapy.all")
    frames = []
    for number in range(12):
        whole = scapy.IP(src="10.0.0.1", dst="10.0.0.2", id=number) / scapy.UDP(sport=4000 + number, dport=9)
        pieces = scapy.fragment(whole / bytes(range(200)) * (5 + number), fragsize=8 * (20 + number))
        frames += [bytes(scapy.Ether() / piece) for piece in (reversed(pieces) if number & 1 else pieces)]
    path = tmp_path / "x.pcap"
    path.write_bytes(build.pcap(frames))
    command = ["tshark", "-n", "-r", str(path), "-o", "udp.check_checksum:TRUE", "-Y", "udp", "-T", "fields"]
    command += ["-e", "frame.number", "-e", "udp.srcport", "-e", "udp.length", "-e", "udp.checksum.status"]
    shown = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    expected = [tuple(map(int, line.split("\t"))) for line in shown.splitlines()]
    found = [
        (each.number, each.fields["source_port"], each.fields["length"], each.fields["checksum_ok"])
        for each in read(build.pcap(frames)).records
    ]
    assert found == expected
