"""Whatever a capture does to the packets of real connections, nobody is accused of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from simulate import spoil

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import VIOLATES
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet

TRACES = Path(__file__).resolve().parents[2] / "traces"
FILES = [
    path.relative_to(TRACES).as_posix()
    for folder in ("lab", "zeek", "tcpdump", "packetdrill")
    for path in sorted((TRACES / folder).glob("*.pcap"))
]
MOST = 100
"""Packets of a file; the longest connections say the same for long."""


@pytest.mark.parametrize("name", FILES)
def test_a_bad_capture_is_nobodys_fault(judge: Callable[..., Checker], name: str) -> None:
    whole = [record for record in open_trace(str(TRACES / name)).records() if isinstance(record, Packet)]
    for seed in range(12):
        rng = Random(f"{name}/{seed}")
        start = rng.choice((0, max(0, len(whole) - MOST)))
        packets, faults = spoil(rng, whole[start : start + MOST], rng.choice((1, 1, 2, 3)))
        accused = [
            (item.code, item.endpoint, item.place, item.observed)
            for connection in judge(packets).report.connections
            for item in connection.diagnostics
            if item.severity == "violation" and connection.verdict == VIOLATES
        ]
        assert not accused, f"seed {seed} {faults}: {accused}"
