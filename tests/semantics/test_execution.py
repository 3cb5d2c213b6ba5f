"""What a rule does, one construct of the language at a time, over specs of a few lines."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tcpmodel.model.load import parse_spec
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Outcome, Run, Sighting, Slots
from tcpmodel.semantics.program import EventKey, Program
from tcpmodel.semantics.values import Interval

HEAD = """spec toy
steps first, second, third
profile strict default "on unless turned off"
profile odd "off unless turned on"
var A : octets = 0
var B : octets = 0
var N : seq(local)
var O : optional octets
message SEG
  flag F, G
  mark P
  field X : octets = 0
  field Y : octets
  field S : seq(sender)
define SEG.LEN = SEG.X + 1
call GO, STOP
timer TICK = 1 s
"""
GO: EventKey = ("call", "GO")
SEG: EventKey = ("message", "SEG")
START = """initial state START
  on GO -> ONE
    N <- any
"""
REST = """state OTHER
  on GO, STOP stay
"""


class Toy:
    """A program, and short ways to ask it things."""

    def __init__(self, states: str, profiles: Mapping[str, bool | None] | None = None, head: str = HEAD) -> None:
        self.spec = parse_spec(head + START + states, "toy.tcpspec")
        chosen = {"strict": True, "odd": False} if profiles is None else profiles
        self.program = Program(self.spec, chosen)

    def values(self, **known: int | Interval | None) -> list[Interval | None]:
        found = self.program.initial_values()
        for name, value in known.items():
            found[self.program.layout.variables[name]] = (value, value) if isinstance(value, int) else value
        return found

    def arrives(self, flags: str | None = "", **fields: int | Interval) -> Slots:
        bits = self.program.flag_bits["SEG"]
        known = {name: (value, value) if isinstance(value, int) else value for name, value in fields.items()}
        total = None if flags is None else sum(bits[name] for name in flags)
        return self.program.message_slots("SEG", total, known)

    def seen(self, flags: str = "", **fields: int) -> Sighting:
        slots = dict(self.arrives(flags, **fields))
        raw = {self.program.layout.fields["SEG", "S"]: fields["S"]} if "S" in fields else {}
        return Sighting("SEG", sum(self.program.flag_bits["SEG"][name] for name in flags), slots, raw)

    def run(
        self,
        event: EventKey = GO,
        slots: Slots = (),
        *,
        state: str = "ONE",
        sighting: Sighting | None = None,
        unseen: bool = False,
        trace: bool = False,
        micro: bool = False,
        **known: int | Interval | None,
    ) -> list[Outcome]:
        run = Run(self.program, event, sighting, unseen=unseen, trace=trace, micro=micro)
        return run.start(self.program.states.index(state), self.values(**known), slots)

    def ends(self, outcomes: list[Outcome]) -> set[str]:
        return {self.program.states[outcome.state] for outcome in outcomes}

    def value(self, outcome: Outcome, name: str) -> Interval | None:
        return outcome.values[self.program.layout.variables[name]]


def ids(outcome: Outcome) -> list[str]:
    return [rule.source.id for rule in outcome.rules]


# ------------------------------------------------------------------------------------------------- order and going on


def test_first_rule_that_matches_wins() -> None:
    toy = Toy("state ONE\n  R1: on GO when A = 1 stay\n  R2: on GO when A < 5 stay\n  R3: on GO stay\n")
    assert [ids(toy.run(A=number)[0]) for number in (0, 1, 2, 7)] == [["R2"], ["R1"], ["R2"], ["R3"]]


def test_an_open_guard_goes_both_ways() -> None:
    toy = Toy("state ONE\n  R1: on GO when A = 1 -> OTHER\n  R2: on GO stay\n" + REST)
    outcomes = toy.run(A=(0, 3))
    assert sorted(ids(outcome)[0] for outcome in outcomes) == ["R1", "R2"]
    taken = next(outcome for outcome in outcomes if ids(outcome) == ["R1"])
    assert toy.value(taken, "A") == (1, 1), "taking the rule proves its guard"


def test_passing_a_rule_over_proves_that_its_guard_was_false() -> None:
    toy = Toy("state ONE\n  R1: on GO when A < 2 -> OTHER\n  R2: on GO stay\n" + REST)
    passed = next(outcome for outcome in toy.run(A=(0, 5)) if ids(outcome) == ["R2"])
    assert toy.value(passed, "A") == (2, 5)


def test_nothing_matches() -> None:
    outcome = Toy("state ONE\n  on GO when A = 1 stay\n").run(A=0)
    assert [(o.covered, o.rules) for o in outcome] == [(False, ())]


def test_an_event_without_rules() -> None:
    outcome = Toy("state ONE\n  on GO stay\n").run(("call", "STOP"))
    assert [(o.covered, o.rules) for o in outcome] == [(False, ())]


def test_otherwise_takes_the_event_of_the_rule_before() -> None:
    toy = Toy("state ONE\n  R1: on SEG with F -> OTHER\n  R2: otherwise stay\n  R3: on GO -> OTHER\n" + REST)
    assert toy.ends(toy.run(SEG, toy.arrives("F"))) == {"OTHER"}
    assert ids(toy.run(SEG, toy.arrives("G"))[0]) == ["R2"]
    assert ids(toy.run(GO)[0]) == ["R3"]


def test_then_continue_in_the_same_state() -> None:
    toy = Toy(
        "state ONE\n"
        "  R1: on GO stay then continue\n    A <- A + 1\n"
        "  R2: on GO when A = 7 stay then continue\n    A <- A + 10\n"
        "  R3: on GO stay\n    A <- A + 100\n"
    )
    assert ids(toy.run(A=0)[0]) == ["R1", "R3"]
    outcome = toy.run(A=6)[0]
    assert ids(outcome) == ["R1", "R2", "R3"], "a guard sees what earlier rules have set"
    assert toy.value(outcome, "A") == (117, 117)


def test_then_continue_past_the_last_rule_is_covered() -> None:
    assert [o.covered for o in Toy("state ONE\n  on GO stay then continue\n").run()] == [True]


STEPS = """state ONE
  step first
  R1: on GO -> TWO then continue
  step third
  R2: on GO stay
