"""Reports of very many connections: a list like any other, in little room."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpmodel.checking.outcome import reports
from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, InputReport, Report
from tcpmodel.checking.outcome.patterns import A, B, Pattern
from tcpmodel.checking.outcome.reports import ConnectionReports, Likes, Part, by_input, change, drop, since
from tcpmodel.report import check_json, check_junit, check_text
from tcpmodel.report.policy import Policy
from tcpmodel.report.style import Style

CODE = "TCP-RST-014"


def one(number: int, *, found: int = 0, origin: int = 0) -> ConnectionReport:
    items = tuple(
        Diagnostic(CODE, "violation", "10.0.0.1:1", number + each, False, "an open connection is reset")
        for each in range(found)
    )
    verdict = "violates" if found else "conforms"
    ends = (f"10.0.{number >> 8 & 255}.{number & 255}:{number % 50000}", "192.0.2.1:80")
    return ConnectionReport(f"tcp-{number}", "tcp", *ends, verdict, (), ("CLOSED",), ("CLOSED",), 5, items, origin)


LONE = Pattern(
    ConnectionReport("tcp-1", "tcp", "a:1", "b:2", "inconclusive", ("nothing was captured from b:2",), (), (), 1, ())
)


MARK = 3_000_000_000
TOLD = Pattern(
    ConnectionReport(
        "tcp-1",
        "tcp",
        A,
        B,
        "inconclusive",
        (f"nothing was captured from {B}",),
        (),
        (),
        1,
        (Diagnostic("TCP-OPT-017", "note", A, 9, False, f"{A} has no MSS", observed=f"<SEQ={MARK}> 1 {MARK + 1}"),),
    ),
    (MARK,),
)


def told(number: int, origin: int = 0) -> ConnectionReport:
    a, b, seq = f"10.0.0.{number}:1", "192.0.2.1:80", number * 1000
    item = Diagnostic(
        "TCP-OPT-017", "note", a, number, False, f"{a} has no MSS", time=number + 5, observed=f"<SEQ={seq}> 1 {seq + 1}"
    )
    reasons = (f"nothing was captured from {b}",)
    return ConnectionReport(f"tcp-{number}", "tcp", a, b, "inconclusive", reasons, (), (), 1, (item,), origin)


def with_findings(count: int) -> ConnectionReports:
    made = ConnectionReports()
    for number in range(1, count + 1):
        rest = (number, number + 5, [number * 1000])
        made.add_like(TOLD, number, f"10.0.0.{number}:1", "192.0.2.1:80", 0, 1, rest)
    return made


def test_findings_of_a_pattern() -> None:
    made = with_findings(30)
    assert list(made) == [told(number) for number in range(1, 31)]
    assert [(each, number) for each, number in made.groups()] == [(told(1), 30)]
    report = Report([], made)
    assert len(list(report.findings())) == 30
    drop(made, [0, 1, 5])
    assert list(made.groups()) == [(told(3), 27)]
    made.sort(0)
    assert made[2] == told(5)


def test_findings_of_a_pattern_are_marked_one_by_one() -> None:
    made = with_findings(30)

    def mark(one: ConnectionReport) -> None:
        place = one.diagnostics[0].place
        one.diagnostics[0].ignored = "--ignore" if place % 3 == 0 else ""
        one.diagnostics[0].severity = "violation" if place == 20 else "note"

    change(made, mark)
    assert [each.diagnostics[0].place for each in made if each.diagnostics[0].ignored] == list(range(3, 31, 3))
    assert [each.diagnostics[0].place for each in made if each.diagnostics[0].severity != "note"] == [20]
    assert [each.id for each in made] == [f"tcp-{number}" for number in range(1, 31)]
    assert sorted(number for _, number in made.groups()) == [1, 10, 19]
    made[19].diagnostics[0].severity = "note"
    assert made[19].diagnostics[0].severity == "violation"  # as with all that are packed


def test_patterns_beyond_the_most_are_kept_as_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PATTERNS", 1)
    made = filled(range(1, 20))
    rest = (40, 45, [40_000])
    made.add_like(TOLD, 40, "10.0.0.40:1", "192.0.2.1:80", 0, 1, rest)
    assert made[-1] == told(40)
    assert sum(number for _, number in made.groups()) == 20


def filled(numbers: Iterable[int], origin: int = 0) -> ConnectionReports:
    """Every third has findings, every third is like others."""
    made = ConnectionReports()
    add(made, numbers, origin)
    return made


def add(made: ConnectionReports, numbers: Iterable[int], origin: int = 0) -> None:
    for number in numbers:
        if number % 3 == 0:
            made.add_like(LONE, number, f"10.0.0.{number}:1", "192.0.2.1:80", origin, 1 + number % 2)
        else:
            made.append(one(number, found=number % 3 - 1, origin=origin))


def numbers_of(made: Iterable[ConnectionReport]) -> list[int]:
    return [int(each.id.rpartition("-")[2]) for each in made]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PACKED", 4)
    monkeypatch.setattr(reports, "LOOSE", 6)
    monkeypatch.setattr(reports, "OPEN", 2)


def test_one_is_made_with_its_addresses() -> None:
    made = filled(range(30))
    assert made[27].reasons == ("nothing was captured from 192.0.2.1:80",)
    assert (made[27].a, made[27].packets, made[27].id) == ("10.0.0.27:1", 2, "tcp-27")
    assert made[-1] == one(29, found=1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("adirs"), st.integers(-60, 60)), max_size=12), st.integers(0, 40))
def test_it_is_a_list(steps: list[tuple[str, int]], count: int) -> None:
    reports.PACKED, reports.LOOSE = 4, 6
    made, plain = filled(range(count)), list(filled(range(count)))
    for number, (step, place) in enumerate(steps, 100):
        if step == "a":
            add(made, [number])
            plain += filled([number])
        elif step == "i":
            made.insert(place, one(number))
            plain.insert(place, one(number))
        elif step == "s" and plain:
            made[place % len(plain)] = plain[place % len(plain)] = one(number, found=1)
        elif step == "d" and plain:
            del made[place % len(plain)]
            del plain[place % len(plain)]
        elif step == "r":
            del made[place : place + 7]
            del plain[place : place + 7]
        assert len(made) == len(plain)
        if plain:
            assert made[place % len(plain)] == plain[place % len(plain)]
    assert list(made) == plain
    assert made[3:20] == plain[3:20]
    assert list(since(made, 5)) == plain[5:]
    counted = {(each.verdict, each.packets): 0 for each, _ in made.groups()}
    for each, number in made.groups():
        counted[each.verdict, each.packets] += number
    assert counted == {key: sum((each.verdict, each.packets) == key for each in plain) for key in counted}
    assert sum(counted.values()) == len(plain)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30), st.integers(0, 60), st.randoms(use_true_random=False))
def test_those_of_one_input_are_put_in_order(before: int, count: int, dice: random.Random) -> None:
    reports.PACKED, reports.LOOSE = 4, 6
    first = [*range(1, before + 1)]
    dice.shuffle(first)
    rest = [*range(before + 1, before + count + 1)]
    dice.shuffle(rest)
    made = filled(first)
    add(made, rest)
    made.sort(before)
    assert numbers_of(made) == [*first, *sorted(rest)]
    assert list(made) == [*filled(first), *filled(sorted(rest))]


def test_what_a_policy_says_of_findings_is_kept() -> None:
    report = Report([InputReport("x", "pcap", 1, {})], filled(range(50)))
    assert report.failing == 16
    Policy(ignore=("TCP-RST",)).apply(report)
    assert report.failing == 0
    assert {item.ignored for each in report.connections for item in each.diagnostics} == {"--ignore"}


def test_only_what_was_added_is_changed() -> None:
    made, seen = filled(range(50)), []
    change(made, lambda each: seen.append(each.id), 30)
    assert seen == [f"tcp-{number}" for number in range(30, 50) if number % 3 == 2]


def test_many_are_dropped_at_once() -> None:
    made = filled(range(50))
    drop(made, [49, 0, 7, 8])
    assert numbers_of(made) == [number for number in range(50) if number not in (0, 7, 8, 49)]


def test_lines_are_as_those_that_are_added_one_by_one() -> None:
    made, lines = ConnectionReports(), ConnectionReports()
    index = lines.place(LONE)
    for start in (0, 50):
        numbers = range(start, start + 50)
        for number in numbers:
            made.add_like(LONE, number, f"10.0.0.{number}:1", "192.0.2.1:80", 2, 1 + number % 2)
        texts = [f"{index} {1 + number % 2} {number} 2 10.0.0.{number}:1 192.0.2.1:80" for number in numbers]
        kinds = [Likes(index, packets, 25, start + packets - 1, texts[packets - 1], 7) for packets in (1, 2)]
        lines.add_lines(texts[::-1], kinds)
    lines.sort(0)
    assert list(made) == list(lines)
    assert list(made.groups()) == list(lines.groups())


def test_parts_by_input() -> None:
    made = filled(range(20), 0)
    add(made, range(20, 41), 1)
    made.append(one(99, origin=-1))
    first, second, others = by_input(made, 2)
    assert numbers_of(first) == [*range(20)]
    assert numbers_of(second) == [*range(20, 41)]
    assert numbers_of(second) == [*range(20, 41)]
    assert numbers_of(others) == [99]
    assert numbers_of(second.only(lambda each: bool(each.diagnostics))) == [20, 23, 26, 29, 32, 35, 38]
    assert not Part(made, lambda _: False, 0, len(made))


def test_parts_of_an_input_without_connections() -> None:
    first, second, _ = by_input(filled(range(20), 0), 2)
    assert numbers_of(first.only(lambda each: bool(each.diagnostics)))
    assert numbers_of(second.only(lambda each: bool(each.diagnostics))) == []


def lines_of(name: str, report: Report) -> Iterable[str]:
    if name == "text":
        return check_text.lines(report, Style(color=False), verbose=True)
    if name == "junit":
        return check_junit.lines(report)
    return check_json.lines(report) if name == "json" else check_json.record_lines(report)


@pytest.mark.parametrize("name", ["text", "junit", "json", "jsonl"])
def test_showing_many_takes_no_more_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    report = Report([InputReport("x", "pcap", 1, {}), InputReport("y", "pcap", 1, {})], ConnectionReports())
    for number in range(3_000):
        if number % 10 == 9:
            report.connections.append(one(number, found=2, origin=1))
        else:
            report.connections.add_like(LONE, number, f"10.0.0.1:{number}", "192.0.2.1:80", number // 1500, 1)  # type: ignore[attr-defined]
    tracemalloc.start()
    count = sum(1 for _ in lines_of(name, report))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count >= 3_000
    assert peak < 3 << 19, f"{peak:,} octets"


def test_memory_of_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(reports, "LOOSE", 1024)
    tracemalloc.start()
    made = ConnectionReports()
    for number in range(6_000):
        made.add_like(LONE, number, f"10.{number % 251}.0.1:{number}", "192.0.2.1:80", 0, 1)
    plain = tracemalloc.get_traced_memory()[0]
    for number in range(6_000):
        made.append(one(number, found=1))
    whole = tracemalloc.get_traced_memory()[0]
    made.sort(0)
    tracemalloc.stop()
    assert plain < 40 * 6_000, f"{plain / 6_000:.0f} octets for each report like others"
    assert whole - plain < 100 * 6_000, f"{(whole - plain) / 6_000:.0f} octets for each report with a finding"
