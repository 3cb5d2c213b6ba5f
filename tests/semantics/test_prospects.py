"""Rules that are not tried because nothing that is wanted can come of them: nothing that is wanted is lost by that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.model.load import load_spec, parse_spec
from tcpmodel.semantics.execution import Outcome, Run, Slots
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.prospects import possible, prospects, settled_fields
from tcpmodel.semantics.values import Interval
from tcpmodel.traces.open import open_trace

TRACES = Path(__file__).parents[2] / "traces"
CAPTURES = ("planted/m04-data-after-fin.pcap", "planted/m03-ack-of-unsent-data.pcap")

TOY = """spec toy
steps first, second
var B : octets = 0
message SEG
  flag F, G
call GO, STOP
initial state START
  on GO -> ONE
state ONE
  step first
  on GO when B < 1 stay then continue
    send <CTL=F>
  on GO when B < 2 stay then continue
  on GO when B < 3 -> TWO then continue
  on GO -> END
    send <CTL=F>
  on STOP -> END
    send <CTL=F> within 1 s
state TWO
  step second
  on GO -> END
    send <CTL=G>
final state END
"""


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Every run is compared with one that tries everything; yields how many outcomes each gave, and left out."""
    counts = [0, 0]
    start = Run.start

    def both(self: Run, state: int, values: list[Interval | None], message: Slots = ()) -> list[Outcome]:
        given = start(self, state, list(values), message)
        if self.trace:
            return given
        whole = Run(self.program, self.event, self.sighting, self.unseen, micro=self.micro, flags=self.flags)
        with monkeypatch.context() as patched:
            patched.setattr(Run, "_hopes", lambda _self, _path: None)
            patched.setattr(Run, "_thinkable", lambda _self, _state, _environment: True)
            every = start(whole, state, list(values), message)
        if self.matched:
            given = [each for each in given if each.matched]
            counts[1] += sum(not each.matched for each in every)
            every = [each for each in every if each.matched]
        assert given == every
        counts[0] += len(given)
        return given

    monkeypatch.setattr(Run, "start", both)
    yield counts


@pytest.mark.parametrize("name", CAPTURES)
def test_nothing_is_lost(name: str, compared: list[int]) -> None:
    checker = Checker([load_spec("tcp")])
    checker.read(open_trace(str(TRACES / name)))
    assert min(compared) > 0


def test_what_is_hopeless() -> None:
    program = Program(parse_spec(TOY, "toy.tcpspec"), {})
    one, two = program.states.index("ONE"), program.states.index("TWO")
    bits = program.flag_bits["SEG"]
    go, stop = ("call", "GO"), ("call", "STOP")
    f, g = ("SEG", bits["F"]), ("SEG", bits["G"])
    # While no message may pass unseen, what sends one for certain is not worth while.
    assert prospects(program, one, go, None, None).taken == [False, True, True, False]
    assert prospects(program, one, go, None, None).left == [True] * 4
    assert prospects(program, one, stop, None, None).taken == [True]
    # One that is looked for may come later, also in the next state, but not behind another one that was not seen.
    assert prospects(program, one, go, None, f).taken == [True, True, False, True]
    assert prospects(program, one, go, None, g).taken == [False, True, True, False]
    assert prospects(program, one, go, None, g, True).taken == [True, True, True, False]
    assert prospects(program, one, go, None, g).left == [True, True, True, False]
    assert prospects(program, two, go, None, f).left == [False]
    assert prospects(program, one, stop, None, f).taken == [True]


NUMBERED = """spec toy
var B : octets = 0
var N : octets = 0
message SEG
  flag F, G
  field X : octets
  field Y : octets
call GO
initial state START
  on GO -> ONE
state ONE
  on GO stay then continue
    N <- N + 1
  on GO when B < 9 -> END
    send <X=B + 1><Y=N><CTL=F>
  on GO -> END
    B <- 0
    send <X=B><Y=B><CTL=G>
final state END
"""


def test_fields_that_no_rule_changes() -> None:
    program = Program(parse_spec(NUMBERED, "toy.tcpspec"), {})
    one, bits = program.states.index("ONE"), program.flag_bits["SEG"]
    x = program.layout.fields["SEG", "X"]
    fields = settled_fields(program, one, ("call", "GO"), None, ("SEG", bits["F"]))
    assert fields is not None and [[slot for slot, _ in way] for way in fields] == [[x]]
    environment = program.environment(program.initial_values())
    environment[program.layout.variables["B"]] = (4, 6)
    seen = {slot: None for slot, _ in fields[0]}
    assert possible(fields, environment, seen)
    assert [number for number in range(12) if possible(fields, environment, {x: (number, number)})] == [5, 6, 7]
    assert settled_fields(program, one, ("call", "GO"), None, ("SEG", bits["G"])) is None
    assert settled_fields(program, one, ("call", "GO"), None, ("SEG", 0)) == ()
    assert not possible((), environment, seen)
