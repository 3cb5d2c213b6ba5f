"""``tcpmodel check`` where a page of console blocks does not reach: files made by the test, streams, progress."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tcpmodel.checking.judge import Judge
from tcpmodel.cli import check, progress
from tcpmodel.cli.errors import CommandError

ROOT = Path(__file__).resolve().parents[2]
HTTP = ROOT / "traces" / "zeek" / "http-get.pcap"
LATE = ROOT / "traces" / "planted" / "m04-data-after-fin.pcap"
Run = Callable[..., "subprocess.CompletedProcess[str]"]

ECHO = """\
spec echo "a spec for tests" over {over}
message SEG
  flag SYN, ACK, FIN, RST
initial final state CLOSED
  on SEG drop
"""


def spec_file(folder: Path, text: str, name: str = "own.tcpspec") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_capture_that_breaks_off(run_tcpmodel: Run, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(HTTP.read_bytes()[:-30])
    result = run_tcpmodel("check", "--output-format", "json", cut)
    document = json.loads(result.stdout)
    assert result.returncode == 2
    assert result.stderr.startswith(f"tcpmodel: error: {cut}: ")
    assert document["inputs"][0]["packets"] == 13
    assert document["inputs"][0]["error"] in result.stderr
    assert [one["packets"] for one in document["connections"]] == [13]
    assert run_tcpmodel("check", cut).stdout.endswith("the input could not be checked completely\n")


def test_json_has_the_violation(run_tcpmodel: Run) -> None:
    result = run_tcpmodel("check", "--output-format", "json", HTTP, LATE)
    assert (result.returncode, result.stderr) == (1, "")
    first, second = json.loads(result.stdout)["connections"]
    assert (first["input"], first["verdict"], first["diagnostics"]) == (0, "conforms", [])
    assert (second["input"], second["verdict"]) == (1, "violates")
    found = [item for item in second["diagnostics"] if item["severity"] == "violation"]
    assert [(item["code"], item["frame"], item["time"]) for item in found] == [("TCP-FIN-001", 9, 0.002799)]


@pytest.mark.parametrize("form", ["text", "json"])
def test_file_name_cannot_control_the_terminal(run_tcpmodel: Run, tmp_path: Path, form: str) -> None:
    if os.name != "posix":
        pytest.skip("such names are not allowed")
    hostile = tmp_path / "a\x1b[31m\u202e\n.pcap"
    hostile.write_bytes(HTTP.read_bytes())
    missing = tmp_path / "b\x1b[31m\u202e\n.pcap"
    result = run_tcpmodel("check", "--output-format", form, hostile, missing)
    assert result.returncode == 2
    for output in result.stdout, result.stderr:
        assert "\x1b" not in output and "\u202e" not in output
    assert result.stderr.count("\n") == 1
    assert "\\x1b[31m\\u202e\\n" in result.stderr


def test_file_name_that_is_not_text(run_tcpmodel: Run, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.pcap")
    try:
        (tmp_path / name).write_bytes(HTTP.read_bytes())
    except OSError:
        pytest.skip("such names are not allowed")
    result = run_tcpmodel("check", tmp_path / name, "no-such.pcap")
    assert "caf\\xe9.pcap: pcap, 14 packets\n" in result.stdout
    assert "internal error" not in result.stderr


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", "✓ conforms"), ("ascii", "+ conforms"), ("cp1252", "+ conforms")]
)
def test_signs_that_the_encoding_has(run_tcpmodel: Run, encoding: str, mark: str) -> None:
    result = run_tcpmodel("check", HTTP, env={"PYTHONIOENCODING": encoding})
    assert result.returncode == 0
    assert result.stdout.startswith(mark)


def test_color_on_request(run_tcpmodel: Run) -> None:
    assert "\x1b[32m" in run_tcpmodel("check", "--color", "always", HTTP).stdout
    assert "\x1b" not in run_tcpmodel("check", "--color", "never", HTTP).stdout
    assert "\x1b" not in run_tcpmodel("check", HTTP).stdout


def test_all_errors_of_all_specs(run_tcpmodel: Run, tmp_path: Path) -> None:
    first = spec_file(tmp_path, "spec x over tcp\nstate A\n  on nonsense -> B\nstate A\n", "first.tcpspec")
    second = spec_file(tmp_path, "spec\n", "second.tcpspec")
    result = run_tcpmodel("check", "--spec", first, "--spec", second, HTTP)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("first.tcpspec") >= 2
    assert "second.tcpspec:1:" in result.stderr
    assert "Traceback" not in result.stderr


def test_own_spec_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    own = spec_file(tmp_path, ECHO.format(over="tcp"))
    chosen = {spec.over: spec.name for spec in check.choose_specs([own])}
    assert chosen == {"tcp": "echo", "udp": "udp", "conntrack": "conntrack", "zeek": "zeek", "sockets": "sockets"}


def test_own_spec_of_another_protocol(tmp_path: Path) -> None:
    own = spec_file(tmp_path, ECHO.format(over="sctp"))
    assert {spec.over for spec in check.choose_specs([own])} == {"sctp", "tcp", "udp", "conntrack", "zeek", "sockets"}


def test_same_spec_twice_is_once() -> None:
    assert [spec.name for spec in check.choose_specs(["udp", "udp"])] == ["udp", "tcp", "conntrack", "zeek", "sockets"]


def test_two_specs_of_one_protocol(tmp_path: Path) -> None:
    own = spec_file(tmp_path, ECHO.format(over="tcp"))
    with pytest.raises(CommandError, match="are both specs of tcp: give one of them"):
        check.choose_specs(["tcp", own])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("RFC-793", "no spec has a profile 'RFC-793'; did you mean rfc793?\n"),
        ("no-rfc79", "no spec has a profile 'no-rfc79'; did you mean no-rfc793?\n"),
        ("qqq", "no spec has a profile 'qqq'\nprofiles by spec:\n  tcp: rfc5961, "),
    ],
)
def test_unknown_profile(name: str, said: str) -> None:
    specs = check.choose_specs([])
    with pytest.raises(CommandError) as caught:
        check.choose_profiles([name], specs)
    assert str(caught.value).startswith(said)
    assert "\n  udp: " in str(caught.value)


PROFILES = """
profile modern default "as of today"
profile old "as it was" without modern
profile system "what a system does" with old
"""


@pytest.mark.parametrize(
    ("wanted", "on"),
    [
        (["modern"], {"modern"}),
        (["no-modern"], set()),
        (["old"], {"old"}),
        (["old", "no-old"], set()),
        (["system"], {"system", "old"}),
        (["system", "no-old"], {"system"}),
    ],
)
def test_profiles_that_judge(tmp_path: Path, wanted: list[str], on: set[str]) -> None:
    own = spec_file(tmp_path, ECHO.format(over="tcp") + PROFILES)
    specs, names = check.choose_profiles(wanted, check.choose_specs([own]))
    assert names
    (program,) = [Judge(spec, names).abilities.program for spec in specs if spec.name == "echo"]
    assert program.profiles == {name: name in on for name in ("modern", "old", "system")}


def test_no_profile_is_wanted() -> None:
    specs = check.choose_specs([])
    assert check.choose_profiles([], specs) == (specs, [])


def test_profiles_that_exclude_each_other() -> None:
    with pytest.raises(CommandError, match="'rfc793' excludes profile 'rfc5961'"):
        check.choose_profiles(["rfc793", "rfc5961"], check.choose_specs([]))


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def visible(text: str) -> str:
    """What stands on the terminal's line after ``text`` was written."""
    line: list[str] = []
    place = 0
    for char in text:
        if char == "\r":
            place = 0
        else:
            line[place : place + 1] = [char]
            place += 1
    return "".join(line).rstrip()


