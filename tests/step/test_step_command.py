"""``tcpmodel step`` as a program sees it: JSON, batches, exit statuses; and what a person reads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tcpmodel.cli import step as command
from tcpmodel.cli.main import main

Run = Callable[..., "subprocess.CompletedProcess[str]"]

ISSUE = [
    *("--spec", "tcp", "--state", "SYN-RECEIVED", "--let", "ISS=100", "--let", "IRS=300", "--let", "SND.UNA=100"),
    *("--let", "SND.NXT=101", "--let", "RCV.NXT=301", "--let", "RCV.WND=4", "--let", "opened=passive"),
]


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    assert main(["step", *arguments]) == status
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    event = ["--event", "<SEQ=301><ACK=101><CTL=ACK><DATA=1>", "--output-format", "json"]
    out, err = answer(capsys, *ISSUE, *event)
    assert err == "" and out.count("\n") == 1
    document = json.loads(out)
    assert list(document) == ["outcomes"]
    (outcome,) = document["outcomes"]
    assert list(outcome) == ["path", "next", "sent", "signals", "rules", "variables"]
    assert outcome["path"] == ["SYN-RECEIVED", "ESTABLISHED"]
    assert outcome["next"] == "ESTABLISHED"
    assert outcome["sent"] == ["<SEQ=101><ACK=302><CTL=ACK>"]
    assert outcome["signals"] == []
    assert outcome["rules"][0] == {"id": "SYR-21", "cites": ["RFC9293 §3.10.7.4 fifth"]}
    variables = outcome["variables"]
    assert (variables["RCV.NXT"], variables["opened"], variables["FIN.SEQ"]) == (302, "passive", None)


def test_json_of_several_outcomes(capsys: pytest.CaptureFixture[str], link_file: Path) -> None:
    out, _ = answer(capsys, "--spec", str(link_file), "--state", "BUSY", "--event", "may", "--output-format", "json")
    variables = {"NXT": 1000, "OLD": 999, "GOT": 5, "ROOM": 10, "mood": "busy"}
    assert json.loads(out) == {
        "outcomes": [
            {
                "path": ["BUSY", "IDLE"],
                "next": "IDLE",
                "sent": [],
                "signals": ["done"],
                "rules": [{"id": "HELLO", "cites": []}],
                "variables": variables,
            },
            {
                "path": ["BUSY"],
                "next": "BUSY",
                "sent": ["DATA <SEQ=999><SIZE=1>"],
                "signals": [],
                "rules": [{"id": "REPEAT", "cites": []}],
                "variables": variables,
            },
        ]
    }


def test_an_event_that_changes_nothing_has_a_path_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = answer(capsys, "--event", "STATUS", "--output-format", "json")
    (outcome,) = json.loads(out)["outcomes"]
    assert (outcome["path"], outcome["next"]) == (["CLOSED"], "CLOSED")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--event", "CLOSE", "--state", "LISTENN"], "tcp has no state 'LISTENN'; did you mean LISTEN?"),
        (["--event", "CLOSE", "--let", "SND.UMA=1"], "tcp has no variable 'SND.UMA'; did you mean SND.UNA"),
        (["--event", "CLOSE", "--let", "SND.UNA"], "--let SND.UNA: NAME=VALUE is needed"),
        (["--event", "CLOSE", "--choose", "=1"], "--choose =1: NAME=VALUE is needed"),
        (["--event", "CLOSE", "--choose", "IRS=1"], "tcp never chooses IRS freely"),
        (["--event", "KLOSE"], "tcp has no event 'KLOSE'; did you mean CLOSE?"),
        (["--event", "CLOSE", "--profile", "linus"], "spec 'tcp' has no profile 'linus'; did you mean linux?"),
        ([], "--event or --batch is needed: a session needs a terminal"),
        (["--batch", "-", "--event", "CLOSE"], "--event does not go with --batch: each line gives its own 'event'"),
        (["--batch", "no-such-file"], "no-such-file: No such file or directory"),
    ],
)
def test_what_cannot_be_answered(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    out, err = answer(capsys, *arguments, status=2)
    assert out == ""
    assert err.startswith("tcpmodel: error: ") and said in err and err.count("\n") == 1


# ------------------------------------------------------------------------------------------------------------- text


def test_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, link_file: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out, _ = answer(
        capsys, "--spec", str(link_file), "--state", "busy", "--let", "got=7", "--event", "<SEQ=7><SIZE=2><WIN=40>"
    )
    assert (
        out
        == """\
BUSY (stays)
  DATA <SEQ=7><SIZE=2><WIN=40> in BUSY

rules tried
  ✗ BIG   ROOM < DATA.SIZE  (ROOM=10, DATA.SIZE=2)
  ✓ TAKE  DATA.SEQ = GOT  (DATA.SEQ=7, GOT=7)
          stay

