"""What ``convert`` writes of any format has the verdicts and the findings of what it was written of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.checking.run import check
from tcpmodel.cli.main import main
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Spec

SAMPLES = (
    "lab/rst-abort-client.client.pcap",
    "lab/udp-echo.client.pcap",
    "lab/udp-unreach.client.pcap",
    "hazards/normal-client-close.h08-capture-loss-every-5th.pcap",
    "real/cooked-any.pcap",
    "tcpdump/tcp-handshake-nano-tttt.out",
    "printed/m21-bad-tcp-checksum.tcpdump-v.txt",
    "printed/m13-mss-option-in-data.tshark-fields.txt",
    "tshark/mixed.pcap",
    "tshark/normal-client-close.list.txt",
    "packetdrill/kernel-wrong.pkt",
    "logs/lab/half-close/ftrace.txt",
    "logs/lab/half-close/tcpstates.txt",
    "logs/lab/half-close/conntrack_rtc.log",
    "logs/lab/half-close/ss_rtc.log",
    "logs/lab/half-close/strace_client.log",
    "logs/lab/normal-client-close/tcplife.txt",
    "logs/snapshots/osx-10.14.6-netstat-An.out",
    "logs/stacks/freertos.txt",
    "logs/stacks/gvisor.txt",
    "logs/stacks/lwip.txt",
    "logs/stacks/smoltcp-client.txt",
    "logs/zeek/planted.log",
    "own/host-wrong.jsonl",
)


def told(item: Diagnostic) -> tuple[object, ...]:
    """A finding, without the numbers of frames and lines, which are those of another file."""
    words = re.sub(r"\b(line|packet|frame)s? \d+", "place", item.message)
    return (item.code, item.severity, item.endpoint, item.states, words, item.time)


def verdicts(path: Path, specs: list[Spec]) -> list[tuple[object, ...]]:
    report = check([str(path)], specs)
    assert not any(one.error for one in report.inputs)
    found: list[tuple[object, ...]] = []
    for one in report.connections:
        found.append((one.protocol, one.a, one.b, one.verdict, one.reasons, one.a_states, one.b_states, one.packets))
        found += sorted(map(told, one.diagnostics), key=str)
    return [*found, *(told(item) for one in report.inputs for item in one.notes)]


@pytest.fixture(scope="module")
def every(specs: list[Spec]) -> list[Spec]:
    return [*specs, load_spec("conntrack"), load_spec("zeek"), load_spec("sockets")]


@pytest.mark.parametrize("name", SAMPLES)
def test_round_trip(name: str, every: list[Spec], root: Path, tmp_path: Path) -> None:
    path = root / "traces" / name
    copy = tmp_path / "copy.jsonl"
    assert main(["convert", str(path), "-q", "-o", str(copy)]) == 0
    expected = verdicts(path, every)
    assert expected
    assert verdicts(copy, every) == expected
