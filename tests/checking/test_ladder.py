"""The course of a connection: what is kept of it, and the pictures made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from in_memory import Records
from test_connections import A, B, life, packet

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import Report
from tcpmodel.checking.sequence import Recorder
from tcpmodel.cli.main import main
from tcpmodel.model.spec import Spec
from tcpmodel.render import ladder
from tcpmodel.report import ladder_text
from tcpmodel.report.style import Style
from tcpmodel.traces.records import Packet

LATE = Path(__file__).resolve().parents[2] / "traces" / "planted" / "m04-data-after-fin.pcap"
Seen = Callable[..., tuple[Report, Recorder]]


@pytest.fixture
def seen(specs: list[Spec]) -> Seen:
    def watch(packets: list[Packet], **options: Any) -> tuple[Report, Recorder]:
        recorder = Recorder(**options)
        checker = Checker(specs, watch=recorder)
        checker.read(Records(packets))
        return checker.report, recorder

    return watch


def test_states_after_each_message(seen: Seen) -> None:
    report, recorder = seen(life(2**32 - 3, 5000))
    (course,) = recorder.courses.values()
    steps = course.first
    assert [step.number for step in steps] == list(range(1, 11)) and not course.last
    assert [step.side for step in steps] == [0, 1, 0, 0, 1, 1, 0, 0, 1, 0]
    assert (steps[0].message, steps[1].message) == ("<SEQ=0><CTL=SYN>", "<SEQ=0><ACK=1><CTL=SYN,ACK>")
    assert steps[0].states[0] == ("SYN-SENT",) and steps[7].states[0] == ("FIN-WAIT-1",)
    (one,) = report.connections
    assert steps[-1].states == (one.a_states, one.b_states)


def test_watching_changes_nothing(seen: Seen, judge: Callable[..., Checker]) -> None:
    packets = [*life(1000, 5000), packet("A", "ACK", 1007, 5022, 9)]
    report, _ = seen(packets)
    assert list(report.connections) == list(judge(packets).report.connections)


def test_the_middle_is_left_out(seen: Seen) -> None:
    more = [packet("A", "ACK", 1006, 5021) for _ in range(20)]
    packets = [*life(1000, 5000)[:7], *more, *life(1000, 5000)[7:]]
    report, recorder = seen(packets, kept=4)
    course = recorder.courses["tcp-1"]
    assert [step.number for step in (*course.first, *course.last)] == [1, 2, 3, 4, 27, 28, 29, 30]
    assert course.left_out == 22
    lines = list(ladder_text.lines(report.connections[0], course, report, Style()))
    assert lines[6].strip() == "… 22 messages left out …" and len(lines) == 11
    assert ">22 messages left out<" in ladder.svg(report.connections[0], course)
    assert len(seen(packets, kept=None)[1].courses["tcp-1"].first) == 30


def test_only_what_is_wanted(seen: Seen) -> None:
    packets = [*life(1000, 5000), *life(1, 2, a="10.0.0.9:1"), packet("A", "SYN", 7, a="10.0.0.8:1")]
    assert list(seen(packets, wanted=["tcp-2"])[1].courses) == ["tcp-2"]
    assert set(seen(packets)[1].courses) == {"tcp-1", "tcp-2", "tcp-3"}


def test_findings_stand_in_their_place(seen: Seen) -> None:
    packets = [*life(1000, 5000)[:8], packet("A", "ACK", 1007, 5021, 9), *life(1000, 5000)[8:]]
    report, recorder = seen(packets)
    one, course = report.connections[0], recorder.courses["tcp-1"]
    lines = list(ladder_text.lines(one, course, report, Style()))
    place = next(index for index, line in enumerate(lines) if "[TCP-FIN-001]" in line)
    assert lines[place - 1].startswith(" 9 ") and lines[place + 1].startswith("10 ")
    picture = ElementTree.fromstring(ladder.svg(one, course))
    words = ["".join(each.itertext()) for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "packet 9: sends new octets after its own FIN [TCP-FIN-001]" in words
    assert A in words and B in words and "FIN-WAIT-1" in words
    diagram = ladder.mermaid(one, course).splitlines()
    assert diagram[0] == "sequenceDiagram"
    assert "  Note over a,b: packet 9: sends new octets after its own FIN [TCP-FIN-001]" in diagram
    assert sum(">>" in line for line in diagram) == len(packets)


@pytest.mark.parametrize("suffix", ["svg", "mmd", "txt"])
def test_the_file_name_tells_the_format(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"x.{suffix}"
    assert main(["check", "--ladder", "-o", str(path), str(LATE)]) == 1
    assert path.read_text(encoding="utf-8").startswith({"svg": "<?xml", "mmd": "seq", "txt": "tcp-1  tcp  "}[suffix])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "x.png"], "-o: 'x.png' does not tell the format"),
        (["--output-format", "json"], "--ladder is text"),
        (["--connection", "tcp-2"], "what was checked has no connection 'tcp-2'; did you mean tcp-1?"),
        (
            ["-o", "x.svg", str(LATE.parents[1] / "lab" / "refused.client.pcap")],
            "a picture shows one connection; name it with --connection (there are: tcp-1, tcp-2)",
        ),
    ],
)
def test_what_cannot_be_drawn(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--ladder", *options, str(LATE)]) == 2
    assert said in capsys.readouterr().err
