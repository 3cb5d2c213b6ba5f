"""Expressions over what is known: every point must agree with what is said of the whole interval.

Expressions are written as a spec would write them, and drawn at random; the reference interpreter decides each point.
"""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import Message, Reference

from tcpmodel.model.load import parse_spec
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.execution import Environment
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.values import FALSE, OPEN, TRUE, Interval

HEAD = """spec toy
var A, B : octets = 0
var N : seq(local)
var M : seq(local)
var O : optional octets
var W : red | green | blue = red
message SEG
  flag F, G
  field X : octets
  field S : seq(receiver)
initial state ONLY
  on SEG stay
"""


def octets(depth: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(("A", "B", "SEG.X", "0", "1", "3", "O"))
    if not depth:
        return leaf
    below = octets(depth - 1)
    sums = st.tuples(below, st.sampled_from("+-*"), below).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    picks = st.tuples(st.sampled_from(("max", "min")), below, below).map(lambda p: f"{p[0]}({p[1]}, {p[2]})")
    return st.one_of(leaf, sums, picks)


def sequences(depth: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(("N", "M", "SEG.S"))
    if not depth:
        return leaf
    sums = st.tuples(sequences(depth - 1), st.sampled_from("+-"), octets(0)).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    picks = st.tuples(st.sampled_from(("max", "min")), leaf, leaf).map(lambda p: f"{p[0]}({p[1]}, {p[2]})")
    return st.one_of(leaf, sums, picks)


def conditions(depth: int) -> st.SearchStrategy[str]:
    compare = st.one_of(
        st.tuples(octets(1), st.sampled_from(("<", "=<", "=", "!=", ">", ">=")), octets(1)),
        st.tuples(sequences(1), st.sampled_from(("<", "=<", "=", "!=")), sequences(1)),
        st.tuples(st.just("W"), st.sampled_from(("=", "!=")), st.sampled_from(("red", "green", "blue"))),
    ).map(" ".join)
    others = st.sampled_from(("SEG with F", "SEG with F,G", "SEG without G", "O is set", "O is unset", "true"))
    leaf = st.one_of(compare, compare, others)
    if not depth:
        return leaf
    below = conditions(depth - 1)
    both = st.tuples(below, st.sampled_from(("and", "or")), below).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})")
    return st.one_of(leaf, both, below.map(lambda p: f"not ({p})"))


@st.composite
def definitions(draw: st.DrawFn, body: st.SearchStrategy[str]) -> str:
    if draw(st.booleans()):
        return f"define d = {draw(body)}\n"
    guard = draw(conditions(0))
    return f"define d\n  | {guard} => {draw(body)}\n  | otherwise => {draw(body)}\n"


EXAMPLES = 250
BASES = (0, 100, 2**32 - 2, 2**32 + 1)


@st.composite
def knowledge(draw: st.DrawFn) -> tuple[dict[str, Interval | None], int]:
    """What is known of each name, with few points in all; numbers in ``N``, ``M`` and ``SEG.S`` lie around one base."""
    base = draw(st.sampled_from(BASES))
    known: dict[str, Interval | None] = {}
    for name in ("A", "B", "SEG.X", "N", "M", "SEG.S", "O"):
        low = draw(st.integers(0, 4))
        width = draw(st.sampled_from((0, 0, 1, 2)))
        shift = base if name in ("N", "M", "SEG.S") else 0
        known[name] = (shift + low, shift + low + width)
    if draw(st.booleans()):
        known["O"] = None
    low = draw(st.integers(0, 2))
    known["W"] = (low, draw(st.integers(low, 2)))
    for name in "FG":
        known[name] = draw(st.sampled_from(((0, 0), (1, 1), (0, 1))))
    return known, base


def setting(spec: Spec, known: dict[str, Interval | None]) -> tuple[Program, Environment]:
    program = Program(spec, {})
    # What depends on nothing but the message gets a slot of its own, so compile before the slots are filled.
    environment = program.environment([known[name] for name in ("A", "B", "N", "M", "O", "W")])
    return program, environment


def fill(program: Program, environment: Environment, known: dict[str, Interval | None]) -> None:
    environment.extend([None] * (program.layout.size - len(environment)))
    fields = {name: interval for name in "XS" if (interval := known[f"SEG.{name}"]) is not None}
    for slot, interval in program.message_slots("SEG", None, fields):
        environment[slot] = interval
    for name in "FG":
        environment[program.layout.flags["SEG", name]] = known[name]
    for slot, evaluate in program.compiler.derived.get("SEG", ()):
        environment[slot] = evaluate(environment)


def every_point(known: dict[str, Interval | None]) -> list[dict[str, int | None]]:
    names = list(known)
    ranges: list[list[int | None]] = []
    for name in names:
        interval = known[name]
        ranges.append([None] if interval is None else list(range(interval[0], interval[1] + 1)))
    return [dict(zip(names, point, strict=True)) for point in product(*ranges)]


