"""Judgements about a whole spec: rules that never fire, variables read too early, what is unused or uncited."""

from __future__ import annotations

import pytest
from language_samples import HEAD, problems

from tcpmodel.model.load import load, shipped_specs


def codes(text: str) -> list[str]:
    return [problem.code for problem in problems(text) if problem.code in ("TS047", "TS048", "TS065")]


NEVER = [
    "on SEG drop | on SEG with SYN -> B",
    "on SEG with SYN -> B | on SEG with SYN, ACK drop",
    "on SEG with SYN -> B | on SEG with SYN without ACK drop",
    "on SEG with SYN -> B | on SEG when SEG with SYN and W = 0 drop",
    "on SEG when W = 0 -> B | on SEG with SYN when W = 0 drop",
    "on SEG when W  =  0 -> B | on SEG when (W = 0) drop",
    "on SEG when W > 0 -> B | on SEG when 0 < W and bit = 1 drop",
    "on SEG unless SEG with SYN -> B | on SEG without SYN drop",
    "on SEG unless W = 0 or W = 1 -> B | on SEG unless W = 1 or W = 0 drop",
    "on SEG when N < SEG.ACK =< M -> B | on SEG when SEG.ACK =< M and N < SEG.ACK drop",
    "on SEG when W = 0 or W = 1 -> B | on SEG when W = 1 drop",
    "on SEG when not not W = 0 -> B | on SEG when W = 0 drop",
    "on SEG when true -> B | on SEG drop",
    "on CLOSE -> B | on CLOSE stay",
    "on OPEN, CLOSE -> B | on CLOSE stay",
    "on timeout USER -> B | on timeout USER when W = 0 stay",
    "on SEG with SYN -> B | otherwise stay | on SEG with ACK drop",
    "@p on SEG with SYN -> B | @p on SEG with SYN drop",
    "@p on SEG with SYN -> B | @p @!q on SEG with SYN drop",
    "on SEG with SYN -> B | @p on SEG with SYN drop",
]
MAY_FIRE = [
    "on SEG with SYN, ACK -> B | on SEG with SYN drop",
    "on SEG with SYN -> B | on SEG with ACK drop",
    "on SEG with SYN stay then continue | on SEG with SYN drop",
    "on SEG with SYN -> B then continue | on SEG with SYN drop",
    "on SEG when W = 0 -> B | on SEG when W = 1 drop",
    "on SEG when W < 3 -> B | on SEG when 3 < W drop",
    "on CLOSE -> B | on OPEN stay",
    "on timeout USER -> B | on notice NEWS stay",
    "may -> B | may stay",
    "@p on SEG with SYN -> B | on SEG with SYN drop",
    "@p on SEG with SYN -> B | @!p on SEG with SYN drop",
    "@p @q on SEG with SYN -> B | @p on SEG with SYN drop",
    "on SEG when W = 0 and bit = 0 -> B | on SEG when W = 0 drop",
    "on SEG when W = 0 or bit = 0 -> B | on SEG when bit = 1 drop",
    "on CLOSE -> B / choose x : octets where x < W | on CLOSE stay",
    "on SEG when W = 0 -> B | on SEG stay then continue / W <- 0 | on SEG when W = 0 and bit = 1 drop",
]


def body(lines: str) -> str:
    return "".join(f"  {line.strip()}\n" for rule in lines.split("|") for line in rule.split("/"))


ENTERED = """\
spec entered
steps one, two, three
message SEG
  flag SYN
initial state A
  step {step}
  on SEG with SYN -> B then continue
  on SEG drop
state B
  step one
  on SEG with SYN drop
  step {second}
  on SEG with SYN -> A
  on SEG drop
"""


@pytest.mark.parametrize(
    ("step", "second", "never"),
    [
        ("one", "two", False),
        ("one", "three", False),
        ("two", "three", False),
        ("two", "two", True),
        ("one", "one", True),
    ],
)
def test_a_rule_that_is_entered_behind_another(step: str, second: str, never: bool) -> None:
    """What stands under a later step is met without what stands before it."""
    assert codes(ENTERED.format(step=step, second=second)) == (["TS047"] if never else [])


@pytest.mark.parametrize("lines", NEVER)
def test_never_fires(lines: str) -> None:
    assert codes(HEAD + body(lines)) == ["TS047"]


@pytest.mark.parametrize("lines", MAY_FIRE)
def test_may_fire(lines: str) -> None:
    assert codes(HEAD + body(lines)) == []


@pytest.mark.parametrize(("set_", "never"), [("W", False), ("M", True)])
def test_a_definition_may_change_its_truth_on_the_way(set_: str, never: bool) -> None:
    value = "0" if set_ == "W" else "N"
    lines = f"on CLOSE when none -> B | on CLOSE stay then continue / {set_} <- {value} | on CLOSE when none drop"
    assert codes(HEAD + body(lines) + "define none = W = 0\n") == (["TS047"] if never else [])


def test_which_rule_wins_is_said() -> None:
    (found,) = [p for p in problems(HEAD + body("R-1: on SEG drop | R-2: on SEG with SYN -> B")) if p.code == "TS047"]
    assert "rule R-1 in line 22" in found.message and found.span.line == 23


def test_a_rule_of_a_group_must_fire_somewhere() -> None:
    group = "rules g\n  on SEG with SYN -> B\n"
    assert codes(HEAD + "  on SEG drop\n  use g\n" + group) == ["TS047"]
    assert codes(HEAD + "  on SEG drop\n  use g\nstate C\n  use g\n" + group) == []


