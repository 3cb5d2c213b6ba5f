"""The syntax tree of marks: requirements and claims.

Owns: the classes that the parser produces for them.
Must never hold: a look-up of a name, or a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.language.syntax import Cite, Declaration, Word


@dataclass(slots=True, eq=False, repr=False)
class RequirementDecl(Declaration):
    """``by``: (kind, name) pairs; the name of the kind ``text`` is the kind itself."""

    name: Word
    by: list[tuple[Word, Word]]
    outside: Word | None
    words: Word | None
    cites: list[Cite]


@dataclass(slots=True, eq=False, repr=False)
class ClaimDecl(Declaration):
    """``by`` as in RequirementDecl."""

    name: Word
    verdict: Word
    statement: Word
    by: list[tuple[Word, Word]]
    words: Word | None
    cites: list[Cite]
