"""One function of several ways does what one of them does that fits."""

from __future__ import annotations

from types import FunctionType

from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.checking.memory.compiled import Part, Way
from tcpmodel.checking.memory.decisions import Take, function_of, needed_of, tree_of
from tcpmodel.checking.memory.kinds import PATIENCE, Kind
from tcpmodel.checking.memory.plans import Plan, plan_of, run
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


@given(WAYS, WAYS, WAYS, st.lists(NUMBERS, min_size=1, max_size=8))
def test_a_plan_has_every_way_that_was_added(
    sorted_out: list[tuple[list, list, int]],
    more: list[tuple[list, list, int]],
    last: list[tuple[list, list, int]],
    cases: list[list[int]],
) -> None:  # type: ignore[type-arg]
    every = [[Way(tests, None, outputs, OWN) for tests, outputs, _ in ways] for ways in (sorted_out, more, last)]
    parts = [way.part() for way in every[0]]
    first = plan_of(tree_of(parts, shorten=False), parts, OWN)
    plan = Plan(first, every[0], [None] * len(parts), len(parts)).with_ways(every[1]).with_ways(every[2])
    ways = [way for group in every for way in group]
    assert list(plan.ways) == ways and plan.sorted == len(parts) and plan.rest == len(first) // 8
    alone = Plan(b"", (), (), 0).with_ways(ways)
    for numbers in cases:
        own, packet = numbers[:OWN], numbers[OWN:]
        fitting = {place: found[1] for place, way in enumerate(ways) if (found := way.run(own, packet)) is not None}
        found = run(plan.words, own, packet, plan.rest)
        assert (found[0] in fitting and fitting[found[0]] == found[1]) if found is not None else not fitting
        assert run(alone.words, own, packet) == next(iter(fitting.items()), None)


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


def test_a_plan_grows_with_its_ways() -> None:
    low, high, odd = [
        Way([(((0, 1),), *ends)], name, [], OWN) for name, *ends in (("a", 0, 5), ("b", 6, 9), ("c", 9, 99))
    ]
    kind = Kind([low])
    first = kind.planned(lambda way: way)
    assert first is not None and list(first.ways) == [low] and kind.planned(lambda way: way) is first
    kind.learn(high)
    assert kind.plan is None
    second = kind.planned(lambda way: way)
    assert second is not None and list(second.ways) == [low, high] and second.sorted == 0
    low.uses, high.uses = 5, 100
    kind.sort_out(lambda way: way)
    kind.learn(odd)
    third = kind.planned(lambda way: way)
    assert third is not None and list(third.ways) == [high, low, odd] and third.sorted == 2
    taken = [run(third.words, [number] * OWN, (), third.rest) for number in (3, 7, 50, 100)]
    assert [found and found[0] for found in taken] == [1, 0, 2, None]
    kind.sort_out(lambda way: None if way is odd else way)
    assert kind.plan is third, "the tree would be the same"
    odd.retarget("elsewhere", [], False)
    last = kind.planned(lambda way: way)
    assert last is not None and last.sorted == 0 and "elsewhere" in last.targets
