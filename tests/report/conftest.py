"""Reports made by hand, so that what is shown does not depend on what the checker finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tcpmodel.checking.outcome.findings import Candidate, Compared, ConnectionReport, Diagnostic, InputReport, Report

START = 1_795_247_195_805_680_000  # 2026-11-21 07:46:35.805680 UTC, in nanoseconds
A, B = "10.77.1.2:40246", "10.77.2.2:17001"

SEQ = Compared("SEQ", "1556162281", "1556162282", False, 1)
VIOLATION = Diagnostic(
    "TCP-FIN-001",
    "violation",
    A,
    9,
    False,
    "sends new octets after its own FIN",
    ("RFC9293 §3.10.2", "RFC9293 §3.6"),
    START + 2_799_000,
    "<SEQ=1556162282><ACK=582473731><CTL=ACK><DATA=10>",
    ("FIN-WAIT-1", "FIN-WAIT-2"),
    ("<SEQ=1556162281><ACK=582473731><CTL=FIN,ACK>  [RFC9293 §3.10.8]", "<SEQ=any><CTL=ACK>  [RFC9293 §3.8.6]"),
    "no packets that the capture may have lost, doubled or swapped explain it",
    (("SEG.DATA", "10"), ("FIN.SEQ", "1556162281")),
    (SEQ, Compared("ACK", "582473731", "582473731", True, 0), Compared("CTL", "FIN,ACK", "ACK", False)),
    (
        Candidate(
            "FW1-D1", "FIN-WAIT-1", "on SEND", "message", "", (), "<SEQ=1556162281>", (SEQ,), ("RFC9293 §3.8.1",)
        ),
        Candidate(
            "FIN-WAIT-2.own.1", "FIN-WAIT-2", "at any time", "where", "s < n", (("s", "1..2"),), "<SEQ=1>", (), ()
        ),
        Candidate("FW1-D2", "FIN-WAIT-1", "on SEG", "message", "", (), "<SEQ=1556162281>", (SEQ, SEQ), ()),
        Candidate("FW1-D3", "FIN-WAIT-1", "on SEG", "guard", "FIN.SEQ is unset", (("FIN.SEQ", "7"),), "", (), ()),
    ),
    requirements=("MUST-5",),
)
LOST = Diagnostic("CAP-006", "capture", B, 12, False, f"{B} answers a packet that the capture does not show")
UNUSUAL = Diagnostic("UDP-007", "note", A, 2, False, "source port 0", ("RFC8085 §5.1",), START + 1_000_001)
WARNING = Diagnostic("UDP-005", "warning", A, 3, True, "no checksum over IPv6", ("RFC8200 §8.1",))


def connection(
    verdict: str = "conforms", number: int = 1, *diagnostics: Diagnostic, reasons: tuple[str, ...] = (), input: int = 0
) -> ConnectionReport:
    """A connection between ``A`` and ``B`` with that verdict."""
    ends = (("TIME-WAIT",), ("CLOSED", "LAST-ACK"))
    found = tuple(replace(item) for item in diagnostics)  # so that no test changes the samples of another
    return ConnectionReport(f"tcp-{number}", "tcp", A, B, verdict, reasons, *ends, 10, found, input)


def small() -> Report:
    """One input and three connections, one of each verdict."""
    return Report(
        [InputReport("a.pcap", "pcap", 30, {"ARP": 2, "ICMPv6": 9}, "", START)],
        [
            connection("conforms", 1, UNUSUAL, WARNING),
            connection("violates", 2, VIOLATION, LOST),
            connection("inconclusive", 3, LOST, reasons=("the beginning was not captured", "the end was not captured")),
        ],
    )


def several() -> Report:
    """Four inputs: a capture, a log of states, one that breaks off, one that is nothing."""
    listening = connection("conforms", 2, input=1)
    listening.b, listening.b_states = "0.0.0.0:0", ()
    return Report(
        [
            InputReport("a.pcap", "pcap", 10, {}, "", START),
            InputReport("b.log", "ftrace", 1, {"another tracepoint": 3}, "", 77, "linux-states"),
            InputReport("c.pcap", "pcap", 10, {}, "c.pcap: byte offset 999: the file ends early", START),
            InputReport("-", "", 0, {}, "-: the format is not known"),
        ],
        [connection("conforms", 1), replace(listening, packets=1), connection("violates", 3, VIOLATION, input=2)],
    )


def large(size: int = 1200) -> Report:
    """More connections than anybody would read."""
    report = Report([InputReport("big.pcap", "pcap", 10 * size, {}, "", START)])
    for number in range(1, size + 1):
        if number % 400 == 0:
            one = connection("violates", number, VIOLATION, LOST)
        elif number % 10 == 0:
            other = f"10.0.0.{number % 250}:80"
            lost = replace(LOST, endpoint=other, message=f"{number} numbers before this packet were never captured")
            one = connection("inconclusive", number, lost, reasons=(f"nothing was captured from {other}",))
            one.b = other
        else:
            one = connection("conforms", number)
        report.connections.append(one)
    return report


REPORTS: dict[str, Callable[[], Report]] = {"small": small, "several": several, "large": large, "empty": Report}


@pytest.fixture(params=sorted(REPORTS))
def report(request: pytest.FixtureRequest) -> Report:
    """Each of the reports in turn."""
    return REPORTS[request.param]()


@pytest.fixture(scope="session")
def reports() -> dict[str, Callable[[], Report]]:
    """The reports by name."""
    return REPORTS


@pytest.fixture(scope="session")
def make() -> Callable[..., ConnectionReport]:
    """Makes a connection; see ``connection``."""
    return connection


@pytest.fixture
def violation() -> Diagnostic:
    """A violation with all its details."""
    return replace(VIOLATION)
