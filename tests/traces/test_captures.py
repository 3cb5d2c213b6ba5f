"""pcap and pcapng, link types, IP and the transport headers, against bytes written here and against scapy."""

from __future__ import annotations

import struct

import pytest

from tcpmodel.traces.captures.network import DAMAGED
from tcpmodel.traces.records import ERRORS

FRAME_IPV4 = (
    bytes.fromhex(
        "45000037 01c84000 40067cf6 c0000201 c6336402"  # 192.0.2.1 > 198.51.100.2, total length 55
        "04d20050 00000064 000000c8 80181000 12340005 0101080a 00000007 00000009".replace(" ", "")
    )
    + b"abc"
)
ETHERNET = bytes(12) + b"\x08\x00"
UDP_IPV4 = bytes.fromhex("45000021 00010000 4011 0000 0a000001 e00000fb 14e914e9 000d0000".replace(" ", "")) + b"hello"
UDP_IPV6 = (
    bytes.fromhex("60000000 000d 11 40".replace(" ", ""))
    + bytes.fromhex("20010db8000000000000000000000001" + "20010db8000000000000000000000002")
    + bytes.fromhex("00071e61000d0000")
    + b"12345"
)


def one(reading):
    assert reading.error is None
    (packet,) = reading.records
    return packet


def test_every_field_of_a_segment(read, build):
    packet = one(read(build.pcap([ETHERNET + FRAME_IPV4])))
    assert packet.number == 1
    assert packet.protocol == "tcp"
    assert (packet.source, packet.destination) == ("192.0.2.1:1234", "198.51.100.2:80")
    assert packet.flags == 0x18
    assert packet.time == 1000 * 10**9
    assert packet.fields == {
        "seq": 100,
        "ack": 200,
        "window": 4096,
        "length": 3,
        "urgent": 5,
        "offset": 32,
        "tsval": 7,
        "tsecr": 9,
        "ip_payload": 35,
        "source_port": 1234,
        "destination_port": 80,
        "ttl": 64,
        "ip_id": 456,
        "ip_version": 4,
        "checksum": 0x1234,
        "checksum_ok": 0,
        "payload_sum": 50274,
        "option_octets": 12,
    }


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "unit", "extra"), [(0xA1B2C3D4, 1000, b""), (0xA1B23C4D, 1, b""), (0xA1B2CD34, 1000, b"12345678")]
)
def test_byte_orders_and_time_units(read, build, order, magic, unit, extra):
    reading = read(build.pcap([ETHERNET + FRAME_IPV4] * 3, order=order, magic=magic, extra=extra))
    assert [packet.time - 1000 * 10**9 for packet in reading.records] == [0, unit, 2 * unit]
    assert [packet.number for packet in reading.records] == [1, 2, 3]


LINKS = {
    "null, little-endian": (0, b"\2\0\0\0"),
    "null, big-endian": (0, b"\0\0\0\2"),
    "ethernet": (1, ETHERNET),
    "vlan": (1, bytes(12) + bytes.fromhex("8100000a0800")),
    "qinq": (1, bytes(12) + bytes.fromhex("88a8000a810000030800")),
    "old qinq": (1, bytes(12) + bytes.fromhex("9100000a810000030800")),
    "pppoe": (1, bytes(12) + bytes.fromhex("8864110000010039") + b"\x00\x21"),
    "ppp": (9, b"\x00\x21"),
    "ppp with address": (9, b"\xff\x03\x00\x21"),
    "ppp compressed": (9, b"\x21"),
    "ppp hdlc": (50, b"\xff\x03\x00\x21"),
    "raw 12": (12, b""),
    "raw 14": (14, b""),
    "raw 101": (101, b""),
    "loop": (108, b"\0\0\0\2"),
    "cooked": (113, bytes(14) + b"\x08\x00"),
    "ipv4": (228, b""),
    "cooked 2": (276, b"\x08\x00" + bytes(18)),
}


@pytest.mark.parametrize("name", LINKS)
def test_link_types(read, build, name):
    link, header = LINKS[name]
    expected = one(read(build.pcap([ETHERNET + FRAME_IPV4])))
    found = one(read(build.pcap([header + FRAME_IPV4], link=link)))
    assert found.fields.pop("outgoing", None) == (0 if link in (113, 276) else None)
    assert found == expected


