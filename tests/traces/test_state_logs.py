"""State logs: the kernel's tracepoint through several tools, and tables of tcpstates."""

from __future__ import annotations

import time

import pytest

from tcpmodel.traces.records import StateRecord

EVENT = (
    "family=AF_INET protocol=IPPROTO_TCP sport={sport} dport={dport} saddr={saddr} daddr={daddr} "
    "saddrv6=::ffff:{saddr} daddrv6=::ffff:{daddr} oldstate={old} newstate={new}"
)
FTRACE = "  python3-7591    [001] .Ns2.  {time}: inet_sock_set_state: {event}\n"


def event(sport, dport, old, new, saddr="10.0.0.1", daddr="10.0.0.2"):
    return EVENT.format(sport=sport, dport=dport, old="TCP_" + old, new="TCP_" + new, saddr=saddr, daddr=daddr)


def log(*events):
    return "".join(FTRACE.format(time=f"1.{at:06d}", event=text) for at, text in enumerate(events)).encode()


TOOLS = {
    "ftrace": "       python3-7591    [001] .N...  1075.800591: inet_sock_set_state: {}",
    "ftrace with process": "       python3-7591    (   7590) [001] .N...  1075.800591: inet_sock_set_state: {}",
    "trace-cmd report": "         python3-7591  [001]  1075.800591: inet_sock_set_state:  {}",
    "perf script": "python3  7591 [001]  1075.800591: sock:inet_sock_set_state: {}",
    "perf script, idle": "swapper     0 [003]  1075.800591:          1 sock:inet_sock_set_state: {}",
    "perf script, time first": "1075.800591: sock:inet_sock_set_state: {}",
    "ftrace, latency format": " python3-7591     1.Ns2. 1075800591us+: inet_sock_set_state: {}",
    "program with blanks": " Web [1] Content-7591    [001] .N...  1075.800591: inet_sock_set_state: {}",
}


@pytest.mark.parametrize("tool", TOOLS)
def test_tools(read, tool):
    reading = read((TOOLS[tool].format(event(80, 1234, "LISTEN", "SYN_RECV")) + "\n").encode())
    (record,) = reading.records
    assert reading.trace.source == "linux-states"
    assert reading.trace.counts_lines
    assert record == StateRecord(
        1,
        1075800591000,
        "tcp",
        "10.0.0.1:80 > 10.0.0.2:1234",
        "10.0.0.1:80",
        "10.0.0.2:1234",
        "TCP_LISTEN",
        "TCP_SYN_RECV",
    )


def test_perf_trace_prints_numbers(read):
    text = (
        b"     0.000 curl/123 sock:inet_sock_set_state(skaddr: 0xffff9b3a, oldstate: 7, newstate: 2, sport: 0,"
        b" dport: 80, family: 2, protocol: 6, saddr: 0x7ffd, daddr: 0x7ffe)\n"
        b"    12.345 curl/123 sock:inet_sock_set_state:" + event(44, 80, "SYN_SENT", "ESTABLISHED").encode() + b"\n"
    )
    first, second = read(text).records
    assert first[1:8] == (0, "tcp", "0xffff9b3a", "0:0", "0:80", "TCP_CLOSE", "TCP_SYN_SENT")
    assert (second.time, second.local) == (12345000, "10.0.0.1:44")


def test_perf_trace_leaves_out_what_is_zero(read):
    text = (
        b"    15.692 python3/12031 sock:inet_sock_set_state(skaddr: 0xffff888105ac65c0, oldstate: 7, newstate: 2,"
        b" dport: 24813, family: 2, protocol: 6, saddr: 0x7f59c9e6db24, daddr: 0x7f59c9e6db28)\n"
    )
    (record,) = read(text).records
    assert record[1:6] == (15692000, "tcp", "0xffff888105ac65c0", "0:0", "0:24813")


def test_ftrace_without_context_tells_no_time(read):
    reading = read(
        b"# tracer: nop\n#\n"
        + f"inet_sock_set_state: {event(80, 1234, 'LISTEN', 'SYN_RECV')}\n".encode()
        + b"tcp_destroy_sock: family=AF_INET sport=24813 dport=0 saddr=10.0.0.1 daddr=0.0.0.0\n"
    )
    (record,) = reading.records
    assert (record.time, record.local, record.new) == (None, "10.0.0.1:80", "TCP_SYN_RECV")
    assert reading.skipped == {"another tracepoint": 1}


def test_ftrace_with_fields_as_they_are_stored(read):
    (record,) = read(
        b"         python3-12031   [001] ..... 38107.229855: inet_sock_set_state: skaddr=0xffff888105ac65c0"
        b" (-131387249367616) oldstate=0x7 (7) newstate=0x2 (2) sport=0x0 (0) dport=0x60ed (24813) family=0x2 (2)"
        b" protocol=0x6 (6) saddr=0x1014a0a (16861706) daddr=0x2024a0a (33704458) saddr_v6=<INVALID-SIZE>\n"
    ).records
    assert record[2:8] == (
        "tcp",
        "0xffff888105ac65c0",
        "10.74.1.1:0",
        "10.74.2.2:24813",
        "TCP_CLOSE",
        "TCP_SYN_SENT",
    )


