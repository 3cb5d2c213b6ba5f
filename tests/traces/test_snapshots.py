"""Listings of sockets: rows of several tools and systems, and what is missing from one listing to the next."""

from __future__ import annotations

import csv
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.traces.logs import snapshots

ROWS = {
    "ss": ("ESTAB 0 0 10.0.0.1:40 10.0.0.2:80", "linux-sockets tcp 10.0.0.1:40 10.0.0.2:80 ESTAB"),
    "ss, kinds": (
        "tcp   TIME-WAIT 0      0      10.0.0.1:40   10.0.0.2:80   timer:(timewait,59sec,0)",
        "linux-sockets tcp 10.0.0.1:40 10.0.0.2:80 TIME-WAIT",
    ),
    "ss, listener": ("LISTEN 0 128 *:22 *:* users:((sshd))", "linux-sockets tcp *:22 0:0 LISTEN"),
    "ss, interface": ("udp UNCONN 0 0 10.0.0.1%eth0:68 0.0.0.0:*", "linux-sockets udp 10.0.0.1:68 0.0.0.0:0 UNCONN"),
    "ss, only UDP": ("UNCONN 0 0 127.0.0.1:53 0.0.0.0:*", "linux-sockets udp 127.0.0.1:53 0.0.0.0:0 UNCONN"),
    "ss, IPv6": (
        "ESTAB 0 0 [2001:db8::1]:40 [2001:db8::2]:80",
        "linux-sockets tcp [2001:db8::1]:40 [2001:db8::2]:80 ESTAB",
    ),
    "ss, IPv4 in IPv6": (
        "ESTAB 0 0 [::ffff:10.0.0.1]:40 [::ffff:10.0.0.2]:80",
        "linux-sockets tcp 10.0.0.1:40 10.0.0.2:80 ESTAB",
    ),
    "netstat": (
        "tcp        0      0 10.0.0.1:40 10.0.0.2:80 FIN_WAIT2   off (0.00/0/0)",
        "linux-sockets tcp 10.0.0.1:40 10.0.0.2:80 FIN_WAIT2",
    ),
    "netstat, program": ("tcp6 0 0 :::22 :::* LISTEN 812/sshd", "linux-sockets tcp [::]:22 [::]:0 LISTEN"),
    "netstat, UDP": ("udp 0 0 0.0.0.0:68 0.0.0.0:* 812/DHCP", "linux-sockets udp 0.0.0.0:68 0.0.0.0:0 no-peer"),
    "netstat, UDP with a peer": (
        "udp 0 0 10.0.0.1:68 10.0.0.2:67 ESTABLISHED",
        "linux-sockets udp 10.0.0.1:68 10.0.0.2:67 ESTABLISHED",
    ),
    "macOS": ("tcp4 0 0 10.0.0.1.40 10.0.0.2.80 CLOSE_WAIT", "bsd-sockets tcp 10.0.0.1:40 10.0.0.2:80 CLOSE_WAIT"),
    "macOS -A": ("7fb03cb94d505aed cedd0cbf tcp4 0 0 10.0.0.1.40 *.* LISTEN", "bsd-sockets tcp 10.0.0.1:40 0:0 LISTEN"),
    "FreeBSD": (
        "tcp6 0 0 2001:db8::1.22 2001:db8::2.51234 ESTABLISHED",
        "bsd-sockets tcp [2001:db8::1]:22 [2001:db8::2]:51234 ESTABLISHED",
    ),
    "FreeBSD, UDP": ("udp4 0 0 *.* *.*", "bsd-sockets udp *:* 0:0 no-port"),
    "Windows": (
        "  TCP    10.0.0.1:40  10.0.0.2:80  LAST_ACK  4711",
        "windows-sockets tcp 10.0.0.1:40 10.0.0.2:80 LAST_ACK",
    ),
    "Windows, UDP": ("  UDP    [::1]:500   *:*   4711", "windows-sockets udp [::1]:500 0:0 no-peer"),
    "PowerShell, CSV": (
        '"10.0.0.1","40","10.0.0.2","80","CloseWait"',
        "windows-sockets tcp 10.0.0.1:40 10.0.0.2:80 CloseWait",
    ),
    "lsof": (
        "curl      4711 root    5u  IPv4  18921      0t0  TCP 10.0.0.1:40->10.0.0.2:80 (CLOSE_WAIT)",
        "open-files tcp 10.0.0.1:40 10.0.0.2:80 CLOSE_WAIT",
    ),
    "lsof, listener": (
        "sshd 812 813 root 3u IPv6 0x7fb03cb94d505aed 0t0 TCP [::1]:22 (LISTEN)",
        "open-files tcp [::1]:22 0:0 LISTEN",
    ),
    "lsof, queues": (
        "curl 4711 root 5u IPv4 18921 0t0 TCP 10.0.0.1:40->10.0.0.2:http (ESTABLISHED) (QR=0 QS=0)",
        "open-files tcp 10.0.0.1:40 10.0.0.2:http ESTABLISHED",
    ),
    "sockstat": (
        "root     sshd       812   4  tcp4   10.0.0.1:22   10.0.0.2:51234   ESTABLISHED",
        "open-files tcp 10.0.0.1:22 10.0.0.2:51234 ESTABLISHED",
    ),
    "/proc/net/tcp": (
        "   1: 0100007F:1E63 0100007F:B668 01 00000000:00000000 00:00000000 00000000     0        0 634520 1 "
        "0000000007a53e9d 20 0 0 10 -1                    ",
        "linux-sockets tcp 127.0.0.1:7779 127.0.0.1:46696 ESTAB",
    ),
    "/proc/net/tcp, waiting": (
        "  12: 0100000A:0028 0200000A:0050 06 00000000:00000000 03:00000B3C 00000000     0        0 0 3 00000000",
        "linux-sockets tcp 10.0.0.1:40 10.0.0.2:80 TIME-WAIT",
    ),
    "/proc/net/tcp6": (
        "   0: B80D0120000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 "
        "00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0",
        "linux-sockets tcp [2001:db8::1]:22 [::]:0 LISTEN",
    ),
    "/proc/net/tcp6, IPv4": (
        "   0: 0000000000000000FFFF00000100000A:0028 0000000000000000FFFF00000200000A:0050 08 00000000:00000000 "
        "00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0",
        "linux-sockets tcp 10.0.0.1:40 10.0.0.2:80 CLOSE-WAIT",
    ),
    "/proc/net/udp": (
        " 2391: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 634520 2 "
        "0000000000000000 0        ",
        "linux-sockets udp 0.0.0.0:68 0.0.0.0:0 UNCONN",
    ),
    "Get-NetTCPConnection": (
        "10.0.0.1   40   10.0.0.2   80   CloseWait   Internet",
        "windows-sockets tcp 10.0.0.1:40 10.0.0.2:80 CloseWait",
    ),
}


