"""What tshark prints: the packets are those of the capture that it was printed from, and errors say what to do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpmodel.traces.open import open_trace
from tcpmodel.traces.printed.tshark_packet import NO_ENDS, Packets
from tcpmodel.traces.records import ERRORS, FLAG_BITS, Packet

SYN, ACK, RST = FLAG_BITS["SYN"], FLAG_BITS["ACK"], FLAG_BITS["RST"]

PRINTED = [
    ("normal-client-close.tab.txt", "lab/normal-client-close.client.pcap"),
    ("m04-data-after-fin.bar.txt", "planted/m04-data-after-fin.pcap"),
    ("udp-unreach.tab.txt", "lab/udp-unreach.client.pcap"),
]

HEADING = "frame.number\tip.src\tip.dst\ttcp.srcport\ttcp.dstport\ttcp.flags\ttcp.seq_raw\ttcp.ack_raw"
ROW = "7\t10.0.0.1\t10.0.0.2\t1000\t80\t0x0002\t5\t0"


@pytest.mark.parametrize(("printed", "capture"), PRINTED)
def test_the_packets_are_those_of_the_capture(samples, printed, capture):
    def packets(path: str) -> dict[int, Packet]:
        records = open_trace(path).records()
        return {each.number: each for each in records if isinstance(each, Packet) and each.protocol != ERRORS}

    from_text, from_capture = packets(str(samples / "tshark" / printed)), packets(str(samples / capture))
    assert from_text.keys() == from_capture.keys()
    assert from_text
    for number, packet in from_text.items():
        original = from_capture[number]
        assert packet._replace(fields={}) == original._replace(fields={})
        assert packet.fields.items() <= original.fields.items()
        if packet.protocol == "tcp":
            assert {"seq", "ack", "length", "window"} <= packet.fields.keys()


@pytest.mark.parametrize("separator", ["\t", ",", "|", ";", " "])
@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_separators_and_quotes(read, separator, quote):
    cells = [f"{quote}{cell}{quote}" if cell else "" for cell in ROW.split("\t")]
    text = separator.join(HEADING.split("\t")) + "\n" + separator.join(cells) + "\n"
    (packet,) = read(text.encode()).records
    assert (packet.number, packet.source, packet.destination) == (7, "10.0.0.1:1000", "10.0.0.2:80")
    assert (packet.flags, packet.fields["seq"]) == (SYN, 5)


def test_without_frame_numbers_lines_are_counted(read):
    text = "\n".join(line.split("\t", 1)[1] for line in (HEADING, ROW))
    reading = read(text.encode())
    assert reading.trace.counts_lines
    assert reading.records[0].number == 2


def test_a_table_without_a_heading(read):
    error = read(f"{ROW}\n".encode()).error
    assert error is not None
    assert "-E header=y" in str(error)


def test_a_table_that_does_not_say_who_sent(read):
    error = read(b"frame.number\ttcp.flags\n1\t0x0002\n").error
    assert error is not None
    assert "line 1" in str(error)
    assert "-e ip.src" in str(error)


def test_relative_numbers_conform_too(samples):
    from_text = open_trace(str(samples / "tshark" / "normal-client-close.relative.csv"))
    packets = [record for record in from_text.records() if isinstance(record, Packet)]
    assert len(packets) == 10
    assert packets[0].fields["seq"] == 0
    assert all("seq" in packet.fields and packet.flags is not None for packet in packets)


LEFT_OUT = [
    ("7\t10.0.0.1,10.0.0.3\t10.0.0.2\t1000\t80\t0x0002\t5\t0", "packet within a tunnel, or quoted by ICMP"),
    ("7\t10.0.0.1\t10.0.0.2\t\t\t\t\t", "not TCP or UDP"),
    ("7\t\t\t1000\t80\t0x0002\t5\t0", NO_ENDS),
    ("7\t10.0.0.1", "row with another number of columns than the heading (the first is line 2)"),
]


@pytest.mark.parametrize(("row", "reason"), LEFT_OUT)
def test_what_is_left_out(read, row, reason):
    reading = read(f"{HEADING}\n{row}\n".encode())
    assert reading.records == []
    assert reading.skipped == {reason: 1}


def values(**more: str) -> dict[str, list[str]]:
    found = {"ip_src": "10.0.0.1", "ip_dst": "10.0.0.2", "tcp_srcport": "1", "tcp_dstport": "2"} | more
    return {name: [value] for name, value in found.items()}


@pytest.mark.parametrize("protocols", ["eth:ethertype:ip:icmp:ip:tcp", "eth:ethertype:ipv6:icmpv6:ipv6:tcp"])
def test_what_icmp_quotes_is_no_packet(protocols):
    found = Packets().packet(values(frame_protocols=protocols), 1)
    assert isinstance(found, str)
    assert found.startswith("ICMP")


FLAGS = [
    ({"tcp_flags": "0x0012"}, SYN | ACK),
    ({"tcp_flags": "18"}, SYN | ACK),
    ({"tcp_flags_str": "·······A··S·"}, SYN | ACK),
    ({"tcp_flags_str": "*********R**"}, RST),
    ({"tcp_flags_syn": "1"}, None),
    ({f"tcp_flags_{name}": "0" for name in ("fin", "reset", "push", "urg", "ack")} | {"tcp_flags_syn": "True"}, SYN),
    ({}, None),
]


@pytest.mark.parametrize(("shown", "bits"), FLAGS)
def test_flags(shown, bits):
    packet = Packets().packet(values(**shown), 1)
    assert isinstance(packet, Packet)
    assert packet.flags == bits


def test_relative_numbers_are_right_among_each_other_only():
    packets = Packets()
    shown = [
        packets.packet(values(tcp_flags="0x2", tcp_seq="0", tcp_ack="0"), 1),
        packets.packet(values(tcp_flags="0x10", tcp_seq="1", tcp_ack="1"), 2),
        packets.packet(values(tcp_flags="0x14", tcp_seq="1", tcp_ack="1"), 3),
        packets.packet(values(tcp_flags="0x10", tcp_seq_raw="70000", tcp_ack_raw="1"), 4),
    ]
    numbers = [(one.fields.get("seq"), one.fields.get("ack")) for one in shown if isinstance(one, Packet)]
    assert numbers == [(0, None), (1, 1), (None, 1), (None, None)]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_is_survived_and_pieces_make_no_difference(read, samples, data):
    whole = (samples / "tshark" / data.draw(st.sampled_from([name for name, _ in PRINTED]))).read_bytes()[:3000]
    at = data.draw(st.integers(0, len(whole)))
    spoiled = whole[:at] + data.draw(st.binary(max_size=12)) + whole[at + data.draw(st.integers(0, 12)) :]
    first, second = read(spoiled), read(spoiled, piece=data.draw(st.integers(1, 200)))
    assert first.records == second.records
    assert str(first.error) == str(second.error)


SAME_STREAM = """\
ip.src\tip.dst\ttcp.stream\ttcp.srcport\ttcp.dstport\ttcp.flags\ttcp.seq\ttcp.ack\ttcp.len
10.0.0.1\t10.0.0.2\t0\t40\t80\t0x0002\t0\t0\t0
10.0.0.2\t10.0.0.1\t0\t80\t40\t0x0012\t0\t1\t0
10.0.0.2\t10.0.0.1\t0\t80\t40\t0x0012\t0\t1\t0
10.0.0.1\t10.0.0.2\t0\t40\t80\t0x0010\t1\t{ack}\t0
10.0.0.2\t10.0.0.1\t0\t80\t40\t0x0018\t{ack}\t1\t5
"""


@pytest.mark.parametrize(("ack", "seen"), [(1, True), (4294954952, False)])
def test_a_second_answer_may_be_what_is_counted_from(read, ack, seen):
    """tshark counts a direction from its latest SYN,ACK, and shows 0 for each of them."""
    fields = [record.fields for record in read(SAME_STREAM.format(ack=ack).encode()).records]
    assert [each["seq"] for each in fields[:3]] == [0, 0, 0]
    for each in fields[3:]:
        assert ("seq" in each, "ack" in each) == (seen, seen)


WITHIN = (
    "frame.protocols\tip.src\tip.dst\tip.ttl\ttcp.srcport\ttcp.dstport\ttcp.flags\ttcp.seq_raw"
    "\tudp.srcport\tudp.dstport"
)
TUNNELLED = {
    "ip in ip": "eth:ethertype:ip:ip:tcp\t9.9.9.1,10.0.0.1\t9.9.9.2,10.0.0.2\t9,64\t1000\t80\t0x0002\t5\t\t",
    "vxlan": "eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:tcp\t9.9.9.1,10.0.0.1\t9.9.9.2,10.0.0.2\t9,64\t1000\t80"
    "\t0x0002\t5\t50000\t4789",
    "gre in ipv6": "eth:ethertype:ipv6:gre:ip:tcp:http\t10.0.0.1\t10.0.0.2\t64\t1000\t80\t0x0002\t5\t\t",
}


@pytest.mark.parametrize("kind", TUNNELLED)
def test_the_packet_within_a_tunnel(read, kind):
    (packet,) = read(f"{WITHIN}\n{TUNNELLED[kind]}\n".encode()).records
    assert (packet.protocol, packet.source, packet.destination) == ("tcp", "10.0.0.1:1000", "10.0.0.2:80")
    assert (packet.flags, packet.fields["seq"], packet.fields["ttl"]) == (SYN, 5, 64)


@pytest.mark.parametrize(
    "row",
    [
        "eth:ethertype:ip:icmp:ip:tcp\t9.9.9.1,10.0.0.1\t9.9.9.2,10.0.0.2\t9,64\t1000\t80\t0x0002\t5\t\t",
        "eth:ethertype:ip:ip:tcp\t9.9.9.1\t9.9.9.2\t9\t1000\t80\t0x0002\t5\t\t",
        "eth:ethertype:ip:udp:vxlan:eth:ethertype:arp\t9.9.9.1\t9.9.9.2\t9\t\t\t\t\t50000\t4789",
    ],
)
def test_what_is_no_packet_within_a_tunnel(read, row):
    assert not [one for one in read(f"{WITHIN}\n{row}\n".encode()).records if one.protocol == "tcp"]