def test_a_printed_socket_address_is_the_endpoint(read):
    text = log(
        "skaddr=0xffff8881 " + event(0, 80, "CLOSE", "SYN_SENT"),
        "skaddr=0xffff8881 " + event(5, 80, "SYN_SENT", "CLOSE"),
    )
    assert [record.endpoint for record in read(text).records] == ["0xffff8881"] * 2


def test_a_connecting_socket_is_joined_with_its_port(read):
    records = read(
        log(
            event(0, 80, "CLOSE", "SYN_SENT"),
            event(0, 80, "CLOSE", "SYN_SENT"),
            event(0, 81, "CLOSE", "SYN_SENT"),
            event(1001, 80, "SYN_SENT", "ESTABLISHED"),
            event(1003, 81, "SYN_SENT", "CLOSE"),
            event(1001, 80, "ESTABLISHED", "CLOSE_WAIT"),
            event(1002, 80, "SYN_SENT", "CLOSE"),
        )
    ).records
    assert records[0].local == "10.0.0.1:0"
    names = [record.endpoint for record in records]
    assert names[0] == names[3] == names[5]
    assert names[1] == names[6]
    assert names[2] == names[4]
    assert len(set(names)) == 3


def test_sockets_on_equal_addresses_are_told_apart(read):
    """Two listeners share a port; a connection's addresses are used again after it was closed; a line is missing."""
    records = read(
        log(
            event(80, 0, "CLOSE", "LISTEN", daddr="0.0.0.0"),
            event(80, 0, "CLOSE", "LISTEN", daddr="0.0.0.0"),
            event(80, 0, "LISTEN", "CLOSE", daddr="0.0.0.0"),
            event(80, 0, "LISTEN", "CLOSE", daddr="0.0.0.0"),
            event(80, 9, "LISTEN", "SYN_RECV"),
            event(80, 9, "CLOSE_WAIT", "LAST_ACK"),
            event(80, 9, "LISTEN", "SYN_RECV"),
        )
    ).records
    names = [record.endpoint for record in records]
    assert names[0] == names[2] != names[1] == names[3]
    assert names[4] == names[5] != names[6]


def test_other_lines_are_counted_by_reason(read):
    other = (
        FTRACE.replace("inet_sock_set_state", "tcp_destroy_sock").format(time="1.0", event="family=AF_INET").encode()
    )
    text = (
        b"# tracer: nop\n#\n"
        + other
        + log(event(80, 0, "CLOSE", "LISTEN"))
        + log(event(80, 0, "CLOSE", "LISTEN").replace("IPPROTO_TCP", "IPPROTO_SCTP"))
        + b"CPU:1 [LOST 17 EVENTS]\nrubbish\n"
        + log("family=AF_INET protocol=IPPROTO_TCP sport=x")
    )
    reading = read(text)
    assert [record.number for record in reading.records] == [4]
    assert reading.skipped == {
        "another tracepoint": 1,
        "not TCP": 1,
        "events lost by the kernel before this log was written": 1,
        "unreadable line (the first is line 7)": 2,
    }


def test_ipv6_and_mapped_addresses(read):
    six = (
        "family=AF_INET6 protocol=IPPROTO_TCP sport=80 dport=9 saddr=0.0.0.0 daddr=0.0.0.0 saddrv6={0} daddrv6={1} "
        "oldstate=TCP_LISTEN newstate=TCP_SYN_RECV"
    )
    records = read(log(six.format("2001:db8::1", "fe80::2"), six.format("::ffff:10.0.0.1", "::ffff:10.0.0.2"))).records
    assert [(record.local, record.remote) for record in records] == [
        ("[2001:db8::1]:80", "[fe80::2]:9"),
        ("10.0.0.1:80", "10.0.0.2:9"),
    ]


def test_a_clock_that_only_counts_gives_no_time(read):
    text = FTRACE.format(time="1075800591", event=event(80, 0, "CLOSE", "LISTEN")).encode()
    assert [record.time for record in read(b"# tracer: nop\n" + text).records] == [None]