@pytest.mark.parametrize("kind", ROWS)
def test_rows(read, kind):
    line, expected = ROWS[kind]
    (record,) = read(f"{line}\n".encode()).records
    assert " ".join([record.source, record.protocol, record.local, record.remote, record.new]) == expected
    assert (record.number, record.time, record.old) == (1, None, "")


def test_listings_of_three_systems(read, samples):
    """Addresses, ports and states are those that another parser reads."""
    with (samples / "logs/snapshots/EXPECTED.tsv").open() as file:
        expected = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    for name in sorted({row[0] for row in expected}):
        reading = read((samples / "logs/snapshots" / name).read_bytes())
        rows = [[r.protocol, r.local, r.remote, r.new] for r in reading.records]
        for row in rows:
            if row[3] in ("no-port", "no-peer", "peer"):
                row[3] = ""
        assert sorted(rows) == sorted(row[1:] for row in expected if row[0] == name)
        assert set(reading.skipped) <= {"not TCP or UDP"}, name


def seen(reading):
    return [(record.number, record.local[-2:], record.new) for record in reading.records]


def test_what_a_later_listing_lacks_is_told(read):
    log = (
        b"# 1795247193.5\nESTAB 0 0 1.1.1.1:40 1.1.1.2:80\n"
        b"# 1795247194.25\nESTAB 0 0 1.1.1.1:41 1.1.1.2:80\n"
        b"# 1795247195\n"
    )
    reading = read(log)
    assert seen(reading) == [(2, "40", "ESTAB"), (1, "41", ""), (4, "41", "ESTAB"), (3, "40", ""), (5, "41", "")]
    assert reading.records[-1].time == 1795247195 * 10**9
    assert reading.records[1].time == 17952471935 * 10**8


