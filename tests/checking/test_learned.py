"""What was learned in one run is used in the next, and changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.memory import learned
from tcpmodel.checking.memory.memo import Memo
from tcpmodel.checking.outcome.findings import Report
from tcpmodel.model.spec import Spec
from tcpmodel.traces.open import open_trace

TRACES = Path(__file__).parents[2] / "traces"
ONE = TRACES / "lab" / "normal-client-close.client.pcap"
NAMES = ("half-close.client", "rst-abort-client.client", "normal-client-close.server")
CAPTURES = [TRACES / "lab" / f"{name}.pcap" for name in NAMES]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TCPMODEL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return tmp_path / "tcpmodel"


def run(specs: list[Spec], path: Path, profiles: tuple[str, ...] = (), keep: bool = True) -> tuple[Report, Memo]:
    checker = Checker(specs, profiles, keep=keep)
    checker.read(open_trace(str(path)))
    checker.keep()
    return checker.report, checker._judges["tcp"].memo


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("ways-*"))


def test_the_next_run_has_nothing_to_learn(specs: list[Spec], folder: Path) -> None:
    first, memo = run(specs, ONE)
    assert memo.recorded > 5
    (file,) = files(folder)
    written = file.stat().st_mtime_ns
    again, memo = run(specs, ONE)
    assert memo.recorded == memo.watch.recorded == memo.slow == 0
    assert memo.recalled == 10
    assert list(again.connections) == list(first.connections)
    assert file.stat().st_mtime_ns == written


def test_captures_are_judged_alike_with_what_others_taught(specs: list[Spec]) -> None:
    taught = 0
    for path in [*CAPTURES, *CAPTURES[:2]]:
        report, memo = run(specs, path)
        plain, fresh = run(specs, path, keep=False)
        assert list(report.connections) == list(plain.connections), path.name
        assert memo.recorded <= fresh.recorded
        taught += fresh.recorded - memo.recorded
    assert taught > 10


def test_only_what_is_asked_for_is_read_and_the_rest_is_kept(specs: list[Spec]) -> None:
    for path in CAPTURES[:2]:
        run(specs, path)
    _, memo = run(specs, CAPTURES[1])
    for shapes in (memo.known, memo.watch.known):
        table = learned._table(shapes)
        assert table is not None
        made = [one for one in table.made if one is not None]
        assert 0 < len(made) < len(table.made) and all(one in shapes.values() for one in made)
    _, memo = run(specs, CAPTURES[2])
    assert memo.recorded > 0, "a new file was written"
    run(specs, CAPTURES[0])  # what the third has shown to differ may be new to the first
    for path in CAPTURES:
        _, memo = run(specs, path)
        assert memo.recorded == memo.watch.recorded == 0, path.name


@pytest.mark.parametrize("at", [0, 40, 700, 9000, -300])
def test_a_damaged_file_is_learned_again(specs: list[Spec], folder: Path, at: int) -> None:
    first, _ = run(specs, ONE)
    (file,) = files(folder)
    data = bytearray(file.read_bytes())
    data[at] ^= 255
    file.write_bytes(data)
    again, memo = run(specs, ONE)
    assert list(again.connections) == list(first.connections)
    assert memo.recorded + memo.watch.recorded > 0
    _, memo = run(specs, ONE)
    assert memo.recorded == 0


@pytest.mark.parametrize("length", [0, 24, 5000])
def test_a_cut_file_is_learned_again(specs: list[Spec], folder: Path, length: int) -> None:
    first, _ = run(specs, ONE)
    (file,) = files(folder)
    file.write_bytes(file.read_bytes()[:length])
    again, memo = run(specs, ONE)
    assert list(again.connections) == list(first.connections)
    assert memo.recorded > 0


def test_other_profiles_learn_for_themselves(specs: list[Spec], folder: Path) -> None:
    run(specs, ONE)
    _, memo = run(specs, ONE, ("rfc793",))
    assert memo.recorded > 0
    assert len(files(folder)) == 2


def test_a_file_that_others_may_write_to_is_not_used(specs: list[Spec], folder: Path) -> None:
    if os.name == "nt":
        pytest.skip("the folder is below one that only this user may open")
    run(specs, ONE)
    (file,) = files(folder)
    file.chmod(0o666)
    _, memo = run(specs, ONE)
    assert memo.recorded > 0


def test_nothing_is_kept_where_that_is_switched_off(
    specs: list[Spec], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TCPMODEL_CACHE", "off")
    run(specs, ONE)
    assert not files(folder)


def test_what_was_not_used_goes_when_there_is_too_much(
    specs: list[Spec], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = TRACES / "lab" / "half-close.client.pcap"
    run(specs, ONE)
    run(specs, other)
    (file,) = files(folder)
    monkeypatch.setattr(learned, "LARGEST", file.stat().st_size)
    file.unlink()
    run(specs, ONE)
    _, memo = run(specs, other)
    assert file.stat().st_size < learned.LARGEST
    _, again = run(specs, other)
    assert again.recorded < memo.recorded // 2
    assert file.stat().st_size < learned.LARGEST