@pytest.mark.parametrize(("link", "header"), [(0, b"\x1e\0\0\0"), (0, b"\0\0\0\x18"), (229, b""), (101, b"")])
def test_ipv6_behind_link_types(read, build, link, header):
    packet = one(read(build.pcap([header + UDP_IPV6], link=link)))
    assert (packet.source, packet.destination) == ("[2001:db8::1]:7", "[2001:db8::2]:7777")
    assert packet.fields["ip_version"] == 6
    assert "ip_id" not in packet.fields


def test_udp_fields(read, build):
    packet = one(read(build.pcap([ETHERNET + UDP_IPV4])))
    assert (packet.protocol, packet.flags) == ("udp", 0)
    assert packet.fields == {
        "length": 13,
        "ip_payload": 13,
        "checksum": 0,
        "source_port": 5353,
        "destination_port": 5353,
        "source_multicast": 0,
        "ttl": 64,
        "ip_id": 1,
        "ip_version": 4,
        "text_0": int.from_bytes(b"he"),
        "text_2": int.from_bytes(b"ll"),
    }


@pytest.mark.parametrize("payload", [b"", b"a", b"hello", b"\xff" * 64, bytes(7)])
@pytest.mark.parametrize("version", [4, 6])
def test_udp_checksum(read, build, payload, version):
    scapy = pytest.importorskip("scapy.all")
    ip = scapy.IP(src="10.1.2.3", dst="10.9.8.7") if version == 4 else scapy.IPv6(src="fe80::1", dst="ff02::9")
    good = bytes(ip / scapy.UDP(sport=7, dport=9) / payload)
    checksum_at = (20 if version == 4 else 40) + 6
    wrong = bytearray(good)
    wrong[checksum_at + 1] ^= 1
    none = bytearray(good)
    none[checksum_at : checksum_at + 2] = b"\0\0"
    reading = read(build.pcap([good, bytes(wrong), bytes(none), good[:-1] or good], link=101))
    assert [packet.fields.get("checksum_ok") for packet in reading.records[:3]] == [1, 0, None]
    if payload:
        cut = read(build.pcap([good + b"x"], link=101, snaplen=len(good) - 1))
        assert "checksum_ok" not in cut.records[0].fields


def test_length_comes_from_ip_not_from_the_capture(read, build):
    padded = ETHERNET + FRAME_IPV4[:2] + b"\x00\x34" + FRAME_IPV4[4:52] + bytes(6)
    assert one(read(build.pcap([padded]))).fields["length"] == 0
    cut = one(read(build.pcap([ETHERNET + FRAME_IPV4], snaplen=14 + 52)))
    assert cut.fields["length"] == 3
    assert cut.fields["tsval"] == 7
    without_options = one(read(build.pcap([ETHERNET + FRAME_IPV4], snaplen=14 + 40)))
    assert without_options.fields["length"] == 3
    assert "tsval" not in without_options.fields
    assert "bad_options" not in without_options.fields


def test_segmentation_offload_leaves_the_length_to_the_frame(read, build):
    frame = ETHERNET + FRAME_IPV4[:2] + b"\0\0" + FRAME_IPV4[4:]
    assert one(read(build.pcap([frame]))).fields["length"] == 3
    assert one(read(build.pcap([frame + bytes(3000)], snaplen=80))).fields["length"] == 3003


def segment_with(options: bytes, cut: int = 0, carried: int | None = None) -> bytes:
    offset = (20 + len(options)) // 4
    tcp = struct.pack(">HHIIBBHHH", 1, 2, 3, 4, offset << 4, 0x10, 5, 6, 0) + options
    total = 20 + (len(tcp) if carried is None else carried)
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 9, 6, 0, b"\n\0\0\1", b"\n\0\0\2") + tcp


