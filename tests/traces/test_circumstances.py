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
