"""Puts a syntax error into words.

Owns: what was found, what was expected, and what was most likely meant.
Must never hold: how parsing goes on.
"""

from __future__ import annotations

import re

from lark import UnexpectedInput, UnexpectedToken

from tcpmodel.language.errors import SpecError
from tcpmodel.language.span import Span
from tcpmodel.language.words import DECLARATIONS, RULE_WORDS, expected_words, keyword_of, nearest

_PIECES = {"declaration": "declaration", "item": "rule", "line": "line"}
_LAST_WORDS = re.compile(r"([A-Za-z][A-Za-z0-9.\-_]*)(?:\s+([A-Za-z][A-Za-z0-9.\-_]*))?\s*$")


def syntax_error(error: UnexpectedInput, text: str, first_line: int, start: str) -> SpecError:
    """The error in a piece of the file; ``first_line`` is the line where it begins, ``start`` what it should be."""
    if isinstance(error, UnexpectedToken):
        token = error.token
        if token.type == "$END":
            text = text.rstrip()
            span = _span_at(text, len(text), first_line)
            found = "the end of the " + _PIECES[start]
        else:
            span = _span(token.line, token.column, token.end_line, token.end_column, first_line)
            found = f"`{_short(str(token))}`"
            text = text[: token.start_pos or 0]
        accepts = set(error.accepts or error.expected)
        if start == "item" and token.type == "_BECOMES" and "_TO" in accepts:
            help_ = "end the first line with `-> STATE`, `stay` or `drop`"
            return SpecError("TS043", "the rule does not say where it leads", span, help_)
        if accepts == {"_BECOMES"} and (last := _LAST_WORDS.search(text, max(0, len(text) - 200))):
            return _stray_word(last, text, first_line)
    else:
        column = max(error.column, 1)
        span = _span(max(error.line, 1), column, max(error.line, 1), column + 1, first_line)
        found = _character(text, error.pos_in_stream or 0)
        accepts = set(getattr(error, "allowed", None) or ())
    word = found.strip("`")
    if start == "declaration" and span.column == 1 and span.line == first_line:
        near = nearest(word, DECLARATIONS)
        known = "a line that begins in column 1 is one of: " + ", ".join(DECLARATIONS)
        help_ = f"did you mean `{near}`?" if near else known
        return SpecError("TS005", f"a declaration cannot begin with {found}", span, help_)
    near = nearest(word, [keyword for name in accepts if (keyword := keyword_of(name))])
    help_ = f"did you mean `{near}`?" if near else f"expected {expected_words(accepts)}"
    return SpecError("TS001", f"syntax error: found {found}", span, help_)


def _stray_word(last: re.Match[str], text: str, first_line: int) -> SpecError:
    """A name where an action begins, but nothing is assigned: most likely a keyword with a slip."""
    number = 2 if last[2] else 1
    if number == 2 and nearest(last[1], RULE_WORDS) and not nearest(last[2], RULE_WORDS):
        number = 1
    word = last[number]
    near = nearest(word, RULE_WORDS)
    start = _span_at(text, last.start(number), first_line)
    span = Span(start.line, start.column, start.line, start.column + len(word))
    help_ = f"did you mean `{near}`?" if near else f"a keyword, or an assignment: {word} <- VALUE"
    return SpecError("TS001", f"syntax error: found `{_short(word)}`", span, help_)


def _span(line: int | None, column: int | None, end_line: int | None, end_column: int | None, first_line: int) -> Span:
    above = first_line - 1
    return Span(above + (line or 1), column or 1, above + (end_line or 1), end_column or 1)


def _span_at(text: str, offset: int, first_line: int) -> Span:
    line = first_line + text.count("\n", 0, offset)
    column = offset - text.rfind("\n", 0, offset)
    return Span(line, column, line, column + 1)


def _character(text: str, at: int) -> str:
    if at >= len(text):
        return "the end"
    char = text[at]
    if char == '"':
        return "a string that does not end on its line"
    if char == "[":
        return "a citation without its closing bracket"
    return f"`{char}`" if char.isprintable() else f"the character U+{ord(char):04X}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."
