"""Whatever stands in a file, the answer is a spec or a list of errors: no other exception, in bounded time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_samples import FULL

from tcpmodel.language.codes import CODES
from tcpmodel.language.errors import SpecErrors
from tcpmodel.model.load import _parse, find_spec, load_spec

SOURCES = [FULL.read_text(encoding="utf-8")]
SOURCES.append(find_spec("udp").read_text(encoding="utf-8"))
_FOUND = re.findall(r'[\w§.\-]+|[^\w\s]+|"[^"\n]*"', SOURCES[0])
WORDS = [*sorted(set(_FOUND)), "\n", "\n  ", "\n    ", "\t", "\0", "\r", "é"]


def check(text: str) -> None:
    """Either a spec comes out, or errors with known codes at places that exist."""
    try:
        problems = _parse(text, "x.tcpspec").warnings
    except SpecErrors as errors:
        problems = errors.errors
        assert any(problem.severity == "error" for problem in problems)
        assert str(errors).count("\n") + 1 >= len(problems)
    lines = text.split("\n")
    for problem in problems:
        assert CODES[problem.code].severity == problem.severity or problem.code == "TS003"
        span = problem.span
        assert 1 <= span.line <= span.end_line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 2
        assert (span.line, span.column) < (span.end_line, span.end_column + 1)


@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_words(words: list[str]) -> None:
    check("spec x\n" + " ".join(words))


@settings(max_examples=60)
@given(st.data())
def test_changed_specs(data: st.DataObject) -> None:
    """Lines or words taken away, doubled, moved or replaced."""
    text = data.draw(st.sampled_from(SOURCES))
    for _ in range(data.draw(st.integers(1, 4))):
        by_line = data.draw(st.booleans())
        parts = text.split("\n") if by_line else re.split(r"(\s+)", text)
        at, other = (data.draw(st.integers(0, len(parts) - 1)) for _ in range(2))
        change = data.draw(st.sampled_from(["drop", "double", "swap", "word"]))
        if change == "drop":
            del parts[at]
        elif change == "double":
            parts.insert(at, parts[other])
        elif change == "swap":
            parts[at], parts[other] = parts[other], parts[at]
        else:
            parts[at] = data.draw(st.sampled_from(WORDS))
        text = ("\n" if by_line else "").join(parts)
    check(text)


@settings(max_examples=60)
@given(st.data())
def test_changed_characters(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SOURCES))
    at = data.draw(st.integers(0, len(text)))
    check(text[:at] + data.draw(st.text(max_size=5)) + text[at + data.draw(st.integers(0, 20)) :])


@given(st.binary(max_size=300))
@settings(max_examples=50)
def test_any_octets(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "octets.tcpspec"
    path.write_bytes(data)
    try:
        load_spec(str(path))
    except SpecErrors as errors:
        assert str(errors)


HEAD = "spec x\ncall C\ninitial state A\n"
HARD = {
    "brackets": HEAD + "define a = " + "(" * 60_000,
    "closed brackets": HEAD + "define a = " + "(" * 5_000 + "1" + ")" * 5_000,
    "not": HEAD + "define a = " + "not " * 15_000 + "true",
    "sum": HEAD + "define a = 1" + " + 1" * 15_000,
    "and": HEAD + "define a = true" + " and true" * 7_000,
    "max": HEAD + "define a = " + "max(1, " * 5_000,
    "flags": HEAD + "message S\n flag A\nfault f must when S with " + "A," * 20_000 + "A",
    "long name": HEAD + "define " + "a" * 60_000 + " = 1",
    "long line": "x" * 1_000_000,
    "long rule": HEAD + "  on " + "y" * 1_000_000,
    "long word, then a sign": HEAD + "  on C " + "y" * 60_000 + " ;",
    "NUL": HEAD + "\0" * 1000,
    "quotes": HEAD + "define a = 1 [" + '"' * 60_000,
    "open citations": HEAD + "define a = 1 " + "[" * 60_000,
    "citations": HEAD + "define a = 1 [" + "§1," * 15_000 + "§1]",
    "chain of definitions": HEAD + "define a0 = 1\n" + "".join(f"define a{i} = a{i - 1}\n" for i in range(1, 3_000)),
    "doubling definitions": HEAD
    + "define a0 = 1\n"
    + "".join(f"define a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, 90)),
    "chain of groups": HEAD
    + "  use g999\nrules g0\n"
    + "".join(f"rules g{i}\n  use g{i - 1}\n" for i in range(1, 1_000)),
    "doubling groups": HEAD
    + "  use g40\nrules g0\n  on C stay then continue\n"
    + "".join(f"rules g{i}\n  use g{i - 1}\n  use g{i - 1}\n" for i in range(1, 41)),
    "many rules": HEAD + "  on C stay then continue\n" * 30_000,
    "large groups": HEAD
    + "  use g\nrules g\n"
    + "  on C stay then continue\n" * 300
    + "".join(f"state S{i}\n  use g\n" for i in range(300)),
    "as many declarations as fit": HEAD + "var v : octets\n" * 100_000,
    "many errors": HEAD + "  on X -> Y\n" * 3_000,
    "surrogates": HEAD + "define \ud800 = 1\n",
    "other line ends": HEAD + "define a\u2028 = 1\x0b\x85\x0c\n",
    "long number": HEAD + "define a = " + "9" * 60_000,
    "long hexadecimal number": HEAD + "define a = 0x" + "f" * 60_000,
    "long duration": HEAD + "define a = " + "9" * 30_000 + "." + "9" * 30_000 + " s",
}


@pytest.mark.parametrize("name", HARD)
def test_hard_texts(name: str) -> None:
    text = HARD[name]
    try:
        loaded = _parse(text, "x.tcpspec")
    except SpecErrors as errors:
        assert len(errors.errors) <= 501
        assert all(len(line) < 400 for line in str(errors).split("\n") if "help" not in line)
    else:
        assert loaded.spec.name == "x"


def test_every_beginning_of_a_spec(tmp_path: Path) -> None:
    text = SOURCES[0]
    for end in range(0, len(text), 97):
        check(text[:end])
