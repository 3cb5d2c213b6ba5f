"""A slice of ``bench/fuzz_specs.py``: mutated specs through every command that reads one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "fuzz_specs.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_fuzz_specs", BENCH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_breaks_the_commands(bench: ModuleType, tmp_path: Path) -> None:
    figures = bench.fuzz(120, seed=20, keep=tmp_path)
    assert figures["specs"] == 120
    assert figures["failed"] == 0
    assert figures["accepted"] > 5
    assert figures["with errors"] > 50


def test_a_failure_is_kept(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "command", lambda _: 1 // 0)
    assert bench.fuzz(3, seed=1, keep=tmp_path)["failed"] == 3
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("status", "errors", "wrong"),
    [
        (0, "", False),
        (2, "x.tcpspec:1:2: error[TS001]: no\n  ^", False),
        (2, "x.tcpspec: error[TS001]: no", True),
        (1, "x.tcpspec:1:2: error[TS001]: no\n  ^", True),
        (2, "", True),
        (70, "", True),
        (2, "tcpmodel: internal error: KeyError", True),
    ],
)
def test_what_is_wrong_is_noticed(bench: ModuleType, status: int, errors: str, wrong: bool) -> None:
    assert bool(bench.problem(status, errors)) == wrong
