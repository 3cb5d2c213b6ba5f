"""Taking packets by memory gives what taking each packet anew gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.checking.checker import Checker, Judge
from tcpmodel.checking.memory import memo as memory
from tcpmodel.checking.memory import watchmemo
from tcpmodel.checking.memory.compiled import Way
from tcpmodel.checking.memory.thinning import thin
from tcpmodel.checking.memory.watchmemo import Known
from tcpmodel.checking.outcome.findings import Report
from tcpmodel.model.spec import Spec
from tcpmodel.semantics import values as v
from tcpmodel.semantics.recording import Number, Recorder
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet, Record

TRACES = Path(__file__).parents[2] / "traces"
CAPTURES = sorted(TRACES.glob("*/*.pcap*"))


def report(specs: list[Spec], judges: dict[str, Judge], paths: list[Path]) -> Report:
    checker = Checker(specs)
    checker._judges.update(judges)
    for path in paths:
        checker.read(open_trace(str(path)))
    judges.update(checker._judges)
    return checker.report


def read(specs: list[Spec], judges: dict[str, Judge], trace: Any) -> Report:
    checker = Checker(specs)
    checker._judges.update(judges)
    checker.read(trace)
    judges.update(checker._judges)
    return checker.report


@pytest.fixture(scope="module")
def with_memory() -> dict[str, Judge]:
    return {}


@pytest.fixture(scope="module")
def without_memory(specs: list[Spec]) -> dict[str, Judge]:
    judges = {spec.over: Judge(spec) for spec in specs}
    for judge in judges.values():
        judge.memo.active = False
    return judges


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_capture_is_judged_alike(
    path: Path, specs: list[Spec], with_memory: dict[str, Judge], without_memory: dict[str, Judge]
) -> None:
    plain = report(specs, without_memory, [path])
    first = report(specs, with_memory, [path])
    again = report(specs, with_memory, [path])
    assert list(first.connections) == list(plain.connections)
    assert list(again.connections) == list(plain.connections)


def test_a_memory_that_is_full_forgets_what_was_used_least(
    specs: list[Spec], with_memory: dict[str, Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [path for path in CAPTURES if path.stat().st_size < 6000][:12]
    expected = [list(report(specs, with_memory, [path]).connections) for path in paths]
    for module in (memory, watchmemo):
        monkeypatch.setattr(module, "MOST", 12)
        monkeypatch.setattr(module, "MOST_OF_A_KIND", 4)
    small: dict[str, Judge] = {}
    assert [list(report(specs, small, [path]).connections) for path in paths] == expected
    memo = small["tcp"].memo
    assert memo.recorded > 3 * 12
    for one in (memo, memo.watch):
        assert sum(len(kind) for known in one.known.values() for kind in known.ways.values()) <= 2 * 12
        assert len(one.known) <= 12


def test_what_is_used_often_is_not_forgotten() -> None:
    ways = {name: Way((), None, (), 0) for name in range(8)}
    targets: dict[int, Known] = {name: Known((name,), frozenset()) for name in range(8)}
    for name, way in ways.items():
        way.uses = name
        way.target = targets[(name + 1) % 8]
        targets[name].ways["kind"].append((way, None))
    known: dict[Any, Known] = dict(targets)
    assert thin(known, lambda entry: entry[0], (targets[2],), 4) == 4
    assert [name for name in known if known[name].ways["kind"]] == [4, 5, 6, 7]
    assert sorted(known) == [0, 2, 4, 5, 6, 7]  # 0 is where 7 leads, 2 was to be kept
    assert [way.uses for way in ways.values()][4:] == [2, 2, 3, 3]


class Spoiled:
    """A trace of which only some packets were captured: ``seen`` says which, by their number and source."""

    offer = None  # what takes packets before they are records would take those that are not seen, too

    def __init__(self, path: Path, seen: Callable[[int, Packet], bool]) -> None:
        self._trace = open_trace(str(path))
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trace, name)

    def records(self) -> Iterator[Record]:
        for number, record in enumerate(self._trace.records()):
            if not isinstance(record, Packet) or self._seen(number, record):
                yield record


LOSSY = [
    TRACES / "lab" / "half-close.client.pcap",
    TRACES / "lab" / "rst-abort-client.client.pcap",
]
LONGER = TRACES / "zeek" / "ftp-ipv6.pcap"
LOSSES: dict[str, Callable[[int, Packet], bool]] = {
    "each seventh": lambda number, _packet: number % 7 != 4,
    "each third": lambda number, _packet: number % 3 != 1,
    "two in a row": lambda number, _packet: number % 9 not in (5, 6),
    "the head": lambda number, _packet: number > 5,
    "one direction": lambda _number, packet: packet.source < packet.destination,
    "the other direction": lambda _number, packet: packet.source > packet.destination,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_captures_that_lost_packets_are_judged_alike(
    loss: str, specs: list[Spec], with_memory: dict[str, Judge], without_memory: dict[str, Judge]
) -> None:
    for path in [*LOSSY, LONGER] if loss == "each third" else LOSSY:
        plain, first, again = (
            list(read(specs, judges, Spoiled(path, LOSSES[loss])).connections)
            for judges in (without_memory, with_memory, with_memory)
        )
        assert first == plain, path.name
        assert again == plain, path.name


def test_packets_are_taken_by_memory_while_packets_are_missing(specs: list[Spec]) -> None:
    judges: dict[str, Judge] = {}
    path = TRACES / "lab" / "half-close.client.pcap"
    for _ in range(2):
        checked = read(specs, judges, Spoiled(path, LOSSES["each seventh"]))
    codes = [item.code for one in checked.connections for item in one.diagnostics]
    memo = judges["tcp"].memo
    assert codes.count("CAP-006") > 1
    assert memo.slow == 0
    assert memo.recorded < memo.recalled / 2


def test_memory_is_used(specs: list[Spec], with_memory: dict[str, Judge]) -> None:
    path = TRACES / "lab" / "normal-client-close.client.pcap"
    report(specs, with_memory, [path])
    memo = with_memory["tcp"].memo
    recorded, recalled = memo.recorded, memo.recalled
    report(specs, with_memory, [path])
    assert memo.recorded == recorded
    assert memo.recalled == recalled + 10


INPUTS = st.lists(st.integers(-5, 5) | st.integers(-(1 << 40), 1 << 40), min_size=3, max_size=3)
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "subtract", "join", "meet", "less", "equal", "scale", "wrap", "max"]),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(-3, 3),
    ),
    max_size=12,
)


def compute(inputs: list[Number] | list[int], operations: list[tuple[str, int, int, int]]) -> list[object]:
    """A computation over intervals whose course depends on comparisons."""
    known: list[v.Interval] = [(each, each) for each in inputs]  # type: ignore[misc]
    known += [v.ANY, v.AMOUNT, (0, v.INFINITY)]
    said: list[object] = []
    for name, left, right, number in operations:
        a, b = known[left % len(known)], known[right % len(known)]
        if name == "add":
            known.append(v.add(a, b))
        elif name == "subtract":
            known.append(v.subtract(a, b))
        elif name == "join":
            known.append(v.join(a, b) or v.ANY)
        elif name == "meet":
            known.append(v.meet(a, b) or v.NO)
        elif name == "less":
            said.append(v.less(a, b, number > 0))
        elif name == "equal":
            said.append(v.equal(a, b, number > 0))
        elif name == "scale":
            known.append(v.multiply(a, (number, number)))
        elif name == "wrap":
            known.append(v.modulo(a, (1 << 32, 1 << 32)))
        else:
            known.append((max(a[0], b[0]), max(a[1], b[1])))
        if known[-1][0] <= -v.INFINITY // 2 or known[-1][1] >= v.INFINITY // 2:
            known[-1] = v.ANY
    return [*said, *(bound for interval in known for bound in interval)]


def worth(found: list[object]) -> list[object]:
    return [each.value if isinstance(each, Number) else each for each in found]


@given(INPUTS, INPUTS, OPERATIONS)
def test_what_was_recorded_holds_within_its_bounds(
    first: list[int], second: list[int], operations: list[tuple[str, int, int, int]]
) -> None:
    recorder = Recorder(list(first))
    found = compute([recorder.number(index) for index in range(len(first))], operations)
    assert worth(found) == compute(list(first), operations)

    def total(base: tuple[tuple[int, int], ...]) -> int:
        return sum(second[index] * factor for index, factor in base)

    if not all(low <= total(base) <= high for base, low, high in recorder.conditions()):
        return
    expected = [
        total(recorder.bases[each.base]) + each.constant if isinstance(each, Number) else each for each in found
    ]
    assert expected == compute(list(second), operations)
