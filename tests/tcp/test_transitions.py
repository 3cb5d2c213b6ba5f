"""Every row of the transition relation of TCP, as cases that the spec must answer in exactly one way."""

from __future__ import annotations

from functools import cache

import pytest
from cases import Numbers, TransitionCase, Value, cases, starts

from tcpmodel.model.load import load_spec
from tcpmodel.semantics.stepping import Stepper

NUMBERINGS = ((100, 300), (4294967294, 300), (100, 4294967294), (4294967294, 4294967294))
"""ISS and IRS: ordinary, and just before they pass 2^32, each and both."""

STARTS = starts()

ROWS = {
    "CLO": range(1, 10),
    "LIS": range(1, 18),
    "SYS": range(1, 22),
    "SYR": [*range(1, 8), *range(10, 26), *range(30, 33)],
    "C": range(1, 13),
    "SYN": range(1, 19),
    "TMW": range(1, 13),
    "TFO": range(1, 7),
}
OTHER_ROWS = """A1 A2 A3 A4 EST-A1 FW1-A1 FW2-A1 CLW-A1 CLG-A1 CLG-A2 LAK-A1 EST-F1 FW1-F1 FW1-F2 FW2-F1 CLW-F1 CLG-F1
LAK-F1 TMW-F1 MAY-1 7.1 7.2 7.3 7.4 7.5 7.6 7.7 7.8 7.9 7.10 7.11 7.12 7.13"""


@cache
def stepper(profiles: tuple[str, ...]) -> Stepper:
    return Stepper(load_spec("tcp"), profiles)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_row(case: TransitionCase) -> None:
    start = STARTS[case.start]
    for iss, irs in NUMBERINGS:
        numbers = Numbers({"ISS": iss, "IRS": irs})
        given: dict[str, Value] = {"ISS": iss, "IRS": irs} | numbers.set(start.variables) | numbers.set(case.let)
        choose = {name: numbers.value(value) for name, value in case.choose}
        one = stepper(case.profiles)
        if case.event in ("OPEN active", "SEND") or start.state == "LISTEN":
            choose = {"ISS": iss, **choose}
        step = one.apply(start.state, given, numbers.message(case.event), choose)
        (outcome,) = step.outcomes
        where = f"with ISS={iss} and IRS={irs}, by {', '.join(rule.id for rule in outcome.rules)}"
        assert outcome.path == (start.state, *case.path), where
        assert outcome.sent == tuple(map(numbers.message, case.sent)), where
        if case.signal == "-":
            assert not outcome.signals, where
        elif case.signal != "*":
            assert any(case.signal in signal for signal in outcome.signals), (where, outcome.signals)
        for name, value in case.after:
            assert outcome.variables[name] == numbers.value(value), where


def test_every_row_has_a_case() -> None:
    there = {case.id for case in cases()}
    numbered = {f"{name}-{n:02}" if name != "C" else f"C{n:02}" for name, range_ in ROWS.items() for n in range_}
    assert not (numbered | set(OTHER_ROWS.split())) - there


def test_every_start_is_used() -> None:
    assert {case.start for case in cases()} == set(STARTS)
