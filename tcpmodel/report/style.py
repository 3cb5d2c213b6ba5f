"""How text for people is written: what is escaped, which signs and colours a stream can take, where lines end.

Owns: escaping of what came from outside, colours by their role, wrapping, and counting words.
Must never hold: what is reported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

TYPE_CHECKING = False  # importing typing for this alone would cost time at the start of the command
if TYPE_CHECKING:
    from typing import TextIO

LEAST_WIDTH = 40
"""Narrower terminals are treated as this wide."""

PROSE_WIDTH = 100
"""Where sentences are broken when the reader is not a terminal, in columns."""

_COLORS = {"good": "32", "bad": "1;31", "unclear": "33", "code": "36", "strong": "1", "faint": "2"}

_PLAIN_SIGNS = {"✓": "+", "✗": "!", "→": "->", "§": "sec. ", "…": "..."}


def printable(text: str) -> str:
    """The text with everything escaped that a terminal might act upon or hide: controls, bidirectional marks, ...

    An octet of a file name that is no character (a lone surrogate from U+DC80 to U+DCFF) is shown as that octet.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(ord(char)) for char in text)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code <= 0xFF:
        return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 packet``, ``12 packets``, ``1,200 packets``; ``many`` for words that do not end in s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def either(words: Sequence[str]) -> str:
    """``A``, ``A or B``, ``A, B or C``; ``?`` for none."""
    if len(words) < 2:
        return words[0] if words else "?"
    return f"{', '.join(words[:-1])} or {words[-1]}"


class Style:
    """What the reader of a text can take.

    ``color``: ANSI colours. ``signs``: characters beyond ASCII for marks. ``width``: columns of the terminal; None
    means that lines which are records stay whole, however long (a pipe or a file).
    """

    def __init__(self, *, color: bool = False, signs: bool = True, width: int | None = None) -> None:
        self.color = color
        self.signs = signs
        self.width = None if width is None else max(width, LEAST_WIDTH)

    @classmethod
    def of(cls, stream: TextIO | None, *, color: bool = False) -> Style:
        """The style for a stream: its encoding decides about signs; a terminal, or COLUMNS, about the width."""
        encoding = getattr(stream, "encoding", None) or "ascii"
        try:
            "".join(_PLAIN_SIGNS).encode(encoding)
            signs = True
        except (UnicodeEncodeError, LookupError):
            signs = False
        return cls(color=color, signs=signs, width=_width(stream))

    @property
    def prose(self) -> int:
        """Columns for sentences."""
        return PROSE_WIDTH if self.width is None else self.width

    def clean(self, text: str) -> str:
        """``text`` from anywhere, fit to be shown."""
        text = printable(text)
        if not self.signs:
            for sign, plain in _PLAIN_SIGNS.items():
                text = text.replace(sign, plain)
        return text

    def paint(self, role: str, text: str) -> str:
        """``text``, which is fit to be shown, in the colour of its role."""
        return f"\x1b[{_COLORS[role]}m{text}\x1b[0m" if self.color and text else text

    def wrap(self, text: str, indent: int) -> Iterator[str]:
        """Lines that fit the width for sentences when ``indent`` columns are put before each.

        A text that is too long is broken at two blanks first, then at one. Words are never broken, so one that is too
        long stands on a line of its own.
        """
        if indent + len(text) <= self.prose:
            yield text
            return
        for part in text.split("  "):
            line = ""
            for word in part.split():
                if line and indent + len(line) + 1 + len(word) > self.prose:
                    yield line
                    line = word
                else:
                    line = f"{line} {word}" if line else word
            if line:
                yield line

    def fold(self, text: str, indent: int) -> Iterator[str]:
        """As ``wrap`` for a line that is a record: it stays whole where nobody knows the width."""
        return self.wrap(text, indent) if self.width is not None else iter((text,))


def _width(stream: TextIO | None) -> int | None:
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and 0 < int(columns) < 10_000:
        return int(columns)
    try:
        if stream is None or not stream.isatty():
            return None
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return None


def table(rows: Iterable[tuple[int, str]], indent: str = "  ") -> Iterator[str]:
    """Lines of counts and what was counted, the most frequent first; equal counts in the order given."""
    ordered = sorted(rows, key=lambda row: -row[0])
    width = max((len(f"{count:,}") for count, _ in ordered), default=0)
    for count, text in ordered:
        yield f"{indent}{count:>{width},}  {text}"
