"""Splits a spec file into pieces that can be parsed one by one.

Owns: where a declaration and a rule begin, and which comment documents what.
Must never hold: anything about what stands inside a declaration.

A declaration begins in column 1; that is what makes it possible to go on after a syntax error. In a state and in a
group of rules every line that begins as a rule does is a piece of its own, for the same reason. A scenario is made of
lines; one that begins with a bracket goes on with the line before it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = r"[A-Za-z][A-Za-z0-9]*(?:[.\-_][A-Za-z0-9]+)*"
_END = r"(?![.\-_]?[A-Za-z0-9])"
_ITEM = re.compile(
    rf"\s+(?:(?:on|may|otherwise|step|use|typical){_END}|@|{_NAME}[ \t]*:[ \t]*(?:@|(?:on|may|otherwise){_END}))"
)
_WITH_ITEMS = re.compile(rf"(?:(?:initial|final){_END}[ \t]*)*(?:state|rules){_END}")
_SCENARIO = re.compile(rf"(?:(?:reject[ \t]+)?scenario|example){_END}")
_HEADING = re.compile(rf"\s+(?:(?:with|without|from|after){_END}|\[)")
_DECLARED = re.compile(rf"(?:(?:initial|final){_END}\s*)*(\w+)\s+({_NAME}(?:\s*,\s*{_NAME})*)")


class Piece(NamedTuple):
    """A run of lines: the text, the 1-based number of its first line, and the ``///`` lines before it."""

    text: str
    line: int
    doc: str


class Chunk(NamedTuple):
    """One declaration: its head, and for a state or a group the items after it, one piece each.

    ``lines``: it is a scenario or an example, whose items are its lines.
    """

    head: Piece
    items: list[Piece]
    lines: bool = False


def split_file(text: str) -> tuple[str, list[Chunk]]:
    """The ``//!`` documentation of the file, and its declarations in order.

    Text before the first declaration that is neither blank nor comment is a chunk of its own (and a syntax error).
    """
    file_doc: list[str] = []
    chunks: list[Chunk] = []
    doc: list[str] = []
    pending: list[tuple[list[str], int, str]] = []
    with_items = scenario = False

    def close() -> None:
        if pending:
            pieces = [Piece("\n".join(lines), line, said) for lines, line, said in pending]
            chunks.append(Chunk(pieces[0], pieces[1:], scenario))
            pending.clear()

    for number, line in enumerate(text.split("\n"), 1):
        bare = line.lstrip(" \t\r")
        if not bare or bare.startswith("//"):
            if bare.startswith("//!"):
                file_doc.append(_comment(bare))
            elif bare.startswith("///"):
                doc.append(_comment(bare))
            if pending:
                pending[-1][0].append("")
            continue
        if bare is line or len(bare) == len(line) or not pending:
            close()
            with_items = _WITH_ITEMS.match(line) is not None
            scenario = _SCENARIO.match(line) is not None
            pending.append(([line], number, "\n".join(doc)))
        elif (with_items and _ITEM.match(line)) or (scenario and _is_line(line, bare, len(pending) == 1)):
            pending.append(([line], number, "\n".join(doc)))
        else:
            pending[-1][0].append(line)
        doc.clear()
    close()
    return "\n".join(file_doc), chunks


def _is_line(line: str, bare: str, first: bool) -> bool:
    """Whether a line of a scenario stands for itself; ``first``: only the heading was before it."""
    return bare[0] != "(" and not (first and _HEADING.match(line))


def declared_names(head: str) -> tuple[str, list[str]]:
    """The first word of a declaration that could not be parsed and the names that it most likely declares."""
    found = _DECLARED.match(head)
    if found is None:
        return "", []
    return found[1], [name.strip() for name in found[2].split(",")]


def _comment(bare: str) -> str:
    said = bare[3:].rstrip()
    return said[1:] if said.startswith(" ") else said