OPTIONS = {
    "mss": ("020405b4", {"mss": 1460}),
    "all of a syn": (
        "020405b40402080a000000010000000203030722020000",
        {"mss": 1460, "sackok": 1, "tsval": 1, "tsecr": 2, "wscale": 7, "tfo": 1},
    ),
    "fast open by experiment": ("fe04f989", {"tfo": 1}),
    "another experiment": ("fe04f988", {}),
    "nothing after the end": ("00020405", {}),
    "unknown kind": ("1e04ffff020405b4", {"mss": 1460}),
    "wrong length of a known kind": ("0203050101010101", {}),
    "length zero": ("02000000", {"bad_options": 1}),
    "length one": ("0201050a", {"bad_options": 1}),
    "over the end of the header": ("01010204", {"bad_options": 1}),
    "no length octet": ("01010102", {"bad_options": 1}),
    "known before the fault": ("020405b4 02ff0000".replace(" ", ""), {"mss": 1460, "bad_options": 1}),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options(read, build, name):
    text, expected = OPTIONS[name]
    options = bytes.fromhex(text)
    options += bytes(-len(options) % 4)
    fields = one(read(build.pcap([segment_with(options)], link=101))).fields
    known = ("mss", "sackok", "tsval", "tsecr", "wscale", "tfo", "bad_options")
    assert {key: value for key, value in fields.items() if key in known} == expected
    assert fields["length"] == 0


def test_impossible_offsets_leave_the_length_unknown(read, build):
    short = bytearray(segment_with(b""))
    short[32] = 0x40
    long = bytearray(segment_with(b""))
    long[32] = 0xF0
    reading = read(build.pcap([bytes(short), bytes(long)], link=101))
    assert [packet.fields["offset"] for packet in reading.records] == [16, 60]
    assert all("length" not in packet.fields for packet in reading.records)


def test_the_ninth_flag(read, build):
    frame = bytearray(segment_with(b""))
    frame[32] |= 1
    frame[33] = 0xC2
    assert one(read(build.pcap([bytes(frame)], link=101))).flags == 0x1C2


def ipv4(protocol: int, fragment: int = 0, payload: bytes = bytes(20)) -> bytes:
    return (
        struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, fragment, 9, protocol, 0, b"\n\0\0\1", b"\n\0\0\2")
        + payload
    )


