"""A slice of ``bench/fuzz.py``: mutated traces through every reader and the checker."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "fuzz.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_fuzz", BENCH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_breaks_the_readers(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    figures = bench.fuzz(1500, seed=20, check_every=100)
    assert figures["inputs"] == 1500
    assert figures["with records"] > 500
    assert figures["refused"] > 300
    assert figures["checked"] > 5


def test_a_difference_is_noticed(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    real = bench.outcome
    monkeypatch.setattr(bench, "outcome", lambda data, piece: (*real(data, piece)[:2], str(piece)))
    with pytest.raises(AssertionError, match="pieces differ"):
        bench.fuzz(1, seed=1)
    assert (tmp_path / "fuzz-failure.bin").exists()
