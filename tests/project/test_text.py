"""What no file of the project may say: the paths of the machine that it was written on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {".git", ".venv", "venv", "dist", "build", "__pycache__"}
SKIPPED_FOLDERS |= {".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache"}

# Folders that other machines do not have or that hold other things there. Written in two pieces, since this file is
# looked at too.
LOCAL_FOLDERS = ["/" + name for name in ("home", "root", "tmp", "Users", "work", "mnt")]
LOCAL_PATH = re.compile(rf"(?<![\w.:/~)*}}-])(?:{'|'.join(LOCAL_FOLDERS)})/[\w.]")


def text_files() -> list[Path]:
    """Every text file of the project, samples of traces left out: they are evidence and stay as they were made."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        paths = [ROOT / name for name in listing.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts)]
    found = []
    for path in paths:
        if path.is_file() and path.relative_to(ROOT).parts[0] != "traces" and b"\0" not in path.read_bytes()[:8192]:
            found.append(path)
    return found


FILES = text_files()


def test_there_are_files() -> None:
    assert ROOT / "pyproject.toml" in FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_path_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = [f"line {number}" for number, line in enumerate(text.splitlines(), 1) if LOCAL_PATH.search(line)]
    assert not found
    if len(ROOT.parts) > 2:
        assert str(ROOT) not in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_tidy(path: Path) -> None:
    data = path.read_bytes()
    assert b"\r" not in data, "lines end with LF alone"
    assert data == b"" or data.endswith(b"\n"), "the last line ends too"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (f"see {LOCAL_FOLDERS[0]}/me/x.pcap", True),
        (f'open("{LOCAL_FOLDERS[2]}/x")', True),
        ("see ./traces/lab and docs/work/x", False),
        ("https://example.org" + LOCAL_FOLDERS[0] + "/x", False),
    ],
)
def test_paths_are_recognised(line: str, wrong: bool) -> None:
    assert bool(LOCAL_PATH.search(line)) is wrong