def ipv6(next_header: int, payload: bytes) -> bytes:
    return (
        struct.pack(">IHBB", 6 << 28, len(payload), next_header, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + payload
    )


UDP = struct.pack(">HHHH", 7, 9, 8, 0)


def longer(packet: bytes, by: int) -> bytes:
    """The packet with a length that is as much too large, and a header checksum that was right before."""
    total = int.from_bytes(packet[2:4], "big")
    zero = packet[:10] + bytes(2) + packet[12:20]
    checksum = (-int.from_bytes(zero, "big")) % 0xFFFF
    return packet[:2] + struct.pack(">H", total + by) + packet[4:10] + struct.pack(">H", checksum) + packet[12:]


LEFT_OUT = {
    "ARP": bytes(12) + b"\x08\x06" + bytes(28),
    "Ethernet type 0x9999": bytes(12) + b"\x99\x99" + bytes(28),
    "IEEE 802.3 frame without IP": bytes(12) + b"\x00\x26" + bytes(38),
    "ICMP": ETHERNET + ipv4(1),
    "SCTP": ETHERNET + ipv4(132),
    "not TCP or UDP: protocol 99": ETHERNET + ipv4(99),
    "IPv4 fragment": ETHERNET + ipv4(6, fragment=0x2000, payload=bytes(24)),
    "IPv6 fragment": bytes(12) + b"\x86\xdd" + ipv6(44, b"\x11\0\0\1" + bytes(4) + UDP),
    "IPv6 without a transport header": bytes(12) + b"\x86\xdd" + ipv6(59, b""),
    "ICMPv6": bytes(12) + b"\x86\xdd" + ipv6(0, b"\x3a\0" + bytes(6) + bytes(8)),
    "IPv4 header is broken": ETHERNET + b"\x44" + bytes(30),
    DAMAGED: ETHERNET + longer(ipv4(6, payload=bytes(32)), 4096),
    "IPv6 header is broken": bytes(12) + b"\x86\xdd\x40" + bytes(50),
    "IP carries less than a TCP header": ETHERNET + ipv4(6, payload=bytes(12)),
    "IP carries less than a UDP header": ETHERNET + ipv4(17, payload=bytes(7)),
    "cut before the end of the link header": b"\0" * 13,
    "cut before the end of the transport header": ETHERNET + ipv4(6)[:39],
}


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_what_is_left_out_is_counted_by_reason(read, build, reason):
    reading = read(build.pcap([LEFT_OUT[reason], ETHERNET + FRAME_IPV4]))
    assert reading.skipped == {reason: 1}
    assert [packet.number for packet in reading.records] == [2]


def test_a_fragment_in_the_middle_is_left_out_too(read, build):
    assert read(build.pcap([ETHERNET + ipv4(17, fragment=5)])).skipped == {"IPv4 fragment": 1}


@pytest.mark.parametrize(
    "packet",
    [
        ipv6(17, UDP),
        ipv6(0, b"\x11\0" + bytes(6) + UDP),
        ipv6(60, b"\x2b\0" + bytes(6) + b"\x11\1" + bytes(14) + UDP),
        ipv6(44, b"\x11\0\0\0" + bytes(4) + UDP),  # an atomic fragment is whole
        ipv6(51, b"\x11\4" + bytes(22) + UDP),
        ipv6(0, b"\x11\0\xc2\4\0\0\0\x10" + UDP)[:4] + b"\0\0" + ipv6(0, b"\x11\0\xc2\4\0\0\0\x10" + UDP)[6:],
    ],
)
def test_ipv6_extension_headers(read, build, packet):
    found = one(read(build.pcap([packet], link=229)))
    assert (found.source, found.destination) == ("[::1]:7", "[::2]:9")
    assert found.fields["ip_payload"] == 8


def test_unknown_link_type_is_an_error_that_names_it(read, build):
    reading = read(build.pcap([b"x" * 40], link=147))
    assert "unknown link type 147" in str(reading.error)
    assert "Ethernet (1)" in str(reading.error)


@pytest.mark.parametrize("keep", [1, 15, 16, 17, 16 + 14 + 54])
def test_a_cut_file_gives_all_before_and_the_offset(read, build, keep):
    whole = build.pcap([ETHERNET + FRAME_IPV4] * 2)
    second = 24 + 16 + len(ETHERNET + FRAME_IPV4)
    reading = read(whole[: second + keep])
    assert len(reading.records) == 1
    assert reading.error.where == f"byte offset {second}"
    assert "packet 2" in reading.error.message


def test_a_damaged_record_length_is_found(read, build):
    data = build.pcap([ETHERNET + FRAME_IPV4]) + struct.pack("<IIII", 1, 1, 0x7FFFFFFF, 0x7FFFFFFF) + bytes(100)
    reading = read(data)
    assert len(reading.records) == 1
    assert reading.error.where == f"byte offset {24 + 16 + 14 + 55}"
    assert "damaged" in reading.error.message


def test_a_cut_file_header(read, build):
    assert "file header" in read(build.pcap([])[:23]).error.message
    assert read(build.pcap([])).records == []


def test_pcapng_sections_interfaces_and_clocks(read, build):
    frame = ETHERNET + FRAME_IPV4
    nanoseconds = struct.pack("<HHB3x", 9, 1, 9) + struct.pack("<HHq", 14, 8, 5) + struct.pack("<HH", 0, 0)
    binary = struct.pack(">HHB3x", 9, 1, 0x80 | 10)
    data = (
        build.section("<")
        + build.interface(1)
        + build.interface(101, options=nanoseconds)
        + build.block(0x0BAD, b"some block nobody knows")
        + build.enhanced(frame, 0, ticks=3_000_001)
        + build.enhanced(FRAME_IPV4, 1, ticks=7)
        + build.section(">")
        + build.interface(1, ">", options=binary)
        + build.enhanced(frame, 0, ticks=(1 << 33) + 512, order=">")
        + build.block(2, struct.pack(">HHIIII", 0, 9, 0, 1024, len(frame), len(frame)) + frame, ">")
        + build.block(3, struct.pack(">I", len(frame)) + frame, ">")
    )
    reading = read(data)
    assert reading.error is None
    assert [packet.time for packet in reading.records] == [
        3_000_001_000,
        5_000_000_007,
        ((1 << 23) * 10**9) + 500_000_000,
        10**9,
        None,
    ]
    assert [packet.number for packet in reading.records] == [1, 2, 3, 4, 5]
    assert {packet.fields["length"] for packet in reading.records} == {3}


def test_pcapng_interface_of_unknown_type_among_others(read, build):
    start = build.section() + build.interface(147) + build.interface(1)
    reading = read(start + build.enhanced(b"x" * 30, 0) + build.enhanced(ETHERNET + FRAME_IPV4, 1))
    assert reading.error is None
    assert reading.skipped == {"unknown link type 147": 1}
    only = read(start + build.enhanced(b"x" * 30, 0))
    assert "unknown link type 147" in only.error.message


PCAPNG_DAMAGE = {
    "two lengths": lambda data: data[:-4] + b"\x10\0\0\0",
    "octets long": lambda data: data[:28] + b"\1\0\0\0\7\0\0\0" + data[36:],
    "more than": lambda data: data[:28] + b"\1\0\0\0\0\0\0\x7f" + data[36:],
    "ends within": lambda data: data[:-5],
    "byte-order magic": lambda data: data[:8] + b"abcd" + data[12:],
    "interface 3": lambda data: data[:56] + b"\3" + data[57:],
    "claims": lambda data: data[:68] + b"\xff" + data[69:],
}


@pytest.mark.parametrize("message", PCAPNG_DAMAGE)
def test_pcapng_damage(read, build, message):
    good = build.section() + build.interface() + build.enhanced(ETHERNET + FRAME_IPV4)
    assert read(good).error is None
    reading = read(PCAPNG_DAMAGE[message](good))
    assert message in reading.error.message
    assert reading.error.where.startswith("byte offset ")


def scapy_view(packet, scapy):
    """What scapy sees of a frame, in the words of the readers, or None."""
    ip = packet.getlayer(scapy.IP) or packet.getlayer(scapy.IPv6)
    if ip is None or (packet.haslayer(scapy.IP) and (ip.flags.MF or ip.frag)):
        return None
    if packet.haslayer(scapy.ICMP) or packet.haslayer("IPv6ExtHdrFragment"):
        return None

    def end(host, port):
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    if packet.haslayer(scapy.TCP):
        tcp = packet[scapy.TCP]
        carried = ip.len - ip.ihl * 4 if ip.version == 4 else ip.plen
        names = {"MSS": "mss", "WScale": "wscale"}
        options = {names[name]: value for name, value in tcp.options if name in names}
        for name, value in tcp.options:
            if name == "Timestamp":
                options["tsval"], options["tsecr"] = value
            if name == "SAckOK":
                options["sackok"] = 1
        numbers = {
            "seq": tcp.seq,
            "ack": tcp.ack,
            "window": tcp.window,
            "urgent": tcp.urgptr,
            "offset": tcp.dataofs * 4,
        }
        numbers["length"] = carried - tcp.dataofs * 4
        return ("tcp", end(ip.src, tcp.sport), end(ip.dst, tcp.dport), int(tcp.flags), numbers | options)
    if packet.haslayer(scapy.UDP):
        udp = packet[scapy.UDP]
        return ("udp", end(ip.src, udp.sport), end(ip.dst, udp.dport), 0, {"length": udp.len, "checksum": udp.chksum})
    return None


SAMPLE_CAPTURES = [
    "lab/half-close.client",
    "lab/loss-retransmit.client",
    "lab/udp-echo.client",
    "lab/udp-unreach.client",
    "zeek/ftp-ipv6",
    "zeek/http-get",
    "zeek/tcp-missing-syn",
    "tcpdump/tcp-handshake-nano",
    "hazards/normal-client-close.h13-ethernet-padding",
    "planted/m13-mss-option-in-data",
    "packetdrill/tcp_shutdown_shutdown-wr-close",
]


@pytest.mark.parametrize("name", SAMPLE_CAPTURES)
def test_samples_agree_with_scapy(read, samples, name):
    scapy = pytest.importorskip("scapy.all")
    path = samples / f"{name}.pcap"
    expected = [(at, scapy_view(packet, scapy)) for at, packet in enumerate(scapy.rdpcap(str(path)), 1)]
    expected = [(at, view) for at, view in expected if view is not None]
    reading = read(path.read_bytes())
    assert reading.error is None
    records = [each for each in reading.records if each.protocol != ERRORS and "fragments" not in each.fields]
    optional = ("mss", "wscale", "sackok", "tsval", "tsecr")
    assert len(records) == len(expected)
    for packet, (at, view) in zip(records, expected, strict=True):
        kept = {key: value for key, value in packet.fields.items() if key in view[4] or key in optional}
        found = (packet.protocol, packet.source, packet.destination, packet.flags, kept)
        assert (packet.number, found) == (at, view)


def test_nanoseconds_are_kept(read, samples):
    reading = read((samples / "tcpdump/tcp-handshake-nano.pcap").read_bytes())
    assert [packet.time for packet in reading.records] == [
        1418145369924505488,
        1418145370052027262,
        1418145370052115157,
    ]


@pytest.mark.parametrize("words", [4, 15])
def test_the_checksum_is_known_whatever_the_header_says_of_its_length(read, build, words):
    """So one can tell a mistake of the sender from damage."""
    segment = bytearray(FRAME_IPV4[20:])
    segment[12] = words << 4
    segment[16:18] = bytes(2)
    total = int.from_bytes(FRAME_IPV4[12:20] + bytes([0, 6]) + len(segment).to_bytes(2, "big"), "big")
    padded = bytes(segment) + bytes(len(segment) & 1)
    segment[16:18] = (-(total + int.from_bytes(padded, "big")) % 0xFFFF).to_bytes(2, "big")
    assert one(read(build.pcap([ETHERNET + FRAME_IPV4[:20] + segment]))).fields["checksum_ok"] == 1
    segment[8] ^= 1
    assert one(read(build.pcap([ETHERNET + FRAME_IPV4[:20] + segment]))).fields["checksum_ok"] == 0
