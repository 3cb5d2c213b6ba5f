"""tcpdump's text: every form of a line, relative numbers, clocks; against the captures that the text was made from."""

from __future__ import annotations

import shutil
import subprocess
from itertools import zip_longest

import pytest

from tcpmodel.traces.records import ERRORS

HANDSHAKE = """\
IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq {a}, win 8192, options [mss 1460,wscale 7,sackOK,TS val 5 ecr 0,tfo  cookiereq,eol], length 0
IP 10.0.0.2.80 > 10.0.0.1.1234: Flags [S.], seq {b}, ack {a1}, win 8192, length 0
IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [.], ack {x1}, win 8192, length 0
IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [P.], seq {y1}:{y4}, ack {x1}, win 8192, length 3: HTTP: a > b: Flags [S]
IP 10.0.0.2.80 > 10.0.0.1.1234: Flags [R], seq {b9}, win 0, length 0
"""  # noqa: E501


def handshake(a: int, b: int, relative: bool) -> bytes:
    mask = 0xFFFFFFFF
    x, y = (0, 0) if relative else (b, a)
    names = {
        "a": a,
        "b": b,
        "a1": a + 1,
        "b9": b + 9,
        "x1": x + 1,
        "y1": y + 1,
        "y4": y + 4,
    }
    return HANDSHAKE.format(**{name: value & mask for name, value in names.items()}).encode()


def numbers(reading):
    return [(packet.fields.get("seq"), packet.fields.get("ack")) for packet in reading.records]


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize(
    ("a", "b"), [(1000, 5000), (0xFFFFFFFF, 0xFFFFFFFE), (1, 1), (0, 0), (0, 0x80000000), (3_000_000_000, 2)]
)
def test_numbers_are_always_absolute(read, a, b, relative):
    m = 0xFFFFFFFF
    assert numbers(read(handshake(a, b, relative))) == [
        (a, None),
        (b, a + 1 & m),
        (None, b + 1 & m),
        (a + 1 & m, b + 1 & m),
        (b + 9 & m, None),
    ]


def test_fields_of_a_line(read):
    reading = read(handshake(1000, 5000, True))
    assert reading.trace.format == "tcpdump text"
    assert reading.trace.counts_lines
    first, _, _, data, reset = reading.records
    assert first.fields == {
        "seq": 1000,
        "window": 8192,
        "length": 0,
        "mss": 1460,
        "wscale": 7,
        "sackok": 1,
        "tsval": 5,
        "tsecr": 0,
        "tfo": 1,
        "ip_version": 4,
        "source_port": 1234,
        "destination_port": 80,
    }
    assert (first.source, first.destination, first.time, first.number) == ("10.0.0.1:1234", "10.0.0.2:80", None, 1)
    assert [packet.flags for packet in reading.records] == [0x02, 0x12, 0x10, 0x18, 0x04]
    assert (data.number, data.fields["length"], reset.fields["window"]) == (4, 3, 0)


def test_a_log_of_two_connections_with_the_mode_told_from_the_other(read):
    """A pure ACK hides its own number, so the second line of a connection cannot tell; the first connection can."""
    late = b"IP 1.1.1.1.1 > 2.2.2.2.2: Flags [.], ack {0}, length 0\n"
    late += b"IP 2.2.2.2.2 > 1.1.1.1.1: Flags [.], ack {1}, length 0\n"
    for relative, second in ((True, b"1"), (False, b"4000000000")):
        text = handshake(70000, 80000, relative) + late.replace(b"{0}", b"900000000").replace(b"{1}", second)
        expected = 1 if relative else 4_000_000_000
        assert numbers(read(text))[-2:] == [(None, 900_000_000), (None, expected)]
    alone = late.replace(b"{0}", b"900000000").replace(b"{1}", b"1")
    assert numbers(read(alone)) == [(None, 900_000_000), (None, None)]


