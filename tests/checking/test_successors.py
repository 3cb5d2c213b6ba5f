"""Views of several connections that follow each other between the same two addresses and ports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tcpmodel.checking.outcome.findings import CONFORMS, VIOLATES, Report
from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Spec
from tcpmodel.traces.captures.frames import Frame, pcap_of, read_frames

LOGS = "traces/logs/lab/half-close"
CLIENT = bytes((10, 77, 1, 2))
LATER = 100
"""Seconds from one connection to the next."""


@pytest.fixture(scope="module")
def every(specs: list[Spec]) -> list[Spec]:
    return [*specs, load_spec("conntrack")]


def moved(frame: Frame, life: int) -> Frame:
    """A frame of a later life: other numbers, another time, a checksum that fits."""
    data = bytearray(frame.data)
    if data[12:14] == b"\x08\x00" and data[23] == 6:
        numbers = [life * 77_777_777, life * 99_999_999]
        if data[26:30] != CLIENT:
            numbers.reverse()
        for at, number in ((38, numbers[0]), (42, numbers[1])):
            if at == 38 or data[47] & 16:
                data[at : at + 4] = ((int.from_bytes(data[at : at + 4], "big") + number) % 2**32).to_bytes(4, "big")
        data[50:52] = b"\0\0"
        segment = bytes(data[34 : 14 + int.from_bytes(data[16:18], "big")])
        summed = bytes(data[26:34]) + b"\0\6" + len(segment).to_bytes(2, "big") + segment + b"\0" * (len(segment) % 2)
        total = sum(int.from_bytes(summed[at : at + 2], "big") for at in range(0, len(summed), 2))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        data[50:52] = (0xFFFF - total).to_bytes(2, "big")
    return frame._replace(time=(frame.time or 0) + life * LATER * 10**9, data=bytes(data))


@pytest.fixture
def capture(root: Path, tmp_path: Path) -> Path:
    frames = read_frames(str(root / "traces" / "lab" / "half-close.client.pcap"), range(1, 1000))
    path = tmp_path / "two.pcap"
    path.write_bytes(b"".join(pcap_of([moved(frame, life) for life in (0, 1) for frame in frames])))
    return path


def changes(root: Path, later: int) -> list[str]:
    """What ftrace shows of the connection, ``later`` seconds later."""
    told = (root / LOGS / "ftrace.txt").read_text().splitlines(keepends=True)
    lines = [line for line in told if "inet_sock_set_state" in line and "dport=0 " not in line]
    return [re.sub(r"(\d+)(\.\d{6}:)", lambda found: f"{int(found[1]) + later}{found[2]}", line) for line in lines]


def passive(lines: list[str]) -> list[str]:
    """The client closes second: a legal story, and another one."""
    return [
        line.replace("FIN_WAIT1", "CLOSE_WAIT").replace("FIN_WAIT2", "LAST_ACK") if "saddr=10.77.1.2 " in line else line
        for line in lines
    ]


def verdicts(report: Report) -> list[tuple[str, int, list[str]]]:
    assert not any(item.error for item in report.inputs)
    assert all("\x1f" not in repr(one) for one in report.connections)
    return [
        (one.verdict, len(one.views), [item.code for item in one.diagnostics if item.severity == "violation"])
        for one in report.connections
    ]


def test_each_belongs_to_its_own(capture: Path, root: Path, tmp_path: Path, every: list[Spec]) -> None:
    log, tracked = tmp_path / "ftrace.txt", tmp_path / "conntrack.txt"
    log.write_text("".join(changes(root, 0) + changes(root, LATER)))
    first = (root / LOGS / "conntrack_rtc.log").read_text()
    later = re.sub(r"\[(\d{10})\.", lambda found: f"[{int(found[1]) + LATER}.", first)
    tracked.write_text(first + later.replace("id=", "id=1"))
    assert verdicts(check([str(capture), str(log), str(tracked)], every)) == [(CONFORMS, 3, [])] * 2
    assert verdicts(check([str(tracked), str(log), str(capture)], every)) == [(CONFORMS, 3, [])] * 2


@pytest.mark.parametrize("wrong", [0, 1])
def test_another_story_of_one_of_them(wrong: int, capture: Path, root: Path, tmp_path: Path, every: list[Spec]) -> None:
    log = tmp_path / "ftrace.txt"
    lives = [changes(root, 0), changes(root, LATER)]
    lives[wrong] = passive(lives[wrong])
    log.write_text("".join(lives[0] + lives[1]))
    expected = [(CONFORMS, 2, []), (CONFORMS, 2, [])]
    expected[wrong] = (VIOLATES, 2, ["VIEW-001"])
    report = check([str(capture), str(log)], every)
    assert verdicts(report) == expected
    (finding,) = [item for item in report.connections[wrong].diagnostics if item.code == "VIEW-001"]
    assert finding.endpoint == "10.77.1.2:47418"


@pytest.mark.parametrize("told", [[0], [LATER], [0, LATER // 2], [0, LATER, 2 * LATER]])
def test_nothing_tells_which_is_which(
    told: list[int], capture: Path, root: Path, tmp_path: Path, every: list[Spec]
) -> None:
    log = tmp_path / "ftrace.txt"
    log.write_text("".join(line for later in told for line in passive(changes(root, later))))
    assert verdicts(check([str(capture), str(log)], every)) == [(CONFORMS, 0, [])] * (2 + len(told))
