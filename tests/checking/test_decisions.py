"""One function of several ways does what one of them does that fits."""

from __future__ import annotations

from types import FunctionType

from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.checking.memory.compiled import Part, Way
from tcpmodel.checking.memory.decisions import Take, function_of, needed_of, tree_of
from tcpmodel.checking.memory.kinds import PATIENCE, Kind
from tcpmodel.checking.memory.plans import plan_of, run
from tcpmodel.semantics.values import INFINITY

OWN, GIVEN = 4, 2
SMALL = st.integers(-3, 3)
BASES = st.dictionaries(
    st.integers(0, OWN + GIVEN - 1), st.sampled_from([1, 1, 1, -1, -1, 2]), min_size=1, max_size=3
).map(lambda found: tuple(sorted(found.items())))
BOUNDS = st.tuples(BASES, SMALL | st.just(-INFINITY), SMALL | st.just(INFINITY)).map(
    lambda found: (found[0], min(found[1], found[2]), max(found[1], found[2]))
)
OUTPUTS = st.lists(st.tuples(BASES | st.just(()), SMALL), max_size=8)
NUMBERS = st.lists(st.integers(-4, 4), min_size=OWN + GIVEN, max_size=OWN + GIVEN)


def one_each(tests: list[tuple[tuple[tuple[int, int], ...], int, int]]) -> list[tuple[object, int, int]]:
    """As recorded: each sum stands there once."""
    return list({test[0]: test for test in tests}.values())


WAYS = st.lists(
    st.tuples(st.lists(BOUNDS, max_size=5).map(one_each), OUTPUTS, st.integers(0, 9)), min_size=1, max_size=6
)


@given(WAYS, st.lists(NUMBERS, min_size=1, max_size=8))
def test_the_function_gives_what_a_way_that_fits_gives(
    ways: list[tuple[list, list, int]], cases: list[list[int]]
) -> None:  # type: ignore[type-arg]
    parts = [Part(tests, outputs, False, weight) for tests, outputs, weight in ways]
    tree = tree_of(parts)
    code, plan = function_of(tree, parts, OWN), plan_of(tree, parts, OWN)
    step = FunctionType(code, {f"t{number}": number for number in range(len(ways))})
    for numbers in cases:
        own, packet = numbers[:OWN], numbers[OWN:]
        fitting = [Way(tests, number, outputs, OWN).run(own, packet) for number, (tests, outputs, _) in enumerate(ways)]
        expected = [found for found in fitting if found is not None]
        found = step(list(own), packet)
        assert found in expected if expected else found is None
        assert run(plan, own, packet) == found


@given(st.lists(BOUNDS, max_size=8).map(one_each), NUMBERS)
def test_what_is_not_needed_follows_from_the_rest(tests: list[tuple], numbers: list[int]) -> None:  # type: ignore[type-arg]
    def holds(base: tuple[tuple[int, int], ...], low: int, high: int) -> bool:
        return low <= sum(numbers[index] * factor for index, factor in base) <= high

    needed = needed_of({base: (max(low, -(1 << 60)), min(high, 1 << 60)) for base, low, high in tests}, {})
    assert all(holds(base, *ends) for base, ends in needed) == all(holds(*test) for test in tests)


def test_in_place_all_results_are_of_the_numbers_before() -> None:
    swap = [(((1, 1),), 0), (((0, 1),), 0), (((2, 1),), 0), (((0, 1), (4, 1)), 1)]
    step = FunctionType(function_of(Take(0), [Part([], swap, True, 0)], OWN), {"t0": "target"})
    numbers = [1, 2, 3, 4]
    found = step(numbers, (10, 0))
    assert found == ("target", [2, 1, 3, 12]) and found[1] is numbers


def test_a_chain_of_comparisons_leaves_out_what_follows() -> None:
    chain = {((0, 1), (1, -1)): (0, 1 << 60), ((1, 1), (2, -1)): (0, 1 << 60), ((0, 1), (2, -1)): (0, 1 << 60)}
    assert len(needed_of(chain, {})) == 2


def test_a_function_is_made_once_it_is_worth_while() -> None:
    kind = Kind([Way([(((0, 1),), 0, 5)], "low", [], OWN), Way([(((0, 1),), 6, 9)], "high", [], OWN)])
    for _ in range(PATIENCE):
        kind.missed(lambda way: way)
    assert kind.step is None
    kind.missed(lambda way: way)
    assert kind.step is not None and kind.fresh
    assert [kind.step([number] * OWN, ()) for number in (5, 6, 10)] == [("low", []), ("high", []), None]
    kind.forget()
    assert kind.step is None and kind.merged is None
