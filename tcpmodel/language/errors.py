"""What a user is told about a spec: one error, and all errors of a file.

Owns: the class of an error, the exception that carries all of them, and how one is written as text.
Must never hold: a decision about what is an error, or the explanations (see ``codes``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tcpmodel.language.span import Span, path_of

LINE_WIDTH = 160
"""Longest piece of a source line that is shown, in characters."""

MOST_ERRORS = 500
"""So many errors of one file are kept; a last one says that there are more."""


class SpecError(NamedTuple):
    """One error or warning. ``severity``: ``error`` or ``warning``; ``help``: what would be right, or ""."""

    code: str
    message: str
    span: Span
    help: str = ""
    severity: str = "error"


class SpecErrors(Exception):
    """Carries all errors of one file, in the order of the file (warnings too, if there are errors as well).

    ``path`` as the user gave it; ``text`` the source, or "" when there is none; ``parts`` the texts of its parts.
    ``str()`` gives what a user should see.
    """

    def __init__(
        self, errors: tuple[SpecError, ...], path: str, text: str = "", parts: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(errors, path, text, parts)
        self.errors = errors
        self.path = path
        self.text = text
        self.parts = parts or {}

    def __str__(self) -> str:
        return render_errors(self.errors, self.path, self.text, self.parts)


def render_errors(
    errors: tuple[SpecError, ...] | list[SpecError], path: str, text: str, parts: Mapping[str, str] | None = None
) -> str:
    """All errors as text, with a blank line between them; ``text`` is the source, ``parts`` of what it includes."""
    lines = {part: source.split("\n") for part, source in (("", text), *(parts or {}).items())}
    return "\n\n".join(render_error(error, path, lines.get(error.span.path, [])) for error in errors)


def render_error(error: SpecError, path: str, lines: list[str]) -> str:
    """One error as text: place, message, source line with a caret, help. ``path`` is that of the spec, ``lines`` those
    of the file (the spec, or the part that the error is in)."""
    span = error.span
    place = printable(path_of(path, span.path))
    if span.line > 0:
        place += f":{span.line}:{span.column}"
    out = [f"{place}: {error.severity}[{error.code}]: {printable(error.message)}"]
    if 0 < span.line <= len(lines):
        out += _quote(lines[span.line - 1].rstrip("\r"), span)
    out += [f"  help: {printable(line)}" for line in error.help.split("\n") if line]
    return "\n".join(out)


def _quote(line: str, span: Span) -> list[str]:
    column = max(span.column - 1, 0)
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    cut = 0
    if len(line) > LINE_WIDTH:
        cut = max(0, min(column - LINE_WIDTH // 2, len(line) - LINE_WIDTH))
        line = line[cut : cut + LINE_WIDTH]
    column -= cut
    width = max(1, min(end - cut, len(line)) - column)
    number = f"{span.line:>5} | "
    blank = " " * len(f"{span.line:>5}") + " | "
    return [number + printable(line), blank + " " * column + "^" * width]


def printable(text: str) -> str:
    """The text with tabs as one blank and what a terminal might act upon as ``?``, so that columns stay in place."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in text)
