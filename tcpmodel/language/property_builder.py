"""Turns what the grammar finds of properties into syntax nodes.

Owns: one method for each rule of the grammar about properties, of the same name.
Must never hold: callbacks of other declarations (see ``builder``).
"""

from __future__ import annotations

from typing import Any

from lark import Token

from tcpmodel.language.expression_builder import ExpressionBuilder, Part
from tcpmodel.language.syntax import Node, PropertyDecl, Word


class PropertyBuilder(ExpressionBuilder):
    """Callbacks for lark. A part ``kind`` holds the kind of the property and what belongs to it alone."""

    def _kind(self, kind: str, **what: Any) -> Part:
        return Part("kind", {"kind": kind, **what})

    def reachable(self, children: list[Token]) -> Part:
        return self._kind("reachable-from-all", states=[self._word(token) for token in children])

    def never(self, children: list[Token]) -> Part:
        return self._kind("never-pair", states=[self._word(token) for token in children])

    def exists(self, children: list[Token]) -> Part:
        return self._kind("pair", states=[self._word(token) for token in children])

    def one_event(self, children: list[Token]) -> Part:
        return self._kind("one-event", states=[self._word(token) for token in children])

    def moves_only(self, children: list[Part]) -> Part:
        return self._kind("moves", moves=[pair for part in children for pair in part.value])

    def move(self, children: list[Any]) -> Part:
        """A pair of states, or those of a source with one more target."""
        if isinstance(children[0], Part):
            pairs = children[0].value
            return Part("move", [*pairs, (pairs[0][0], self._word(children[1]))])
        return Part("move", [(self._word(children[0]), self._word(children[1]))])

    def checks(self, children: list[list[Word]]) -> Part:
        return self._kind("checks", checks=children[0])

    def only_in(self, children: list[list[Word]]) -> Part:
        return self._kind("only-in", states=children[0])

    def always_sends(self, children: list[Any]) -> Part:
        return self._kind("always-sends", flags=self._all(self._parts(children), "alternative"))

    def always_signals(self, children: list[Token]) -> Part:
        return self._kind("always-signals", words=self._string(children[1]) if len(children) > 1 else None)

    def never_signals(self, children: list[Token]) -> Part:
        return self._kind("never-signals", words=self._string(children[1]) if len(children) > 1 else None)

    def into(self, children: list[list[Word]]) -> Part:
        return Part("into", children[0], children[0][0].span)

    def always(self, children: list[Node]) -> Part:
        return self._kind("always", expr=children[0])

    def each_step(self, children: list[Node]) -> Part:
        return self._kind("each-step", expr=children[0])

    def never_sends(self, children: list[Any]) -> Part:
        return self._kind("never-sends", flags=self._all(self._parts(children), "alternative"))

    def sends_nothing(self, children: list[Any]) -> Part:
        return self._kind("sends-nothing")

    def sends_only(self, children: list[Any]) -> Part:
        return self._kind("sends-only", flags=self._all(self._parts(children), "alternative"))

    def alternative(self, children: list[Part]) -> Part:
        return Part("alternative", [(self._all(children, "with"), self._all(children, "without"))])

    def inside(self, children: list[list[Word]]) -> Part:
        return Part("inside", children[0], children[0][0].span)

    def under(self, children: list[list[Word]]) -> Part:
        return Part("under", children[0], children[0][0].span)

    def fails(self, children: list[Token]) -> Part:
        word = self._string(children[0])
        return Part("fails", word, word.span)

    def property(self, children: list[Any]) -> PropertyDecl:
        name, parts = self._word(children[0]), self._parts(children)
        what: dict[str, Any] = next((part.value for part in parts if part.tag == "kind"), {"kind": "one-move"})
        return PropertyDecl(
            name.span,
            name,
            what["kind"],
            what.get("states", []),
            self._one(parts, "title"),
            self._all(parts, "cites"),
            what.get("expr"),
            self._one(parts, "on") or [],
            what.get("flags", []),
            [part.value for part in parts if part.tag == "condition"],
            self._one(parts, "inside") or [],
            self._all(parts, "under"),
            self._one(parts, "fails"),
            self._one(parts, "into") or [],
            what.get("words"),
            what.get("moves", []),
            what.get("checks", []),
        )
