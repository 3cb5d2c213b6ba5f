"""Entries of connection tracking: lines of each kind of output."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

ENDS = "src=10.0.0.1 dst=10.0.0.2 sport=40 dport=80"
REPLY = "src=10.0.0.2 dst=10.0.0.1 sport=80 dport=40"
META = (
    '<meta direction="original"><layer3 protonum="2" protoname="ipv4"><src>10.0.0.1</src><dst>10.0.0.2</dst></layer3>'
    '<layer4 protonum="6" protoname="tcp"><sport>40</sport><dport>80</dport></layer4></meta>'
    '<meta direction="reply"><layer3 protonum="2" protoname="ipv4"><src>10.0.0.2</src><dst>10.9.9.9</dst></layer3>'
    '<layer4 protonum="6" protoname="tcp"><sport>80</sport><dport>41</dport></layer4></meta>'
)
REST = '<meta direction="independent"><state>SYN_SENT</state><timeout>120</timeout><id>77</id><unreplied/></meta>'

LINES = {
    f"    [NEW] tcp      6 120 SYN_SENT {ENDS} [UNREPLIED] {REPLY}": (None, "", ["", "SYN_SENT"]),
    f"[1700000000.500000]\t [UPDATE] tcp 6 60 SYN_RECV {ENDS} {REPLY} id=9": (1700000000_500000000, "9", ["SYN_RECV"]),
    f"[DESTROY] ipv4     2 tcp      6 {ENDS} packets=5 bytes=300 {REPLY} [ASSURED] delta-time=3 [start=Tue] id=9": (
        *(None, "9", ["DESTROY"]),
    ),
    f"ipv4     2 tcp      6 431999 ESTABLISHED {ENDS} {REPLY} [ASSURED] mark=0 zone=0 use=2": (
        *(None, "", ["ESTABLISHED"]),
    ),
    f"tcp      6 10 CLOSE {ENDS} {REPLY} [ASSURED] mark=0 secctx=null use=1": (None, "", ["CLOSE"]),
    f'<flow type="new">{META}{REST}</flow>': (None, "77", ["", "SYN_SENT"]),
    f'<flow type="destroy">{META}{REST}</flow>': (None, "77", ["SYN_SENT", "DESTROY"]),
    f"[1700000000.4711  ]\t [UPDATE] tcp 6 60 SYN_RECV {ENDS} {REPLY}": (1700000000_004711000, "", ["SYN_RECV"]),
    f"<flow>{META}{REST}</flow>": (None, "77", ["SYN_SENT"]),
    "-A -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.2 -q 10.0.0.1 -p tcp --sport 40 --dport 80 --reply-port-src 80 "
    "--reply-port-dst 40 -t 60 --state SYN_SENT -u SEEN_REPLY": (None, "", ["SYN_SENT"]),
    "-A -t 120 -u UNSET -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.2 -q 10.0.0.1 -p tcp --sport 40 --dport 80 "
    "--reply-port-src 80 --reply-port-dst 40 --state SYN_SENT": (None, "", ["SYN_SENT"]),
    "[1700000000.500000] -D -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 40 --dport 80": (
        *(1700000000_500000000, "", ["DESTROY"]),
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_lines(read, line):
    time, name, states = LINES[line]
    reading = read((line + "\n").encode())
    assert [record.new for record in reading.records] == states
    for record in reading.records:
        assert (record.protocol, record.local, record.remote) == ("conntrack", "10.0.0.1:40", "10.0.0.2:80")
        assert (record.time, record.old) == (time, "")
        assert record.endpoint == (f"entry {name}" if name else "10.0.0.1:40 > 10.0.0.2:80")
    assert (reading.trace.format, reading.skipped) == ("conntrack", {})


def test_xml_with_its_frame(read):
    flows = f'<flow type="new">{META}{REST}</flow>'
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n{flows}{flows}\n{flows}\n</conntrack>\n'
    reading = read(text.encode())
    assert [record.number for record in reading.records] == [3] * 4 + [4] * 2
    assert reading.skipped == {}


def test_an_option_to_add_is_an_event_among_events(read):
    saved = "-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 40 --dport 80"
    added, later = f"-A -t 120 {saved} --state SYN_SENT\n", f"-U -t 60 {saved} --state SYN_RECV\n"
    assert [record.new for record in read((added + added).encode()).records] == ["SYN_SENT"] * 2
    assert [record.new for record in read((added + later).encode()).records] == ["", "SYN_SENT", "SYN_RECV"]


def test_other_protocols_are_counted(read):
    lines = [
        f"    [NEW] udp      17 30 {ENDS} [UNREPLIED] {REPLY}",
        "    [NEW] icmp     1 30 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1",
        "unknown  2 586 src=10.0.0.1 dst=224.0.0.1 [UNREPLIED] src=224.0.0.1 dst=10.0.0.1 mark=0 use=1",
        f'<flow type="new">{META.replace("tcp", "udp")}{REST}</flow>',
        f"tcp      6 {ENDS} {REPLY} [OFFLOAD] mark=0 use=2",
        "conntrack v1.4.7 (conntrack-tools): 5 flow entries have been shown.",
    ]
    reading = read("\n".join(lines).encode())
    assert reading.records == []
    assert reading.skipped == {
        "an entry of another protocol than TCP": 4,
        "an entry whose state or addresses are not printed": 1,
        "not a line about an entry": 1,
    }


@given(st.lists(st.sampled_from([*LINES, *" <>/=\n", "tcp", "src=", "<flow>", "</flow>", "-p "])), st.integers(1, 99))
def test_any_text(read, words, piece):
    data = (next(iter(LINES)) + "\n" + "".join(words)).encode()
    whole, cut = read(data), read(data, piece)
    assert (whole.records, whole.skipped) == (cut.records, cut.skipped)
