"""Tunnels in captures: the packet inside is the one that is read."""

from __future__ import annotations

import struct

import pytest

ETHERNET = bytes(12) + b"\x08\x00"
VLAN = bytes(12) + bytes.fromhex("810000050800")
INNER = (
    bytes.fromhex(
        "4500002c 01c84000 40067cf6 c0000201 c6336402 04d20050 00000064 000000c8 50181000 12340000".replace(" ", "")
    )
    + b"abcd"
)


def ip(protocol: int, carried: bytes, version: int = 4) -> bytes:
    if version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(carried), 9, 0, 64, protocol, 0)
        return head + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + carried
    return struct.pack(">IHBB", 6 << 28, len(carried), protocol, 64) + bytes(31) + b"\1" + carried


def udp(port: int, carried: bytes, source: int = 50000) -> bytes:
    return struct.pack(">HHHH", source, port, 8 + len(carried), 0) + carried


VXLAN = bytes.fromhex("0800000000000500")
AH = bytes.fromhex("06040000") + bytes(20)

TUNNELS = {
    "ip in ip": (ip(4, INNER), "IP in IP"),
    "ip in ipv6": (ip(4, INNER, 6), "IP in IP"),
    "gre": (ip(47, bytes.fromhex("00000800") + INNER), "GRE"),
    "gre with all": (ip(47, bytes.fromhex("b0000800") + bytes(12) + INNER), "GRE"),
    "nvgre": (ip(47, bytes.fromhex("2000655800000500") + ETHERNET + INNER), "GRE"),
    "erspan 1": (ip(47, bytes.fromhex("000088be") + ETHERNET + INNER), "GRE"),
    "erspan 2": (ip(47, bytes.fromhex("100088be00000001") + bytes(8) + VLAN + INNER), "GRE"),
    "erspan 3": (ip(47, bytes.fromhex("100022eb00000001") + bytes(12) + ETHERNET + INNER), "GRE"),
    "pptp": (ip(47, bytes.fromhex("3001880b00000000") + bytes(4) + b"\xff\x03\x00\x21" + INNER), "GRE"),
    "vxlan": (ip(17, udp(4789, VXLAN + ETHERNET + INNER)), "VXLAN"),
    "vxlan of linux": (ip(17, udp(8472, VXLAN + VLAN + INNER), 6), "VXLAN"),
    "geneve": (ip(17, udp(6081, bytes.fromhex("0140655800000500") + bytes(4) + ETHERNET + INNER)), "Geneve"),
    "gtp": (ip(17, udp(2152, bytes.fromhex("30ff002c00000001") + INNER)), "GTP-U"),
    "gtp with extension": (
        ip(17, udp(2152, bytes.fromhex("34ff003400000001" + "00000085" + "01100500") + INNER)),
        "GTP-U",
    ),
    "nested": (ip(47, bytes.fromhex("00000800") + ip(17, udp(4789, VXLAN + ETHERNET + INNER))), "GRE, VXLAN"),
}


@pytest.mark.parametrize("name", TUNNELS)
def test_what_is_within(read, build, name):
    (plain,) = read(build.pcap([INNER], link=101)).records
    outer, names = TUNNELS[name]
    reading = read(build.pcap([outer], link=101))
    assert reading.records == [plain]
    met = {words: times for (_, words), times in reading.trace.circumstances.met.items() if "VLAN tag" not in words}
    assert met == {f"packets within {names}": (1, 1)}
    ng = read(build.section() + build.interface(link=101) + build.enhanced(outer, ticks=1000 * 10**6))
    assert ng.records == [plain]


def test_mpls(read, build):
    (plain,) = read(build.pcap([INNER], link=101)).records
    frame = bytes(12) + bytes.fromhex("8847 00010040 00011140".replace(" ", "")) + INNER
    assert read(build.pcap([frame])).records == [plain]


def test_authentication_header(read, build):
    reading = read(build.pcap([ip(51, AH + INNER[20:])], link=101))
    (packet,) = reading.records
    assert (packet.fields["seq"], packet.fields["length"]) == (100, 4)


@pytest.mark.parametrize("port", [4789, 8472, 6081, 2152])
def test_a_datagram_that_only_has_such_a_port(read, build, port):
    reading = read(build.pcap([ip(17, udp(port, b"hello, world, this is no tunnel"))], link=101))
    assert [packet.protocol for packet in reading.records] == ["udp"]
    assert not reading.trace.circumstances.met


@pytest.mark.parametrize("name", TUNNELS)
def test_cut_anywhere(read, build, name):
    outer, _ = TUNNELS[name]
    for size in range(len(outer)):
        reading = read(build.pcap([outer], link=101, snaplen=size))
        assert reading.error is None
        assert len(reading.records) + sum(reading.skipped.values()) == 1


def test_what_is_not_read_within_is_named(read, build):
    arp = ip(17, udp(4789, VXLAN + bytes(12) + b"\x08\x06" + bytes(28)))
    deep = INNER
    for _ in range(12):
        deep = ip(4, deep)
    reading = read(build.pcap([arp, deep, ip(47, bytes.fromhex("00001234") + bytes(9))], link=101))
    assert reading.skipped == {
        "ARP in VXLAN": 1,
        "more tunnels within each other than are opened": 1,
        "Ethernet type 0x1234 in GRE": 1,
    }