def test_a_log_that_begins_with_a_pure_ack_counts_from_an_unknown_base(read):
    text = (
        b"IP 1.1.1.1.1 > 2.2.2.2.2: Flags [.], ack 900000001, length 0\n"
        b"IP 2.2.2.2.2 > 1.1.1.1.1: Flags [P.], seq 1:11, ack 0, length 10\n"
        b"IP 1.1.1.1.1 > 2.2.2.2.2: Flags [P.], seq 0:100, ack 11, length 100\n"
        b"IP 1.1.1.1.1 > 2.2.2.2.2: Flags [R], seq 3333333333, length 0\n"
    )
    assert numbers(read(text)) == [
        (None, 900_000_001),
        (900_000_001, 0),
        (0, 900_000_011),
        (None, None),
    ]


def test_a_new_syn_begins_new_numbers(read):
    text = handshake(1000, 5000, True) + handshake(900_000, 700_000, True)
    assert numbers(read(text))[5:9] == [(900_000, None), (700_000, 900_001), (None, 700_001), (900_001, 700_001)]


LINES = {
    "10:00:00.000001 IP 10.0.0.1.5 > 10.0.0.2.6: UDP, length 5": ("udp", 0, {"length": 13, "source_multicast": 0}),
    "10:00:00.000001 IP 224.0.0.1.5 > 10.0.0.2.6: [no cksum] UDP, length 5": (
        "udp",
        0,
        {"length": 13, "source_multicast": 1, "checksum": 0},
    ),
    "10:00:00.000001 IP 10.0.0.1.5 > 10.0.0.2.6: [bad udp cksum 0x1234 -> 0x7d95!] UDP, length 5": (
        "udp",
        0,
        {"length": 13, "checksum": 0x1234, "checksum_ok": 0},
    ),
    "10:00:00.000001 IP 10.0.0.1.5 > 10.0.0.2.6: [udp sum ok] UDP, length 5": ("udp", 0, {"checksum_ok": 1}),
    "10:00:00.000001 IP 10.0.0.1.5 > 10.0.0.2.6: UDP, bad length 22 > 5": ("udp", 0, {"length": 30, "ip_payload": 13}),
    "10:00:00.000001 IP 10.0.0.1.5 > 10.0.0.2.6: truncated-udplength 4": ("udp", 0, {"length": 4}),
    "10:00:00.000001 IP 10.0.0.1.5000 > 10.0.0.2.53: 0+ A? example.com. (29)": ("udp", 0, {"length": 37}),
    "10:00:00.000001 IP 10.0.0.1.123 > 10.0.0.2.123: NTPv4, Client, length 48": ("udp", 0, {"ip_version": 4}),
    "10:00:00.000001 eth0  Out IP a.com.ssh > b.http: Flags [FPU.EWe], seq 1:2, ack 3, win 4, urg 7, length 1": (
        "tcp",
        0x1F9,
        {"seq": 1, "ack": 3, "window": 4, "urgent": 7, "length": 1},
    ),
    "IP6 2001:db8::1.1234 > 2001:db8::2.80: Flags [none], win 1, length 0": (
        "tcp",
        0,
        {"ip_version": 6, "window": 1, "length": 0},
    ),
    "IP6 ::ffff:1.2.3.4.80 > ::1.443: tcp 12": ("tcp", None, {"length": 12, "source_port": 80}),
    "IP6 2001:db8::1 > 2001:db8::2: HBH 1234 > 80: Flags [S], seq 77, win 8192, length 0": (
        "tcp",
        2,
        {"seq": 77, "length": 0, "source_port": 1234, "destination_port": 80},
    ),
    "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 5, win 1, options [mss 1460,sackOK, [|tcp]": (
        "tcp",
        2,
        {"seq": 5, "mss": 1460, "sackok": 1},
    ),
    "IP 10.0.0.1.1 > 10.0.0.2.80: Flags [S], seq 5:25, win 1, options [wscale 7[len 4],mss 9,[|tcp]": (
        "tcp",
        2,
        {"seq": 5, "length": 20, "wscale": 7, "mss": 9},
    ),
    "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [.] [bad hdr length 40 - too long, > 20]": ("tcp", 16, {}),
    "IP 10.0.0.1.1234 > 10.0.0.2.80:  tcp 8 [bad hdr length 12 - too short, < 20]": ("tcp", None, {}),
    "    1  10:00:00.000001 00:00:00:00:00:01 (oui Ethernet) > 02:00:00:00:00:02 (oui Unknown), ethertype 802.1Q"
    " (0x8100), length 58: vlan 10, p 0, ethertype IPv4 (0x0800), 1.1.1.1.1 > 2.2.2.2.80: Flags [.], ack 1, length 0": (
        "tcp",
        16,
        {"ack": 1, "length": 0, "ip_version": 4},
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_single_lines(read, line):
    protocol, flags, fields = LINES[line]
    (packet,) = read(line.encode() + b"\n").records
    assert (packet.protocol, packet.flags) == (protocol, flags)
    assert {key: packet.fields.get(key) for key in fields} == fields
    for key in ("seq", "ack", "length"):
        assert key in fields or key not in packet.fields or protocol == "udp"


ENDPOINTS = {
    "10.0.0.1.80 > 10.0.0.2.http": ("10.0.0.1:80", "10.0.0.2:http"),
    "host.example.org.ssh > localhost.54321": ("host.example.org:ssh", "localhost:54321"),
    "2001:db8::1.80 > fe80::1.443": ("[2001:db8::1]:80", "[fe80::1]:443"),
    "10.0.0.1.x-server > ip-10-0-0-1.eu.internal.99": ("10.0.0.1:x-server", "ip-10-0-0-1.eu.internal:99"),
}


@pytest.mark.parametrize("pair", ENDPOINTS)
def test_endpoints(read, pair):
    (packet,) = read(f"IP {pair}: Flags [.], length 0\n".encode()).records
    assert (packet.source, packet.destination) == ENDPOINTS[pair]


LEFT_OUT = {
    "10:00:00.000001 ARP, Request who-has 10.77.1.1 tell 10.77.1.2, length 28": "ARP",
    "10:00:00.000001 c0    In  ARP, Reply 10.77.1.1 is-at 6e:bd:3b:13:40:22, length 28": "ARP",
    "10:00:00.000001 IP 10.0.0.1 > 10.0.0.2: ICMP host 10.0.0.1 unreachable, length 92": "ICMP",
    "10:00:00.000001 IP6 fe80::1 > ff02::16: HBH ICMP6, multicast listener report v2, length 48": "ICMPv6",
    "10:00:00.000001 IP 10.0.0.1 > 10.0.0.2: ip-proto-17": "IPv4 fragment",
    "10:00:00.000001 IP 10.0.0.1 > 10.0.0.2: tcp": "IPv4 fragment",
    "10:00:00.000001 IP6 2001:db8::1 > 2001:db8::2: frag (800|5)": "IPv6 fragment",
    "10:00:00.000001 IP 10.0.0.1 > 10.0.0.2: GREv0, length 44: IP 1.1.1.1.1 > 2.2.2.2.8: Flags [.], ack 2": "GRE",
    "10:00:00.000001 IP 10.0.0.1.1 > 10.0.0.2.2: sctp (1) [INIT] [init tag: 0]": "SCTP",
    "10:00:00.000001 IP6 2001:db8::1.1234 > 2001:db8::2.80:  [|tcp]": "cut before the end of the transport header",
    "10:00:00.000001 STP 802.1d, Config, Flags [none], bridge-id 8001.00:1c:0e:87:78:00.8004, length 42": "STP",
    "10:00:00.000001 something that no version prints": "not TCP or UDP",
    "what is this": "unreadable line (the first is line 2)",
}


@pytest.mark.parametrize("line", LEFT_OUT)
def test_what_is_left_out_is_counted_by_reason(read, line):
    good = "10:00:00.000002 IP 10.0.0.1.5 > 10.0.0.2.6: UDP, length 5\n"
    reading = read((good + line + "\n" + good).encode())
    assert reading.error is None
    assert reading.skipped == {LEFT_OUT[line]: 1}
    assert [packet.number for packet in reading.records] == [1, 3]


def test_prose_of_tcpdump_is_no_packet_and_no_fault(read):
    text = b"""reading from file x.pcap, link-type EN10MB (Ethernet), snapshot length 65535
tcpdump: verbose output suppressed, use -v[v]... for full protocol decode
listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes
10:00:00.000001 IP 10.0.0.1.5 > 10.0.0.2.6: UDP, length 5
^C
1 packet captured
1 packet received by filter
0 packets dropped by kernel
"""
    reading = read(text)
    assert len(reading.records) == 1
    assert reading.skipped == {}


def test_nothing_readable_is_an_error_with_the_line(read):
    reading = read(b"IP a > b: Flags [Q], length 0\n\nwhat is this\n")
    assert reading.records == []
    assert reading.error is None or "line" in reading.error.where
    other = read(b"listening\nIP \xff\n")
    assert "not known" in other.error.message


VERBOSE = b"""\
10:00:00.000001 IP (tos 0x0, ttl 63, id 7, offset 0, flags [DF], proto TCP (6), length 60)
    10.0.0.1.1234 > 10.0.0.2.80: Flags [S], cksum 0xedd4 (incorrect -> 0x1111), seq 1000, win 8192, length 20
\tGET / > x: Flags [S]
10:00:00.000002 IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto ICMP (1), length 61)
    10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 udp port 7777 unreachable, length 41
\tIP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 33)
    10.0.0.1.7 > 10.0.0.2.7777: UDP, length 5
10:00:00.000003 IP (tos 0x0, ttl 64, id 1, offset 0, flags [+], proto UDP (17), length 1500)
    10.0.0.1.7 > 10.0.0.2.7777: UDP, length 2000
10:00:00.000004 IP (tos 0x0, ttl 64, id 1, offset 1480, flags [none], proto UDP (17), length 548)
    10.0.0.1 > 10.0.0.2: ip-proto-17
10:00:00.000005 IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 90)
    10.0.0.1.4789 > 10.0.0.2.4789: VXLAN, flags [I] (0x0c), vni 0
IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 40)
    1.1.1.1.1234 > 2.2.2.2.80: Flags [.], cksum 0x84aa (correct), ack 1, win 8192, length 0
10:00:00.000006 IP6 (flowlabel 0x1, hlim 9, next-header UDP (17) payload length: 13) ::1.7 > ::2.9: [udp sum ok] UDP, length 5
"""  # noqa: E501


def test_two_line_form(read):
    reading = read(VERBOSE)
    assert reading.skipped == {"IPv4 fragment": 2, "packet within a tunnel": 1}
    first, refused, tunnel, six = reading.records
    assert (refused.number, refused.source, refused.destination) == (4, "10.0.0.1:*", "10.0.0.2:7777")
    assert (first.number, tunnel.number, six.number) == (1, 12, 16)
    assert first.fields["ttl"] == 63
    assert first.fields["ip_id"] == 7
    assert first.fields["ip_payload"] == 40
    assert six.fields == {
        "ip_version": 6,
        "ttl": 9,
        "ip_payload": 13,
        "source_port": 7,
        "destination_port": 9,
        "source_multicast": 0,
        "checksum_ok": 1,
        "length": 13,
    }


def times(read, *stamps):
    text = "".join(f"{stamp}IP 1.1.1.1.1 > 2.2.2.2.2: UDP, length 0\n" for stamp in stamps)
    return [packet.time for packet in read(text.encode()).records]


def test_clocks(read):
    ns = 10**9
    assert times(read, "", "") == [None, None]
    assert times(read, "1418145369.924505488 ", "1418145370.5 ") == [1418145369924505488, 1418145370500000000]
    assert times(read, "2014-12-09 17:16:09.924505 ") == [1418145369924505000]
    assert times(read, "1970-01-01 00:00:00.000000 ", "2000-02-29 00:00:01 ") == [0, 951782401 * ns]
    assert times(read, "23:59:59.500000 ", "00:00:00.500000 ") == [86399 * ns + ns // 2, 86400 * ns + ns // 2]
    assert times(read, "12:00:00.000000 ", "11:59:59.000000 ") == [43200 * ns, 43199 * ns]
    elapsed = (" 00:00:00.000000 ", " 00:00:01.000000 ", " 00:00:03.000000 ")
    assert times(read, *elapsed) == [0, ns, 3 * ns]
    difference = (" 00:00:00.000000 ", " 00:00:02.000000 ", " 00:00:01.000000 ", " -00:00:00.500000 ")
    assert times(read, *difference) == [0, 2 * ns, 3 * ns, 2 * ns + ns // 2]
    assert times(read, "    1   00:00:04.0 ", "    2   00:00:05.0 ") == [4 * ns, 5 * ns]


@pytest.mark.parametrize("variant", ["", "-t", "-tt", "-ttt", "-tttt", "-ttttt"])
def test_samples_of_tcpdump_itself(read, samples, variant):
    reading = read((samples / f"tcpdump/tcp-handshake-nano{variant}.out").read_bytes())
    assert [(packet.number, packet.flags, packet.fields["length"]) for packet in reading.records] == [
        (1, None, 0),
        (2, None, 0),
        (3, None, 0),
    ]
    start = {"": 62169924505488, "-t": None, "-tt": 1418145369924505488, "-tttt": 1418145369924505488}.get(variant, 0)
    if start is None:
        assert {packet.time for packet in reading.records} == {None}
    else:
        assert [packet.time - start for packet in reading.records] == [0, 127521774, 127609669]


def test_hex_dumps_are_passed_over(read, samples):
    text = read((samples / "tcpdump/print-x.out").read_bytes())
    capture = read((samples / "tcpdump/print-flags.pcap").read_bytes())
    assert text.skipped == {}
    assert_same_packets(capture.records, text.records, numbers=True)


@pytest.mark.parametrize("scenario", ["normal-client-close", "refused", "rst-abort-client"])
def test_lab_logs_agree_with_the_captures(read, samples, scenario):
    text = read((samples / f"logs/lab/{scenario}/tcpdump_text_client.txt").read_bytes())
    capture = read((samples / f"lab/{scenario}.client.pcap").read_bytes())
    assert_same_packets(capture.records, text.records, numbers=True)


def assert_same_packets(capture, text, numbers):
    """All that the text says must be what the capture holds."""
    for expected, found in zip_longest(capture, text):
        assert found is not None
        assert expected is not None
        assert found.protocol == expected.protocol
        if found.flags is not None:
            assert found.flags == expected.flags
        if numbers:
            assert found.destination == expected.destination
            if found.protocol == ERRORS:
                assert found.source.rpartition(":")[0] == expected.source.rpartition(":")[0]
            else:
                assert found.source == expected.source
            known = found.fields
            assert {key: expected.fields.get(key) for key in known} == known
            if found.protocol == "tcp" and found.flags is not None:
                assert {"window", "length"} <= known.keys()
                assert "ack" in known or not expected.flags & 0x10
                assert "seq" in known or (expected.flags & 0x17 == 0x10 and expected.fields["length"] == 0)


OPTIONS = [
    *("-nn", "-n", "-nn -v", "-nn -vv -e", "-nn -e", "-nn -q", "-nn -S", "-nn -S -v -tt", "-nn -# -t", "-nn -# -e -v"),
    *("-nn -x -vv", "-nn -XX -#", "-nn -q -e -v -X", "-nn -t -v -e", "-nn -ttt", "-nn -ttttt", "-nn -K -tttt"),
]
MADE_FROM = ["lab/half-close.client", "lab/udp-unreach.client", "zeek/ftp-ipv6", "zeek/tcp-missing-syn"]


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")
@pytest.mark.parametrize("name", [*MADE_FROM, "tcpdump/tcp-handshake-nano"])
@pytest.mark.parametrize("options", OPTIONS)
def test_what_the_installed_tcpdump_prints(read, samples, name, options):
    path = samples / f"{name}.pcap"
    made = subprocess.run(["tcpdump", "-r", str(path), *options.split()], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("the installed tcpdump does not know these options")
    assert_same_packets(read(path.read_bytes()).records, read(made.stdout).records, numbers=options != "-n")
