"""The shipped model of TCP makes the moves of RFC 9293, all of them and no other."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from tcpmodel.analysis.coverage import Observer
from tcpmodel.analysis.graph import graph_of, pairs_of, rules_between
from tcpmodel.analysis.results import Verification
from tcpmodel.model.profiles import choose_profiles
from tcpmodel.model.spec import Rule, Spec

GOLD = Path(__file__).parent / "gold"


def gold_pairs() -> Callable[[str], set[tuple[str, str]]]:
    location = importlib.util.spec_from_file_location("matrix", GOLD / "matrix.py")
    assert location is not None and location.loader is not None
    module = importlib.util.module_from_spec(location)
    location.loader.exec_module(module)
    return module.pairs  # type: ignore[no-any-return]


PAIRS = gold_pairs()
EDGES = list(csv.DictReader((GOLD / "edges.tsv").read_text(encoding="utf-8").splitlines(), delimiter="\t"))
MICRO = [edge for edge in EDGES if edge["class"] != "event-level"]
PROFILES = {"profile:note3": "rst-to-time-wait", "profile:rfc793": "rfc793", "profile:mls": "mls"}


def under(spec: Spec, *profiles: str) -> frozenset[str]:
    return frozenset(name for name, wanted in choose_profiles(spec, profiles).items() if wanted)


def test_gold_counts() -> None:
    assert [len(PAIRS(kind)) for kind in "FTOPe."] == [20, 8, 1, 3, 2, 76]


def test_moves_are_the_32_pairs(tcp: Spec) -> None:
    assert pairs_of(graph_of(tcp, None)) == PAIRS("FTOP")


def test_forbidden_pairs_are_absent(tcp: Spec) -> None:
    assert not pairs_of(graph_of(tcp, None)) & (PAIRS(".") | PAIRS("e"))


def test_drawn_rules_are_figure_5(tcp: Spec) -> None:
    drawn = [(r.state, r.target) for state in tcp.states for r in state.rules if r.drawn is not None]
    assert sorted(drawn) == sorted(PAIRS("F")), "each arrow of the figure once"


def test_default_profiles_lack_only_what_is_optional(tcp: Spec) -> None:
    assert pairs_of(graph_of(tcp, under(tcp))) == PAIRS("FT")
    assert pairs_of(graph_of(tcp, under(tcp, "rst-to-time-wait"))) == PAIRS("FTP")
    assert pairs_of(graph_of(tcp, under(tcp, "time-wait-reopen"))) == PAIRS("FTO")


def matches(rule: Rule, event: str) -> bool:
    """Is the rule about an event that reads like this?"""
    kind, name = rule.event.kind, rule.event.name
    if event.startswith("call "):
        return kind == "call" and event[5:].startswith(name)
    if event.startswith("timeout USER"):
        return kind == "timer" and name == "USER"
    if event.startswith("timeout"):
        return kind == "timer"
    if event.startswith("ICMP"):
        return (kind, name) in {("notice", "HARD-ERROR"), ("timer", "R2")}
    if event.startswith("FIN processed"):
        return kind in {"own", "message"}
    return kind == "message"


@pytest.mark.parametrize("edge", MICRO, ids=lambda edge: edge["id"])
def test_every_edge_is_there(tcp: Spec, edge: dict[str, str]) -> None:
    if edge["class"] == "core":
        on: frozenset[str] | None = under(tcp)
    elif edge["class"] in PROFILES:
        on = under(tcp, PROFILES[edge["class"]])
    else:
        on = None
    rules = rules_between(graph_of(tcp, on), edge["from"], edge["to"])
    assert any(matches(rule, edge["event"]) for rule in rules)


def test_events_lead_where_the_matrix_says(tcp: Spec) -> None:
    """What one event may do by several moves is seen when cases are run; nothing goes beyond the matrix."""
    observer = Observer(tcp)
    names = observer.full.states
    moves = {
        (names[before], names[after])
        for seen in observer.observe(observer.program(choose_profiles(tcp, ()))).values()
        for before, after in seen.moves
        if before != after
    }
    assert moves <= PAIRS("FTe")
    assert ("SYN-SENT", "CLOSE-WAIT") in moves
    assert moves >= PAIRS("F")


def test_everything_holds(tcp_proved: Verification) -> None:
    found = [
        (section.name, check.name, witness.text)
        for section in tcp_proved.sections
        for check in section.checks
        for witness in check.witnesses
    ]
    assert found == []
    assert tcp_proved.failing == 0
