"""Marks for documentation: which part of a spec carries a requirement, and what is true of a statement about it.

Owns: the data classes of marks, after all names are resolved.
Must never hold: the pages that are made of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.language.span import Span
from tcpmodel.model.expr import Citation

KINDS = (
    "rule",
    "fault",
    "packet",
    "property",
    "scenario",
    "variable",
    "constant",
    "definition",
    "state",
    "group",
    "message",
    "field",
    "call",
    "timer",
    "notice",
    "profile",
    "source",
)
"""What a mark can refer to; and ``text``: only the words of the mark itself."""

VERDICTS = ("right", "loose", "wrong", "open")
"""``open``: what was said is not known well enough to be judged."""


@dataclass(frozen=True, slots=True)
class Reference:
    """``kind`` is one of KINDS, or ``text`` (then ``name`` is ""). ``packet`` is a rule over single messages."""

    kind: str
    name: str
    span: Span

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Requirement:
    """``requirement MUST-5 by ...``: what carries it; or ``outside``: why nothing does (then ``by`` is empty)."""

    id: str
    by: tuple[Reference, ...]
    outside: str
    words: str
    cites: tuple[Citation, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Claim:
    """``claim S1-24 loose "statement" by ... "what is right"``.

    ``verdict``: one of VERDICTS. ``words`` say what is right; there are some unless the statement is right.
    """

    id: str
    verdict: str
    statement: str
    by: tuple[Reference, ...]
    words: str
    cites: tuple[Citation, ...]
    doc: str
    span: Span
