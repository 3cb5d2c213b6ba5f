"""ICMP errors: what they say, about which packet, and which are left out."""

from __future__ import annotations

import struct

import pytest

from tcpmodel.traces.records import ERRORS

ETHERNET = bytes(12) + b"\x08\x00"
ETHERNET6 = bytes(12) + b"\x86\xdd"
A4, B4, ROUTER4 = b"\n\0\0\1", b"\n\0\0\2", b"\n\0\0\x63"
A6, B6 = bytes(15) + b"\1", bytes(15) + b"\2"


def ipv4(protocol: int, payload: bytes, source: bytes = A4, target: bytes = B4, fragment: int = 0) -> bytes:
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 77, fragment, 9, protocol, 0) + source + target + payload
    )


def ipv6(protocol: int, payload: bytes, source: bytes = A6, target: bytes = B6) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + source + target + payload


UDP = struct.pack(">HHHH", 4000, 9, 13, 0xABCD) + b"hello"
TCP = struct.pack(">HHIIBBHHH", 4000, 80, 123456, 0, 0x50, 2, 500, 0, 0)


def error4(kind: int, code: int, quoted: bytes, rest: bytes = bytes(4), source: bytes = B4) -> bytes:
    return ETHERNET + ipv4(1, bytes([kind, code, 0, 0]) + rest + quoted, source, A4)


def error6(kind: int, code: int, quoted: bytes, rest: bytes = bytes(4)) -> bytes:
    return ETHERNET6 + ipv6(58, bytes([kind, code, 0, 0]) + rest + quoted, B6, A6)