@pytest.mark.parametrize(
    "between",
    [
        "",
        "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n",
        "Active Internet connections (w/o servers)\n"
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State\n",
        "2026-11-21 07:46:35\n",
        "=== 2026-11-21T07:46:35.5+01:00 ===\nNetid State Recv-Q Send-Q Local Address:Port Peer Address:Port\n",
    ],
)
def test_where_a_listing_begins(read, between):
    log = f"{between}ESTAB 0 0 1.1.1.1:40 1.1.1.2:80\n\t cubic rto:200\nESTAB 0 0 1.1.1.1:41 1.1.1.2:80\n" * 2
    records = read(log.encode()).records
    assert [(record.local[-2:], record.new) for record in records] == [("40", "ESTAB"), ("41", "ESTAB")] * 2
    assert read((between * 2 + "ESTAB 0 0 1.1.1.1:40 1.1.1.2:80\n").encode()).records[-1].new == "ESTAB"


@pytest.mark.parametrize(
    "line",
    [
        "Sat Nov 21 07:46:35 UTC 2026",
        "Sat Nov 21 07:46:35 AM UTC 2026",
        "Sat 21 Nov 2026 07:46:35 AM CET",
        "Sat, 21 Nov 2026 08:46:35 +0100",
        "Every 1.0s: ss -tan                    host: Sat Nov 21 07:46:35 2026",
    ],
)
def test_what_date_and_watch_print_is_the_time_of_a_listing(read, line):
    found = read(f"{line}\nESTAB 0 0 1.1.1.1:40 1.1.1.2:80\n".encode())
    assert [record.time for record in found.records] == [1795247195 * 10**9]
    assert found.skipped == {}


def test_details_do_not_count_and_other_sockets_do(read):
    log = (
        b"Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port\nu_str ESTAB 0 0 * 29901 * 29903\n"
        b"ESTAB 0 0 1.1.1.1:40 1.1.1.2:80\n\t cubic\nprose\n"
    )
    assert read(log).skipped == {"not TCP or UDP": 1, "not a row of a listing": 1}


def test_sockets_on_equal_addresses_are_told_apart(read):
    log = (
        b"# 1795247193\n"
        b"udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*\n"
        b"udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*\n"
        b"tcp ESTAB 0 0 1.1.1.1:4 1.1.1.2:8 uid:0 ino:7 sk:4a <->\n"
    )
    names = [record.endpoint for record in read(log).records]
    assert names == ["0.0.0.0:53 > 0.0.0.0:0 udp", "0.0.0.0:53 > 0.0.0.0:0 udp (2)", "socket 4a"]


def test_very_many_sockets_on_equal_addresses_take_no_longer_each(read):
    began = time.process_time()
    records = read(b"# 1795247193\n" + b"udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*\n" * 20_000).records
    assert len({record.endpoint for record in records}) == 20_000
    assert time.process_time() - began < 20


def test_a_listing_that_is_too_long_says_nothing_of_what_it_lacks(read, monkeypatch):
    monkeypatch.setattr(snapshots, "MOST_SOCKETS", 2)
    one, two, three = (f"ESTAB 0 0 1.1.1.1:4{each} 1.1.1.2:80\n" for each in (1, 2, 3))
    log = f"# 1795247193\n{one}{two}{three}# 1795247194\n{three}{one}\n# 1795247195\n{one}\n"
    reading = read(log.encode())
    assert seen(reading)[:4] == [(2, "41", "ESTAB"), (3, "42", "ESTAB"), (6, "43", "ESTAB"), (7, "41", "ESTAB")]
    assert seen(reading)[4:] == [(5, "42", ""), (10, "41", "ESTAB"), (9, "43", "")]
    assert reading.skipped == {"sockets beyond the first 2 of one listing": 1}


def test_only_times(read):
    reading = read(b"# 1795247193.1\n# 1795247193.2\n")
    assert (reading.trace.format, reading.records) == ("socket listings", [])
    assert read(b"# 1795247193.1\n# hello\n").trace is None


