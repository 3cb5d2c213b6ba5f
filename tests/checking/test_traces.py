"""The traces that come with the project: the verdict on each, and what the kernels that made them say of the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import StateRecord

TRACES = Path(__file__).resolve().parents[2] / "traces"
Judge = Callable[..., Checker]

# Verdicts in the order of the report; for a violation, the code and the packet.
VERDICTS: dict[str, list[str] | tuple[str, int]] = {
    "hazards/normal-client-close.h01-midstream-first4-cut.pcap": [INCONCLUSIVE],
    "hazards/normal-client-close.h05-each-packet-twice.pcap": [CONFORMS],
    "hazards/normal-client-close.h08-capture-loss-every-5th.pcap": [INCONCLUSIVE],
    "hazards/normal-client-close.h11-tx-checksum-offload.pcap": [CONFORMS],
    "hazards/normal-client-close.h13-ethernet-padding.pcap": [CONFORMS],
    "lab/half-close.client.pcap": [CONFORMS],
    "lab/loss-retransmit.client.pcap": [CONFORMS],
    "lab/normal-client-close.client.pcap": [CONFORMS],
    "lab/normal-client-close.server.pcap": [CONFORMS],
    "lab/refused.client.pcap": [CONFORMS],
    "lab/rst-abort-client.client.pcap": [CONFORMS],
    "lab/dns.client.pcap": [CONFORMS] * 7,
    "lab/icmp-tcp.client.pcap": [INCONCLUSIVE, INCONCLUSIVE, CONFORMS],
    "lab/udp-echo.client.pcap": [CONFORMS],
    "lab/udp-fragments.client.pcap": [CONFORMS],
    "lab/udp-unreach.client.pcap": [CONFORMS],
    "logs/bcc/tcpstates_example.txt": [CONFORMS],
    "logs/lab/half-close/ftrace.txt": [CONFORMS, CONFORMS],
    "logs/lab/half-close/tcpstates.txt": [CONFORMS, CONFORMS],
    "logs/lab/half-close/tcpdump_text_client.txt": [INCONCLUSIVE],
    "logs/lab/half-close/tcpdump_text_server.txt": [INCONCLUSIVE],
    "logs/lab/loss-retransmit/ftrace.txt": [CONFORMS, CONFORMS],
    "logs/lab/loss-retransmit/tcpstates.txt": [CONFORMS, CONFORMS],
    "logs/lab/loss-retransmit/tcpdump_text_client.txt": [INCONCLUSIVE],
    "logs/lab/loss-retransmit/tcpdump_text_server.txt": [CONFORMS],
    "logs/lab/normal-client-close/ftrace.txt": [CONFORMS, CONFORMS],
    "logs/lab/normal-client-close/tcpstates.txt": [CONFORMS, CONFORMS],
    "logs/lab/normal-client-close/tcpdump_text_client.txt": [CONFORMS],
    "logs/lab/normal-client-close/tcpdump_text_server.txt": [CONFORMS],
    "logs/lab/refused/ftrace.txt": [CONFORMS],
    "logs/lab/refused/tcpstates.txt": [CONFORMS],
    "logs/lab/refused/tcpdump_text_client.txt": [CONFORMS],
    "logs/lab/refused/tcpdump_text_server.txt": [CONFORMS],
    "logs/lab/rst-abort-client/ftrace.txt": [CONFORMS, CONFORMS],
    "logs/lab/rst-abort-client/tcpstates.txt": [CONFORMS, CONFORMS],
    "logs/lab/rst-abort-client/tcpdump_text_client.txt": [CONFORMS],
    "logs/lab/rst-abort-client/tcpdump_text_server.txt": [CONFORMS],
    "logs/lab/half-close/netstat_rtc.log": [CONFORMS],
    "logs/lab/half-close/netstat_rts.log": [CONFORMS, CONFORMS],
    "logs/lab/half-close/ss_rtc.log": [CONFORMS],
    "logs/lab/half-close/ss_rts.log": [CONFORMS, CONFORMS],
    "logs/lab/normal-client-close/netstat_rtc.log": [CONFORMS],
    "logs/lab/normal-client-close/netstat_rts.log": [CONFORMS],
    "logs/lab/normal-client-close/ss_rtc.log": [CONFORMS],
    "logs/lab/normal-client-close/ss_rts.log": [CONFORMS],
    "logs/lab/normal-client-close/tcplife.txt": [INCONCLUSIVE],
    "logs/lab/rst-abort-client/netstat_rts.log": [CONFORMS],
    "logs/lab/rst-abort-client/ss_rtc.log": [CONFORMS],
    "logs/lab/rst-abort-client/ss_rts.log": [CONFORMS, CONFORMS],
    "packetdrill/tcp_close_close-local-close-then-remote-fin.ftrace.txt": [CONFORMS],
    "packetdrill/tcp_close_close-local-close-then-remote-fin.pcap": [CONFORMS],
    "packetdrill/tcp_shutdown_shutdown-wr-close.ftrace.txt": [CONFORMS, CONFORMS],
    "packetdrill/tcp_shutdown_shutdown-wr-close.pcap": [CONFORMS],
    "packetdrill/server-close.pkt": [CONFORMS],
    "planted/m03-ack-of-unsent-data.pcap": ("TCP-ACK-001", 5),
    "planted/m04-data-after-fin.pcap": ("TCP-FIN-001", 9),
    "planted/m08-data-into-zero-window.pcap": ("TCP-SEQ-001", 6),
    "planted/m13-mss-option-in-data.pcap": ("TCP-OPT-001", 4),
    "planted/m21-bad-tcp-checksum.pcap": ("TCP-HDR-002", 4),
    "planted/m27-close-without-ack-of-fin.pcap": [INCONCLUSIVE],
    "tcpdump/print-flags.pcap": [CONFORMS],
    "tcpdump/print-x.out": [CONFORMS],
    "tcpdump/tcp-handshake-nano-t.out": [INCONCLUSIVE],
    "tcpdump/tcp-handshake-nano-tt.out": [INCONCLUSIVE],
    "tcpdump/tcp-handshake-nano-ttt.out": [INCONCLUSIVE],
    "tcpdump/tcp-handshake-nano-tttt.out": [INCONCLUSIVE],
    "tcpdump/tcp-handshake-nano-ttttt.out": [INCONCLUSIVE],
    "tcpdump/tcp-handshake-nano.out": [INCONCLUSIVE],
    "tcpdump/tcp-handshake-nano.pcap": [INCONCLUSIVE],
    "zeek/ftp-ipv6.pcap": [CONFORMS] * 6,
    "zeek/http-get.pcap": [CONFORMS],
    "zeek/tcp-missing-syn.pcap": [INCONCLUSIVE],
    "zeek/tcp-syn-then-rst.pcap": [CONFORMS],
}


ELSEWHERE = (
    "README.md",
    "EXPECTED.tsv",
    "logs/snapshots/",
    "logs/stacks/",
    "logs/pattern/",
    "logs/zeek/",
    "/strace_",
    "-wrong.pkt",
    "/conntrack_",
    "rst-abort-client/netstat_rtc.log",
)
"""What is no trace, or is judged in a test of its own: listings, stacks, calls, trackers, a log without sockets."""


def test_every_trace_has_its_verdict() -> None:
    """A trace that is added needs a line above."""
    folders = {name.split("/")[0] for name in VERDICTS}
    files = [path for folder in folders for path in (TRACES / folder).rglob("*") if path.is_file()]
    found = {path.relative_to(TRACES).as_posix() for path in files}
    assert {name for name in found if not any(part in name for part in ELSEWHERE)} == set(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(judge: Judge, name: str) -> None:
    report = judge(TRACES / name).report
    assert not report.inputs[0].error
    expected = VERDICTS[name]
    violations = [
        (item.code, item.place)
        for connection in report.connections
        for item in connection.diagnostics
        if item.severity == "violation"
    ]
    if isinstance(expected, tuple):
        assert violations == [expected]
        assert [connection.verdict for connection in report.connections] == [VIOLATES]
    else:
        assert violations == []
        assert [connection.verdict for connection in report.connections] == expected
    for connection in report.connections:
        assert bool(connection.reasons) == (connection.verdict == INCONCLUSIVE)


def test_what_was_planted_is_told_in_full(judge: Judge) -> None:
    (connection,) = judge(TRACES / "planted/m03-ack-of-unsent-data.pcap").report.connections
    (finding,) = (one for one in connection.diagnostics if one.severity == "violation")
    assert finding.endpoint == "10.77.2.2:17001"
    assert not finding.in_lines
    assert finding.cites and finding.allowed and finding.states
    assert "CTL=ACK" in finding.observed


# ------------------------------------------------------------------------------------------------ what the kernel says

SCENARIOS = ["half-close", "loss-retransmit", "normal-client-close", "refused", "rst-abort-client"]
SEEN = [
    (scenario, path.relative_to(TRACES).as_posix())
    for scenario in SCENARIOS
    for path in sorted(
        [*TRACES.glob(f"lab/{scenario}.*.pcap"), *TRACES.glob(f"logs/lab/{scenario}/tcpdump_text_*.txt")]
    )
]


def last_states(log: Path) -> dict[str, set[str]]:
    """Where each socket with a peer is after its last record, as the log of a Linux kernel is to be read.

    The kernel never prints TIME-WAIT: CLOSE after FIN-WAIT-2 may be TIME-WAIT, or an orphan still in FIN-WAIT-2, and
    after CLOSING it may be TIME-WAIT.
    """
    found: dict[str, set[str]] = {}
    for record in open_trace(str(log)).records():
        assert isinstance(record, StateRecord)
        if record.local.endswith(":0") or record.remote.endswith(":0"):
            continue
        old, new = record.old.removeprefix("TCP_"), record.new.removeprefix("TCP_")
        assert new in ("CLOSE", "LISTEN") or "_" in new or new in ("ESTABLISHED", "CLOSING"), new
        if new == "CLOSE":
            hidden = {"FIN_WAIT2": {"TIME-WAIT", "FIN-WAIT-2"}, "CLOSING": {"TIME-WAIT"}}.get(old, set())
            found[record.local] = {"CLOSED", *hidden}
        else:
            found[record.local] = {new.replace("_", "-")}
    return found


@pytest.mark.parametrize(("scenario", "name"), SEEN, ids=[name for _, name in SEEN])
def test_the_ends_are_where_the_kernel_says(judge: Judge, scenario: str, name: str) -> None:
    kernel = last_states(TRACES / "logs" / "lab" / scenario / "ftrace.txt")
    assert kernel
    (connection,) = judge(TRACES / name).report.connections
    compared = 0
    for address, states in ((connection.a, connection.a_states), (connection.b, connection.b_states)):
        if address in kernel:
            compared += 1
            assert set(states) & kernel[address], f"{address}: {states}, the kernel says {kernel[address]}"
    assert compared, (connection.a, connection.b, kernel)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_two_tools_on_one_log_agree(judge: Judge, scenario: str) -> None:
    reports = [judge(TRACES / "logs" / "lab" / scenario / name).report for name in ("ftrace.txt", "tcpstates.txt")]
    views = [
        [(c.a, c.b, c.verdict, c.a_states, c.b_states, c.packets) for c in report.connections] for report in reports
    ]
    assert views[0] == views[1]


def test_one_connection_seen_from_both_sides(judge: Judge) -> None:
    views = [judge(TRACES / "lab" / f"normal-client-close.{side}.pcap").report for side in ("client", "server")]
    assert len({(c.verdict, c.a_states, c.b_states) for view in views for c in view.connections}) == 1
