"""Numbers modulo 2^32 and interval arithmetic, each against a definition that only counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.semantics import values as v
from tcpmodel.semantics.values import FALSE, OPEN, TRUE, Interval

MODULUS = 2**32
EDGES = (0, 1, 2, 2**31 - 2, 2**31 - 1, 2**31, 2**31 + 1, MODULUS - 2, MODULUS - 1)
numbers = st.one_of(st.sampled_from(EDGES), st.integers(0, MODULUS - 1))
anywhere = st.one_of(numbers, st.integers(-(2**40), 2**40))
small = st.integers(-12, 12)


@st.composite
def intervals(draw: st.DrawFn, values: st.SearchStrategy[int] = small) -> Interval:
    low, high = sorted((draw(values), draw(values)))
    return (low, high)


@st.composite
def points(draw: st.DrawFn, values: st.SearchStrategy[int] = small) -> tuple[Interval, int]:
    """An interval, perhaps without bounds, and a number in it."""
    low, number, high = sorted((draw(values), draw(values), draw(values)))
    return (
        -v.INFINITY if draw(st.booleans()) and draw(st.booleans()) else low,
        v.INFINITY if draw(st.booleans()) and draw(st.booleans()) else high,
    ), number


# ------------------------------------------------------------------------------------------------------- the circle


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 0, 0),
        (0, 1, 1),
        (1, 0, -1),
        (MODULUS - 1, 0, 1),
        (0, MODULUS - 1, -1),
        (MODULUS - 5, 5, 10),
        (0, 2**31 - 1, 2**31 - 1),
        (0, 2**31, -(2**31)),
        (2**31, 0, -(2**31)),
        (0, 2**31 + 1, -(2**31) + 1),
        (7, 7 + MODULUS, 0),
        (-1, 1, 2),
    ],
)
def test_distance(start: int, end: int, expected: int) -> None:
    assert v.distance(start, end) == expected


@given(anywhere, anywhere)
def test_distance_leads_there(start: int, end: int) -> None:
    gap = v.distance(start, end)
    assert (start + gap - end) % MODULUS == 0
    assert -(2**31) <= gap < 2**31


@given(numbers, anywhere)
def test_unwrap_is_the_nearest_of_all(number: int, near: int) -> None:
    found = v.unwrap(number, near)
    rounds = near // MODULUS
    candidates = [number + MODULUS * k for k in range(rounds - 2, rounds + 3)]
    assert found in candidates
    assert abs(found - near) == min(abs(candidate - near) for candidate in candidates)


@given(numbers, numbers)
def test_circular_order(a: int, b: int) -> None:
    """RFC 9293, 3.4: less means that at most half the circle lies ahead; opposite points are never both less."""
    ahead = (b - a) % MODULUS
    point_a, point_b = (a, a), (b, b)
    assert v.less(point_a, point_b, True) == (TRUE if 0 < ahead < 2**31 else FALSE)
    assert v.less_or_equal(point_a, point_b, True) == (TRUE if ahead < 2**31 else FALSE)
    assert v.equal(point_a, point_b, True) == (TRUE if ahead == 0 else FALSE)


@given(numbers, numbers, st.integers(-3, 3), st.integers(-3, 3))
def test_circular_order_knows_no_rounds(a: int, b: int, rounds_a: int, rounds_b: int) -> None:
    far_a, far_b = a + MODULUS * rounds_a, b + MODULUS * rounds_b
    for compare in (v.less, v.less_or_equal, v.equal):
        assert compare((a, a), (b, b), True) == compare((far_a, far_a), (far_b, far_b), True)


def test_amounts_are_not_circular() -> None:
    assert v.less((0, 0), (2**32, 2**32), False) == TRUE
    assert v.equal((0, 0), (2**32, 2**32), False) == FALSE
    assert v.equal((0, 0), (2**32, 2**32), True) == TRUE


# --------------------------------------------------------------------------------------------------------- intervals

ARITHMETIC: list[tuple[Callable[[Interval, Interval], Interval], Callable[[int, int], int | None]]] = [
    (v.add, lambda a, b: a + b),
    (v.subtract, lambda a, b: a - b),
    (v.multiply, lambda a, b: a * b),
    (v.divide, lambda a, b: a // b if b else None),
    (v.modulo, lambda a, b: a % b if b > 0 else None),
]
ids = ["add", "subtract", "multiply", "divide", "modulo"]


def inside(number: int, interval: Interval) -> bool:
    return interval[0] <= number <= interval[1]


@pytest.mark.parametrize(("abstract", "concrete"), ARITHMETIC, ids=ids)
@given(points(), points())
def test_result_lies_in_the_result(
    abstract: Callable[[Interval, Interval], Interval],
    concrete: Callable[[int, int], int | None],
    left: tuple[Interval, int],
    right: tuple[Interval, int],
) -> None:
    expected = concrete(left[1], right[1])
    if expected is not None:
        assert inside(expected, abstract(left[0], right[0]))


@pytest.mark.parametrize("abstract", [v.add, v.subtract])
@given(intervals(), intervals())
def test_bounds_are_met(abstract: Callable[[Interval, Interval], Interval], a: Interval, b: Interval) -> None:
    sign = 1 if abstract is v.add else -1
    results = [x + sign * y for x in range(a[0], a[1] + 1) for y in range(b[0], b[1] + 1)]
    assert abstract(a, b) == (min(results), max(results))


@given(intervals(), intervals(), small)
def test_join_and_meet(a: Interval, b: Interval, number: int) -> None:
    joined, met = v.join(a, b), v.meet(a, b)
    assert joined == (min(a[0], b[0]), max(a[1], b[1]))
    assert (met is not None and inside(number, met)) == (inside(number, a) and inside(number, b))


def test_join_with_something_unset() -> None:
    assert v.join(None, None) is None
    assert v.join((1, 1), None) == v.ANY
    assert v.join(None, (1, 1)) == v.ANY


@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize(
    ("compare", "holds"),
    [(v.less, lambda a, b: a < b), (v.less_or_equal, lambda a, b: a <= b), (v.equal, lambda a, b: a == b)],
    ids=["less", "less_or_equal", "equal"],
)
@given(intervals(), intervals())
def test_answers_are_those_of_all_points(
    compare: Callable[[Interval, Interval, bool], int],
    holds: Callable[[int, int], bool],
    circular: bool,
    a: Interval,
    b: Interval,
) -> None:
    """Exactly: true when every pair of points agrees, false when none does, open otherwise."""
    answers = {holds(x, y) for x in range(a[0], a[1] + 1) for y in range(b[0], b[1] + 1)}
    expected = OPEN if len(answers) == 2 else (TRUE if answers == {True} else FALSE)
    assert compare(a, b, circular) == expected


@given(st.integers(-(2**33), 2**33), st.integers(-(2**33), 2**33))
def test_no_bound_stays_no_bound(a: int, b: int) -> None:
    assert v.add((a, v.INFINITY), (abs(b), abs(b)))[1] == v.INFINITY
    assert v.subtract((-v.INFINITY, a), (abs(b), abs(b)))[0] == -v.INFINITY
    assert v.add(v.ANY, (a, a)) == v.ANY