GOOD = {
    "port unreachable": (
        error4(3, 3, ipv4(17, UDP)[:28]),
        ("10.0.0.1:4000", "10.0.0.2:9"),
        {
            "icmp_type": 3,
            "icmp_code": 3,
            "about": 17,
            "length": 13,
            "checksum": 0xABCD,
            "from_destination": 1,
            "ip_id": 77,
        },
    ),
    "a router speaks": (
        error4(11, 0, ipv4(6, TCP)[:28], source=ROUTER4),
        ("10.0.0.1:4000", "10.0.0.2:80"),
        {"icmp_type": 11, "about": 6, "seq": 123456, "from_destination": 0},
    ),
    "fragmentation needed": (
        error4(3, 4, ipv4(6, TCP), b"\0\0\x05\x14"),
        ("10.0.0.1:4000", "10.0.0.2:80"),
        {"mtu": 1300, "seq": 123456},
    ),
    "only the ports are quoted": (
        error4(3, 3, ipv4(17, UDP)[:24]),
        ("10.0.0.1:4000", "10.0.0.2:9"),
        {"source_port": 4000, "destination_port": 9},
    ),
    "the quote has options": (
        error4(3, 3, b"\x46" + ipv4(17, bytes(4) + UDP)[1:]),
        ("10.0.0.1:4000", "10.0.0.2:9"),
        {"length": 13},
    ),
    "a first fragment is quoted": (
        error4(11, 1, ipv4(17, UDP, fragment=0x2000)),
        ("10.0.0.1:4000", "10.0.0.2:9"),
        {"icmp_type": 11, "icmp_code": 1},
    ),
    "to a group": (
        error4(3, 3, ipv4(17, UDP, target=b"\xe0\0\0\xfb")),
        ("10.0.0.1:4000", "224.0.0.251:9"),
        {"destination_multicast": 1, "from_destination": 0},
    ),
    "IPv6 port unreachable": (
        error6(1, 4, ipv6(17, UDP)),
        ("[::1]:4000", "[::2]:9"),
        {"icmp_type": 1, "icmp_code": 4, "ip_version": 6, "length": 13},
    ),
    "IPv6 packet too big": (
        error6(2, 0, ipv6(6, TCP), b"\0\0\x05\0"),
        ("[::1]:4000", "[::2]:80"),
        {"icmp_type": 2, "mtu": 1280, "seq": 123456},
    ),
    "IPv6 behind extension headers": (
        error6(3, 0, ipv6(60, b"\x2c\0" + bytes(6) + b"\x11\0\0\1" + bytes(4) + UDP)),
        ("[::1]:4000", "[::2]:9"),
        {"icmp_type": 3, "about": 17},
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_errors(read, build, name):
    frame, ends, fields = GOOD[name]
    reading = read(build.pcap([frame]))
    assert reading.skipped == {}
    (error,) = reading.records
    assert (error.protocol, error.source, error.destination, error.flags) == (ERRORS, *ends, 0)
    assert fields.items() <= error.fields.items()


@pytest.mark.parametrize("name", GOOD)
def test_cut_anywhere_is_no_error_in_the_reader(read, build, name):
    frame, ends, _ = GOOD[name]
    for octets in range(len(frame)):
        reading = read(build.pcap([frame[:octets]]))
        for error in reading.records:
            assert (error.source, error.destination) == ends
        assert len(reading.records) + sum(reading.skipped.values()) == 1


LEFT_OUT = {
    "an answer to ping": (ETHERNET + ipv4(1, bytes(40)), "ICMP"),
    "a redirect": (error4(5, 0, ipv4(17, UDP)), "ICMP"),
    "neighbours": (ETHERNET6 + ipv6(58, b"\x87" + bytes(40)), "ICMPv6"),
    "about ping": (error4(3, 1, ipv4(1, bytes(40))), "ICMP error about something that is not TCP or UDP"),
    "about a later fragment": (error4(3, 1, ipv4(17, UDP, fragment=9)), "ICMP error that quotes too little"),
    "about a tunnel": (
        error4(3, 3, ipv4(17, struct.pack(">HHHH", 4789, 4789, 8, 0))),
        "ICMP error about a tunnel",
    ),
    "no quote": (error4(3, 3, b""), "ICMP error that quotes too little"),
    "another version quoted": (error4(3, 3, ipv6(17, UDP)), "ICMP error that quotes too little"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out(read, build, name):
    frame, reason = LEFT_OUT[name]
    assert read(build.pcap([frame])).skipped == {reason: 1}


def test_within_a_tunnel(read, build):
    inner = error4(3, 3, ipv4(17, UDP))[14:]
    reading = read(build.pcap([ETHERNET + ipv4(4, inner)]))
    assert [error.destination for error in reading.records] == ["10.0.0.2:9"]


def test_agrees_with_scapy(read, build):
    scapy = pytest.importorskip("scapy.all")
    quoted = scapy.IP(src="10.0.0.1", dst="10.0.0.2", id=99) / scapy.UDP(sport=53000, dport=161) / b"public"
    frame = scapy.Ether() / scapy.IP(src="10.0.0.2", dst="10.0.0.1") / scapy.ICMP(type=3, code=3) / bytes(quoted)[:28]
    (error,) = read(build.pcap([bytes(frame)])).records
    seen = scapy.Ether(bytes(frame))
    ip, udp = seen["IP in ICMP"], seen["UDP in ICMP"]
    assert (error.source, error.destination) == (f"{ip.src}:{udp.sport}", f"{ip.dst}:{udp.dport}")
    assert error.fields["ip_id"] == ip.id
    assert (error.fields["length"], error.fields["checksum"]) == (udp.len, udp.chksum)


TEXT = {
    "10:00:00.0 IP 10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 udp port 9 unreachable, length 41": (17, "10.0.0.2:9", 3, 1),
    "10:00:00.0 IP 10.0.0.9 > 10.0.0.1: ICMP 10.0.0.2 tcp port http unreachable, length 41": (6, "10.0.0.2:http", 3, 0),
    "10:00:00.0 IP6 ::2 > ::1: ICMP6, destination unreachable, unreachable port, ::2 udp port 9, length 60": (
        17,
        "[::2]:9",
        4,
        1,
    ),
}


@pytest.mark.parametrize("line", TEXT)
def test_in_text(read, line):
    about, target, code, from_destination = TEXT[line]
    (error,) = read(f"{line}\n{line}\n".encode()).records[:1]
    assert (error.protocol, error.destination, error.source.rpartition(":")[2]) == (ERRORS, target, "*")
    known = {"about": about, "icmp_code": code, "from_destination": from_destination}
    assert known.items() <= error.fields.items()
