"""Tables of tcpconnect, tcpaccept, tcpconnlat, tcptracer, tcpretrans and tcpdrop, of bcc and bpftrace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.traces.records import Event

CALLS = {
    "tcpconnect": (
        "PID    COMM         IP SADDR            DADDR            DPORT",
        "1479   telnet       4  10.0.0.1         10.0.0.2         23",
        ("10.0.0.1:0", "10.0.0.2:23", "connect", None),
    ),
    "tcpconnect -t -L": (
        "TIME(s)  PID    COMM         IP SADDR            LPORT  DADDR            DPORT",
        "31.871   2482   Web Content  6  2001:db8::1      40     2001:db8::2      80",
        ("[2001:db8::1]:40", "[2001:db8::2]:80", "connect", 31_871_000_000),
    ),
    "tcpconnect.bt": (
        "TIME     PID      COMM             SADDR          SPORT  DADDR          DPORT ",
        "00:36:45 1798396  agent            10.0.0.1       5001   10.0.0.2       56114 ",
        ("10.0.0.1:5001", "10.0.0.2:56114", "connect", 2205_000_000_000),
    ),
    "tcpaccept": (
        "PID     COMM         IP RADDR            RPORT LADDR            LPORT",
        "907     sshd         4  10.0.0.2         32324 ::ffff:10.0.0.1  22   ",
        ("10.0.0.1:22", "10.0.0.2:32324", "accept", None),
    ),
    "tcpaccept.bt": (
        "TIME     PID     COMM           RADDR          RPORT LADDR          LPORT BL",
        "00:34:19 3949061 nginx          10.0.0.2       44226 10.0.0.1       8080  0/128",
        ("10.0.0.1:8080", "10.0.0.2:44226", "accept", 2059_000_000_000),
    ),
}


@pytest.mark.parametrize("tool", CALLS)
def test_calls(read, tool):
    heading, row, expected = CALLS[tool]
    reading = read(f"Tracing ... Hit Ctrl-C to end.\n{heading}\n{row}\n\n^C\n".encode())
    (record,) = reading.records
    assert (record.local, record.remote, record.name, record.time) == expected
    assert (record.number, reading.trace.format, reading.trace.source) == (3, "bpf table", "socket-calls")
    assert reading.skipped == {"not a row of a table (the first is line 1)": 2}


def test_a_connection_that_took_so_long_was_made(read):
    text = "PID    COMM   IP SADDR     DADDR     DPORT LAT(ms)\n1201   wget   4  10.0.0.1  10.0.0.2  80    188.98\n"
    assert [record.name for record in read(text.encode()).records] == ["connect", "connected"]


def test_tcptracer(read):
    text = """\
T  PID    COMM             IP SADDR            DADDR            SPORT  DPORT
C  28943  telnet           4  10.0.0.1         10.0.0.2         59306  23
A  28818  nc               4  10.0.0.1         10.0.0.2         59306  23
X  28943  telnet           4  10.0.0.1         10.0.0.2         59306  23
U  28943  telnet           4  10.0.0.1         10.0.0.2         59306  23
"""
    reading = read(text.encode())
    assert [record.name for record in reading.records] == ["connect", "connected", "accept", "close"]
    assert reading.records[-1].endpoint == reading.records[-2].endpoint
    assert reading.skipped == {"not a row of a table (the first is line 5)": 1}


STATES = {
    "tcpretrans": (
        "TIME     PID    IP LADDR:LPORT          T> RADDR:RPORT          STATE",
        "01:55:05 0      4  10.0.0.1:22          R> 10.0.0.2:34619       ESTABLISHED",
    ),
    "tcpretrans.bt": (
        "TIME     PID      LADDR:LPORT           RADDR:RPORT           STATE ",
        "01:55:05 0        10.0.0.1:22           10.0.0.2:34619        ESTABLISHED",
    ),
    "tcpdrop": (
        "TIME     PID    IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS)",
        "01:55:05 0      4  10.0.0.2:34619       > 10.0.0.1:22          ESTABLISHED (ACK)\n\ttcp_drop+0x1",
    ),
    "tcpdrop.bt": (
        "TIME     PID      COMM             SADDR:SPORT           DADDR:DPORT           STATE   ",
        "01:55:05 12       Web Content      10.0.0.1:22           10.0.0.2:34619        ESTABLISHED",
    ),
}


@pytest.mark.parametrize("tool", STATES)
def test_states(read, tool):
    (record,) = read("\n".join(STATES[tool]).encode()).records
    assert (record.local, record.remote, record.old, record.new) == ("10.0.0.1:22", "10.0.0.2:34619", "", "ESTABLISHED")
    assert (record.source, record.time) == ("linux-sockets", 6905_000_000_000)


WORDS = [
    "PID",
    "COMM",
    "IP",
    "SADDR",
    "DADDR",
    "DPORT",
    "STATE",
    "T",
    "C",
    "X",
    "1",
    "10.0.0.1",
    "::1",
    "\n",
    "T>",
    "x",
]


@given(st.sampled_from(sorted({**CALLS, **STATES})), st.lists(st.sampled_from(WORDS)), st.integers(1, 9))
def test_any_rows(read, tool, words, piece):
    heading = {**CALLS, **STATES}[tool][0]
    data = f"{heading}\n{' '.join(words)}\n".encode()
    whole, cut = read(data), read(data, piece)
    assert (whole.records, whole.skipped) == (cut.records, cut.skipped)
    assert all(record.protocol == "tcp" for record in whole.records if isinstance(record, Event))
