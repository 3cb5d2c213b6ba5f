"""Turns what the grammar finds of observers into syntax nodes.

Owns: one method for each rule of the grammar about ``seen``, ``note``, ``observe`` and ``need``, of the same name.
Must never hold: callbacks of other declarations (see ``builder``).
"""

from __future__ import annotations

from typing import Any

from tcpmodel.language import syntax
from tcpmodel.language.expression_builder import ExpressionBuilder, Part
from tcpmodel.language.observer_syntax import NeedDecl, NoteDecl, ObserveDecl, SeenDecl
from tcpmodel.language.syntax import Node


class ObserverBuilder(ExpressionBuilder):
    """Callbacks for lark."""

    def once(self, children: list[Node]) -> Part:
        return Part("once", children[0], children[0].span)

    def lapses(self, children: list[Node]) -> Part:
        return Part("lapses", children[0], children[0].span)

    def _type_of(self, children: list[Any]) -> syntax.TypeName:
        return next(child for child in children if isinstance(child, syntax.TypeName))

    def _type_if_any(self, children: list[Any]) -> syntax.TypeName | None:
        return next((child for child in children if isinstance(child, syntax.TypeName)), None)

    def seen(self, children: list[Any]) -> SeenDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return SeenDecl(
            name.span,
            name,
            self._flag(children, "OPTIONAL"),
            self._type_if_any(children),
            self._one(parts, "from"),
            self._one(parts, "title"),
            self._one(parts, "typical"),
        )

    def note(self, children: list[Any]) -> NoteDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return NoteDecl(
            name.span,
            name,
            self._flag(children, "OPTIONAL"),
            self._type_of(children),
            self._one(parts, "initial"),
            self._one(parts, "title"),
            self._all(parts, "cites"),
            self._one(parts, "inherits"),
        )

    def inherits(self, children: list[Any]) -> Part:
        name = self._word(children[0])
        return Part("inherits", name, name.span)

    def observe(self, children: list[Any]) -> ObserveDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return ObserveDecl(
            name.span,
            name,
            self._all(parts, "with"),
            self._all(parts, "without"),
            [part.value for part in parts if part.tag == "condition"],
            [child for child in children if isinstance(child, syntax.AssignAction)],
            self._all(parts, "noticed"),
        )

    def noticed(self, children: list[Any]) -> Part:
        name = self._word(children[-1])
        return Part("noticed", [name], name.span)

    def need(self, children: list[Any]) -> NeedDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return NeedDecl(
            name.span,
            name,
            self._one(parts, "title"),
            [part.value for part in parts if part.tag == "condition"],
            self._one(parts, "from"),
        )