def decide(reference: Reference, spec: Spec, point: dict[str, int | None]) -> tuple[dict[str, int | None], Message]:
    values = {name: point[name] for name in ("A", "B", "N", "M", "O", "W")}
    flags = frozenset(name for name in "FG" if point[name])
    fields = {name: number for name in "XS" if (number := point[f"SEG.{name}"]) is not None}
    return values, Message("SEG", flags, fields)


def load(text: str) -> Spec:
    from tcpmodel.language.errors import SpecErrors

    try:
        return parse_spec(text, "toy.tcpspec")
    except SpecErrors:
        assume(False)
        raise


@settings(max_examples=EXAMPLES)
@given(definitions(conditions(1)), knowledge())
def test_a_condition_is_decided_as_all_its_points(text: str, drawn: tuple[dict[str, Interval | None], int]) -> None:
    """Never yes or no when a point says otherwise; what refining leaves holds every point that agrees."""
    known, _ = drawn
    points = every_point(known)
    assume(len(points) <= 200)
    spec = load(HEAD + text)
    reference = Reference(spec, {})
    program, environment = setting(spec, known)
    body = spec.definitions[0].body
    guard = program.compiler.guard(body)
    fill(program, environment, known)
    truths = [
        reference.truth(body, values, {}, message) for values, message in (decide(reference, spec, p) for p in points)
    ]
    answer = guard.test(environment)
    assert answer in (TRUE, FALSE, OPEN)
    if answer != OPEN:
        assert set(truths) == {answer == TRUE}, (text, known)
    slots = {name: program.layout.variables[name] for name in ("A", "B", "N", "M", "O", "W")}
    slots |= {"SEG.X": program.layout.fields["SEG", "X"], "SEG.S": program.layout.fields["SEG", "S"]}
    slots |= {name: program.layout.flags["SEG", name] for name in "FG"}
    for wanted in (True, False):
        narrowed = list(environment)
        possible = guard.refine(narrowed, wanted)
        for point, truth in zip(points, truths, strict=True):
            if truth != wanted:
                continue
            assert possible, f"{text} refined to {wanted} is possible: {point} in {known}"
            for name, slot in slots.items():
                left, number = narrowed[slot], point[name]
                assert (left is None) == (number is None)
                if left is not None and number is not None:
                    assert left[0] <= number <= left[1], f"{text} refined to {wanted} loses {point}: {name} {left}"


@pytest.mark.parametrize("kind", ["octets", "seq"])
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_a_value_holds_all_its_points(kind: str, data: st.DataObject) -> None:
    """The interval of an expression holds the value at each point; imposing bounds keeps every point that fits them."""
    body_text = data.draw(definitions(octets(2) if kind == "octets" else sequences(2)))
    known, base = data.draw(knowledge())
    points = every_point(known)
    assume(len(points) <= 200)
    spec = load(HEAD + body_text)
    reference = Reference(spec, {})
    program, environment = setting(spec, known)
    body = spec.definitions[0].body
    value = program.compiler.value(body)
    fill(program, environment, known)
    interval = value.evaluate(environment)
    low = data.draw(st.integers(-3, 6)) + (base if kind == "seq" else 0)
    bounds = (low, low + data.draw(st.integers(0, 4)))
    narrowed = list(environment)
    possible = value.narrow(narrowed, *bounds)
    variables = [(name, program.layout.variables[name]) for name in ("A", "B", "N", "M", "O")]
    for point in points:
        number = reference.number(body, *decide(reference, spec, point)[:1], {}, decide(reference, spec, point)[1])
        if number is None:
            continue
        if kind == "seq":
            number = base + ((number - base + 2**31) % 2**32 - 2**31)
        assert interval is not None and interval[0] <= number <= interval[1], f"{body_text} {point} {number} {interval}"
        if bounds[0] <= number <= bounds[1]:
            assert possible, f"{body_text} in {bounds} is possible: {point}"
            for name, slot in variables:
                left, here = narrowed[slot], point[name]
                if left is not None and here is not None:
                    assert left[0] <= here <= left[1], f"{body_text} in {bounds} loses {point}: {name} {left}"


def test_drawn_specs_are_good_specs() -> None:
    """The tests above would test nothing if what they draw did not parse."""
    rng = Random(1)
    texts = ["N + 1 < M and O is set", "(A * 3) =< max(B, SEG.X)", "W = green or not (SEG with F,G)", "SEG.S = N"]
    for text in texts:
        spec = parse_spec(HEAD + f"define d = {text}\n", "toy.tcpspec")
        assert spec.definitions[0].body.text
    assert rng