sends      nothing
changes    * GOT   7 → 9    next number expected
           * ROOM  10 → 40  how much fits
assumed    NXT=1000 OLD=999 mood=busy
clauses    TAKE  of link
"""
    )
    out, _ = answer(capsys, "--spec", str(link_file), "--state", "BUSY", "--let", "NXT=12", "--event", "may")
    assert (
        out
        == """\
BUSY: 2 outcomes
  what it may do of its own accord in BUSY

rules tried
  ✓ HELLO   mood = busy  (mood=busy)
            → IDLE
  ✓ REPEAT  OLD is set  (OLD=11)
            stay

1. BUSY → IDLE
sends      nothing
tells      "done"
changes    nothing
clauses    HELLO  of link

2. BUSY (stays)
sends      DATA <SEQ=11><SIZE=1>
changes    nothing
open       s: the spec leaves it to the endpoint
clauses    REPEAT  of link

as given   NXT=12
assumed    OLD=11 GOT=5 ROOM=10 mood=busy
"""
    )


def test_text_of_a_path(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out, _ = answer(capsys, *ISSUE, "--event", "<SEQ=301><ACK=101><CTL=ACK>")
    lines = out.splitlines()
    assert lines[0] == "SYN-RECEIVED → ESTABLISHED"
    assert "               (SND.UNA=100, SEG.ACK=101, SND.NXT=101)" in lines
    assert "             → ESTABLISHED, then continue  [RFC9293 §3.10.7.4 fifth]" in lines
    assert lines.index("rules tried") < lines.index("  in ESTABLISHED") < lines.index("sends      nothing")
    assert any(re.match(r"changes    \* SND\.UNA +100 → 101 ", line) for line in lines)
    assert "as given   ISS=100 SND.NXT=101 IRS=300 RCV.NXT=301 RCV.WND=4 opened=passive" in lines
    assert "\x1b" not in out


@pytest.mark.parametrize("width", [40, 60, 100, 200])
@pytest.mark.parametrize("event", ["<SEQ=301><ACK=101><CTL=FIN,ACK><DATA=1>", "may", "CLOSE", "timeout R2"])
def test_lines_fit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, event: str) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out, _ = answer(capsys, *ISSUE, "--event", event)
    for line in out.splitlines():
        assert len(line) <= width or len(line.split()) <= 3, line  # a single long word cannot be broken
        assert line == line.rstrip()


def test_color(capsys: pytest.CaptureFixture[str]) -> None:
    plain, _ = answer(capsys, *ISSUE, "--event", "CLOSE")
    colored, _ = answer(capsys, *ISSUE, "--event", "CLOSE", "--color", "always")
    assert "\x1b[1mSYN-RECEIVED → FIN-WAIT-1\x1b[0m" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain


# ------------------------------------------------------------------------------------------------------------ batches


def batch(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lines: list[Any], *arguments: str, status: int = 0
) -> list[dict[str, Any]]:
    file = tmp_path / "batch"
    file.write_bytes(
        b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines) + b"\n"
    )
    out, err = answer(capsys, "--batch", str(file), *arguments, status=status)
    assert ("could not be used" in err) == (status == 2)
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == len(lines)
    return answers


def test_batch_gives_the_answers_of_single_steps(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    let = {"ISS": 100, "SND.UNA": 101, "SND.NXT": 101, "RCV.NXT": "301", "FIN.SEQ": None}
    asked = [
        {"state": "ESTABLISHED", "let": let, "event": "<SEQ=305><CTL=RST>", "profiles": profiles}
        for profiles in ([], ["rfc793"], ["no-rfc5961"], [])
    ]
    answers = batch(capsys, tmp_path, [*asked, {"event": "OPEN active", "choose": {"ISS": 7}}])
    assert [answer["outcomes"][0]["next"] for answer in answers] == [
        *("ESTABLISHED", "CLOSED", "CLOSED", "ESTABLISHED", "SYN-SENT")
    ]
    assert answers[4]["outcomes"][0]["sent"] == ["<SEQ=7><CTL=SYN>"]
    words = [word for name, value in let.items() for word in ("--let", f"{name}={'unset' if value is None else value}")]
    event = ["--event", "<SEQ=305><CTL=RST>", "--profile", "rfc793", "--output-format", "json"]
    out, _ = answer(capsys, "--state", "ESTABLISHED", *words, *event)
    assert json.loads(out) == answers[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "empty: a JSON object is needed"),
        (b"   ", "empty"),
        (b"{", "not JSON: "),
        (b"\xff\xfe", "not JSON: "),
        (b"[" * 100_000, "not JSON: "),
        (b'{"event": "CLOSE", "let": {"ISS": ' + b"9" * 5000 + b"}}", "not JSON: "),
        (b"[]", "a JSON object is needed"),
        ({}, "'event' is needed, a text"),
        ({"event": 3}, "'event' is needed, a text"),
        ({"event": "CLOSE", "state": 3}, "'state' has to be a text"),
        ({"event": "CLOSE", "lot": {}}, "a line of a batch has no key 'lot'; did you mean let?"),
        ({"event": "CLOSE", "let": []}, "'let' has to be an object of names and values"),
        ({"event": "CLOSE", "let": {"ISS": True}}, "'let': ISS has to be a number, a word or null"),
        ({"event": "CLOSE", "let": {"ISS": 1.5}}, "'let': ISS has to be a number, a word or null"),
        ({"event": "CLOSE", "let": {"ISS": -1}}, "ISS=-1: '-1' is not a number"),
        ({"event": "CLOSE", "choose": {"ISS": [1]}}, "'choose': ISS has to be a number"),
        ({"event": "CLOSE", "profiles": "linux"}, "'profiles' has to be a list of names"),
        ({"event": "CLOSE", "profiles": ["linus"]}, "has no profile 'linus'; did you mean linux?"),
        ({"event": "CLOSE", "profiles": ["rfc793", "rfc5961"]}, "excludes profile"),
        ({"event": "CLOSE", "state": "NOWHERE"}, "tcp has no state 'NOWHERE'"),
        ({"event": "<SEQ=1"}, "not a message"),
        (b'"' + b"x" * (command.LONGEST_LINE + 5) + b'"', "longer than 1048576 octets"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_line_that_cannot_be_used_leaves_the_others_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, line: Any, said: str
) -> None:
    good = {"event": "STATUS"}
    answers = batch(capsys, tmp_path, [good, line, good], status=2)
    assert answers[0] == answers[2]
    assert answers[1]["line"] == 2
    assert answers[1]["error"].startswith("line 2: ") and said in answers[1]["error"]


def test_profiles_of_the_command_come_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = {"state": "ESTABLISHED", "let": {"RCV.NXT": 301}, "event": "<SEQ=305><CTL=RST>"}
    lines = [asked, {**asked, "profiles": ["no-rfc793"]}, {**asked, "profiles": ["no-rfc793", "rfc5961"]}]
    answers = batch(capsys, tmp_path, lines, "--profile", "no-rfc5961")
    assert [answer["outcomes"][0]["next"] for answer in answers] == ["CLOSED", "CLOSED", "ESTABLISHED"]


def test_many_combinations_of_profiles(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MOST_STEPPERS", 2)
    names = ["linux", "tfo", "mls", "linux", "rfc1337", "linux"]
    answers = batch(capsys, tmp_path, [{"event": "STATUS", "profiles": [name]} for name in names])
    assert all("outcomes" in answer for answer in answers)


def test_lines_of_any_length_are_counted_once() -> None:
    import io

    longest = command.LONGEST_LINE
    lines = [b"a" * length for length in (0, 1, longest - 1, longest, longest + 1, longest * 2, longest * 2 + 1, 3)]
    for end in (b"\n", b""):
        found = list(command._lines(io.BytesIO(b"\n".join(lines) + end)))
        assert [None if raw is None else len(raw.rstrip(b"\n")) for raw in found] == [
            None if len(line) > longest else len(line) for line in lines
        ]


def test_a_batch_is_answered_line_by_line(root: Path) -> None:
    """The answer to a line comes before the next line is asked: no batch is too long."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "tcpmodel", "step", "--batch", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
    )
    assert process.stdin is not None and process.stdout is not None
    for event in ("STATUS", "OPEN passive"):
        process.stdin.write(json.dumps({"event": event}).encode() + b"\n")
        process.stdin.flush()
        assert "outcomes" in json.loads(process.stdout.readline())
    process.stdin.close()
    assert process.stdout.read() == b""
    process.stdout.close()
    assert process.wait(timeout=20) == 0


def test_four_hundred_lines_are_quick(run_tcpmodel: Run) -> None:
    asked = {"state": "ESTABLISHED", "let": {"ISS": 1, "SND.UNA": 2, "SND.NXT": 2, "IRS": 1, "RCV.NXT": 2}}
    lines = [
        json.dumps({**asked, "event": f"<SEQ={n % 9}><ACK=2><CTL=ACK>", "profiles": [["linux"], [], ["mls"]][n % 3]})
        for n in range(400)
    ]
    run_tcpmodel("step", "--event", "STATUS")
    start = time.perf_counter()
    result = run_tcpmodel("step", "--batch", "-", input="\n".join(lines))
    assert time.perf_counter() - start < 5  # a second at most, on a machine with nothing else to do
    assert result.returncode == 0 and result.stdout.count("\n") == 400
