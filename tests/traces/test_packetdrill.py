"""Scripts of packetdrill: their notation, and whom a finding blames."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpmodel.checking.outcome.findings import CONFORMS, VIOLATES
from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.printed.packetdrill_packet import Wrong, parse_packet, tokens
from tcpmodel.traces.records import ERRORS, FLAG_BITS, Event, Packet

F = FLAG_BITS
SERVER = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 listen(3, 1) = 0\n"
CLIENT = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 connect(3, ..., ...) = -1 EINPROGRESS (in progress)\n"


def parsed(text: str):
    _, found = parse_packet(tokens(text), 0)
    return found


TCP = [
    ("< S 0:0(0) win 10", F["SYN"], {"seq": 0, "length": 0, "window": 10}),
    ("> S. 0:0(0) ack 1 <...>", F["SYN"] | F["ACK"], {"seq": 0, "length": 0, "ack": 1}),
    ("> . 1:1001(1000) ack 1", F["ACK"], {"seq": 1, "length": 1000, "ack": 1}),
    ("> FP. 1:1(0) ack 1", F["FIN"] | F["PSH"] | F["ACK"], {"seq": 1, "length": 0, "ack": 1}),
    ("< - 1:11(10)", 0, {"seq": 1, "length": 10}),
    ("< [ect0] SEWA 0:0(0)", F["SYN"] | F["ECE"] | F["CWR"] | F["AE"], {"seq": 0, "length": 0}),
    ("< [ce] .5 1:1(0) ack 1", F["ACK"] | F["AE"] | F["ECE"], {"seq": 1, "length": 0, "ack": 1}),
    ("< (tos 0x3) P.2 1:2(1) ack 1", F["PSH"] | F["ACK"] | F["CWR"], {"seq": 1, "length": 1, "ack": 1}),
    ("< PU. 1:2(1) ack 1 win 5 urg 1", F["PSH"] | F["URG"] | F["ACK"], {"urgent": 1, "window": 5}),
    ("< . 4294967295:9(10) ack 1", F["ACK"], {"seq": 4294967295, "length": 10}),
    ("< . 1:1(0) ack 1 <nop, nop, sack 3:5 9:11>", F["ACK"], {"sack_blocks": 2, "sack_high": 11, "option_octets": 20}),
    ("> S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 7,nop,wscale 7>", F["SYN"], {"wscale": 7, "mss": 1460, "tsecr": 7}),
    ("< S 0:0(0) <mss 5,FO 0123456789abcdef,nop,nop>", F["SYN"], {"tfo": 1, "cookie": 8, "option_octets": 16}),
    ("< S 0:0(0) <FO TFO_COOKIE>", F["SYN"], {"tfo": 1}),
    ("< S 0:0(0) <FOEXP,nop,nop>", F["SYN"], {"tfo": 1, "cookie": 0}),
    ("> 1000 > 80 S 0:0(0)", F["SYN"], {"seq": 0}),
    ("> S. 0:0(0) ack 1\n   <mss 1460>", F["SYN"] | F["ACK"], {"mss": 1460, "option_octets": 4}),
]


@pytest.mark.parametrize(("text", "flags", "fields"), TCP)
def test_packets_of_tcp(text, flags, fields):
    packet = parsed(text)
    assert (packet.protocol, packet.flags, packet.inward) == ("tcp", flags, text[0] == "<")
    assert fields.items() <= packet.fields.items()


@pytest.mark.parametrize(
    "text", ["> S 0:0(0) <TS val 1 ecr 0>", "> S 0:0(0) <...>", "> S 0:0(0)", "> S 0:0(0) <ECN e1b 1>"]
)
def test_what_a_script_leaves_open_is_not_missing(text):
    assert "option_octets" not in parsed(text).fields


OTHERS = [
    ("< udp (100)", "udp", {"length": 108}),
    (
        "< icmp unreachable frag_needed mtu 1200 [1:1461(1460)]",
        ERRORS,
        {"icmp_code": 4, "mtu": 1200, "seq": 1, "about": 6},
    ),
    ("< icmp unreachable [5:6(1)]", ERRORS, {"icmp_type": 3, "icmp_code": 0, "seq": 5}),
    ("< icmp unreachable port_unreachable [udp (1000)]", ERRORS, {"icmp_code": 3, "about": 17}),
]


@pytest.mark.parametrize(("text", "protocol", "fields"), OTHERS)
def test_other_packets(text, protocol, fields):
    packet = parsed(text)
    assert packet.protocol == protocol
    assert fields.items() <= packet.fields.items()


LEFT_OUT = [
    ("< . 1:1(0) ack 1 { mut tcp mss; ins ipv4 34 2 }", "packet that is changed at random"),
    ("< icmp echo_request", "ICMP message"),
    ("< ipv4 1.1.1.1 > 2.2.2.2: gre: . 1:1(0) ack 1", "packet within another one"),
]


@pytest.mark.parametrize(("text", "reason"), LEFT_OUT)
def test_packets_that_are_left_out(text, reason):
    assert parsed(text) == reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("< X 0:0(0)", "no flag"),
        ("< . 1:5(3)", "do not end at 5"),
        ("< . 1:1(0) ack x", "'x' is not a number"),
        ("< . 1:1(0) win 70000", "'70000' is not a number from 0 to 65535"),
        ("< . 1;1(0)", "no flag"),
        ("< . 1:1 0", "'(' is missing"),
        ("< . 1:1(0) <nop", "'>' is missing"),
        ("< 0:0(0)", "flags are missing"),
        ("<", "flags are missing"),
    ],
)
def test_mistakes_in_packets(text, words):
    with pytest.raises(Wrong) as caught:
        parsed(text)
    assert words in caught.value.message


TIMES = [("0", 0), ("+.1", 1), ("+0.1~+0.2", 1), ("0.1~0.2", 1), (".1", 1), ("*", None), ("+0", 0)]


@pytest.mark.parametrize(("text", "tenths"), TIMES)
def test_times(read, text, tenths):
    packet = read(f"{SERVER}{text} < S 0:0(0) win 5\n".encode()).records[0]
    assert packet.time == (None if tenths is None else tenths * 100_000_000)


def test_times_add_up(read):
    text = f"{SERVER}+.1 < S 0:0(0)\n* > S. 0:0(0) ack 1\n+.2~+.5 < . 1:1(0) ack 1\n1 < . 1:1(0) ack 1\n"
    assert [record.time for record in read(text.encode()).records] == [10**8, None, 3 * 10**8, 10**9]


def test_numbers_count_from_the_syn(read):
    text = f"{CLIENT}+0 > S 0:0(0)\n+0 < S. 123:123(0) ack 1\n+0 > . 1:1(0) ack 1\n+0 < R 1:1(0)\n"
    numbers = [
        (one.fields.get("seq"), one.fields.get("ack")) for one in read(text.encode()).records if isinstance(one, Packet)
    ]
    assert numbers == [(0, None), (0, 1), (1, 1), (1, None)]
    text = f"{CLIENT}+0 > S 0:10(10)\n+0 < S 1234:1734(500)\n+0 > S. 0:0(0) ack 1235\n+0 < R 7:7(0)\n"
    numbers = [
        (one.fields.get("seq"), one.fields.get("ack")) for one in read(text.encode()).records if isinstance(one, Packet)
    ]
    assert numbers == [(0, None), (0, None), (0, 1), (7, None)]
    alone = read(f"{SERVER}+0 < . 5:5(0) ack 9\n+0 > R 9:9(0)\n".encode()).records
    assert "seq" not in alone[1].fields


def test_all_is_seen_at_the_tested_host(read):
    packets = read(f"{SERVER}+0 < S 0:0(0)\n+0 > S. 0:0(0) ack 1\n".encode()).records
    assert [(one.source, one.destination, one.at) for one in packets] == [
        ("remote:1", "local:port", "local:port"),
        ("local:port", "remote:1", "local:port"),
    ]


def test_another_socket_is_another_connection(read):
    text = (
        f"{CLIENT}+0 > S 0:0(0)\n+0 < R. 0:0(0) ack 1\n+0 close(3) = 0\n{CLIENT}+0 > S 0:0(0)\n"
        "+0 connect(3, AF_UNSPEC, ...) = 0\n+0 > R. 1:1(0) ack 1\n+0 connect(3, ..., ...) = 0\n+0 > S 0:0(0)\n"
    )
    packets = [one for one in read(text.encode()).records if isinstance(one, Packet)]
    assert [one.destination if one.source == "local:port" else one.source for one in packets] == [
        *("remote:1", "remote:1", "remote:2", "remote:2", "remote:3")
    ]


CALLS = [
    ("accept(3, ..., ...) = 4", "accept"),
    ("write(4, ..., 1000) = 1000", "send"),
    ('write(4, "a(" "b)", 4) = 4', "send"),
    ("read(4, ..., 10) = 0", "recv 0"),
    ("read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)", ""),
    ("+0...0.5 read(4, ..., 10) = 5", "recv"),
    ("shutdown(4, SHUT_WR) = 0", "shutdown SHUT_WR"),
    ("fcntl(4, F_GETFL) = 0x2 (flags O_RDWR)", ""),
    ("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0", ""),
    ("sendmsg(4, {msg_name(...)=...,\n msg_iov(2)=[{..., 5}, {..., 6}], msg_flags=0}, 0) = 11", "send"),
    ("poll([{fd=4, events=POLLIN|POLLERR, revents=POLLIN}], 1, 0) = 1", ""),
    ("epoll_create(1) = 5", ""),
    ("close(4) = 0", "close"),
]


@pytest.mark.parametrize(("text", "word"), CALLS)
def test_calls(read, text, word):
    begin = f"{SERVER}+0 < S 0:0(0)\n+0 accept(3, ..., ...) = 4\n"
    time = "" if text.startswith("+") else "+0 "
    reading = read(f"{begin}{time}{text}\n+0 > S. 0:0(0) ack 1\n".encode())
    events = [one.name for one in reading.records if isinstance(one, Event)]
    assert events[1:] == ([word] if word else [])
    assert isinstance(reading.records[-1], Packet)
    assert reading.skipped == {}


def test_nothing_is_run_and_all_is_counted(read):
    text = "#!/usr/bin/env packetdrill\n--mss=1000\n`touch /nowhere`\n/* < S\n */ // >\n"
    text += SERVER + "+0 %{ exit() }%\n+0 `x`\n"
    reading = read(f"{text}+0 < S 0:0(0)\n".encode())
    assert len(reading.records) == 1
    assert reading.records[0].number == 10
    assert reading.skipped == {"option": 1, "command": 2, "code": 1}


def test_what_is_wrong_is_named_and_the_rest_is_read(read):
    reading = read(
        f"{SERVER}+0 < S 0:0(0) win 99999\n+0 > S. 0:0(0) ack 1\n+0 what is this\n+0 < . 1:1(0) ack 1\n".encode()
    )
    assert len(reading.records) == 2
    assert reading.skipped == {"what is no event (the first is line 3: '99999' is not a number from 0 to 65535)": 2}
    error = read(f"{SERVER}+0 < S 0:0(0) win 99999\n".encode()).error
    assert "line 3" in str(error)


@pytest.fixture(scope="module")
def specs():
    return [load_spec("tcp"), load_spec("udp")]


@pytest.mark.parametrize(
    ("name", "verdict", "blamed"),
    [
        ("server-close.pkt", CONFORMS, None),
        ("kernel-wrong.pkt", VIOLATES, ("local:port", 12, "TCP-FIN-001")),
        ("script-wrong.pkt", VIOLATES, ("remote:1", 10, "TCP-FIN-001")),
    ],
)
def test_whom_a_script_blames(samples, specs, name, verdict, blamed):
    (one,) = check([str(samples / "packetdrill" / name)], specs).connections
    assert one.verdict == verdict
    assert [(item.endpoint, item.place, item.code) for item in one.diagnostics] == ([blamed] if blamed else [])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_is_survived_and_pieces_make_no_difference(read, samples, data):
    name = data.draw(st.sampled_from(["server-close.pkt", "kernel-wrong.pkt", "script-wrong.pkt"]))
    whole = (samples / "packetdrill" / name).read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    inserted = data.draw(
        st.one_of(st.binary(max_size=8), st.sampled_from([b"(", b")", b"<", b"`", b"%{", b"...", b"~", b"*"]))
    )
    spoiled = whole[:at] + inserted + whole[at + data.draw(st.integers(0, 12)) :]
    first, second = read(spoiled), read(spoiled, piece=data.draw(st.integers(1, 200)))
    assert first.records == second.records
    assert str(first.error) == str(second.error)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='<>SF.0159:()+*~ack[]{}`%/"\n ,=', max_size=60))
def test_any_text_behind_a_beginning_is_survived(read, text):
    read(f"{SERVER}+0 < S 0:0(0)\n{text}".encode())


def test_a_long_script_is_refused(read):
    reading = read(SERVER.encode() + b"// " + b"x" * (1 << 22))
    assert "longer than" in str(reading.error)


def test_a_script_is_told_from_tcpdump(tmp_path):
    path = tmp_path / "x"
    path.write_text("// a\n\n+0 < S 0:0(0) win 5\n")
    assert open_trace(str(path)).format == "packetdrill script"
