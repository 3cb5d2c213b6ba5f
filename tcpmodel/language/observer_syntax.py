"""The syntax tree of what an observer sees and keeps.

Owns: the classes that the parser produces for ``seen``, ``note``, ``observe`` and ``need``.
Must never hold: a look-up of a name, or a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.language.syntax import AssignAction, Cite, Condition, Declaration, Node, TypeName, Word


@dataclass(slots=True, eq=False, repr=False)
class SeenDecl(Declaration):
    """A field of a message that only observers look at; ``name`` is dotted: ``SEG.MSS``. Without type: a message."""

    name: Word
    optional: bool
    type: TypeName | None
    source: Word | None
    title: Word | None
    typical: Word | None


@dataclass(slots=True, eq=False, repr=False)
class NoteDecl(Declaration):
    """``inherits``: the note of which it has the last value in the connection before."""

    name: Word
    optional: bool
    type: TypeName
    initial: Node | None
    title: Word | None
    cites: list[Cite]
    inherits: Word | None


@dataclass(slots=True, eq=False, repr=False)
class ObserveDecl(Declaration):
    """``present`` and ``absent``: flags that the message has, and has not. ``notices``: what the sender hears by it."""

    message: Word
    present: list[Word]
    absent: list[Word]
    conditions: list[Condition]
    actions: list[AssignAction]
    notices: list[Word]


@dataclass(slots=True, eq=False, repr=False)
class NeedDecl(Declaration):
    """``fact``: the word after ``from``."""

    name: Word
    title: Word | None
    conditions: list[Condition]
    fact: Word | None
