"""Lists of packets by tshark and Wireshark: what they show is that of the capture, and what they hide is left out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpmodel.traces.open import open_trace
from tcpmodel.traces.printed.tshark_packet import Packets
from tcpmodel.traces.printed.tshark_summary import NO_PORTS
from tcpmodel.traces.records import FLAG_BITS, Packet
from tcpmodel.traces.relative import Relative

F = FLAG_BITS
LISTS = ["normal-client-close.list.txt", "normal-client-close.list.csv", "normal-client-close.export.txt"]


@pytest.mark.parametrize("name", LISTS)
def test_the_packets_are_those_of_the_capture(samples, name):
    trace = open_trace(str(samples / "tshark" / name))
    found = {each.number: each for each in trace.records() if isinstance(each, Packet)}
    original = {
        each.number: each
        for each in open_trace(str(samples / "lab" / "normal-client-close.client.pcap")).records()
        if isinstance(each, Packet)
    }
    assert trace.format == "tshark summary"
    assert found.keys() == original.keys()
    first = {packet.source: packet.fields["seq"] for packet in reversed(original.values())}
    for number, packet in found.items():
        sent = original[number]
        assert (packet.source, packet.destination, packet.flags) == (sent.source, sent.destination, sent.flags)
        assert packet.fields["seq"] == (sent.fields["seq"] - first[packet.source]) % (1 << 32)
        others = {key: value for key, value in packet.fields.items() if key not in ("seq", "ack")}
        assert others.items() <= sent.fields.items()
        assert ("window" in packet.fields) == bool(packet.flags & F["SYN"])
    assert trace.skipped.reasons == {"ICMPv6": 9, "ARP": 2}


def line(info: str, protocol: str = "TCP", time: str = "0.5", arrow: str = "→") -> str:
    return f"    1 {time} 10.0.0.1 {arrow} 10.0.0.2 {protocol} 74 {info}\n"


SEGMENTS = [
    (
        "40 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM WS=128",
        F["SYN"],
        {"mss": 1460, "wscale": 7, "sackok": 1},
    ),
    ("40 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM=1 WS=1", F["SYN"], {"wscale": 0, "sackok": 1}),
    ("40 > 80 [SYN, ECN, CWR] Seq=0 Win=1 Len=0", F["SYN"] | F["ECE"] | F["CWR"], {"window": 1}),
    (
        "[TCP Retransmission] 40 → http(80) [PSH, ACK] Seq=1 Ack=1 Win=9 Len=5",
        F["PSH"] | F["ACK"],
        {"ack": 1, "length": 5},
    ),
    ("[TCP Dup ACK 3#1] , 40 → 80 [ACK] Seq=1 Ack=2 Win=9 Len=0 SLE=5 SRE=6", F["ACK"], {"seq": 1, "ack": 2}),
    ("40 → 80 [<None>] Seq=1 Win=9 Len=0", 0, {"length": 0}),
]


@pytest.mark.parametrize(("info", "flags", "fields"), SEGMENTS)
def test_segments(read, info, flags, fields):
    (packet,) = read(line(info).encode()).records
    assert (packet.source, packet.destination, packet.flags) == ("10.0.0.1:40", "10.0.0.2:80", flags)
    assert fields.items() <= packet.fields.items()


@pytest.mark.parametrize("arrow", ["→", "->"])
@pytest.mark.parametrize("time", ["0.5", "2026-11-21 07:46:35.8", "1795247195.8", "07:46:35.8"])
def test_times_and_arrows(read, time, arrow):
    (packet,) = read(line("40 → 80 [ACK] Seq=1 Ack=1 Win=9 Len=0", time=time, arrow=arrow).encode()).records
    assert (packet.time is None) == (time == "07:46:35.8")


def test_datagrams_and_what_hides_its_ports(read):
    text = line("9 → 10 Len=12", "UDP") + line("GET / HTTP/1.1", "HTTP") + line("99999 → 1 Len=1", "UDP") + "what\n"
    reading = read(text.encode())
    assert [(one.protocol, one.fields["length"]) for one in reading.records] == [("udp", 20)]
    assert reading.skipped == {NO_PORTS: 1, "unreadable line (the first is line 3)": 2}


def test_a_csv_without_its_columns(read):
    error = read(b'"No.","Time","Protocol"\n"1","0","TCP"\n').error
    assert "Source, Destination" in str(error)


SYN, SYN_ACK, ACK = F["SYN"], F["SYN"] | F["ACK"], F["ACK"]


@pytest.mark.parametrize(
    ("segments", "anew"),
    [
        ([(0, SYN, None), (0, SYN, None), (1, SYN_ACK, None), (1, SYN_ACK, None), (0, ACK, None)], 5),
        ([(0, SYN, None), (1, SYN_ACK, None), (0, ACK, None), (0, SYN, None), (1, SYN_ACK, None)], 3),
        ([(0, SYN, 4), (1, SYN_ACK, 4), (0, ACK, 4), (0, SYN, 4), (0, SYN, 5), (0, ACK, 5)], 4),
        ([(0, ACK, None), (0, SYN, None), (0, ACK, None)], 1),
    ],
)
def test_numbers_that_are_counted_anew(segments, anew):
    relative = Relative()
    ends = ("a:1", "b:2")
    found = [relative.counted_anew(ends[side], ends[1 - side], flags, stream) for side, flags, stream in segments]
    assert found == [place >= anew for place in range(len(segments))]


def test_another_conversation_between_the_same_ports_has_no_numbers():
    packets = Packets()

    def packet(flags: str, seq: str, stream: str) -> Packet:
        values = {"ip_src": "1.1.1.1", "ip_dst": "1.1.1.2", "tcp_srcport": "1", "tcp_dstport": "2"}
        values |= {"tcp_flags": flags, "tcp_seq": seq, "tcp_stream": stream}
        found = packets.packet({name: [value] for name, value in values.items()}, 1)
        assert isinstance(found, Packet)
        return found

    numbers = [packet(*each).fields.get("seq") for each in [("0x2", "0", "0"), ("0x10", "1", "0"), ("0x2", "0", "1")]]
    assert numbers == [0, 1, None]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_is_survived_and_pieces_make_no_difference(read, samples, data):
    whole = (samples / "tshark" / data.draw(st.sampled_from(LISTS))).read_bytes()[-1500:]
    whole = (
        LINE if data.draw(st.booleans()) else b'"No.","Time","Source","Destination","Protocol","Length","Info"\n'
    ) + whole
    at = data.draw(st.integers(0, len(whole)))
    spoiled = whole[:at] + data.draw(st.binary(max_size=12)) + whole[at + data.draw(st.integers(0, 12)) :]
    first, second = read(spoiled), read(spoiled, piece=data.draw(st.integers(1, 200)))
    assert first.records == second.records
    assert str(first.error) == str(second.error)


LINE = line("40 → 80 [ACK] Seq=1 Ack=1 Win=9 Len=0").encode()
