"""The syntax tree of scenarios.

Owns: the classes that the parser produces for a scenario and its lines.
Must never hold: a look-up of a name, or a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Cite, Declaration, Word


@dataclass(slots=True, eq=False, repr=False)
class LiteralNode:
    """``kind``: ``number``, ``duration``, ``word`` or ``unset``."""

    span: Span
    kind: str
    text: str
    value: int


Settings = list[tuple[Word, LiteralNode]]


@dataclass(slots=True, eq=False, repr=False)
class SaidNode:
    """A message: name or None, and fields with their values."""

    span: Span
    name: Word | None
    fields: list[tuple[Word, list[LiteralNode]]]
    text: str


@dataclass(slots=True, eq=False, repr=False)
class LineNode:
    """One line. ``kind`` says what it is, and which of the others are there:

    ``words`` (one or two: states or a call), ``timeout``/``notice``/``may`` (``words``), ``in``/``out`` (``said``, None
    for nothing), ``signal`` (``words``, none for nothing), ``choose``/``let`` (``settings``), ``between`` (``said``,
    ``arrows``, ``left``, ``right``), ``shown`` (``said``, ``arrows``: only the first counts), ``pause`` (``settings``:
    the time under the name ``wait``), ``check``.
    """

    span: Span
    kind: str
    label: str
    end: Word | None
    words: list[Word]
    said: SaidNode | None
    settings: Settings
    arrows: tuple[str, str]
    left: Word | None
    right: Word | None
    state: list[Word]
    values: list[Settings]
    refused: list[Word]
    text: str
    doc: str = field(default="", init=False)


@dataclass(slots=True, eq=False, repr=False)
class ScenarioDecl(Declaration):
    """``state``: the one end starts there; None with two ends."""

    title: Word
    rejects: bool
    state: Word | None
    turns_on: list[Word]
    turns_off: list[Word]
    lets: Settings
    cites: list[Cite]
    lines: list[LineNode] = field(default_factory=list, init=False)
    damaged: bool = field(default=False, init=False)


@dataclass(slots=True, eq=False, repr=False)
class ExampleDecl(Declaration):
    """``name``: the rule that it is about, or its own name; ``after``: the example that it goes on with.

    ``end``: the end at whose host the messages are seen.
    """

    name: Word
    title: Word | None
    after: Word | None
    end: Word | None
    lines: list[LineNode] = field(default_factory=list, init=False)
    damaged: bool = field(default=False, init=False)
