"""Every code of the catalogue: its wrong example draws it and nothing else, its right example does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tcpmodel.language.codes
from tcpmodel.language.codes import CODES, Code, explain
from tcpmodel.language.errors import SpecErrors
from tcpmodel.model.load import parse

SHARED = """\
spec example cites RFC9293
steps first, second, third
profile linux
const MSL = 120 s @linux 60 s
var SND.NXT, SND.UNA : seq(local)
var RCV.NXT : seq(peer)
var SND.WND : octets = 0
var FIN.SEQ : optional seq(local)
message SEG
  flag SYN, ACK, FIN
  mark PSH
  field SEQ : seq(sender)
  field ACK : seq(receiver)
call OPEN, CLOSE, ABORT
rules common
  on ABORT -> A [§3.10.5]
initial state A
  on OPEN -> B [§3.10.1]
    SND.NXT <- any
    SND.UNA <- SND.NXT
    RCV.NXT <- any
    SND.WND <- 0
  use common
state B
  on CLOSE when FIN.SEQ is unset and 0 s < MSL -> A [§3.10.4]
    FIN.SEQ <- SND.NXT
"""
WITH_EXAMPLES = [entry for entry in CODES.values() if entry.wrong]


def found(example: str) -> set[str]:
    text = example if example.startswith("spec ") else SHARED + example
    try:
        return {warning.code for warning in parse(text, "x.tcpspec").warnings}
    except SpecErrors as errors:
        return {error.code for error in errors.errors if error.severity == "error"}


def test_what_examples_share_is_right() -> None:
    assert found(SHARED) == set()


@pytest.mark.parametrize("entry", WITH_EXAMPLES, ids=lambda entry: entry.code)
def test_wrong_example_draws_the_code(entry: Code) -> None:
    codes = found(entry.wrong)
    assert entry.code in codes
    assert {code for code in codes if CODES[code].severity == "error"} <= {entry.code}


@pytest.mark.parametrize("entry", WITH_EXAMPLES, ids=lambda entry: entry.code)
def test_right_example_does_not(entry: Code) -> None:
    codes = found(entry.right)
    assert entry.code not in codes
    assert all(CODES[code].severity == "warning" for code in codes)


def test_codes_of_the_source_are_the_catalogue() -> None:
    package = Path(tcpmodel.language.codes.__file__).parent.parent
    sources = [path for part in ("language", "model") for path in (package / part).glob("*.py")]
    used = {
        code for path in sources if path.name != "codes.py" for code in re.findall(r'"(TS\d{3})"', path.read_text())
    }
    assert used == set(CODES)


@pytest.mark.parametrize("entry", CODES.values(), ids=lambda entry: entry.code)
def test_explanations(entry: Code) -> None:
    text = explain(entry.code)
    assert text.startswith(f"{entry.code}: {entry.title}")
    assert text == explain(f"[{entry.code.lower()}]")
    assert max(map(len, text.splitlines())) <= 112


def test_unknown_code() -> None:
    with pytest.raises(KeyError):
        explain("TS999")
