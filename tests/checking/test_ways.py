"""A recorded computation as a function, and numbers that stand in several places."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.checking.memory.compiled import ENOUGH, Way
from tcpmodel.checking.memory.memo import Known
from tcpmodel.semantics.recording import Number, Recorder, Unrecordable

NUMBERS = st.integers(-50, 50)


def compute(a: Number | int, b: Number | int, c: Number | int) -> list[Number | int]:
    """Something whose course depends on its inputs."""
    if a + 3 < b:
        return [b, a - 7, c]
    return [a, c + c if a == b else b - c, 12]


def recorded(inputs: Sequence[int], target: object, *, in_place: bool = False) -> Way:
    """The way of these inputs; the last of them is given, the others are known."""
    recorder = Recorder(list(inputs))
    outputs = compute(*[recorder.number(index) for index in range(len(inputs))])
    return Way.of(recorder, target, outputs, len(inputs) - 1, in_place)


def worth(found: Sequence[Number | int]) -> list[int]:
    return [each.value if isinstance(each, Number) else each for each in found]


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS), st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=8))
def test_a_function_gives_what_the_computation_gives(
    first: tuple[int, int, int], others: list[tuple[int, int, int]]
) -> None:
    way, quick = recorded(first, "there"), recorded(first, "there")
    for _ in range(ENOUGH + 1):
        quick.run(first[:2], first[2:])
    assert quick.run != quick._first
    for inputs in (first, *others):
        wanted = ("there", compute(*inputs))
        found = way._first(inputs[:2], inputs[2:])
        assert found == (wanted if found else None)
        assert quick.run(inputs[:2], inputs[2:]) == found
    assert way._first(first[:2], first[2:]) == ("there", compute(*first))


def test_numbers_are_changed_in_place() -> None:
    recorder = Recorder([5, 6, 7])
    outputs = [recorder.number(0), recorder.number(2) + 1]
    way = Way.of(recorder, "same", outputs, 2, in_place=True)
    known = [5, 6]
    for _ in range(ENOUGH):
        way.run(known, [7])
    assert way.run(known, [40]) == ("same", [5, 41])
    assert known == [5, 41]


def test_a_number_that_stood_in_two_places_has_to_be_in_both() -> None:
    way = recorded([10, 20, 3], "there").split([0, 0, 1])
    assert way.run([10, 10, 20], [3]) == ("there", [20, 3, 3])
    assert way.run([10, 11, 20], [3]) is None


def test_places_are_told_apart_once_they_differ() -> None:
    shape = (True, ("n", None), ("n", None))
    known = Known(shape, [0, 0]).split([4, 4])
    assert known.groups == [0, 0]
    assert known.split([9, 9]) is known
    known.ways["kind"] = [Way((), known, [(((0, 1),), 1)], 1)]
    apart = known.split([4, 5])
    assert (apart.groups, known.after, known.among) == ([0, 1], apart, [0, 0])
    assert (apart.near, apart.first) == ((0, None), [1, None])
    assert apart.ways["kind"][0].run([4, 5], []) is None
    assert apart.ways["kind"][0].run([4, 4], []) == (known, [5])
    assert not known.ways, "nobody asks what was told apart, so its ways need no room"


def test_equal_parts_of_ways_are_one_object() -> None:
    one, other = recorded((10, 20, 3), "there"), recorded((11, 25, 4), "elsewhere")
    assert one._tests[0] is other._tests[0]
    assert [a is b for a, b in zip(one._outputs, other._outputs, strict=True)] == [True, True, True]


@pytest.mark.parametrize("operation", [lambda n: n >> 1, lambda n: n & 1, lambda n: n / 2, float], ids=range(4))
def test_what_is_not_followed_is_refused(operation: object) -> None:
    number = Recorder([3]).number(0)
    with pytest.raises(Unrecordable):
        operation(number)  # type: ignore[operator]


def test_a_shift_makes_its_width_a_condition() -> None:
    recorder = Recorder([3, 2])
    shifted = recorder.number(0) << recorder.number(1)
    assert worth([shifted]) == [12]
    way = Way.of(recorder, "there", [shifted], 2)
    assert way.run([5, 2], []) == ("there", [20])
    assert way.run([5, 3], []) is None