# -------------------------------------------------------------------------------------------------- read before set

TOP = """\
spec example
profile p
var V : {kind}
var mode : one | two = one
var W : octets = 0
message SEG
  field N : octets
call GO, STOP, MORE
initial state A
"""


@pytest.mark.parametrize(
    "states",
    [
        "  on GO -> B\nstate B\n  on GO when V = 1 -> A\n",
        "  on GO when V = 1 -> A\n",
        "  on GO -> B\nstate B\n  on GO -> A\n    W <- V\n    V <- 1\n",
        "  on GO -> B\nstate B\n  on GO -> A\n    send <N=V>\n",
        "  on GO -> B\nstate B\n  on GO -> A\n    send where SEG.N < V\n",
        "  on GO -> B\nstate B\n  on GO -> A\n    choose x : octets where x < V\n",
        '  on GO -> B\nstate B\n  on GO -> A\n    signal "s" when V = 0\n',
        "  on GO -> B\nstate B\n  on GO when d -> A\ndefine d = e and W = 1\ndefine e = V = 1\n",
        "  on GO -> B\n    V <- 1\n  on STOP -> B\nstate B\n  on GO when V = 1 -> A\n",
        "  on GO -> B\n    V <- 1\nstate B\n  on GO -> A\nstate C\n  on GO -> B\nstate D\n  on STOP -> C\n"
        "rules x\n  on STOP -> D\nstate E\n  use x\nstate F\n  on GO -> E\n",
        "  @p on GO when W = 0 -> B\n    V <- 1\n  on GO -> B\nstate B\n  @p on GO when V = 1 -> A\n",
        "  @!p on GO -> B\n    V <- 1\n  on GO -> B\nstate B\n  on GO when V = 1 -> A\n",
        "  may -> B\nstate B\n  may -> A when V = 1\n",
    ],
    ids=range(13),
)
def test_read_too_early(states: str) -> None:
    unreachable = "state C\n" in states
    assert codes(TOP.format(kind="octets") + states) == ([] if unreachable else ["TS048"])


@pytest.mark.parametrize("kind", ["octets = 0", "octets free"])
def test_what_is_set_from_the_start(kind: str) -> None:
    assert codes(TOP.format(kind=kind) + "  on GO when V = 1 -> A\n") == []


@pytest.mark.parametrize(
    "states",
    [
        "  on GO -> B\n    V <- 1\nstate B\n  on GO when V = 1 -> A\n",
        "  on GO -> B\n    V <- any\nstate B\n  on GO -> B\n    W <- V\n",
        "  on GO -> A\n    V <- 1\n    W <- V\n",
        "  on GO -> B\n    V <- 1\n  on STOP -> B\n    V <- 2\nstate B\n  on GO when V = 1 -> A\n",
        # a state that nothing leads to
        "state B\n  on GO when V = 1 -> A\n",
        # the rule before it, for the same event, has set it
        "  on GO -> B\nstate B\n  on GO when W = 0 stay then continue\n    V <- 1\n"
        "  on GO when W = 0 -> A\n    W <- V\n",
        # a word remembers which way was taken
        "  on GO -> B\n    V <- 1\n    mode <- two\n  on STOP -> B\nstate B\n  on GO when mode = two and V = 1 -> A\n",
        "  on GO -> B\n    V <- 1\n    mode <- two\n  on STOP -> B\nstate B\n  on GO when d and V = 1 -> A\n"
        "define d = mode = two\n",
        # with the profile, the way that does not set it is never taken
        "  @p on GO -> B\n    V <- 1\n  on GO -> B\nstate B\n  @p on GO when V = 1 -> A\n",
        "  @p on GO -> B\n    V <- 1\n  @!p on GO -> B\nstate B\n  @p on GO when V = 1 -> A\n",
        # a loop does not lose it
        "  on GO -> B\n    V <- 1\nstate B\n  on GO -> C\nstate C\n  on GO -> B\n  on STOP when V = 1 -> C\n",
    ],
    ids=range(11),
)
def test_not_read_too_early(states: str) -> None:
    assert codes(TOP.format(kind="octets") + states) == []


def test_the_way_that_does_not_set_it_is_named() -> None:
    text = (
        TOP.format(kind="octets") + "  on GO -> B\n    V <- 1\n  X-1: on STOP -> B\nstate B\n  on GO when V = 1 -> A\n"
    )
    (found,) = [problem for problem in problems(text) if problem.code == "TS048"]
    assert found.message == "`V` is read in B before anything has set it"
    assert "rule X-1 in line 12 leads from A to B" in found.help


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("  on GO when V = 1 -> A\n", ["TS065"]),
        ("  on GO when V is set and V = 1 -> A\n", []),
        ("  on GO when d -> A\ndefine d = V is set and V = 1\n", []),
        ("  on GO -> B\n    V <- 1\n  on STOP -> B\nstate B\n  on GO when V = 1 -> A\n", []),
        ("  on GO -> A\n    V <- 1\n    W <- V\n", []),
    ],
)
def test_optional_variables(states: str, expected: list[str]) -> None:
    assert codes(TOP.format(kind="optional octets") + states) == expected


@pytest.mark.parametrize("name", sorted(shipped_specs()))
def test_shipped_specs_are_right(name: str) -> None:
    """No warnings; only a constant may stand there to be read by people alone."""
    assert [warning for warning in load(name).warnings if not warning.message.startswith("constant ")] == []