@given(
    st.lists(
        st.sampled_from(
            [line for line, _ in ROWS.values()]
            + ["# 1795247193.5", "State Recv-Q Send-Q", "", "\x00\xff", "ESTAB 0 0 a:b"]
        )
        | st.text(max_size=60),
        max_size=30,
    ),
    st.integers(1, 50),
)
def test_any_text_in_any_pieces(read, lines, piece):
    data = ("ESTAB 0 0 10.0.0.1:40 10.0.0.2:80\n" * 20 + "\n".join(lines)).encode("utf-8", "surrogateescape")
    whole = read(data)
    assert read(data, piece).records == whole.records
    assert whole.error is None


@pytest.mark.parametrize(
    ("states", "protocol"),
    [
        ("UNCONN ESTAB", "udp"),
        ("ESTAB UNCONN ESTAB", "udp"),
        ("ESTAB ESTAB", "tcp"),
        ("ESTAB LISTEN", "tcp"),
        ("LISTEN UNCONN ESTAB", "tcp"),
    ],
)
@pytest.mark.parametrize("heading", ["", "State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n"])
def test_a_listing_without_a_column_for_the_protocol_is_of_one(read, states, protocol, heading):
    rows = [f"{state} 0 0 10.0.0.1:{at} 10.0.0.2:80\n" for at, state in enumerate(states.split(), 40)]
    records = read((heading + "".join(rows)).encode()).records
    assert [(record.protocol, record.local) for record in records] == [
        (protocol, f"10.0.0.1:{at}") for at in range(40, 40 + len(rows))
    ]


@pytest.mark.parametrize("netid", ["", "Netid "])
def test_a_listing_without_states_is_refused(read, netid):
    heading = f"{netid}Recv-Q Send-Q Local Address:Port  Peer Address:Port Process"
    got = read(f"# 1795247193.5\n{heading}\n0 0 127.0.0.1:7779 127.0.0.1:46696\n".encode())
    assert not got.records
    assert "line 2: this listing of ss has no column State" in str(got.error)


SOLARIS = b"""
TCP: IPv4
   Local Address        Remote Address    Swind Send-Q Rwind Recv-Q    State
-------------------- -------------------- ----- ------ ----- ------ -----------
10.0.0.1.22          10.0.0.2.51234       64128      0 49640      0 ESTABLISHED
      *.111                *.*                0      0 49152      0 LISTEN
"""


def test_solaris(read):
    reading = read(SOLARIS)
    found = [(record.local, record.remote, record.new, record.source) for record in reading.records]
    assert found == [
        ("10.0.0.1:22", "10.0.0.2:51234", "ESTABLISHED", "bsd-sockets"),
        ("*:111", "0:0", "LISTEN", "bsd-sockets"),
    ]
    assert reading.skipped == {}


def test_the_state_may_be_the_last_column(read):
    """``netstat -x`` of FreeBSD."""
    row = b"tcp4       0     44 10.0.0.1.22   10.0.0.2.51234     0  1   0  65700    0.25    0.00 7199.99 ESTABLISHED\n"
    (record,) = read(b"Active Internet connections\n" + row).records
    assert (record.local, record.new) == ("10.0.0.1:22", "ESTABLISHED")


def test_a_list_of_powershell(read):
    """``Get-NetTCPConnection | Format-List``; an end that has no ports is none of TCP."""
    first = "LocalAddress : 10.0.0.1\nLocalPort : 40\nRemoteAddress : 10.0.0.2\nRemotePort : 80\nState : {}\n"
    more = "AppliedSetting : Internet\nOwningProcess : 7\n\n"
    other = "LocalAddress : 10.0.0.1\nLocalPort : 53\nOwningProcess : 9\n\n"
    text = "\n" + first.format("Established") + more + other + first.format("CloseWait")
    reading = read(text.replace(" : ", "                : ").encode())
    assert reading.trace.format == "socket listings"
    assert [(one.number, one.local, one.remote, one.new, one.source) for one in reading.records] == [
        (2, "10.0.0.1:40", "10.0.0.2:80", "Established", "windows-sockets"),
        (14, "10.0.0.1:40", "10.0.0.2:80", "CloseWait", "windows-sockets"),
    ]
