"""What the Linux kernel did, recorded in namespaces of its own: nobody is accused, the states are those of the kernel.

Each capture is cut to the headers. The truth is what the two programs and the kernel are known to have done.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS, VIOLATES, ConnectionReport

Judge = Callable[..., Checker]
Look = Callable[[str], list[ConnectionReport]]
Ends = tuple[str, str]

TRACES = Path(__file__).resolve().parents[2] / "traces" / "real"

ACTIVE: Ends = ("TIME-WAIT", "CLOSED")
PASSIVE: Ends = ("CLOSED", "TIME-WAIT")
BOTH: Ends = ("TIME-WAIT", "TIME-WAIT")
GONE: Ends = ("CLOSED", "CLOSED")

STATES: dict[str, list[Ends]] = {
    "close-client": [ACTIVE] * 2,
    "close-server": [PASSIVE] * 2,
    "three-segment": [ACTIVE] * 5,
    "simclose": [BOTH] * 4,
    "simopen": [ACTIVE, GONE, GONE, GONE],
    "simabort": [GONE] * 4,
    "halfclose": [ACTIVE],
    "refused": [GONE] * 2,
    "linger-rst": [GONE] * 6,
    "unread-rst": [GONE] * 3,
    "data-after-peer-close": [GONE] * 3,
    "data-crossing-close": [GONE] * 3,
    "zerowin": [ACTIVE],
    "zerowin-kill": [GONE],
    "syncookies": [GONE] * 2,
    "syn-lost": [ACTIVE] * 5,
    "urgent": [GONE],
    "listener-closed": [GONE] * 3,
    "server-fin-first": [GONE],
    "portreuse": [PASSIVE, PASSIVE, GONE, GONE, PASSIVE, PASSIVE],
    "reuse-tw": [ACTIVE] * 16,
    "orphan-data": [ACTIVE],
}
"""Both ends of each connection when the capture ends."""

OUTSIDE = "odd-segments"
"""Segments made by hand at 10.8.0.9 against a Linux server: scans, blind resets, wrong numbers, wrong flags."""

RECORDED = sorted(path.stem for path in TRACES.glob("*.pcap"))


_known: dict[str, list[ConnectionReport]] = {}


@pytest.fixture
def connections(judge: Judge) -> Look:
    """The connections of a capture, which is checked once."""

    def look(name: str) -> list[ConnectionReport]:
        if name not in _known:
            _known[name] = judge(TRACES / f"{name}.pcap").report.connections
        return _known[name]

    return look


def test_every_expectation_has_its_capture() -> None:
    assert set(STATES) | {OUTSIDE} <= set(RECORDED)


@pytest.mark.parametrize("name", [name for name in RECORDED if name != OUTSIDE])
def test_a_real_stack_is_never_accused(connections: Look, name: str) -> None:
    found = connections(name)
    assert found
    accused = [(c.id, d.code, d.place, d.observed) for c in found for d in c.diagnostics if c.verdict == VIOLATES]
    assert accused == []


@pytest.mark.parametrize("name", STATES)
def test_the_states_of_the_kernel_are_among_those_reported(connections: Look, name: str) -> None:
    found = connections(name)
    assert [c.verdict for c in found] == [CONFORMS] * len(STATES[name])
    for connection, (a, b) in zip(found, STATES[name], strict=True):
        assert a in connection.a_states, connection.id
        assert b in connection.b_states, connection.id


def test_text_on_a_syn_with_a_cookie_is_part_of_the_connection(connections: Look) -> None:
    assert [c.verdict for c in connections("tfo")] == [CONFORMS] * 3


def test_only_the_maker_of_odd_segments_is_accused(connections: Look) -> None:
    found = connections(OUTSIDE)
    accused = {d.endpoint.rpartition(":")[0] for c in found for d in c.diagnostics if d.severity == "violation"}
    assert accused == {"10.8.0.9"}
