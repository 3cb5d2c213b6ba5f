"""The cases that are tried: all that matter, the same each time, and the same wherever the numbers start."""

from __future__ import annotations

import pytest

from tcpmodel.analysis.classes import Arrival, Case, Cases, Enumeration
from tcpmodel.model.load import parse_spec
from tcpmodel.model.spec import Spec
from tcpmodel.model.types import Seq
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.values import MODULUS

SEGMENT = ("message", "SEG")


def cases_of(spec: Spec, state: str) -> tuple[Program, Cases]:
    program = Program(spec, {})
    return program, Enumeration(program).cases(program.states.index(state), SEGMENT)


def test_every_case_when_they_are_few(tcp: Spec) -> None:
    _, cases = cases_of(tcp, "CLOSED")
    assert cases.complete
    assert cases.tried == 4, "only RST and ACK matter"


def test_same_cases_each_time(tcp: Spec) -> None:
    first, second = cases_of(tcp, "FIN-WAIT-1")[1], cases_of(tcp, "FIN-WAIT-1")[1]
    assert first.groups == second.groups
    assert 400 <= first.tried < 10_000 and not first.complete


@pytest.mark.parametrize("state", ["SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "TIME-WAIT"])
def test_wrap_changes_nothing(tcp: Spec, state: str) -> None:
    """The conditions of TCP hold for the same cases when all numbers move, over the end of the circle too."""
    program, cases = cases_of(tcp, state)
    message = cases.message
    assert message is not None
    guards = [rule.guard for rule in cases.rules if rule.guard is not None]

    def moved(case: Case, by: int) -> Case:
        def move(value: int | None, sequence: bool) -> int | None:
            return (value + by) % MODULUS if sequence and value is not None else value

        variables = [isinstance(variable.type, Seq) for variable in tcp.variables]
        fields = [isinstance(item.type, Seq) for item in message.fields]
        return Case(
            tuple(map(move, case.variables, variables)),
            tuple(value or 0 for value in map(move, case.fields, fields)),
            case.flags,
        )

    arrival = Arrival(program, message)
    for case in list(cases.all())[:300]:
        here = arrival.environment(moved(case, 1000))
        there = arrival.environment(moved(case, 0))
        assert [guard.test(here) for guard in guards] == [guard.test(there) for guard in guards]


def test_numbers_beside_the_terms() -> None:
    """A condition that holds for one number only is met."""
    text = """\
spec s "s"
var NEXT : seq(peer)
var SIZE : octets = 0
message M "m"
  field SEQ : seq(sender)
  field N : octets from n
initial state CLOSED "c"
  on M -> S
    NEXT <- M.SEQ
state S "s"
  on M when M.SEQ = NEXT + SIZE and M.N = 77 stay
  on M when M.SEQ = NEXT - 1 and M.N = SIZE + 1 stay
  on M drop
"""
    program = Program(parse_spec(text, "s"), {})
    cases = Enumeration(program).cases(1, ("message", "M"))
    assert {bits & 3 for bits in cases.groups} >= {0, 1, 2}
