"""What a violation says: the nearest message that was possible, field by field, and what was in each rule's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from test_connections import packet

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.traces.records import Packet

Judge = Callable[..., Checker]
TOP = 2**32


def opened(i: int, r: int) -> list[Packet]:
    return [
        packet("A", "SYN", i),
        packet("B", "SYN,ACK", r, i + 1),
        packet("A", "ACK", i + 1, r + 1),
        packet("A", "ACK,PSH", i + 1, r + 1, 10),
        packet("B", "ACK", r + 1, i + 11),
    ]


def closing(i: int, r: int) -> list[Packet]:
    return [*opened(i, r), packet("A", "FIN,ACK", i + 11, r + 1), packet("B", "ACK", r + 1, i + 12)]


def violation(judge: Judge, packets: list[Packet]) -> Diagnostic:
    (connection,) = judge(packets).report.connections
    return next(item for item in connection.diagnostics if item.severity == "violation")


@pytest.mark.parametrize(("i", "r"), [(1000, 5000), (TOP - 12, TOP - 3), (TOP - 2, TOP - 1)])
def test_text_after_the_fin(judge: Judge, i: int, r: int) -> None:
    found = violation(judge, [*closing(i, r), packet("A", "ACK", i + 12, r + 1, 30)])
    assert (found.code, found.place) == ("TCP-FIN-001", 8)
    assert ("FIN.SEQ", str((i + 11) % TOP)) in found.values and ("SEG.DATA", "30") in found.values
    (ack,) = [each for each in found.compared if each.name == "ACK"]
    assert ack.agrees and ack.expected == ack.actual == str((r + 1) % TOP)
    differing = {each.name: each for each in found.compared if not each.agrees}
    assert differing and set(differing) <= {"SEQ", "DATA"}
    for each in differing.values():
        assert each.off is not None and each.off > 0
        assert f"{each.name} {each.actual} for {each.expected}" in found.excuse
    guards = {(each.condition, each.values) for each in found.candidates if each.problem == "guard"}
    assert ("FIN.SEQ is unset", (("FIN.SEQ", str((i + 11) % TOP)),)) in guards
    assert all(each.state in found.states for each in found.candidates)


def test_acknowledgment_of_what_was_not_sent(judge: Judge) -> None:
    packets = [*opened(1000, 5000), packet("A", "ACK", 1011, 5001, 10), packet("B", "ACK", 5001, 1000 + 500)]
    found = violation(judge, [*packets, packet("B", "ACK", 5001, 1021, 7)])
    assert (found.code, found.place) == ("TCP-ACK-001", 7)
    (ack,) = [each for each in found.compared if not each.agrees]
    assert (ack.name, ack.actual, ack.off) == ("ACK", "1500", 1500 - 1021)
    assert ack.expected.endswith("1021")
    assert all(each.differing or each.condition for each in found.candidates)


def test_fields_that_are_right_one_by_one(judge: Judge) -> None:
    """Old text may be sent again, but not beyond the FIN: number and length are possible each, not both."""
    found = violation(judge, [*closing(1000, 5000), packet("A", "ACK", 1009, 5001, 9)])
    together = [each for each in found.candidates if each.problem == "where"]
    assert {each.condition for each in together} >= {"s + n =< FIN.SEQ"}
    told = dict(together[0].values)
    assert (told["s"], told["n"], told["FIN.SEQ"]) == ("1009", "9", "1011")


def test_flags_that_no_rule_sends(judge: Judge) -> None:
    found = violation(judge, [*opened(1000, 5000), packet("A", "", 1011, 5001)])
    assert not found.candidates
    (flags,) = [each for each in found.compared if each.name == "CTL"]
    assert (flags.actual, flags.agrees, flags.off) == ("none", False, None)
    assert found.allowed


def test_the_nearest_comes_first(judge: Judge) -> None:
    found = violation(judge, [*closing(1000, 5000), packet("A", "ACK", 1012, 5001, 30)])
    differing = [len(each.differing) for each in found.candidates if each.problem == "message"]
    assert differing[0] == 1
    assert [each.problem for each in found.candidates] == sorted(
        (each.problem for each in found.candidates), key=["message", "where", "guard"].index
    )


def test_explaining_changes_nothing(judge: Judge) -> None:
    """Looking for reasons must not disturb what is checked after it."""
    bad = packet("A", "ACK", 1012, 5001, 30)
    after = [packet("B", "ACK", 5001, 1012, 10), packet("A", "ACK", 1012, 5011)]
    once = judge([*closing(1000, 5000), bad, *after]).report.connections[0]
    twice = judge([*closing(1000, 5000), bad, bad, *after]).report.connections[0]
    assert [item.code for item in once.diagnostics if item.severity == "violation"] == ["TCP-FIN-001"]
    assert [item.code for item in twice.diagnostics if item.severity == "violation"] == ["TCP-FIN-001"] * 2
    assert (once.a_states, once.b_states) == (twice.a_states, twice.b_states)
