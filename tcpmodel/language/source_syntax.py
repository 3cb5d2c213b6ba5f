"""The syntax tree of sources: what logs of states and events show.

Owns: the classes that the parser produces for them.
Must never hold: a look-up of a name, or a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.language.syntax import Cite, Declaration, EventRef, Word


@dataclass(slots=True, eq=False, repr=False)
class Reading:
    """One thing that a word of a log may stand for; nothing at all without any part."""

    events: list[EventRef]
    signals: list[Word]
    states: list[list[Word]]


@dataclass(slots=True, eq=False, repr=False)
class SourceDecl(Declaration):
    name: Word
    title: Word | None
    names: list[tuple[Word, Word]]
    hides: list[Word]
    reads: list[tuple[Word, Word, list[Word]]]
    births: list[tuple[Word, Word]]
    repeats: bool
    samples: bool
    absent: list[Word]
    tells: list[tuple[list[Word], list[Reading]]]
    shows_calls: bool
    without: list[Word]
    cites: list[Cite]
