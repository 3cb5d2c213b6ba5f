"""What rules over several connections rest on: how it is declared, and what is wrong with a declaration."""

from __future__ import annotations

import pytest
from language_samples import HEAD, problems

from tcpmodel.model.load import parse_spec

TEXT = """
note LAST  : optional seq(local)
note COUNT : octets = 0
observe SEG
  LAST  <- SEG.SEQ
  COUNT <- COUNT + 1
"""


def test_what_is_declared() -> None:
    text = TEXT + 'note OLD : optional seq(local) inherits LAST "before"\nnote OLDER : octets = 7 inherits COUNT\n'
    notes = {note.name: note for note in parse_spec(HEAD + text, "test.tcpspec").notes}
    assert {name: note.inherits for name, note in notes.items()} == {
        "LAST": "",
        "COUNT": "",
        "OLD": "LAST",
        "OLDER": "COUNT",
    }
    assert notes["OLDER"].initial is not None and notes["OLD"].title == "before"


@pytest.mark.parametrize(
    ("line", "code", "help_"),
    [
        ("note OLD : optional seq(local) inherits LATS", "TS011", "LAST"),
        ("note OLD : seq(local) inherits LAST", "TS030", "optional seq(local)"),
        ("note OLD : optional seq(peer) inherits LAST", "TS030", "optional seq(local)"),
        ("note OLD : optional octets inherits LAST", "TS030", "optional seq(local)"),
        ("note OLD : duration inherits COUNT", "TS030", "octets"),
        ("note OLD : octets inherits COUNT inherits COUNT", "TS004", ""),
    ],
)
def test_errors(line: str, code: str, help_: str) -> None:
    (found,) = problems(HEAD + TEXT + line + "\n")
    assert found.code == code and help_ in (found.help or "")


def test_more_than_the_other_may_be() -> None:
    found = problems(HEAD + TEXT + "note OLD : optional octets inherits COUNT\n")
    assert not [each for each in found if each.severity == "error"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("over run forbid SEG with SYN steady SEG.SEQ beyond 20", ""),
        ("over run forbid SEG with SYN steady SEG.SEQ", "TS043"),
        ("over packet forbid SEG with SYN steady SEG.SEQ", "TS035"),
        ("over run forbid SEG with SYN steady SEG.SQE beyond 20", "TS014"),
        ("over run forbid SEG with SYN steady SEG.DATA beyond 20", "TS030"),
    ],
)
def test_what_grows_evenly(words: str, code: str) -> None:
    found = [each.code for each in problems(HEAD + f'rule R should "r" {words}\n') if each.severity == "error"]
    assert found == ([code] if code else [])


NAMED = """
seen SEG.WINDOW : optional octets from window
note LAST  : optional seq(local)
define small  = SEG.WINDOW is set and SEG.WINDOW < 10
define behind = LAST is set and SEG.SEQ < LAST
define wrong  = small and (behind or peer.LAST is unset)
define begun  = LAST is set
const FEW = 3
observe SEG when not small
  LAST <- SEG.SEQ
"""


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('rule R should "r" over connection forbid wrong except small "so what"', ""),
        ('rule R should "r" over connection forbid SEG with SYN lapses behind and not wrong', ""),
        ('fault R should "r" when SEG with SYN and small', "TS035 `small`"),
        ("define other = behind\nstate X\n  on SEG when other stay", "TS035 `other`"),
        ('rule R should "r" over connection forbid SEG with SYN lapses behind\'', "TS055 `behind`"),
        ('rule R should "r" over connection forbid SEG with SYN once begun\'', "TS055 `begun`"),
        ('rule R should "r" over connection forbid SEG.SEQ - LAST < FEW once SEG.SEQ - LAST < FEW\'', "TS055 `FEW`"),
        ("define circle = behind and (LATS is set or small)", "TS011 `LATS`"),
    ],
)
def test_definitions_name_what_observers_know(line: str, wanted: str) -> None:
    errors = [each for each in problems(HEAD + NAMED + line + "\n") if each.severity == "error"]
    told = [f"{each.code} {each.message[each.message.index('`') :].split(' ')[0]}" for each in errors]
    assert told == ([wanted] if wanted else [])
    assert all("SEG.WINDOW" in each.help or "LAST" in each.help for each in errors if each.code == "TS035")
