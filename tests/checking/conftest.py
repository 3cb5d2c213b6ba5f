"""What the tests of the checker share: specs compiled once, and a way to check records that come from no file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Spec
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import Record

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "semantics")]

from in_memory import Records  # noqa: E402

Judge = Callable[..., Checker]


@pytest.fixture(scope="session")
def tcp() -> Spec:
    return load_spec("tcp")


@pytest.fixture(scope="session")
def specs(tcp: Spec) -> list[Spec]:
    return [tcp, load_spec("udp")]


@pytest.fixture(scope="session")
def judge(specs: list[Spec]) -> Judge:
    """Check records, a file or a trace, against the shipped specs, which are compiled once.

    The result is the checker, so that a test can look at more than its report.
    """
    kept: dict[str, object] = {}

    def run(what: Iterable[Record] | Path | Trace, source: str = "") -> Checker:
        checker = Checker(specs)
        checker._judges.update(kept)  # type: ignore[arg-type]
        trace = open_trace(str(what)) if isinstance(what, Path) else what
        if not hasattr(trace, "records"):
            trace = Records(trace, source)
        checker.read(trace)  # type: ignore[arg-type]
        kept.update(checker._judges)
        return checker

    return run
