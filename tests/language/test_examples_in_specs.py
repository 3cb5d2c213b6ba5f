"""Examples of rules: which forms they may have, and what is said of those that have another one."""

from __future__ import annotations

import pytest

from tcpmodel.language.errors import SpecErrors
from tcpmodel.model.load import parse

BEFORE = """\
spec s "a spec" over tcp
  cites RFC9293
message SEG "segment"
  flag SYN, ACK
  field SEQ : seq(sender)
seen SEG.MSS : optional octets from mss
seen SEG.OFFSET : 0..60 from offset typical 20
rule R-1 must over packet by sender "a rule"
  forbid SEG with SYN, ACK
initial state OFF "off"
  on SEG drop
"""


def codes(text: str) -> list[str]:
    try:
        parse(BEFORE + text, "s.tcpspec")
    except SpecErrors as errors:
        return [error.code for error in errors.errors]
    return []


def test_what_it_says() -> None:
    text = """\
example begun "a beginning"
  --> <SEQ=1><CTL=SYN>
/// Why.
example R-1 "it is broken" from B after begun
  wait 2 s
  wait 500 ms
  <-- <SEQ=7><CTL=SYN,ACK><MSS=9>  ! "both"
"""
    begun, broken = parse(BEFORE + text, "s.tcpspec").spec.examples
    assert (begun.name, begun.title, begun.after, begun.end) == ("begun", "a beginning", "", "")
    assert (broken.name, broken.after, broken.end, broken.doc) == ("R-1", "begun", "B", "Why.")
    (line,) = broken.lines
    assert (line.sender, line.wrong, line.wait) == ("B", "both", 2_500_000)
    assert line.message.fields == (("SEQ", 7), ("MSS", 9)) and line.message.flags == ("SYN", "ACK")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("example R-2\n  --> <SEQ=1>\n", "TS052"),
        ("example R-1 after later\n  --> <SEQ=1>\nexample later\n  --> <SEQ=1>\n", "TS052"),
        ("example a\n  --> <SEQ=1>\nexample a\n  --> <SEQ=1>\nexample R-1 after a\n  --> <SEQ=1>\n", "TS020"),
        ('example a\n  --> <SEQ=1> ! "no"\nexample R-1 after a\n  --> <SEQ=1>\n', "TS051"),
        ("example R-1\n", "TS050"),
        ("example R-1\n  ... <SEQ=1>\n", "TS050"),
        ("example R-1\n  OFF --> <SEQ=1> --> OFF\n", "TS050"),
        ("example R-1 from C\n  --> <SEQ=1>\n", "TS019"),
        ("example R-1\n  --> <SEQQ=1>\n", "TS014"),
        ("example R-1\n  --> <SEQ=1> ! no\n", "TS001"),
        ("seen SEG.X : 0..1 from x typical 2\n", "TS032"),
        ('scenario "s" from OFF\n  --> <SEQ=1>\n', "TS050"),
        ('scenario "s" from OFF\n  wait 2 s\n', "TS050"),
    ],
)
def test_wrong_forms(text: str, wrong: str) -> None:
    assert wrong in codes(text)
