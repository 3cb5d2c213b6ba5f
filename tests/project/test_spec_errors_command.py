"""What the commands say about specs that are wrong or missing, and what ``tcpmodel explain`` says about it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

WRONG = """\
spec door "A door"
call OPEN, CLOSE

initial state SHUT
  on OPEN -> AJARR

state AJAR
  on CLOSE -> SHUTT
"""


def test_all_errors_of_a_spec_are_shown(run_tcpmodel: Run, tmp_path: Path) -> None:
    path = tmp_path / "door.tcpspec"
    path.write_text(WRONG, encoding="utf-8")
    result = run_tcpmodel("render", path)
    assert (result.returncode, result.stdout) == (2, "")
    places = re.findall(rf"(?m)^{re.escape(str(path))}:(\d+):\d+: error\[TS\d+\]", result.stderr)
    assert places == ["5", "8"]


@pytest.mark.parametrize("command", ["render", "verify"])
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\0", b"spec", b"((((" * 500], ids=["empty", "binary", "cut", "deep"]
)
def test_rubbish_is_an_error_not_a_fault(run_tcpmodel: Run, tmp_path: Path, command: str, content: bytes) -> None:
    path = tmp_path / "rubbish.tcpspec"
    path.write_bytes(content)
    result = run_tcpmodel(command, path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr and "internal error" not in result.stderr


def test_unknown_spec_names_the_shipped_ones(run_tcpmodel: Run, tmp_path: Path) -> None:
    result = run_tcpmodel("render", "no-such-spec", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "no-such-spec" in result.stderr and "tcp" in result.stderr and "udp" in result.stderr


@pytest.mark.parametrize("code", ["TS001", "ts001", "[TS001]"])
def test_explain(run_tcpmodel: Run, code: str) -> None:
    result = run_tcpmodel("explain", code)
    assert (result.returncode, result.stderr) == (0, "")
    assert "TS001" in result.stdout


@pytest.mark.parametrize("code", ["TS999", "", "x", "TS001 TS002"])
def test_explain_an_unknown_code(run_tcpmodel: Run, code: str) -> None:
    result = run_tcpmodel("explain", code)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("tcpmodel: error: ")


def test_the_code_in_the_help_exists(run_tcpmodel: Run) -> None:
    (code,) = set(re.findall(r"TS\d+", run_tcpmodel("explain", "--help").stdout))
    assert run_tcpmodel("explain", code).returncode == 0
