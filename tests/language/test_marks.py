"""Requirements and claims: what they refer to must exist, and they must say what is needed."""

from __future__ import annotations

import pytest
from language_samples import HEAD, errors_of, full, problems

from tcpmodel.model.marks import KINDS
from tcpmodel.model.spec import Claim


def test_requirements() -> None:
    one, two = full().requirements
    assert (one.id, one.words, one.outside, [cite.place for cite in one.cites]) == ("MUST-5", "words", "", ["§3.1"])
    assert [str(reference) for reference in one.by] == [
        "rule SYN-01",
        "fault TCP-ACK-001",
        "packet SEG-001",
        "property p",
        "scenario handshake",
        "call OPEN passive",
    ]
    assert (two.id, two.by, two.outside) == ("MUST-6", (), "no model shows it")


def test_claims() -> None:
    one, two = full().claims
    assert (one.id, one.verdict, one.statement, one.words) == ("S1-1", "loose", "it is so", "it is not so")
    assert (one.doc, one.cites[0].document) == ("said", "RFC1122")
    assert [str(reference) for reference in one.by][:3] == ["text", "state LISTEN", "field SEG.WND"]
    assert isinstance(two, Claim) and (two.verdict, two.words) == ("right", "")
    assert {r.kind for mark in (*full().requirements, *full().claims) for r in mark.by} == {*KINDS, "text"}


CASES = [
    ("requirement MUST-5 by state C\n", "TS052", "C", "there is no state `C`"),
    ("requirement MUST-5 by state OPEN\n", "TS052", "OPEN", "write `call OPEN`"),
    ("requirement MUST-5 by call SEND dat\n", "TS052", "SEND dat", "did you mean `SEND data`?"),
    ("requirement MUST-5 by rule R-2\nstate C\n  R-1: on OPEN -> A\n", "TS052", "R-2", "did you mean `R-1`?"),
    ('requirement MUST-5 by scenario "s"\n', "TS052", '"s"', "the spec declares no scenario"),
    ("requirement MUST-5 by stat A\n", "TS052", "stat", "did you mean `state`?"),
    ("requirement MUST-5 by state A, state A\n", "TS020", "state A", "twice"),
    ("requirement MUST-5\n", "TS053", "MUST-5", "what carries"),
    ('requirement MUST-5 outside "x" by state A\n', "TS053", '"x"', "at once"),
    ("requirement MUST-5 by state A by state B\n", "TS004", "state", "a second"),
    ("requirement MUST-5 by state A\nrequirement MUST-5 by state B\n", "TS020", "MUST-5", "declared twice"),
    ('claim C-1 rihgt "x" by state A\n', "TS019", "rihgt", "did you mean `right`?"),
    ('claim C-1 right "x"\n', "TS053", "C-1", "what shows"),
    ('claim C-1 loose "x" by state A\n', "TS053", "loose", "it is loose"),
    ('claim C-1 wrong "x" by state A " "\n', "TS053", "wrong", "it is wrong"),
    ('claim C-1 right "x" by text\n', "TS053", "right", "nothing else shows it"),
    ("claim C-1 right by state A\n", "TS001", "by", 'a text in "..."'),
    ('claim C-1 right "x" by state A\nclaim C-1 right "y" by state A\n', "TS020", "C-1", "declared twice"),
]


@pytest.mark.parametrize(("text", "code", "under", "words"), CASES)
def test_wrong_ones(text: str, code: str, under: str, words: str) -> None:
    (error,) = errors_of(HEAD + text)
    assert error.code == code
    assert words in f"{error.message} {error.help}"
    line = (HEAD + text).split("\n")[error.span.line - 1]
    assert line[error.span.column - 1 : error.span.end_column - 1] == under


@pytest.mark.parametrize(
    ("mark", "broken"),
    [
        ("rule R-1", "state C\n  R-1: on OPEN -> -> A\n"),
        ("rule R-1", "state C\n  R-1: on OPEN -> X\n"),
        ("fault F-1", "fault F-1 must when when\n"),
        ("fault F-1", 'fault F-1 must "x"\n'),
        ('scenario "s"', 'scenario "s" from\n  OPEN\n'),
        ("property p-1", "property p-1 sometimes A\n"),
    ],
)
def test_what_is_wrong_in_its_own_place_is_not_missing(mark: str, broken: str) -> None:
    assert "TS052" not in {problem.code for problem in problems(f"{HEAD}requirement MUST-5 by {mark}\n{broken}")}
