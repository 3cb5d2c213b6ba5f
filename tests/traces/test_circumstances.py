"""What a capture tells of itself: cut packets, fragments, clocks, dropped packets, interfaces."""

from __future__ import annotations

import struct

FRAME = (
    bytes.fromhex("4500002c 01c80000 40067cf6 c0000201 c6336402".replace(" ", ""))
    + bytes.fromhex("04d20050 00000064 000000c8 50181000 12340000".replace(" ", ""))
    + b"abcd"
)
FRAGMENT = FRAME[:6] + b"\x20\x00" + FRAME[8:]


def statistics(which: int, interface: int, system: int, order: str) -> bytes:
    counts = struct.pack(order + "HHQHHQHH", 5, 8, interface, 7, 8, system, 0, 0)
    return struct.pack(order + "III", which, 0, 0) + counts


def test_nothing_is_said_of_a_good_capture(read, build):
    assert read(build.pcap([FRAME] * 3, link=101)).trace.circumstances.met == {}


def test_cut_and_fragmented(read, build):
    met = read(build.pcap([FRAME, FRAGMENT, FRAME], link=101, snaplen=42)).trace.circumstances.met
    assert met[("CAP-005", "packets cut by the capture")] == (3, 1)
    assert met[("CAP-004", "IP fragments, left out")] == (1, 2)


def test_a_clock_that_goes_back(read, build):
    back = bytearray(build.pcap([FRAME] * 3, link=101))
    at = 24 + 2 * (16 + len(FRAME))
    back[at : at + 4] = struct.pack("<I", 999)
    met = read(bytes(back)).trace.circumstances.met
    assert met == {("CAP-016", "packets with an earlier time than the one before"): (1, 3)}


def test_interfaces_clocks_and_drops_of_pcapng(read, build):
    for order in "<>":
        data = build.section(order) + build.interface(101, order) * 2
        data += build.enhanced(FRAME, 0, 50, order) + build.enhanced(FRAME, 1, 20, order)
        data += build.block(5, statistics(0, 3, 4, order), order) + build.block(5, statistics(0, 5, 4, order), order)
        data += build.block(5, statistics(1, 1, 0, order), order)
        reading = read(data)
        assert reading.error is None
        assert {code: found for (code, _), found in reading.trace.circumstances.met.items()} == {
            "CAP-018": (2, 2),
            "CAP-006": (10, 1),
        }


def ipv6(carried: bytes, length: int) -> bytes:
    return (
        bytes.fromhex("60000000") + struct.pack("!HBB", length, 6, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + carried
    )


def test_octets_behind_the_packet(read, build):
    segment = FRAME[20:]
    for good in (FRAME, ipv6(segment, len(segment))):
        reading = read(build.pcap([good, good + bytes(6), good], link=101))
        assert [packet.fields for packet in reading.records] == [reading.records[0].fields] * 3
        assert reading.records[0].fields["length"] == 4
        assert reading.trace.circumstances.met == {
            ("CAP-019", "frames with octets behind the packet, which are no part of it"): (1, 2)
        }


def test_no_length(read, build):
    segment = FRAME[20:]
    for none in (FRAME[:2] + b"\0\0" + FRAME[4:], ipv6(segment, 0)):
        reading = read(build.pcap([none], link=101))
        assert reading.records[0].fields["length"] == 4
        assert {code for code, _ in reading.trace.circumstances.met} == {"CAP-002"}


def test_something_around_the_packets_of_one_direction(read, build):
    there, tag = bytes(12), bytes.fromhex("81000005")
    back = FRAME[:12] + FRAME[16:20] + FRAME[12:16] + FRAME[22:24] + FRAME[20:22] + FRAME[24:]
    one_way = "connections with a tunnel or VLAN tag in one direction only"
    for frames, told in (
        ([there + tag + b"\x08\0" + FRAME, there + b"\x08\0" + back], {("CAP-013", one_way): (1, 1)}),
        ([there + tag + b"\x08\0" + FRAME, there + tag + b"\x08\0" + back], {}),
    ):
        met = read(build.pcap(frames)).trace.circumstances.met
        tagged = {("CAP-013", "packets with the VLAN tag 5"): (2 - len(told), 1)}
        assert met == tagged | told
    outer = bytes.fromhex("45000000 00000000 40040000 c0000201 c6336402".replace(" ", ""))
    met = read(build.pcap([outer[:2] + struct.pack("!H", 20 + len(FRAME)) + outer[4:] + FRAME, back], link=101))
    assert met.trace.circumstances.met == {("CAP-013", "packets within IP in IP"): (1, 1), ("CAP-013", one_way): (1, 1)}
