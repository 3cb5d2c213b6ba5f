"""``tcpmodel verify`` as a user sees it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

BROKEN = """\
spec broken "a trap"
profile odd "another way in"
call GO, STOP
initial state IDLE "idle"
  on GO -> TRAP
  on STOP stay
state TRAP "no way out"
  on GO, STOP stay
  @odd on GO stay then continue
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.tcpspec"
    path.write_text(BROKEN.replace("  @odd on GO stay then continue\n", ""), encoding="utf-8")
    return path


def test_all_hold(run_tcpmodel: Run) -> None:
    result = run_tcpmodel("verify", "udp")
    assert (result.returncode, result.stderr) == (0, "")
    assert "✓ closable" in result.stdout and result.stdout.endswith(" 0 fail.\n")


def test_failure_and_witness(run_tcpmodel: Run, broken: Path) -> None:
    result = run_tcpmodel("verify", broken)
    assert (result.returncode, result.stderr) == (1, "")
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "from TRAP no path leads to IDLE" in lines
    assert "by IDLE on GO → TRAP" in lines
    assert "each of 1 profile changes something" not in result.stdout
    assert any(line.startswith("odd changes no rule") for line in lines)


def test_json(run_tcpmodel: Run, broken: Path) -> None:
    result = run_tcpmodel("verify", broken, "--output-format", "json")
    assert result.returncode == 1
    document = json.loads(result.stdout)
    assert document["spec"] == "broken"
    assert [one["name"] for one in document["profiles"]] == ["default", "odd", "all"]
    checks = {check["name"]: check for check in document["profiles"][0]["checks"]}
    assert checks["deadlock-free"]["verdict"] == "fails"
    assert checks["deadlock-free"]["witness"] == [
        {
            "text": "in TRAP no event leaves the state, sets a variable or sends anything",
            "state": "TRAP",
            "path": [{"state": "IDLE", "event": "GO", "rule": "IDLE.GO.1", "target": "TRAP"}],
        }
    ]
    every = [check["verdict"] for one in document["profiles"] for check in one["checks"]]
    assert document["summary"] == {"hold": every.count("holds"), "fail": every.count("fails")}


def test_one_choice_of_profiles(run_tcpmodel: Run) -> None:
    result = run_tcpmodel("verify", "tcp", "--profile", "rfc793", "--profile", "rfc1337", "--output-format", "json")
    assert result.returncode == 0
    (section, behaviour) = json.loads(result.stdout)["profiles"]
    assert section["on"] == behaviour["on"] == ["rfc793", "rfc1337"]
    assert behaviour["name"] == "behaviour"


@pytest.mark.parametrize(
    "arguments", [["verify", "nosuch"], ["verify", "tcp", "--profile", "nosuch"], ["verify", "missing.tcpspec"]]
)
def test_unusable(run_tcpmodel: Run, arguments: list[str]) -> None:
    result = run_tcpmodel(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "nosuch" in result.stderr or "missing" in result.stderr


def test_plain_terminal(run_tcpmodel: Run, broken: Path) -> None:
    result = run_tcpmodel("verify", broken, env={"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 1
    assert "! closable" in result.stdout and "IDLE on GO -> TRAP" in result.stdout
    assert result.stdout.isascii()


def test_verbose_tells_overlaps(run_tcpmodel: Run) -> None:
    overlap = "wins over"
    assert overlap not in run_tcpmodel("verify", "udp").stdout
    assert overlap in run_tcpmodel("verify", "udp", "--verbose").stdout
