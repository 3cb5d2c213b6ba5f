"""Turns what the grammar finds of marks into syntax nodes.

Owns: one method for each rule of the grammar about requirements and claims, of the same name.
Must never hold: callbacks of other declarations (see ``builder``).
"""

from __future__ import annotations

from typing import Any

from lark import Token

from tcpmodel.language.expression_builder import ExpressionBuilder, Part
from tcpmodel.language.mark_syntax import ClaimDecl, RequirementDecl
from tcpmodel.language.syntax import Word


class MarkBuilder(ExpressionBuilder):
    """Callbacks for lark."""

    def reference(self, children: list[Token]) -> tuple[Word, Word]:
        kind = self._word(children[0])
        if len(children) == 1:
            return kind, kind
        if children[1].type == "STRING":
            return kind, self._string(children[1])
        names = [self._word(token) for token in children[1:]]
        return kind, Word(" ".join(name.text for name in names), names[0].span.to(names[-1].span))

    def carried(self, children: list[tuple[Word, Word]]) -> Part:
        return Part("by", children, children[0][0].span)

    def outside(self, children: list[Token]) -> Part:
        word = self._string(children[0])
        return Part("outside", word, word.span)

    def requirement(self, children: list[Any]) -> RequirementDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return RequirementDecl(
            name.span,
            name,
            self._one(parts, "by") or [],
            self._one(parts, "outside"),
            self._one(parts, "title"),
            self._all(parts, "cites"),
        )

    def claim(self, children: list[Any]) -> ClaimDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return ClaimDecl(
            name.span,
            name,
            self._word(children[1]),
            self._string(children[2]),
            self._one(parts, "by") or [],
            self._one(parts, "title"),
            self._all(parts, "cites"),
        )
