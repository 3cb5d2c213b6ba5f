"""A place in a spec file.

Owns: the span that syntax, model and errors share.
Must never hold: how a place is found or shown.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """1-based line and column of the first character, and where it ends (exclusive).

    ``path``: the part of the spec, relative to the folder of the spec file; "" for the spec file itself.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    path: str = ""

    def to(self, last: Span) -> Span:
        """From the beginning of this one to the end of the other."""
        return Span(self.line, self.column, last.end_line, last.end_column, self.path)

    @property
    def where(self) -> str:
        """The place in words: ``line 12``, or ``line 12 of tcp/figures.tcpspec``."""
        return f"line {self.line} of {self.path}" if self.path else f"line {self.line}"


NOWHERE = Span(0, 0, 0, 0)


def path_of(spec_path: str, part: str) -> str:
    """The path of a part of the spec in ``spec_path``; ``part`` as in ``Span.path``, "" for the spec itself."""
    if not part:
        return spec_path
    cut = max(spec_path.rfind("/"), spec_path.rfind("\\")) + 1
    return spec_path[:cut] + part