state TWO
  step first
  S1: on GO when A = 0 stay
    A <- 1
  step second
  S2: on GO when B = 1 -> THREE then continue
  S3: on GO stay
state THREE
  U0: on GO when A = 0 stay
  step second
  U1: on GO when B < 9 stay
  step third
  U2: on GO stay
"""


def test_then_continue_across_a_change_of_state_takes_later_steps_only() -> None:
    toy = Toy(STEPS)
    assert ids(toy.run(B=0)[0]) == ["R1", "S3"]
    assert ids(toy.run(B=1)[0]) == ["R1", "S2", "U2"]
    assert toy.ends(toy.run(B=1)) == {"THREE"}


def test_micro_steps_show_every_change_of_state() -> None:
    toy = Toy(STEPS)
    assert [toy.program.states[outcome.state] for outcome in toy.run(B=1, micro=True)] == ["TWO", "THREE", "THREE"]


def test_alternatives_that_meet_again_are_joined() -> None:
    toy = Toy("state ONE\n  R1: on GO when A < 5 stay then continue\n    B <- B + 1\n  R2: on GO stay\n    O <- 3\n")
    outcomes = toy.run(A=(0, 9), B=0)
    assert len(outcomes) == 1
    assert toy.value(outcomes[0], "B") == (0, 1)


# --------------------------------------------------------------------------------------------------------- profiles

PROFILED = """state ONE
  @strict R1: on GO -> OTHER
  @!strict R2: on GO stay
    A <- 2
  @odd R3: on STOP -> OTHER
  R4: on STOP stay
