"""Initial sequence numbers: each rule of their spec, how they move with the clock, and what a neighbour learns."""

from __future__ import annotations

import pytest
from rows import SPECS, TOP, Machine, Row, Values, holds, written

R: Values = {"M": 1000, "F.HERE": 500, "F.ELSEWHERE": 70}
NUMBERS: dict[str, Row] = {
    "ISN-01": Row("RUNNING", R, "timeout CLOCK", "ISN-01", "RUNNING", (), {"M": 1001, "F.HERE": 500}),
    "ISN-01 wraps": Row("RUNNING", {"M": TOP - 1}, "timeout CLOCK", "ISN-01", "RUNNING", (), {"M": 0}),
    "ISN-01 quiet": Row("QUIET", R, "timeout CLOCK", "ISN-01", "QUIET", (), {"M": 1001}),
    "ISN-02": Row("OFF", {}, "START rested", "ISN-02", "RUNNING", (), {"ISS": None}),
    "ISN-03": Row("OFF", {}, "START crashed", "ISN-03", "QUIET", (), {"ISS": None}),
    "ISN-03 nothing is sent": Row("QUIET", R, "NEW-CONNECTION here", "QUIET.NEW-CONNECTION-here.1", "QUIET",
                                  ("error: wait until the quiet time is over",), {"ISS": None}),
    "ISN-04": Row("QUIET", R, "timeout QUIET", "ISN-04", "RUNNING", (), R),
    "ISN-05": Row("RUNNING", R, "NEW-CONNECTION here", "ISN-05", "RUNNING", ("<SEQ=1500><CTL=SYN>",), {"ISS": 1500}),
    "ISN-05 wraps": Row("RUNNING", {"M": TOP - 2, "F.HERE": 5}, "NEW-CONNECTION here", "ISN-05", "RUNNING",
                        ("<SEQ=3><CTL=SYN>",), {"ISS": 3}),
    "ISN-05 largest": Row("RUNNING", {"M": TOP - 1, "F.HERE": TOP - 1}, "NEW-CONNECTION here", "ISN-05", "RUNNING",
                          (f"<SEQ={TOP - 2}><CTL=SYN>",), {"ISS": TOP - 2}),
    "ISN-05 elsewhere": Row("RUNNING", R, "NEW-CONNECTION elsewhere", "ISN-05e", "RUNNING", ("<SEQ=1070><CTL=SYN>",),
                            {"ISS": None, "SEEN": 1070}),
    "ISN-06": Row("RUNNING", R, "NEW-CONNECTION here", "ISN-06", "RUNNING", ("<SEQ=1000><CTL=SYN>",), {"ISS": 1000},
                  "counter-only"),
    "ISN-06 elsewhere": Row("RUNNING", R, "NEW-CONNECTION elsewhere", "ISN-06e", "RUNNING", ("<SEQ=1000><CTL=SYN>",),
                            {"SEEN": 1000}, "counter-only"),
    "ISN-08": Row("RUNNING", {**R, "ISS": 4}, "STOP", "ISN-08", "OFF", (), {"F.HERE": 0, "ISS": None}),
}  # fmt: skip


@pytest.mark.parametrize("row", NUMBERS)
def test_number(row: str) -> None:
    holds(SPECS["isn"], NUMBERS[row])


def test_random_numbers() -> None:
    host = Machine("isn", "random", "RUNNING", {"M": 1000})
    assert host("NEW-CONNECTION here", ISS=77) == ("<SEQ=77><CTL=SYN>",)
    assert host("NEW-CONNECTION elsewhere", SEEN=78) == ("<SEQ=78><CTL=SYN>",)
    assert (host.let["ISS"], host.let["M"]) == (77, 1000)


@pytest.mark.parametrize("start", [0, 1 << 31, TOP - 2])
def test_numbers_of_a_pair_move_on_with_the_clock(start: int) -> None:
    """Two connections of the same pair are as many numbers apart as ticks have passed, also round the end."""
    host = Machine("isn")
    host("START rested", **{"M": start, "F.HERE": 4_000_000_000, "F.ELSEWHERE": 3})
    first = host("NEW-CONNECTION here") and host.let["ISS"]
    for _ in range(5):
        host("timeout CLOCK")
    host("NEW-CONNECTION here")
    assert isinstance(first, int) and host.let["ISS"] == (first + 5) % TOP == (start + 4_000_000_005) % TOP


@pytest.mark.parametrize(("profile", "told"), [("", False), ("counter-only", True)])
def test_what_the_neighbour_learns(profile: str, told: bool) -> None:
    """With the clock alone, a connection elsewhere shows the number that the next one here begins with."""
    host = Machine("isn", profile, "RUNNING", R)
    host("NEW-CONNECTION elsewhere")
    host("NEW-CONNECTION here")
    assert (host.let["SEEN"] == host.let["ISS"]) is told


def test_clock_of_four_microseconds() -> None:
    spec = SPECS["isn"]
    clock = next(event for event in spec.events if event.name == "CLOCK")
    tick = next(constant for constant in spec.constants if constant.name == "TICK")
    assert clock.duration is not None and [getattr(value, "value", None) for _, value in tick.values] == [4]


def test_every_number_rule_is_tried() -> None:
    tried = {row.rule for row in NUMBERS.values()} | {"ISN-07", "ISN-07e"}
    assert written(SPECS["isn"], "ISN-") == {name for name in tried if name[:3] == "ISN"}
