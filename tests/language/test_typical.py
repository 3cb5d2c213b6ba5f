"""Typical values of states and fields: what they are, and what is said about wrong ones."""

from __future__ import annotations

import pytest
from language_samples import HEAD, errors_of

from tcpmodel.model.load import parse_spec
from tcpmodel.model.spec import Arithmetic, Literal
from tcpmodel.model.types import LOCAL


def test_values_of_a_state_in_order() -> None:
    body = "  typical N = 100, M = N + 1\n  on CLOSE stay\n  typical mode = active,\n    W = 0x10\n"
    found = parse_spec(HEAD + body, "x").initial.typical
    assert [name for name, _ in found] == ["N", "M", "mode", "W"]
    values = [expr for _, expr in found]
    assert isinstance(values[0], Literal) and (values[0].value, values[0].type) == (100, LOCAL)
    assert isinstance(values[1], Arithmetic) and values[1].text == "N + 1"
    assert [expr.value for expr in values[2:] if isinstance(expr, Literal)] == [1, 16]


def test_values_of_fields() -> None:
    text = "spec x\nmessage M\n  field A : octets from a typical 65535\n  field B : up | down typical down\n"
    text += "  field C : octets = 7 typical 0x10\n  field D : seq(sender)\n"
    fields = parse_spec(text, "x").messages[0].fields
    assert [field.typical for field in fields] == [65535, 1, 16, None]
    assert fields[2].default == 7


CASES = [
    ("  typical X = 1\n", "TS011", "X"),
    ("  typical N = 1, N = 2\n", "TS020", "N"),
    ("  typical N = M + 1\n", "TS049", "M + 1"),
    ("  typical N = R\n", "TS031", "R"),
    ("  typical N = 4294967296\n", "TS030", "4294967296"),
    ("  typical bit = 2\n", "TS032", "2"),
    ("  typical mode = neither\n", "TS011", "neither"),
    ("  typical N\n", "TS001", ""),
    ("rules g\n  typical N = 1\n  on CLOSE stay\n", "TS049", "N"),
    ("message T\n  field A : 0..3 typical 4\n", "TS032", "4"),
    ("message T\n  field A : octets typical many\n", "TS030", "many"),
    ("message T\n  field A : up | down typical left\n", "TS011", "left"),
    ("message T\n  field A : octets typical 1 typical 2\n", "TS004", "2"),
]


@pytest.mark.parametrize(("body", "code", "under"), CASES)
def test_wrong_ones(body: str, code: str, under: str) -> None:
    (error,) = errors_of(HEAD + body)
    line = (HEAD + body).split("\n")[error.span.line - 1]
    assert error.code == code
    assert not under or line[error.span.column - 1 : error.span.end_column - 1] == under


def test_a_definition_is_opened() -> None:
    text = HEAD + "  typical N = next\ndefine next = M + 1\n"
    (error,) = errors_of(text)
    assert error.code == "TS049" and "`M`" in error.message
    assert not errors_of(text.replace("N = next", "M = 1, N = next"))
