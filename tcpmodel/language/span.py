"""A place in a spec file.

Owns: the span that syntax, model and errors share.
Must never hold: how a place is found or shown.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """1-based line and column of the first character, and where it ends (exclusive)."""

    line: int
    column: int
    end_line: int
    end_column: int


NOWHERE = Span(0, 0, 0, 0)