def test_progress_is_shown_after_a_while_and_erased(clock: Clock) -> None:
    stream = Terminal()
    shown = progress.Progress(stream)
    shown("long-name.pcap", 10)
    assert stream.getvalue() == ""
    clock.now += 0.6
    shown("long-name.pcap", 123456)
    assert visible(stream.getvalue()) == "long-name.pcap: 123,456 records"
    before = stream.getvalue()
    clock.now += 0.01
    shown("long-name.pcap", 123457)
    assert stream.getvalue() == before
    clock.now += 0.2
    shown("b.pcap", 7)
    assert visible(stream.getvalue()) == "b.pcap: 7 records"
    shown.end()
    assert visible(stream.getvalue()) == ""
    assert stream.getvalue().endswith("\r")


def test_progress_is_silent_elsewhere(clock: Clock) -> None:
    stream = io.StringIO()
    for place in stream, None:
        shown = progress.Progress(place)
        clock.now += 10
        shown("a.pcap", 10)
        shown.end()
    assert stream.getvalue() == ""


def test_progress_fits_the_line_and_controls_nothing(clock: Clock) -> None:
    stream = Terminal()
    shown = progress.Progress(stream)
    clock.now += 10
    shown("\x1b[31m" + "x" * 300 + ".pcap", 10)
    assert "\x1b" not in stream.getvalue()
    assert len(visible(stream.getvalue())) <= 79
    assert visible(stream.getvalue()).endswith("x.pcap: 10 records")


