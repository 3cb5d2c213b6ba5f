"""Small specs that several tests share, and how to get at what is wrong with a text."""

from __future__ import annotations

from pathlib import Path

from tcpmodel.language.errors import SpecError, SpecErrors
from tcpmodel.model.load import parse, parse_spec
from tcpmodel.model.spec import Rule, Spec

FULL = Path(__file__).with_name("data") / "full.tcpspec"
"""Every form of the language, once."""

HEAD = """\
spec example
profile p
profile q default
var N, M : seq(local) free
var R : seq(peer) free
var W : octets = 0
var F : optional seq(local)
var mode : passive | active = passive
var bit : 0..1 = 0
const MSL = 120 s
message SEG
  flag SYN, ACK, RST
  mark PSH
  field SEQ : seq(sender)
  field ACK : seq(receiver) with ACK
  field DATA : octets from length
call OPEN, CLOSE, SEND data
timer USER = 2 * MSL
notice NEWS
state B
initial state A
"""


def problems(text: str) -> list[SpecError]:
    """All errors and warnings about a text."""
    try:
        return list(parse(text, "x.tcpspec").warnings)
    except SpecErrors as errors:
        return list(errors.errors)


def errors_of(text: str) -> list[SpecError]:
    """The errors alone."""
    return [problem for problem in problems(text) if problem.severity == "error"]


def rules(body: str) -> list[Rule]:
    """The rules of the initial state, whose body is given after the shared declarations."""
    return list(parse_spec(HEAD + body, "x.tcpspec").initial.rules)


def full() -> Spec:
    """The spec with every form."""
    return parse_spec(FULL.read_text(encoding="utf-8"), "full.tcpspec")
