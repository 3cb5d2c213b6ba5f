"""Every example of docs/language.md is right, and every example of a mistake draws the error that it promises.

A fenced block marked ``tcpspec`` is a whole spec if its first word is ``spec``. Any other is a piece: it is put behind
the block under ``<!-- frame -->``, and if it begins with an indented line, into a state of its own. Neither may draw an
error or a warning. A block under ``<!-- from: PATH -->`` has to stand in that file, word by word, instead.

A block marked ``tcpspec-error`` draws exactly what its comments say: ``// error[TS010]`` or ``// warning[TS060]`` at
the end of each line that one is about.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tcpmodel.language.codes import CODES
from tcpmodel.language.errors import SpecErrors
from tcpmodel.model.load import parse
from tcpmodel.model.marks import KINDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "language.md"
TEXT = PAGE.read_text(encoding="utf-8")

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<kind>tcpspec(?:-error)?)\n(?P<body>.*?)^```$", re.M | re.S
)
PROMISE = re.compile(r"// (?:error|warning)\[(TS\d{3})\]$")


class Block(NamedTuple):
    """A fenced block: ``mark`` is the comment above it, ``line`` that of its first line in the page."""

    line: int
    kind: str
    mark: str
    body: str

    @property
    def origin(self) -> str:
        """The file that the block is taken from, or ""."""
        return self.mark.removeprefix("from: ") if self.mark.startswith("from: ") else ""


def blocks(text: str) -> list[Block]:
    """All blocks of a page that hold specs."""
    return [
        Block(text.count("\n", 0, found.start("body")) + 1, found["kind"], found["mark"] or "", found["body"])
        for found in BLOCK.finditer(text)
    ]


BLOCKS = blocks(TEXT)
QUOTED = [block for block in BLOCKS if block.origin]
RIGHT = [block for block in BLOCKS if block.kind == "tcpspec" and not block.origin]
WRONG = [block for block in BLOCKS if block.kind == "tcpspec-error"]
FRAME = next((block.body for block in BLOCKS if block.mark == "frame"), "")


def completed(body: str) -> tuple[str, int]:
    """The whole spec that a block stands for, and how many lines stand before the block."""
    first = next(line for line in body.splitlines() if line.strip() and not line.lstrip().startswith("//"))
    if first.startswith("spec "):
        return body, 0
    before = FRAME + ("\nstate PIECE\n" if first[0] == " " else "\n")
    return before + body, before.count("\n")


def drawn(body: str) -> set[tuple[int, str]]:
    """What is wrong with a block: lines of the block, from 1, and codes."""
    text, before = completed(body)
    try:
        problems = parse(text, "example.tcpspec").warnings
    except SpecErrors as errors:
        problems = errors.errors
    return {(problem.span.line - before, problem.code) for problem in problems}


def promised(body: str) -> set[tuple[int, str]]:
    """What the comments of a block say about it."""
    found = ((number, PROMISE.search(line)) for number, line in enumerate(body.splitlines(), 1))
    return {(number, match[1]) for number, match in found if match}


@pytest.mark.parametrize("block", RIGHT, ids=lambda block: f"line {block.line}")
def test_example_is_right(block: Block) -> None:
    assert drawn(block.body) == set()


@pytest.mark.parametrize("block", WRONG, ids=lambda block: f"line {block.line}")
def test_mistake_is_reported_where_the_page_says(block: Block) -> None:
    assert promised(block.body), "say which line is wrong: // error[TS010]"
    assert drawn(block.body) == promised(block.body)


@pytest.mark.parametrize("block", QUOTED, ids=lambda block: f"line {block.line}")
def test_quotation_is_exact(block: Block) -> None:
    assert block.body in (ROOT / block.origin).read_text(encoding="utf-8")


def test_there_is_a_frame_and_pieces() -> None:
    assert FRAME.startswith("spec ")
    assert len(RIGHT) > 15 and len(WRONG) > 4 and QUOTED


def test_no_block_is_overlooked() -> None:
    assert len(re.findall(r"^```tcpspec", TEXT, re.M)) == len(BLOCKS)


def test_codes_that_the_page_names_exist() -> None:
    assert set(re.findall(r"TS\d{3}", TEXT)) <= set(CODES)


def test_every_word_of_the_grammar_is_explained() -> None:
    """A keyword that no example and no sentence shows is missing from the reference."""
    grammar = (ROOT / "tcpmodel" / "language" / "grammar.lark").read_text(encoding="utf-8")
    words = set(re.findall(r'^_?[A-Z_]+(?:\.\d)?: "([a-z]+)" WB$', grammar, re.M))
    assert len(words) > 40
    assert {word for word in words if not re.search(rf"(?<![\w-]){word}(?![\w-])", TEXT)} == set()


def test_every_document_is_in_the_index() -> None:
    index = (PAGE.parent / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in PAGE.parent.glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"({name})" not in index} == set()


def test_everything_that_a_mark_can_refer_to_is_listed() -> None:
    assert [kind for kind in KINDS if f"`{kind}`" not in TEXT] == []


def test_lamp_of_the_readme_is_that_of_the_page() -> None:
    lamp = (ROOT / "docs" / "lamp.tcpspec").read_text(encoding="utf-8")
    assert f"```\n{lamp}```" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert any(block.origin == "docs/lamp.tcpspec" and block.body == lamp for block in QUOTED)


def test_excerpt_of_the_readme_is_in_the_spec_of_tcp() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (excerpt,) = re.findall(r"^```\n(state .*?)^```$", readme, re.M | re.S)
    spec = (ROOT / "specs" / "tcp.tcpspec").read_text(encoding="utf-8").splitlines()
    assert len(excerpt.splitlines()) > 5
    assert [line for line in excerpt.splitlines() if line not in spec and line.strip() != "..."] == []


def test_what_is_wrong_with_a_piece_is_counted_from_its_first_line() -> None:
    assert drawn("  on CLOSE -> NOWHERE\n") == {(1, "TS010")}
    assert drawn("\nvar ODD : integer\n") == {(2, "TS033")}
    assert promised("state X\n  on CLOSE -> Y // error[TS010]\n") == {(2, "TS010")}