def test_baseline_makes_known_findings_count_no_more(run_tcpmodel: Run, tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    assert run_tcpmodel("check", "--write-baseline", known, LATE).returncode == 0
    assert json.loads(known.read_text(encoding="utf-8"))["findings"] == {
        "TCP-FIN-001 tcp a <SEQ=12><ACK=101><CTL=ACK><DATA=10>": 1
    }
    once = run_tcpmodel("check", "--baseline", known, LATE)
    assert once.returncode == 0 and "1 violates (1 accepted)" in once.stdout
    twice = run_tcpmodel("check", "--baseline", known, LATE, LATE)
    assert twice.returncode == 1 and twice.stdout.count("[TCP-FIN-001]") == 1


def test_output_goes_to_a_file(run_tcpmodel: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    result = run_tcpmodel("check", "-o", path, HTTP)
    assert (result.returncode, result.stdout) == (0, "")
    assert path.read_text(encoding="utf-8").startswith("✓ conforms")


def test_output_does_not_overwrite_what_is_read(run_tcpmodel: Run, tmp_path: Path) -> None:
    capture = tmp_path / "x.pcap"
    capture.write_bytes(HTTP.read_bytes())
    result = run_tcpmodel("check", "-o", capture, capture)
    assert result.returncode == 2 and "it would be overwritten" in result.stderr
    assert capture.read_bytes() == HTTP.read_bytes()
    for place in tmp_path, tmp_path / "none" / "x":
        assert run_tcpmodel("check", "-o", place, HTTP).returncode == 2


def test_json_lines_come_input_by_input(run_tcpmodel: Run, tmp_path: Path) -> None:
    for more in [], ["--write-baseline", tmp_path / "known.json"]:
        result = run_tcpmodel("check", "--output-format", "jsonl", HTTP, LATE, *more)
        kinds = [json.loads(line)["kind"] for line in result.stdout.splitlines()]
        assert sorted(kinds) == ["connection", "connection", "input", "input", "summary"] and kinds[-1] == "summary"


@pytest.mark.parametrize("wrong", ["TCP-FIN", "TCP-FIN=fatal", "=note", "note=warning", "TCP-NIF=note"])
def test_wrong_severity(run_tcpmodel: Run, wrong: str) -> None:
    result = run_tcpmodel("check", "--severity", wrong, HTTP)
    assert result.returncode == 2 and result.stderr.startswith("tcpmodel: error: --severity: ")
