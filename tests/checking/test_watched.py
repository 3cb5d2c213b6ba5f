"""Observers on the way beside a capture: what they tell has to be what the packets can have led to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, Report
from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Spec
from tcpmodel.traces.open import open_traces
from tcpmodel.traces.records import Packet

LAB = ("half-close", "loss-retransmit", "refused", "rst-abort-client")
COLUMNS = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto conn_state missed_bytes history"
COUNTED = "orig_bytes orig_pkts resp_bytes resp_pkts"
NAMES = [*COLUMNS.split(), *COUNTED.split()]
CLIENT, SERVER = "10.77.1.2", "10.77.2.2"


@pytest.fixture(scope="module")
def every(specs: list[Spec]) -> list[Spec]:
    return [*specs, load_spec("conntrack"), load_spec("zeek")]


def codes(report: Report) -> list[tuple[str, str]]:
    assert not any(item.error for item in report.inputs)
    return [
        (report.inputs[item.input].path.rpartition("/")[2], item.code)
        for one in report.connections
        for item in one.diagnostics
        if item.input >= 0
    ]


def capture(root: Path, name: str) -> Path:
    return root / "traces" / "lab" / f"{name}.client.pcap"


# ------------------------------------------------------------------------------------------------ connection tracking


@pytest.mark.parametrize("name", LAB)
def test_entries_of_the_lab(name: str, every: list[Spec], root: Path) -> None:
    log = root / "traces" / "logs" / "lab" / name / "conntrack_rtc.log"
    report = check([str(capture(root, name)), str(log)], every)
    assert codes(report) == [] and len(report.connections[0].views) == 2


def entries(path: Path, ports: str, states: str, first: str = CLIENT, last: str = SERVER) -> Path:
    source, destination = ports.split()
    both = f"src={first} dst={last} sport={source} dport={destination}"
    both += f" src={last} dst={first} sport={destination} dport={source} id=7"
    kinds = ["NEW", *["UPDATE"] * (len(states.split()) - 1)]
    lines = [f"[{kind}] tcp 6 60 {state} {both}\n" for kind, state in zip(kinds, states.split(), strict=True)]
    path.write_text("".join(lines))
    return path


NORMAL = ("normal-client-close", "40246 17001")
REFUSED = ("refused", "51326 17099")


@pytest.mark.parametrize(
    ("run", "states", "place"),
    [
        (NORMAL, "SYN_SENT SYN_RECV ESTABLISHED CLOSE", 4),
        (NORMAL, "SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT LAST_ACK TIME_WAIT", 0),
        (NORMAL, "SYN_SENT SYN_RECV ESTABLISHED", 0),
        (NORMAL, "SYN_SENT SYN_SENT2", 2),
        (REFUSED, "SYN_SENT CLOSE", 0),
        (REFUSED, "SYN_SENT SYN_RECV", 2),
        (REFUSED, "SYN_SENT", 0),
    ],
)
def test_an_entry_that_the_packets_do_not_lead_to(
    run: tuple[str, str], states: str, place: int, every: list[Spec], root: Path, tmp_path: Path
) -> None:
    log = entries(tmp_path / "log", run[1], states)
    for paths in ([capture(root, run[0]), log], [log, capture(root, run[0])]):
        report = check([str(path) for path in paths], every)
        (one,) = report.connections
        assert [item.place for item in one.diagnostics] == [place] * (place > 0)
        assert codes(report) == [("log", "CAP-006")] * (place > 0)
        assert one.verdict == (INCONCLUSIVE if place else CONFORMS)


def test_an_entry_of_the_other_direction(every: list[Spec], root: Path, tmp_path: Path) -> None:
    log = entries(tmp_path / "log", "17001 40246", "SYN_SENT SYN_RECV ESTABLISHED", SERVER, CLIENT)
    assert codes(check([str(capture(root, NORMAL[0])), str(log)], every)) == [("log", "CAP-006")]


# ---------------------------------------------------------------------------------------------------------------- Zeek


def row(path: Path, run: str, **cells: object) -> Path:
    ports = {"normal-client-close": "40246 17001", "half-close": "47418 17001", "refused": "51326 17099"}[run].split()
    known = {"ts": "1795247195.8", "uid": "C1", "proto": "tcp", "missed_bytes": 0}
    known |= {"id.orig_h": CLIENT, "id.orig_p": ports[0], "id.resp_h": SERVER, "id.resp_p": ports[1], **cells}
    line = "\t".join(str(known.get(name, "-")) for name in NAMES)
    path.write_text("#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\t" + "\t".join(NAMES) + f"\n{line}\n")
    return path


def counts(path: Path) -> dict[str, int]:
    """What is in a capture, counted by hand: of each end its packets, and the octets of text that are new."""
    found: dict[str, int] = {}
    (trace,) = open_traces(str(path))
    highest: dict[str, int] = {}
    for packet in trace.records():
        if isinstance(packet, Packet) and packet.protocol == "tcp":
            end = "orig" if packet.source.startswith(CLIENT) else "resp"
            found[f"{end}_pkts"] = found.get(f"{end}_pkts", 0) + 1
            start, length = packet.fields["seq"], packet.fields["length"]
            new = max(start + length - max(highest.get(end, 0), start), 0)
            found[f"{end}_bytes"] = found.get(f"{end}_bytes", 0) + new
            highest[end] = max(highest.get(end, 0), start + length)
    return found


ROWS = {
    "normal-client-close": {"conn_state": "SF", "history": "ShADadFf"},
    "half-close": {"conn_state": "SF", "history": "ShADaFdf"},
    "refused": {"conn_state": "REJ", "history": "Sr"},
}


@pytest.mark.parametrize("run", ROWS)
def test_rows_that_are_right(run: str, every: list[Spec], root: Path, tmp_path: Path) -> None:
    counted = counts(capture(root, run))
    report = check([str(capture(root, run)), str(row(tmp_path / "conn.log", run, **ROWS[run], **counted))], every)
    (one,) = report.connections
    assert (one.verdict, one.diagnostics, len(one.views)) == (CONFORMS, (), 2)


@pytest.mark.parametrize(
    ("run", "cells", "code", "words", "verdict"),
    [
        ("normal-client-close", {"orig_bytes": 1}, "VIEW-002", "counts 1 octets of 10.77.1.2:40246", INCONCLUSIVE),
        ("half-close", {"resp_bytes": 19999}, "VIEW-002", "capture shows 20,000", INCONCLUSIVE),
        ("half-close", {"resp_pkts": 15}, "CAP-006", "counts 15 packets of 10.77.2.2:17001", CONFORMS),
        ("half-close", {"conn_state": "S2", "history": "ShADaFd"}, "VIEW-002", "FIN of 10.77.2.2:17001", INCONCLUSIVE),
        ("half-close", {"conn_state": "RSTO", "history": "ShADaR"}, "CAP-006", "RST originator", INCONCLUSIVE),
        ("refused", {"conn_state": "S0", "history": "S"}, "VIEW-002", "RST of 10.77.2.2:17099", INCONCLUSIVE),
        (
            "refused",
            {"conn_state": "S1", "history": "ShA", "orig_pkts": 2},
            "CAP-006",
            "SYN-ACK responder",
            INCONCLUSIVE,
        ),
    ],
)
def test_rows_that_tell_otherwise(
    run: str,
    cells: dict[str, object],
    code: str,
    words: str,
    verdict: str,
    every: list[Spec],
    root: Path,
    tmp_path: Path,
) -> None:
    known: dict[str, object] = {**counts(capture(root, run)), **ROWS[run]}
    log = row(tmp_path / "conn.log", run, **(known | cells))
    assert check([str(log)], every).exit_code == 0
    (one,) = check([str(capture(root, run)), str(log)], every).connections
    assert (one.verdict, {item.code for item in one.diagnostics}) == (verdict, {code})
    assert words in one.diagnostics[0].message and one.diagnostics[0].place == 5


def test_a_row_of_the_capture_that_it_was_made_of(every: list[Spec], root: Path) -> None:
    log = root / "traces" / "logs" / "zeek" / "http-get.log"
    (one,) = check([str(root / "traces" / "zeek" / "tcp-missing-syn.pcap"), str(log)], every).connections
    assert len(one.views) == 2
    assert codes(check([str(root / "traces" / "zeek" / "tcp-missing-syn.pcap"), str(log)], every)) == []


# --------------------------------------------------------------------------------------------------------- translation


def translated(root: Path, tmp_path: Path, into: tuple[str, str]) -> tuple[Path, Path]:
    """The capture at the server as it looks behind a translation, and the log of the box that translates."""
    from tcpmodel.cli.main import main

    text = tmp_path / "server.jsonl"
    server = root / "traces" / "lab" / "normal-client-close.server.pcap"
    assert main(["convert", str(server), "-o", str(text)]) == 0
    first, last = into
    text.write_text(text.read_text().replace(f"{CLIENT}:40246", first).replace(f"{SERVER}:17001", last))
    (a, p), (b, q) = (end.rsplit(":", 1) for end in into)
    log = tmp_path / "log"
    names = f"src={CLIENT} dst={SERVER} sport=40246 dport=17001 src={b} dst={a} sport={q} dport={p} id=7"
    states = ["SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "LAST_ACK", "TIME_WAIT"]
    log.write_text("".join(f"[{'UPDATE' if at else 'NEW'}] tcp 6 60 {one} {names}\n" for at, one in enumerate(states)))
    return text, log


@pytest.mark.parametrize("into", [("192.0.2.9:1025", f"{SERVER}:17001"), ("192.0.2.9:1025", "10.9.9.9:8080")])
def test_captures_on_both_sides_of_a_translation(
    into: tuple[str, str], every: list[Spec], root: Path, tmp_path: Path
) -> None:
    server, log = translated(root, tmp_path, into)
    client = capture(root, "normal-client-close")
    assert len(check([str(client), str(server)], every).connections) == 2
    report = check([str(client), str(log), str(server)], every)
    (one,) = report.connections
    assert (one.verdict, one.diagnostics, len(one.views)) == (CONFORMS, (), 3)


def test_a_log_behind_a_translation(every: list[Spec], root: Path, tmp_path: Path) -> None:
    """States of the server, as its kernel tells of them, beside a capture at the client."""
    _, log = translated(root, tmp_path, ("192.0.2.9:1025", "10.9.9.9:8080"))
    told = ["192.0.2.9:1025", "10.9.9.9:8080"]
    states = ["LISTEN", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"]
    log_of_server = tmp_path / "states.jsonl"
    log_of_server.write_text(
        "".join(
            f'{{"event": "state", "local": "{told[1]}", "remote": "{told[0]}", "old": "{a}", "state": "{b}"}}\n'
            for a, b in pairwise(states)
        )
    )
    paths = [str(capture(root, "normal-client-close")), str(log), str(log_of_server)]
    (one,) = check(paths, every).connections
    assert [(item.code, item.in_lines) for item in one.diagnostics] == [("CAP-006", False)] and len(one.views) == 3
