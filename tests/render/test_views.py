"""Which rules a view shows, and in what words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.model.spec import Rule, Spec
from tcpmodel.render.diagram import Diagram
from tcpmodel.render.labels import condense, derived_label
from tcpmodel.render.views import UnknownState, figure_view, full_view

MakeRule = Callable[..., Rule]
MakeSpec = Callable[..., Spec]
NONE: frozenset[str] = frozenset()


def arrows(diagram: Diagram) -> dict[str, tuple[tuple[str, str], ...]]:
    return {f"{arrow.source} {arrow.target}": arrow.labels for arrow in diagram.arrows}


def test_the_figure_shows_drawn_rules_only_and_groups_them(rule: MakeRule, spec: MakeSpec) -> None:
    toy = spec(
        rule("A", "B", "call GO", drawn="GO / snd X"),
        rule("A", "B", "call RUN", drawn="RUN"),
        rule("A", "B", "call HIDE"),
        rule("B", "A", "timer T", drawn="a / b / c"),
        rule("B", "B", "timer U", drawn="stays"),
    )
    assert arrows(figure_view(toy, NONE)) == {
        "A B": (("GO", "snd X"), ("RUN", "")),
        "B A": (("a", "b / c"),),
        "B B": (("stays", ""),),
    }


@pytest.mark.parametrize("view", [figure_view, full_view])
def test_a_rule_is_shown_only_under_its_profiles(view: Callable[..., Diagram], rule: MakeRule, spec: MakeSpec) -> None:
    toy = spec(
        rule("A", "B", "call GO", drawn="GO"),
        rule("B", "C", "call NEW", drawn="NEW", profiles={"new": True}),
        rule("B", "D", "call OLD", drawn="OLD", profiles={"new": False, "old": True}),
    )
    assert set(arrows(view(toy, NONE))) == {"A B"}
    assert set(arrows(view(toy, frozenset({"new"})))) == {"A B", "B C"}
    assert set(arrows(view(toy, frozenset({"old"})))) == {"A B", "B D"}
    assert set(arrows(view(toy, frozenset({"old", "new"})))) == {"A B", "B C"}


def test_the_full_view_shows_every_change_of_state(rule: MakeRule, spec: MakeSpec) -> None:
    toy = spec(
        rule("A", "B", "call GO", drawn="GO / snd X", send="X"),
        rule("A", "C", "message MSG", with_="F", send="Y,Z"),
        rule("A", "A", "call STAY", send="X"),
        rule("B", "C", "own ", send="F", optional=True),
        rule("C", "A", "notice BAD"),
    )
    full = full_view(toy, NONE)
    assert arrows(full) == {
        "A B": (("GO", "snd X"),),
        "A C": (("rcv F", "snd Y,Z"),),
        "B C": (("may", "(snd F)"),),
        "C A": (("notice BAD", ""),),
    }
    assert [arrow.weight for arrow in full.arrows] == [1, 0, 0, 0], "the figure shapes the picture"


def test_without_a_figure_all_arrows_shape_the_picture(rule: MakeRule, spec: MakeSpec) -> None:
    toy = spec(rule("A", "B", "call GO"), rule("B", "A", "call BACK"))
    assert [arrow.weight for arrow in full_view(toy, NONE).arrows] == [1, 1]


def test_what_an_earlier_rule_always_takes_is_not_in_the_full_view(rule: MakeRule, spec: MakeSpec) -> None:
    toy = spec(
        rule("A", "B", "message MSG", with_="F", when=("x = 1",)),
        rule("A", "A", "message MSG", with_="F", profiles={"strict": True}),
        rule("A", "C", "message MSG", with_="F,G"),
        rule("A", "D", "message MSG", with_="G"),
    )
    assert set(arrows(full_view(toy, NONE))) == {"A B", "A C", "A D"}
    assert set(arrows(full_view(toy, frozenset({"strict"})))) == {"A B", "A D"}


def test_a_rule_that_continues_takes_nothing_from_later_ones(rule: MakeRule, spec: MakeSpec) -> None:
    toy = spec(rule("A", "B", "call GO", continues=True), rule("A", "C", "call GO"))
    assert set(arrows(full_view(toy, NONE))) == {"A B", "A C"}


def star(rule: MakeRule, spec: MakeSpec) -> Spec:
    rules = [rule(source, target, "call NEXT", drawn="NEXT") for source, target in ("AB", "BC", "CD")]
    rules += [rule(source, "A", "call ABORT", send="R") for source in "BCD"]
    rules += [rule("D", "A", "timer LAST"), rule("B", "A", "timer T"), rule("C", "A", "timer T")]
    return spec(*rules)


def test_shared_exits_are_said_below_the_picture(rule: MakeRule, spec: MakeSpec) -> None:
    full = full_view(star(rule, spec), NONE)
    assert arrows(full).keys() == {"A B", "B C", "C D", "D A"}
    assert arrows(full)["D A"] == (("timeout LAST", ""),)
    assert [(note.mark, note.text) for note in full.notes] == [
        ("a", "every other state \u2192 A: ABORT / snd R"),
        ("b", "B and C \u2192 A: timeout T"),
    ]
    assert {box.name: box.note for box in full.boxes} == {"A": "", "B": "also a b", "C": "also a b", "D": "also a"}


def test_nothing_is_lost_between_arrows_and_notes(rule: MakeRule, spec: MakeSpec) -> None:
    toy = star(rule, spec)
    full = full_view(toy, NONE)
    told = {(arrow.source, arrow.target) for arrow in full.arrows}
    told |= {pair for note in full.notes for pair in note.pairs}
    assert told == {(rule.state, rule.target) for state in toy.states for rule in state.rules}


def test_highlight_marks_states_and_the_ways_between_them(rule: MakeRule, spec: MakeSpec) -> None:
    full = full_view(star(rule, spec), NONE, ["A", "B", "A"])
    assert [box.name for box in full.boxes if box.highlighted] == ["A", "B"]
    ways = [(arrow.source, arrow.target) for arrow in full.arrows if arrow.highlighted]
    assert ways == [("A", "B"), ("B", "A")], "a highlighted exit is drawn even if others share it"


def test_a_state_that_does_not_exist_cannot_be_highlighted(rule: MakeRule, spec: MakeSpec) -> None:
    with pytest.raises(UnknownState, match=r"no state 'Q' to highlight; the states are A, B, C, D"):
        figure_view(star(rule, spec), NONE, ["Q"])


def test_the_caption_names_profiles_only_when_they_are_not_the_usual_ones(rule: MakeRule, spec: MakeSpec) -> None:
    toy = spec(rule("A", "B", "call GO", drawn="GO"), profiles=("p", "q"))
    assert "Profiles" not in figure_view(toy, frozenset({"p", "q"})).caption
    assert "Profiles: q." in figure_view(toy, frozenset({"q"})).caption
    assert "Profiles: none." in figure_view(toy, NONE).caption


@pytest.mark.parametrize(
    ("event", "details", "label"),
    [
        ("call OPEN active", {"send": "SYN"}, ("OPEN active", "snd SYN")),
        ("timer T", {}, ("timeout T", "")),
        ("message MSG", {}, ("rcv MSG", "")),
        ("message MSG", {"with_": "SYN,ACK"}, ("rcv SYN,ACK", "")),
        ("message MSG", {"with_": "F", "when": ("x = 1",)}, ("rcv F [x = 1]", "")),
        ("message MSG", {"when": ("x = 1", "y = 2")}, ("rcv MSG [x = 1 and y = 2]", "")),
        ("call C", {"when": ("x = 1", "y" * 30)}, ("C [x = 1 \u2026]", "")),
        ("call C", {"when": ("y" * 30,)}, ("C [" + "y" * 25 + "\u2026]", "")),
        ("call C", {"send": ""}, ("C", "snd MSG")),
    ],
)
def test_labels_from_rules(
    event: str, details: dict[str, object], label: tuple[str, str], rule: MakeRule, spec: MakeSpec
) -> None:
    one = rule("A", "B", event, **details)
    assert derived_label(spec(one), one) == label


def test_with_several_kinds_of_message_a_label_names_the_kind(rule: MakeRule, spec: MakeSpec) -> None:
    one = rule("A", "B", "message MSG", with_="F", send="G")
    assert derived_label(spec(one, messages=2), one) == ("rcv MSG F", "snd MSG G")


def test_many_labels_are_counted() -> None:
    labels = [(letter, "") for letter in "abcdefa"]
    assert condense(labels, 4) == (("a", ""), ("b", ""), ("c", ""), ("+3 more", ""))
    assert condense(labels[:4], 4) == tuple(labels[:4])
