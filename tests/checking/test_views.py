"""A capture and a log of states together: one behaviour must explain both, and nothing that is legal is reported."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tcpmodel.checking.outcome.findings import INCONCLUSIVE, VIOLATES, ConnectionReport
from tcpmodel.checking.run import check
from tcpmodel.cli.main import main
from tcpmodel.model.spec import Spec
from tcpmodel.traces.captures.frames import pcap_of, read_frames
from tcpmodel.traces.open import open_traces
from tcpmodel.traces.records import Packet

LAB = ("half-close", "loss-retransmit", "normal-client-close", "refused", "rst-abort-client")
CLIENT = "10.77.1.2"


def found(specs: list[Spec], *paths: Path | str) -> list[tuple[ConnectionReport, str, int]]:
    report = check([str(path) for path in paths], specs)
    assert not any(item.error for item in report.inputs)
    return [
        (one, item.code, item.place)
        for one in report.connections
        for item in one.diagnostics
        if item.severity != "note"
    ]


@pytest.mark.parametrize("kind", ["ftrace.txt", "tcpstates.txt"])
@pytest.mark.parametrize("name", LAB)
def test_the_views_of_the_lab_agree(name: str, kind: str, specs: list[Spec], root: Path) -> None:
    traces = root / "traces"
    assert not found(specs, traces / "lab" / f"{name}.client.pcap", traces / "logs" / "lab" / name / kind)


def other(root: Path, tmp_path: Path, name: str, changes: dict[str, str], host: str) -> Path:
    """The log of that connection with other names of states in the lines of one host."""
    lines = (root / "traces" / "logs" / "lab" / name / "ftrace.txt").read_text().splitlines()
    for index, line in enumerate(lines):
        if f"saddr={host} " in line:
            for old, new in changes.items():
                line = line.replace(f"state={old}", f"state={new.lower()}")
            lines[index] = line
    path = tmp_path / "ftrace.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


PASSIVE = {"TCP_FIN_WAIT1": "TCP_CLOSE_WAIT", "TCP_FIN_WAIT2": "TCP_LAST_ACK"}
ACTIVE = {"TCP_CLOSE_WAIT": "TCP_FIN_WAIT1", "TCP_LAST_ACK": "TCP_FIN_WAIT2"}


@pytest.mark.parametrize("first", ["capture", "log"])
@pytest.mark.parametrize("packet", ["normal-client-close"])
def test_a_legal_log_of_another_story(packet: str, first: str, specs: list[Spec], root: Path, tmp_path: Path) -> None:
    log = other(root, tmp_path, packet, PASSIVE, CLIENT)
    capture = root / "traces" / "lab" / f"{packet}.client.pcap"
    assert not found(specs, log) and not found(specs, capture)
    ((one, code, place),) = found(specs, *((capture, log) if first == "capture" else (log, capture)))
    assert (code, place, one.verdict) == ("VIEW-001", 18, VIOLATES)
    (finding,) = one.diagnostics
    assert finding.endpoint.startswith(CLIENT) and str(log) in finding.message and "(line 18)" in finding.excuse


TOLD = {
    "opened and closed": (["CLOSED", "SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"], 3),
    "opened": (["CLOSED", "SYN-SENT", "ESTABLISHED"], 3),
    "refused": (["CLOSED", "SYN-SENT", "CLOSED"], 0),
}


@pytest.mark.parametrize("story", TOLD)
def test_a_log_tells_more_than_the_packets(story: str, specs: list[Spec], root: Path, tmp_path: Path) -> None:
    states, line = TOLD[story]
    ends = {"event": "state", "local": "10.77.1.2:51326", "remote": "10.77.2.2:17099"}
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({**ends, "old": old, "state": new}) + "\n" for old, new in pairwise(states)))
    all_found = found(specs, root / "traces" / "lab" / "refused.client.pcap", log)
    if not line:
        assert not all_found
        return
    ((one, code, _),) = all_found
    assert code == "CAP-006" and one.verdict == INCONCLUSIVE
    (finding,) = one.diagnostics
    assert f"line {line - 1} of its log, SYN-SENT -> ESTABLISHED" in finding.message
    assert str(log) in one.reasons[-1]


def test_other_addresses_are_not_joined(specs: list[Spec], root: Path, tmp_path: Path) -> None:
    log = other(root, tmp_path, "normal-client-close", PASSIVE, CLIENT)
    log.write_text(log.read_text().replace("40246", "40247"))
    assert not found(specs, root / "traces" / "lab" / "normal-client-close.client.pcap", log)


def test_two_sockets_with_one_pair_of_addresses_are_not_joined(specs: list[Spec], root: Path, tmp_path: Path) -> None:
    log = other(root, tmp_path, "normal-client-close", PASSIVE, CLIENT)
    lives = [line for line in log.read_text().splitlines() if "40246" in line or "sport=0" in line]
    twice = tmp_path / "twice.txt"
    twice.write_text("\n".join(lives + lives) + "\n")
    assert not found(specs, root / "traces" / "lab" / "normal-client-close.client.pcap", twice)


@pytest.mark.parametrize("lines", range(1, 13))
def test_a_log_may_stop_early(lines: int, specs: list[Spec], root: Path, tmp_path: Path) -> None:
    whole = (root / "traces" / "logs" / "lab" / "normal-client-close" / "ftrace.txt").read_text().splitlines()
    told = [line for line in whole if "inet_sock_set_state:" in line]
    log = tmp_path / "ftrace.txt"
    log.write_text("\n".join(told[:lines]) + "\n")
    assert not found(specs, root / "traces" / "lab" / "normal-client-close.client.pcap", log)


@pytest.mark.parametrize(("later", "joined"), [(0, True), (50, True), (3600, False), (-3600, False)])
def test_another_time_is_another_connection(
    later: int, joined: bool, specs: list[Spec], root: Path, tmp_path: Path
) -> None:
    capture = root / "traces" / "lab" / "normal-client-close.client.pcap"
    (trace,) = open_traces(str(capture))
    times = [record.time for record in trace.records() if isinstance(record, Packet) and record.time is not None]
    story = ["CLOSED", "SYN-SENT", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"]
    ends = {
        "event": "state",
        "local": "10.77.1.2:40246",
        "remote": "10.77.2.2:17001",
        "time": times[0] // 10**9 + later,
    }
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({**ends, "old": old, "state": new}) + "\n" for old, new in pairwise(story)))
    assert [code for _, code, _ in found(specs, capture, log)] == (["VIEW-001"] if joined else [])


@pytest.mark.parametrize("files", [1, 2])
def test_views_in_our_own_format(files: int, specs: list[Spec], root: Path, tmp_path: Path) -> None:
    capture = root / "traces" / "lab" / "normal-client-close.client.pcap"
    log = other(root, tmp_path, "normal-client-close", PASSIVE, CLIENT)
    paths = [tmp_path / f"{number}.jsonl" for number in range(files)]
    for path, inputs in zip(paths, ([capture, log],) if files == 1 else ([capture], [log]), strict=True):
        assert main(["convert", *map(str, inputs), "-o", str(path)]) == 0
    assert [code for _, code, _ in found(specs, *paths)] == ["VIEW-001"]


def shifted(path: Path, to: Path, seconds: int, *, drift: int = 0, number: int = 0) -> Path:
    """The capture with its times moved; ``drift``: by so many more with each packet; ``number``: added to numbers."""
    frames = read_frames(str(path), range(1, 1000))
    moved = []
    for index, frame in enumerate(frames):
        data = bytearray(frame.data)
        if number and data[12:14] == b"\x08\x00" and data[23] == 6:
            data[38:42] = ((int.from_bytes(data[38:42], "big") + number) % 2**32).to_bytes(4, "big")
        moved.append(frame._replace(time=(frame.time or 0) + (seconds + drift * index) * 10**9, data=bytes(data)))
    to.write_bytes(b"".join(pcap_of(moved)))
    return to


@pytest.mark.parametrize("hours", [1, -5])
def test_two_captures_whose_clocks_differ(hours: int, specs: list[Spec], root: Path, tmp_path: Path) -> None:
    lab = root / "traces" / "lab"
    other = shifted(lab / "normal-client-close.server.pcap", tmp_path / "server.pcap", hours * 3600)
    report = check([str(lab / "normal-client-close.client.pcap"), str(other)], specs)
    (one,) = report.connections
    assert (one.verdict, len(one.views), [item.code for item in one.diagnostics]) == ("conforms", 2, ["CAP-016"])
    message = one.diagnostics[0].message
    told = re.search(r"is ([\d,.]+) s (ahead of|behind)", message)
    assert told is not None and str(other) in message
    assert abs(float(told[1].replace(",", "")) * (1 if told[2] == "ahead of" else -1) - hours * 3600) < 1


@pytest.mark.parametrize(("drift", "number"), [(1, 0), (0, 5)])
def test_the_next_connection_on_the_same_addresses(
    drift: int, number: int, specs: list[Spec], root: Path, tmp_path: Path
) -> None:
    lab = root / "traces" / "lab"
    other = shifted(lab / "normal-client-close.server.pcap", tmp_path / "x.pcap", 3600, drift=drift, number=number)
    report = check([str(lab / "normal-client-close.client.pcap"), str(other)], specs)
    assert [len(one.views) for one in report.connections] == [0, 0]