SCENARIOS = ["half-close", "loss-retransmit", "normal-client-close", "refused", "rst-abort-client"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_ftrace_and_tcpstates_tell_the_same(read, samples, scenario):
    """Without the kernel's address of a socket the records must fall into the same sockets as with it."""
    folder = samples / "logs/lab" / scenario
    kernel = read((folder / "ftrace.txt").read_bytes())
    table = read((folder / "tcpstates.txt").read_bytes())
    assert table.skipped == {}
    # Each processor hands its records to tcpstates by itself, so only the order on equal addresses is the same.
    ours = sorted(kernel.records, key=lambda record: (record.local, record.remote))
    theirs = sorted(table.records, key=lambda record: (record.local, record.remote))
    assert [(r.local, r.remote, r.old.removeprefix("TCP_"), r.new.removeprefix("TCP_")) for r in ours] == [
        (r.local, r.remote, r.old, r.new) for r in theirs
    ]
    pairs = {(a.endpoint, b.endpoint) for a, b in zip(ours, theirs, strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_prose_around_a_table(read, samples):
    reading = read((samples / "logs/bcc/tcpstates_example.txt").read_bytes())
    assert reading.error is None
    assert [(record.number, record.old, record.new) for record in reading.records] == [
        (9, "CLOSE", "SYN_SENT"),
        (10, "SYN_SENT", "ESTABLISHED"),
        (11, "ESTABLISHED", "FIN_WAIT1"),
        (12, "FIN_WAIT1", "FIN_WAIT2"),
        (13, "FIN_WAIT2", "CLOSE"),
    ]
    assert {record.endpoint for record in reading.records} == {"ffff9fd7e8192000"}
    assert reading.records[1].local == "100.66.100.185:63446"
    assert {record.time for record in reading.records} == {None}


ROWS = {
    "ffff88 12 curl 10.0.0.1 0 10.0.0.2 80 CLOSE -> SYN_SENT 0.000": None,
    "ffff88 12 Web Content -> x 10.0.0.1 0 10.0.0.2 80 CLOSE -> SYN_SENT 0.000": "bad",
    "ffff88 12 Web Content 4 10.0.0.1 0 10.0.0.2 80 CLOSE       -> SYN_SENT 0.000": None,
    "10:00:01 ffff88 12 curl 4 10.0.0.1 0 10.0.0.2 80 CLOSE -> SYN_SENT 0.000": 36001 * 10**9,
    "10:00:01 1.500000 ffff88 12 curl 10.0.0.1 0 10.0.0.2 80 CLOSE -> SYN_SENT 0.000": 1_500_000_000,
    "1.5 ffff88 12 curl 10.0.0.1 0 10.0.0.2 80 CLOSE -> SYN_SENT": 1_500_000_000,
    "ffff88,12,curl,4,10.0.0.1,0,10.0.0.2,80,CLOSE,SYN_SENT,0.000": None,
    "10:00:01,2.000000,ffff88,12,a,b,4,10.0.0.1,0,10.0.0.2,80,CLOSE,SYN_SENT,0.000": 2 * 10**9,
    "ffff88 12 curl 10.0.0.1 0 nowhere 80 CLOSE -> SYN_SENT 0.000": "bad",
    "ffff88 12 curl 10.0.0.1 0 10.0.0.2 port CLOSE -> SYN_SENT 0.000": "bad",
    "zzz 12 curl 10.0.0.1 0 10.0.0.2 80 CLOSE -> SYN_SENT 0.000": "bad",
}


@pytest.mark.parametrize("row", ROWS)
def test_rows(read, row):
    heading = "SKADDR           C-PID C-COMM     LADDR   LPORT RADDR   RPORT OLDSTATE    -> NEWSTATE    MS\n"
    reading = read((heading + row + "\n").encode())
    if ROWS[row] == "bad":
        assert reading.records == []
        assert reading.skipped == {"not a row of a table (the first is line 2)": 1}
    else:
        (record,) = reading.records
        assert record == StateRecord(2, ROWS[row], "tcp", "ffff88", "10.0.0.1:0", "10.0.0.2:80", "CLOSE", "SYN_SENT")
        assert reading.skipped == {}


def test_a_table_may_pass_midnight(read):
    row = "{} ffff88 12 curl 10.0.0.1 0 10.0.0.2 80 CLOSE -> SYN_SENT 0.000\n"
    text = "".join(row.format(time) for time in ("23:59:59", "00:00:01", "23:59:59", "00:00:00"))
    seconds = [record.time // 10**9 for record in read(text.encode()).records]
    assert seconds == [86399, 86401, 86400 + 86399, 2 * 86400]


def test_many_sockets_that_open_at_once_are_not_searched(read):
    """Sockets without a port of their own share one address; 20,000 of them took minutes when each looked at all."""
    began = time.process_time()
    reading = read(log(*[event(0, 80, "CLOSE", "SYN_SENT")] * 20_000))
    assert len({record.endpoint for record in reading.records}) == 20_000
    assert time.process_time() - began < 5


def test_perf_may_tell_of_tasks_first(read, samples):
    """``perf script --show-task-events``."""
    task = b"         swapper     0 [000]     0.000000: PERF_RECORD_FORK(1:1):(0:0)\n"
    change = next(line for line in _ftrace(samples) if "inet_sock_set_state" in line)
    reading = read(task * 2000 + change.encode() + b"\n")
    assert (reading.trace.format, len(reading.records)) == ("ftrace", 1)
    assert reading.skipped == {"another tracepoint": 2000}


def _ftrace(samples):
    return (samples / "logs/lab/normal-client-close/ftrace.txt").read_text().splitlines()
