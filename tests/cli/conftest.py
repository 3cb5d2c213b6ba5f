"""Console blocks of Markdown pages as tests.

A fenced block marked ``console`` holds commands, each on a line that begins with ``$ tcpmodel``, and below each what it
prints on both outputs together, run at the top of the checkout on a terminal of 80 columns without colours. A line
``...`` stands for any lines, or none; ``...`` within a line for anything. The last line may be ``# exit code N``;
without it the command has to end with 0. A command may be continued with a backslash, and fed with ``< FILE``.

The pages are those beside this file, the README and docs/. A block under ``<!-- run: ... -->`` has its own test, and
one under ``<!-- not run -->`` has none.

``python tests/cli/conftest.py PAGE...`` writes what is out of date anew, in full.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

import tcpmodel

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(tcpmodel.__file__).resolve().parent.parent
PAGES = [*sorted(Path(__file__).parent.glob("*.md")), ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]

BLOCK = re.compile(r"(?:^(?P<above>[^\n]*)\n)?\n?^```console\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
STATUS = re.compile(r"# exit code (\d+)")


class Step(NamedTuple):
    """One command of a page: ``expected`` are the lines below it."""

    page: Path
    line: int
    command: str
    expected: tuple[str, ...]
    status: int

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def steps(text: str, page: Path) -> list[Step]:
    """All commands of a page that are to be run."""
    found: list[Step] = []
    for block in BLOCK.finditer(text):
        if (block["above"] or "").startswith(("<!-- run:", "<!-- not run -->")):
            continue
        first = text.count("\n", 0, block.start("body")) + 1
        command, begin = "", first
        expected: list[str] = []
        for number, line in enumerate([*block["body"].splitlines(), "$ "], first):
            if command.endswith("\\"):
                command = command[:-1] + line.strip()
            elif line.startswith("$ "):
                if command:
                    status = STATUS.fullmatch(expected[-1]) if expected else None
                    shown = expected[:-1] if status else expected
                    found.append(Step(page, begin, command, tuple(shown), int(status[1]) if status else 0))
                command, expected, begin = line[2:], [], number
            else:
                expected.append(line)
    return found


def matches(expected: tuple[str, ...], printed: list[str]) -> bool:
    """Whether the printed lines are the expected ones, with ``...`` for anything."""
    parts = []
    for line in expected:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(map(re.escape, line.split("..."))) + r"\n")
    return re.fullmatch("".join(parts), "".join(line + "\n" for line in printed)) is not None


def run(step: Step) -> tuple[int, list[str]]:
    """Exit status and printed lines of a command."""
    words = shlex.split(step.command)
    assert words[0] == "tcpmodel", f"only tcpmodel is run, not {words[0]}"
    source: Path | None = None
    if "<" in words:
        place = words.index("<")
        source = ROOT / words[place + 1]
        del words[place : place + 2]
    environment = os.environ | {
        "PYTHONPATH": str(PACKAGE),
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
        "COLUMNS": "80",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    result = subprocess.run(
        [sys.executable, "-P", "-m", *words],
        cwd=ROOT,
        env=environment,
        input=source.read_bytes() if source else b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return result.returncode, result.stdout.decode().splitlines()


def updated(text: str, page: Path) -> str:
    """The page with what its commands print now, where that is not what stands there."""
    lines = text.splitlines()
    for step in reversed(steps(text, page)):
        status, printed = run(step)
        if status == step.status and matches(step.expected, printed):
            continue
        begin = step.line
        while lines[begin - 1].endswith("\\"):
            begin += 1
        end = begin + len(step.expected) + (step.status != 0)
        lines[begin:end] = [*printed, *([f"# exit code {status}"] if status else [])]
    return "\n".join(lines) + "\n"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each command of all pages, for a test that asks for a ``step``."""
    if "step" in metafunc.fixturenames:
        found = [step for page in PAGES if page.is_file() for step in steps(page.read_text(encoding="utf-8"), page)]
        metafunc.parametrize("step", found, ids=str)


@pytest.fixture(scope="session")
def console() -> SimpleNamespace:
    """What the tests of this folder use of this module, which cannot be imported."""
    return SimpleNamespace(steps=steps, matches=matches, run=run, updated=updated)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name).resolve()
        path.write_text(updated(path.read_text(encoding="utf-8"), path), encoding="utf-8", newline="\n")
