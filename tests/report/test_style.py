"""Escaping, wrapping, signs and widths."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.report.style import LEAST_WIDTH, Style, counted, either, printable, table


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("Größe → §", "Größe → §"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\x9b2J", "\\x9b2J"),
        ("a\u202egpj", "a\\u202egpj"),
        ("\U000e0041", "\\U000e0041"),
        ("caf\udce9", "caf\\xe9"),
        ("\udc80\udcff", "\\x80\\xff"),
        ("\ud800", "\\ud800"),
    ],
)
def test_printable(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@given(st.text(alphabet=st.characters()))
def test_all_text_becomes_printable(raw: str) -> None:
    assert printable(raw).isprintable()


@given(st.text(alphabet="ab <>"), st.integers(0, 20))
def test_wrapping_keeps_every_word(raw: str, indent: int) -> None:
    style = Style(width=LEAST_WIDTH)
    lines = list(style.wrap(raw, indent))
    assert " ".join(lines).split() == raw.split()
    for line in lines:
        assert indent + len(line) <= LEAST_WIDTH or " " not in line.strip()


@pytest.mark.parametrize(
    ("words", "shown"), [([], "?"), (["A"], "A"), (["A", "B"], "A or B"), (["A", "B", "C"], "A, B or C")]
)
def test_either(words: list[str], shown: str) -> None:
    assert either(words) == shown


def test_counted() -> None:
    assert [counted(number, "packet") for number in (0, 1, 1200)] == ["0 packets", "1 packet", "1,200 packets"]
    assert counted(2, "conforms", "conform") == "2 conform"


def test_table() -> None:
    assert list(table([(5, "a"), (1000, "b"), (5, "c")])) == ["  1,000  b", "      5  a", "      5  c"]


@pytest.mark.parametrize(
    ("encoding", "signs"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("cp437", False)]
)
def test_signs_by_encoding(encoding: str, signs: bool) -> None:
    assert Style.of(io.TextIOWrapper(io.BytesIO(), encoding=encoding)).signs is signs


@pytest.mark.parametrize(
    ("columns", "width"), [("", None), ("100", 100), ("5", LEAST_WIDTH), ("x", None), ("0", None), ("-3", None)]
)
def test_width_by_columns(monkeypatch: pytest.MonkeyPatch, columns: str, width: int | None) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert Style.of(io.StringIO()).width == width
