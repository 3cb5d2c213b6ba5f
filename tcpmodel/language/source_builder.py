"""Turns what the grammar finds of sources into syntax nodes.

Owns: one method for each rule of the grammar about sources, of the same name.
Must never hold: callbacks of other declarations (see ``builder``).
"""

from __future__ import annotations

from typing import Any

from lark import Token

from tcpmodel.language.expression_builder import ExpressionBuilder, Part
from tcpmodel.language.source_syntax import Reading, SourceDecl
from tcpmodel.language.syntax import EventRef, Word


class SourceBuilder(ExpressionBuilder):
    """Callbacks for lark."""

    def rename(self, children: list[Token]) -> tuple[Word, Word]:
        return self._word(children[0]), self._word(children[-1])

    pair = rename

    def source_name(self, children: list[tuple[Word, Word]]) -> Part:
        return Part("names", children)

    def hides(self, children: list[list[Word]]) -> Part:
        return Part("hides", children[0])

    def reads(self, children: list[Any]) -> Part:
        return Part("reads", [(self._word(children[0]), self._word(children[1]), children[2])])

    def birth(self, children: list[tuple[Word, Word]]) -> Part:
        return Part("births", children)

    def absent(self, children: list[list[Word]]) -> Part:
        return Part("absent", children[0])

    def source_(self, children: list[Any]) -> SourceDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return SourceDecl(
            name.span,
            name,
            self._one(parts, "title"),
            self._all(parts, "names"),
            self._all(parts, "hides"),
            self._all(parts, "reads"),
            self._all(parts, "births"),
            self._flag(children, "REPEATS"),
            self._flag(children, "SAMPLES"),
            self._all(parts, "absent"),
            self._all(parts, "tells"),
            self._flag(children, "SHOWS_CALLS"),
            self._all(parts, "without"),
            self._all(parts, "cites"),
        )

    def tells(self, children: list[Any]) -> Part:
        words = [self._string(child) for child in children if isinstance(child, Token) and child.type == "STRING"]
        return Part("tells", [(words, [child for child in children if isinstance(child, Reading)])])

    def reading(self, children: list[Any]) -> Reading:
        parts = self._parts(children)
        return Reading(self._all(parts, "event"), self._all(parts, "signal"), self._all(parts, "states"))

    def reading_part(self, children: list[Any]) -> Part:
        if isinstance(children[0], Part):
            return Part("states", [children[0].value])
        kind = {"TIMEOUT": "timer", "NOTICE": "notice", "SIGNAL": "signal"}.get(children[0].type, "plain")
        if kind == "signal":
            return Part("signal", [self._string(children[1])])
        words = [self._word(token) for token in (children if kind == "plain" else children[1:])]
        return Part("event", [EventRef(self.source.span(children[0], children[-1]), kind, words, [], [])])

    def in_states(self, children: list[Any]) -> Part:
        if isinstance(children[0], Part):
            children[0].value.append(self._word(children[1]))
            return children[0]
        return Part("states", [self._word(children[0])])