"""


@pytest.mark.parametrize(
    ("strict", "rules"), [(True, {"R1"}), (False, {"R2"}), (None, {"R1", "R2"})], ids=["on", "off", "open"]
)
def test_profiles(strict: bool | None, rules: set[str]) -> None:
    toy = Toy(PROFILED + REST, {"strict": strict, "odd": False})
    outcomes = [outcome for outcome in toy.run() if outcome.rules]
    assert {ids(outcome)[0] for outcome in outcomes} == rules


def test_leaving_the_default_profiles_costs() -> None:
    toy = Toy(PROFILED + REST, {})
    costs = {ids(outcome)[0]: outcome.cost for outcome in toy.run(("call", "STOP"))}
    assert costs == {"R3": 1, "R4": 0}
    costs = {ids(outcome)[0]: outcome.cost for outcome in toy.run() if outcome.rules}
    assert costs["R1"] == 0 and costs["R2"] >= 1


# ---------------------------------------------------------------------------------------------------------- actions


def test_assignments_see_each_other_in_order() -> None:
    toy = Toy("state ONE\n  on GO stay\n    A <- 3\n    B <- A + A\n    A <- max(B, 4) - min(A, 1)\n")
    outcome = toy.run()[0]
    assert (toy.value(outcome, "A"), toy.value(outcome, "B")) == ((5, 5), (6, 6))


def test_amounts_never_fall_below_nothing() -> None:
    toy = Toy("state ONE\n  on GO stay\n    A <- A - 5\n")
    assert toy.value(toy.run(A=3)[0], "A") == (0, 0)
    assert toy.value(toy.run(A=(3, 7))[0], "A") == (0, 2)


def test_any_and_unset() -> None:
    toy = Toy("state ONE\n  on GO stay\n    N <- any\n    O <- unset\n")
    outcome = toy.run(N=4, O=4)[0]
    assert toy.value(outcome, "N") == v.ANY
    assert toy.value(outcome, "O") is None


def test_optional_variables() -> None:
    toy = Toy("state ONE\n  R1: on GO when O is set stay\n  R2: on GO when O is unset -> OTHER\n" + REST)
    assert ids(toy.run(O=(0, 9))[0]) == ["R1"]
    assert ids(toy.run(O=None)[0]) == ["R2"]


def test_comparing_with_something_unset_is_false_both_ways() -> None:
    toy = Toy("state ONE\n  R1: on GO when O < 5 stay\n  R2: on GO when 5 =< O stay\n  R3: on GO stay\n")
    assert ids(toy.run(O=None)[0]) == ["R3"]


def test_choose_where() -> None:
    toy = Toy("state ONE\n  on GO stay\n    choose n : octets where 3 < n and n =< A\n    B <- n\n")
    assert toy.value(toy.run(A=8)[0], "B") == (4, 8)
    assert toy.run(A=3) == [], "nothing can be chosen: this never happens"


def test_signals() -> None:
    toy = Toy('state ONE\n  on GO stay\n    signal "always"\n    signal "sometimes" when A = 1\n')
    assert toy.run(trace=True, A=0)[0].signals == ("always",)
    assert toy.run(trace=True, A=1)[0].signals == ("always", "sometimes")


# ---------------------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("condition", "flags", "fires"),
    [
        ("with F", "F", True),
        ("with F", "FG", True),
        ("with F", "", False),
        ("with F,G", "F", False),
        ("with F,G", "FG", True),
        ("without F", "G", True),
        ("without F", "F", False),
        ("without F,G", "G", False),
        ("without F,G", "", True),
        ("with F without G", "F", True),
        ("with F without G", "FG", False),
        ("", "FG", True),
    ],
)
def test_flags_of_a_message(condition: str, flags: str, fires: bool) -> None:
    toy = Toy(f"state ONE\n  on SEG {condition} -> OTHER\n" + REST)
    assert toy.ends(toy.run(SEG, toy.arrives(flags))) == {"OTHER" if fires else "ONE"}
    known = sum(toy.program.flag_bits["SEG"][name] for name in flags)
    run = Run(toy.program, SEG, flags=known)
    assert toy.ends(run.start(toy.program.states.index("ONE"), toy.values(), toy.arrives(flags))) == {
        "OTHER" if fires else "ONE"
    }


def test_unknown_flags_go_both_ways() -> None:
    toy = Toy("state ONE\n  on SEG with F -> OTHER\n  on SEG without F stay\n" + REST)
    outcomes = toy.run(SEG, toy.arrives(None))
    assert sorted(len(outcome.rules) for outcome in outcomes) == [1, 1]
    assert toy.ends(outcomes) == {"ONE", "OTHER"}


def test_marks_may_accompany_anything() -> None:
    toy = Toy("state ONE\n  on SEG with P -> OTHER\n  on SEG stay\n" + REST)
    assert toy.ends(toy.run(SEG, toy.arrives("F"))) == {"ONE", "OTHER"}


def test_fields_and_derived_fields() -> None:
    toy = Toy("state ONE\n  on SEG when SEG.LEN = 3 -> OTHER\n  on SEG stay\n    A <- SEG.X\n" + REST)
    assert toy.ends(toy.run(SEG, toy.arrives("", X=2))) == {"OTHER"}
    other = toy.run(SEG, toy.arrives("", X=5))
    assert toy.ends(other) == {"ONE"} and toy.value(other[0], "A") == (5, 5)
    assert toy.ends(toy.run(SEG, toy.arrives("", X=(0, 9)))) == {"ONE", "OTHER"}


SENDS = """state ONE
  on GO -> OTHER
    send <S=N><CTL=F>
    A <- 1
