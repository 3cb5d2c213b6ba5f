"""Several inputs that tell of one connection: one report, which names them, and what they do not agree on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES, Report
from tcpmodel.checking.run import check
from tcpmodel.cli.main import main
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Spec

Change = Callable[[dict[str, Any]], None]


def joined(specs: list[Spec], *paths: Path) -> Report:
    report = check([str(path) for path in paths], specs)
    assert not any(item.error for item in report.inputs)
    return report


def ends(root: Path) -> tuple[Path, Path]:
    lab = root / "traces" / "lab"
    return lab / "normal-client-close.client.pcap", lab / "normal-client-close.server.pcap"


def changed(path: Path, into: Path, changes: dict[int, Change]) -> Path:
    """The capture in our own format, with changes to some of its packets."""
    assert main(["convert", str(path), "-o", str(into)]) == 0
    lines = [json.loads(line) for line in into.read_text().splitlines()]
    packets = [line for line in lines if line["event"] == "packet"]
    for index, change in changes.items():
        change(packets[index])
    into.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return into


def put(**fields: Any) -> Change:
    return lambda line: line["segment"].update(fields)


def test_captures_at_both_ends(specs: list[Spec], root: Path) -> None:
    (one,) = joined(specs, *ends(root)).connections
    assert (one.verdict, one.diagnostics, one.packets, one.records) == (CONFORMS, (), 10, 20)
    assert [(view.input, view.packets, view.verdict) for view in one.views] == [(0, 10, CONFORMS), (1, 10, CONFORMS)]


def test_one_capture_twice(specs: list[Spec], root: Path) -> None:
    client, _ = ends(root)
    (one,) = joined(specs, client, client).connections
    assert (one.verdict, one.diagnostics, len(one.views)) == (CONFORMS, (), 2)


@pytest.mark.parametrize("name", ["normal-client-close", "refused", "rst-abort-client"])
def test_every_view_of_the_lab(name: str, specs: list[Spec], root: Path) -> None:
    logs = root / "traces" / "logs" / "lab" / name
    captures = sorted((root / "traces" / "lab").glob(f"{name}.*.pcap"))
    paths = [*captures, *sorted(path for path in logs.iterdir() if path.suffix in (".txt", ".log"))]
    report = check([str(path) for path in paths], [*specs, load_spec("conntrack")])
    whole = [one for one in report.connections if one.a.startswith("10.77.1.2") and one.b.startswith("10.77.2.2")]
    (one,) = whole
    assert one.verdict == CONFORMS and len(one.views) > 3
    assert not [item for one in report.connections for item in one.diagnostics if item.severity == "violation"]


def test_other_connections_stay_apart(specs: list[Spec], root: Path) -> None:
    lab = root / "traces" / "lab"
    report = joined(specs, lab / "refused.client.pcap", *ends(root), lab / "rst-abort-client.client.pcap")
    assert [len(one.views) for one in report.connections] == [0, 2, 0]


def test_the_same_addresses_with_other_numbers_stay_apart(specs: list[Spec], root: Path, tmp_path: Path) -> None:
    client, server = ends(root)

    def other(line: dict[str, Any]) -> None:
        line["segment"]["seq"] = (line["segment"]["seq"] + 12345) % 2**32
        line["segment"]["ack"] = (line["segment"]["ack"] + 12345) % 2**32 if line["segment"].get("ack") else 0
        line["segment"]["ip_id"] = (line["segment"].get("ip_id", 0) + 777) % 2**16
        line["segment"].pop("options", None)

    log = changed(server, tmp_path / "other.jsonl", dict.fromkeys(range(10), other))
    report = joined(specs, client, log)
    assert [len(one.views) for one in report.connections] == [0, 0]


@pytest.mark.parametrize(
    ("index", "change", "code"),
    [
        (2, put(win=9), "CAP-011"),
        (0, lambda line: line["segment"]["options"].update(mss=536), "CAP-011"),
        (4, lambda line: line["segment"].update(ack=line["segment"]["ack"] - 1), "VIEW-002"),
        (9, put(flags="ACK,PSH"), "VIEW-002"),
    ],
)
def test_a_packet_that_is_not_the_same(
    index: int, change: Change, code: str, specs: list[Spec], root: Path, tmp_path: Path
) -> None:
    client, server = ends(root)
    (one,) = joined(specs, client, changed(server, tmp_path / "server.jsonl", {index: change})).connections
    found = {item.code for item in one.diagnostics}
    assert code in found and len(one.views) == 2
    assert one.verdict == (CONFORMS if code == "CAP-011" else INCONCLUSIVE)
    finding = next(item for item in one.diagnostics if item.code == code)
    assert str(tmp_path / "server.jsonl") in finding.message and not finding.in_lines


def test_a_finding_of_another_view_says_where_it_is(
    specs: list[Spec], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client, _ = ends(root)
    planted = root / "traces" / "planted" / "m04-data-after-fin.pcap"
    (one,) = joined(specs, client, planted).connections
    assert one.verdict == VIOLATES and [item.input for item in one.diagnostics if item.code == "TCP-FIN-001"] == [1]
    assert main(["check", str(client), str(planted)]) == 1
    assert f"packet 9 of {planted}" in " ".join(capsys.readouterr().out.split())
    assert main(["check", "--output-format", "github", str(client), str(planted)]) == 1
    assert f"file={planted}" in capsys.readouterr().out


def test_packets_that_only_one_shows_say_nothing(specs: list[Spec], root: Path, tmp_path: Path) -> None:
    client, server = ends(root)
    log = changed(server, tmp_path / "server.jsonl", {})
    lines = log.read_text().splitlines(keepends=True)
    for index in range(3, len(lines)):
        log.write_text("".join([*lines[:index], *lines[index + 1 :]]))
        (one,) = joined(specs, client, log).connections
        assert len(one.views) == 2 and {item.code for item in one.diagnostics} <= {"CAP-006"}


@pytest.mark.parametrize(
    "text", ["# 1795247208.3\n# 1795247209.4\n", "Proto Recv-Q Send-Q Local Address  Foreign Address  State\n"]
)
def test_an_empty_listing(text: str, specs: list[Spec], root: Path, tmp_path: Path, capsys: Any) -> None:
    listing = tmp_path / "ss.log"
    listing.write_text(text)
    assert main(["check", str(listing)]) == 2
    assert "nothing to check" in capsys.readouterr().err
    assert main(["check", str(listing), str(ends(root)[0])]) == 0
    out, err = capsys.readouterr()
    assert "socket listings, nothing to check in it" in out and not err


def test_names_of_states_that_are_not_known_stay_an_error(root: Path, tmp_path: Path, capsys: Any) -> None:
    log = tmp_path / "log.jsonl"
    line = {"event": "state", "local": "10.0.0.1:1", "remote": "10.0.0.2:2", "old": "BAD", "state": "WORSE"}
    log.write_text(json.dumps(line) + "\n")
    assert main(["check", str(log), str(ends(root)[0])]) == 2
    assert "unknown state name" in capsys.readouterr().err


def test_calls_on_a_socket_that_had_no_address_yet(specs: list[Spec], root: Path) -> None:
    """What strace shows of a connect that was refused: the port alone; the capture tells the address."""
    logs = root / "traces" / "logs" / "lab" / "refused"
    report = check([str(root / "traces" / "lab" / "refused.client.pcap"), str(logs / "strace_client.log")], specs)
    (one,) = report.connections
    assert one.verdict == CONFORMS and len(one.views) == 2
