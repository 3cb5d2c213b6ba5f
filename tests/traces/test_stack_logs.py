"""Debug lines of stacks: the forms of each, and what stands around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpmodel.traces.records import Packet

STACKS = Path(__file__).parents[2] / "traces" / "logs" / "stacks"
FORMATS = {
    "smoltcp-client.txt": ("smoltcp", 6),
    "smoltcp-server.txt": ("smoltcp", 6),
    "zephyr.txt": ("zephyr", 5),
    "zephyr-1.14.txt": ("zephyr", 7),
    "freertos.txt": ("freertos", 11),
    "gvisor.txt": ("gvisor", 7),
    "lwip.txt": ("lwip", 8),
    "kernel-2.4.txt": ("kernel states", 5),
    "unknown.txt": ("state lines", 3),
}


@pytest.mark.parametrize("name", FORMATS)
def test_samples(read, name):
    reading = read((STACKS / name).read_bytes())
    assert reading.error is None
    assert (reading.trace.format, len(reading.records)) == FORMATS[name]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("piece", [1, 7, 300])
def test_pieces(read, name, piece):
    data = (STACKS / name).read_bytes()
    whole, cut = read(data), read(data, piece)
    assert (whole.records, whole.skipped) == (cut.records, cut.skipped)


def test_every_sample_is_tested():
    assert {path.name for path in STACKS.iterdir()} == set(FORMATS)


LINES = {
    "#3:10.0.0.1:40:10.0.0.2:80: state=CLOSED=>SYN-SENT": ("#3", "10.0.0.1:40", "10.0.0.2:80", "CLOSED", "SYN-SENT"),
    "[7]10.0.0.1:40:10.0.0.2:80: state=SYN-SENT=>CLOSED": ("[7]", "10.0.0.1:40", "10.0.0.2:80", "SYN-SENT", "CLOSED"),
    "#3:*:80: state=CLOSED=>LISTEN": ("#3", "*:80", "peer", "CLOSED", "LISTEN"),
    "tcp:10.0.0.1:40:10.0.0.2:80: state=CLOSED=>SYN-SENT": (
        *("10.0.0.1:40 > 10.0.0.2:80", "10.0.0.1:40", "10.0.0.2:80", "CLOSED", "SYN-SENT"),
    ),
    "[net/tcp] [DBG] net_tcp_change_state: (0x0013e050): state@0x00136fa0 CLOSED (0) => LISTEN (1)": (
        *("0x00136fa0", "0x00136fa0", "peer", "CLOSED", "LISTEN"),
    ),
    "[00:00:01.000,488] <dbg> net_tcp: tcp_in: (main): [0x2000a1c0] LISTEN->SYN_SENT": (
        *("0x2000a1c0", "0x2000a1c0", "peer", "LISTEN", "SYN_SENT"),
    ),
    "Socket 80 -> c0a80102ip:5000 State eSYN_FIRST->eESTABLISHED": (
        *("freertos:80 > 192.168.1.2:5000", "freertos:80", "192.168.1.2:5000", "eSYN_FIRST", "eESTABLISHED"),
    ),
    "x [2001:db8::1]:40 -> [2001:db8::2]:80 tcp state: SynSent => Established": (
        *("[2001:db8::1]:40 > [2001:db8::2]:80", "[2001:db8::1]:40", "[2001:db8::2]:80", "SynSent", "Established"),
    ),
    "tcp conn 0x55aa10 state change from 'LISTEN' to 'SYN_RCVD'": (
        "0x55aa10",
        "0x55aa10",
        "peer",
        "LISTEN",
        "SYN_RCVD",
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_lines(read, line):
    (record,) = read(line.encode()).records
    assert (record.endpoint, record.local, record.remote, record.old, record.new) == LINES[line]


TIMES = {
    "[1.250s] (smoltcp): ": 1_250_000_000,
    "2024-03-05T10:11:12.5Z TRACE ": 1709633472_500_000_000,
    "[2024-03-05T10:11:12Z TRACE smoltcp] ": 1709633472_000_000_000,
    "[00:00:01.004,577] <dbg> x: ": 1_004_577_000,
    "Mar  5 10:11:12 host kernel: ": 36_672_000_000_000,
    "": None,
}


@pytest.mark.parametrize("start", TIMES)
def test_times(read, start):
    (record,) = read(f"{start}10.0.0.1:4:10.0.0.2:8: state=CLOSED=>LISTEN\r\n".encode()).records
    assert record.time == TIMES[start]


def test_changes_without_a_name_go_on_from_the_state_before(read):
    lines = ["CLOSED=>LISTEN", "CLOSED=>SYN-SENT", "LISTEN=>SYN-RECEIVED", "SYN-SENT=>ESTABLISHED"]
    records = read("".join(f"state={line}\n" for line in lines).encode()).records
    assert [record.endpoint for record in records] == ["line 1", "line 2", "line 1", "line 2"]


def test_a_change_that_several_may_have_made_is_nobodys(read):
    lines = ["CLOSED=>SYN-SENT", "CLOSED=>SYN-SENT", "SYN-SENT=>ESTABLISHED"]
    records = read("".join(f"state={line}\n" for line in lines).encode()).records
    assert [record.endpoint for record in records] == ["line 1", "line 2", "line 3"]


@pytest.mark.parametrize(
    ("flags", "bits"), [(" S    ", 2), (" S  A ", 18), ("F   A ", 17), ("   PA ", 24), ("0x12 ( S  A )", 18)]
)
@pytest.mark.parametrize("way", ["send", "recv", ""])
def test_gvisor(read, flags, bits, way):
    line = f"{way} tcp 10.0.0.1:40 -> 10.0.0.2:80 len:3 id:0001 flags:{flags} seqnum: 7 ack: 0 win: 9 xsum:0x1"
    (packet,) = read(line.strip().encode()).records
    assert isinstance(packet, Packet)
    assert (packet.flags, packet.fields["seq"], packet.fields["length"], packet.fields["window"]) == (bits, 7, 3, 9)
    assert packet.at == {"send": packet.source, "recv": packet.destination, "": ""}[way]


def test_lwip_knows_whose_state_it_is(read):
    reading = read((STACKS / "lwip.txt").read_bytes())
    told = [(record.local, record.remote, record.new) for record in reading.records]
    assert told[:5] == [
        ("lwip:49153", "peer:80", "SYN_SENT"),
        ("lwip:49153", "peer:80", "ESTABLISHED"),
        ("lwip:49153", "peer:80", "FIN_WAIT_1"),
        ("lwip:49153", "peer:80", "TIME_WAIT"),
        ("lwip:49153", "peer:80", "TIME_WAIT"),
    ]
    assert reading.skipped["the state of an unknown connection"] == 1