"""


def test_a_message_that_must_be_sent_would_be_seen() -> None:
    toy = Toy(SENDS + REST)
    assert toy.run(N=5) == [], "nothing was seen, so it did not happen"
    assert toy.ends(toy.run(N=5, unseen=True)) == {"OTHER"}
    outcomes = toy.run(N=5, sighting=toy.seen("F", S=5))
    assert [outcome.matched for outcome in outcomes] == [True]
    assert toy.value(outcomes[0], "A") == (1, 1)


@pytest.mark.parametrize("seen", ["wrong flags", "more flags", "wrong number", "wrong default"])
def test_another_message_does_not_match(seen: str) -> None:
    toy = Toy(SENDS + REST)
    messages = {
        "wrong flags": toy.seen("G", S=5),
        "more flags": toy.seen("FG", S=5),
        "wrong number": toy.seen("F", S=6),
        "wrong default": toy.seen("F", S=5, X=1),
    }
    assert not any(outcome.matched for outcome in toy.run(N=5, sighting=messages[seen]))


def test_a_message_proves_what_it_carries() -> None:
    toy = Toy("state ONE\n  on GO stay\n    send <S=N + 2><Y=A><CTL=F>\n")
    outcome = toy.run(N=v.ANY, A=(0, 9), sighting=toy.seen("F", S=7, Y=4))[0]
    assert (toy.value(outcome, "N"), toy.value(outcome, "A")) == ((5, 5), (4, 4))


def test_a_free_field_matches_anything() -> None:
    toy = Toy(SENDS + REST)
    assert any(outcome.matched for outcome in toy.run(N=5, sighting=toy.seen("F", S=5, Y=1234)))


@pytest.mark.parametrize("words", ["or nothing", "within 500 ms"])
def test_a_message_that_may_be_left_out(words: str) -> None:
    toy = Toy(f"state ONE\n  on GO -> OTHER\n    send <S=N><CTL=F> {words}\n" + REST)
    assert toy.ends(toy.run(N=5)) == {"OTHER"}
    matched = [outcome for outcome in toy.run(N=5, sighting=toy.seen("F", S=5)) if outcome.matched]
    assert toy.ends(matched) == {"OTHER"}


def test_send_when() -> None:
    toy = Toy("state ONE\n  on GO -> OTHER\n    send <S=N><CTL=F> when A = 1\n" + REST)
    assert toy.ends(toy.run(N=5, A=0)) == {"OTHER"}, "the condition is false: nothing had to be sent"
    assert toy.run(N=5, A=1) == []
    assert toy.ends(toy.run(N=5, A=(0, 1))) == {"OTHER"}
    seen = toy.seen("F", S=5)
    assert not any(outcome.matched for outcome in toy.run(N=5, A=0, sighting=seen))
    assert any(outcome.matched for outcome in toy.run(N=5, A=(0, 1), sighting=seen))


def test_send_where_limits_what_matches() -> None:
    toy = Toy(
        "state ONE\n  on GO stay\n    choose n : octets\n    send <S=N + n><X=n><CTL=F> where n < 4\n    A <- n\n"
    )
    outcomes = toy.run(N=5, sighting=toy.seen("F", S=8, X=3))
    assert [toy.value(outcome, "A") for outcome in outcomes if outcome.matched] == [(3, 3)]
    assert not any(outcome.matched for outcome in toy.run(N=5, sighting=toy.seen("F", S=9, X=4)))


def test_send_of_one_event_in_a_later_state() -> None:
    """A message of the second half of an event is seen; the first half may be delayed, and so may be missing."""
    toy = Toy(
        "state ONE\n  step first\n  on GO -> TWO then continue\n    send <S=N><CTL=F> within 1 s\n"
        "state TWO\n  step second\n  on GO stay\n    send <S=N><CTL=G>\n"
    )
    assert ("SEG", toy.program.flag_bits["SEG"]["G"]) in toy.program.sends[toy.program.states.index("ONE")][GO]
    assert [outcome.matched for outcome in toy.run(N=5, sighting=toy.seen("G", S=5))] == [True]


def test_literal_numbers_are_compared_as_they_stand() -> None:
    toy = Toy("state ONE\n  on GO stay\n    send <S=0><CTL=F>\n")
    assert any(outcome.matched for outcome in toy.run(sighting=toy.seen("F", S=0)))
    assert not any(outcome.matched for outcome in toy.run(sighting=toy.seen("F", S=1)))


def test_a_step_records_what_is_sent() -> None:
    toy = Toy("state ONE\n  on GO stay\n    send <S=N><X=A><CTL=F,G>\n    A <- 9\n    send <S=N><X=A><CTL=F>\n")
    outcome = toy.run(N=5, A=1, trace=True)[0]
    names = {slot: name for (_, name), slot in toy.program.layout.fields.items()}
    sent = [
        (action.source.flags, {names[field[0]]: known for field, known in zip(action.fields, values, strict=True)})
        for action, values in outcome.sent
    ]
    assert sent == [(("F", "G"), {"S": (5, 5), "X": (1, 1)}), (("F",), {"S": (5, 5), "X": (9, 9)})]


def test_own_accord_rules_do_not_hide_each_other() -> None:
    toy = Toy(
        "state ONE\n  may stay\n    send <S=N><CTL=F>\n  may -> OTHER\n    send <S=N><CTL=G>\n  on GO stay\n" + REST
    )
    own = [event for event in toy.program.rules[toy.program.states.index("ONE")] if event[0] == "own"]
    assert len(own) == 2
    assert [toy.ends(toy.run(event, unseen=True)) for event in own] == [{"ONE"}, {"OTHER"}]


def test_free_variables_are_never_known_to_an_observer_but_to_a_step() -> None:
    head = HEAD.replace("var B : octets = 0", "var B : octets = 0 free")
    toy = Toy("state ONE\n  R1: on GO when B = 0 stay\n  R2: on GO -> OTHER\n" + REST, head=head)
    assert toy.ends(toy.run(B=0)) == {"ONE", "OTHER"}
    assert toy.ends(toy.run(B=0, trace=True)) == {"ONE"}


def test_initial_values() -> None:
    toy = Toy("state ONE\n  on GO stay\n")
    assert toy.values() == [(0, 0), (0, 0), v.ANY, None]


def test_all_variables_anew() -> None:
    """What is free, and what never had a value, stays; all else is as at first."""
    head = HEAD + "var W : octets = 3\nvar Z : octets = 9 free\n"
    toy = Toy("state ONE\n  on GO stay\n    all variables anew\n    W <- W + 1\n", head=head)
    (outcome,) = toy.run(trace=True, A=7, B=8, N=5, O=6, W=8, Z=1)
    slots = toy.program.layout.variables
    after = {name: outcome.values[slots[name]] for name in ("A", "B", "N", "O", "W", "Z")}
    assert after == {"A": (0, 0), "B": (0, 0), "N": (5, 5), "O": None, "W": (4, 4), "Z": (1, 1)}


# --------------------------------------------------------------------------------------- the conditions of whole rules


@pytest.mark.parametrize("low", [0, 2**32 - 3, 2**32 + 5])
@pytest.mark.parametrize("offset", [-1, 0, 1, 4, 5, 6])
def test_chains_are_windows_on_the_circle(low: int, offset: int) -> None:
    """`N =< S < N + 5` means the same everywhere on the circle, however the number is written."""
    head = HEAD.replace("var N : seq(local)", "var N : seq(peer)")
    toy = Toy("state ONE\n  R1: on SEG when N =< SEG.S < N + 5 -> OTHER\n  R2: on SEG stay\n" + REST, head=head)
    for turns in (0, 1):
        number = low + offset + turns * 2**32
        expected = {"OTHER"} if 0 <= offset < 5 else {"ONE"}
        assert toy.ends(toy.run(SEG, toy.arrives("", S=number), N=low)) == expected


@pytest.mark.parametrize(("y", "matches"), [(3, True), (9, False)])
def test_where_of_a_send_is_about_the_message_sent(y: int, matches: bool) -> None:
    toy = Toy("state ONE\n  on GO stay\n    send <S=N><CTL=F> where SEG.Y < 5\n")
    outcomes = toy.run(N=5, sighting=toy.seen("F", S=5, Y=y))
    assert [outcome.matched for outcome in outcomes] == [True] * matches
