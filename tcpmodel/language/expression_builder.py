"""Turns the parts of expressions that the grammar finds into nodes, and holds what all declarations need.

Owns: the callbacks of the grammar's expressions; words, numbers and parts.
Must never hold: callbacks of declarations (see ``builder``).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from lark import Token

from tcpmodel.language import expressions, syntax
from tcpmodel.language.errors import SpecError
from tcpmodel.language.expressions import Source
from tcpmodel.language.syntax import Node, Word

_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}
_DURATION = re.compile(r"([0-9]+)(?:\.([0-9]+))?[ \t]*([a-z]+)")
LARGEST = 2**64
"""Numbers must be smaller than this."""


class Part(NamedTuple):
    """A piece of a declaration with its role."""

    tag: str
    value: Any
    span: Any = None


class ExpressionBuilder:
    """Callbacks for lark; ``errors`` collects what is wrong inside a well-formed piece."""

    def __init__(self) -> None:
        self.source = Source()
        self.errors: list[SpecError] = []

    # ------------------------------------------------------------------------------------------------------ helpers

    def _error(self, code: str, message: str, span: Any, help_: str = "") -> None:
        self.errors.append(SpecError(code, message, span, help_))

    def _one(self, parts: list[Part], tag: str) -> Any:
        """The value of the one part of that tag, or None; a second one is an error."""
        found = [part for part in parts if part.tag == tag]
        for extra in found[1:]:
            self._error("TS004", f"a second {_TAGS.get(tag, tag)} in one declaration", extra.span, "leave one of them")
        return found[0].value if found else None

    @staticmethod
    def _all(parts: list[Part], tag: str) -> list[Any]:
        return [item for part in parts if part.tag == tag for item in part.value]

    def _word(self, token: Token) -> Word:
        return self.source.word(token)

    def _string(self, token: Token) -> Word:
        text = re.sub(r"\\(.)", r"\1", str(token)[1:-1])
        return Word(text, self.source.span(token, token))

    def _flag(self, children: list[Any], kind: str) -> bool:
        return any(isinstance(child, Token) and child.type == kind for child in children)

    @staticmethod
    def _parts(children: list[Any]) -> list[Part]:
        return [child for child in children if isinstance(child, Part)]

    def _number(self, token: Token) -> int:
        text = str(token)
        base, digits = (16, text[2:]) if text[:2] in ("0x", "0X") else (10, text)
        digits = digits.lstrip("0") or "0"
        value = int(digits, base) if len(digits) <= 20 else LARGEST
        if value >= LARGEST:
            self._error("TS003", "number too large", self.source.span(token, token), "numbers stay below 2^64")
            return 0
        return value

    # -------------------------------------------------------------------------------------------------- expressions

    def expr(self, children: list[Any]) -> Node:
        return expressions.fold_condition(self.source, children)

    def sum(self, children: list[Any]) -> Node:
        return expressions.fold_sum(self.source, children)

    def number(self, children: list[Token]) -> Node:
        return syntax.Number(*self.source.leaf(children[0], children[0]), self._number(children[0]))

    def duration(self, children: list[Token]) -> Node:
        token = children[0]
        found = _DURATION.match(token)
        assert found is not None
        whole, fraction, unit = found[1].lstrip("0"), found[2] or "", _UNITS[found[3]]
        span = self.source.span(token, token)
        value = 0
        if len(whole) > 18 or len(fraction) > 6:
            self._error("TS003", "duration too long or too precise", span, "whole microseconds, below 2^64")
        else:
            value, rest = divmod(int(whole + fraction or "0") * unit, 10 ** len(fraction))
            if rest or value >= LARGEST:
                self._error("TS003", "duration too long or too precise", span, "whole microseconds, below 2^64")
        return syntax.Time(*self.source.leaf(token, token), value)

    def truth(self, children: list[Token]) -> Node:
        return syntax.Truth(*self.source.leaf(children[0], children[0]), children[0].type == "TRUE")

    def name(self, children: list[Token]) -> Node:
        return syntax.Name(*self.source.leaf(children[0], children[0]), str(children[0]))

    def after(self, children: list[Token]) -> Node:
        return syntax.Name(*self.source.leaf(children[0], children[0]), str(children[0])[:-1], True)

    def is_set(self, children: list[Token]) -> Node:
        leaf = self.source.leaf(children[0], children[1])
        name = self._word(children[0])
        after = children[0].type == "PRIMED"
        return syntax.SetTest(*leaf, Word(name.text.rstrip("'"), name.span), children[1].type == "IS_SET", after)

    def flags_test(self, children: list[Any]) -> Node:
        parts = children[1:]
        token, last = children[0], parts[-1].value[-1].span
        start, names = self.source.span(token, token), [word for part in parts for word in part.value]
        present, absent = self._all(parts, "with"), self._all(parts, "without")
        end = self._offset(token, last)
        span = start.to(last)
        text = self.source.slice(token.start_pos or 0, end)
        depth = expressions.DEEPEST + 1 if len(names) > 64 else 1
        if depth > 1:
            raise expressions.TooDeep(span)
        return syntax.FlagTest(span, token.start_pos or 0, end, text, depth, self._word(token), present, absent)

    def _offset(self, token: Token, last: Any) -> int:
        """The offset where ``last`` ends, which stands at or after ``token``."""
        at = token.start_pos or 0
        line, column = self.source.base + (token.line or 1), token.column or 1
        for _ in range(last.end_line - line):
            at, column = self.source.text.index("\n", at) + 1, 1
        return at + int(last.end_column) - column

    def extreme(self, children: list[Any]) -> Node:
        leaf = self.source.leaf(children[0], children[-1])
        operands = [child for child in children if isinstance(child, Node)]
        node = operands[0]
        depth = sum(1 for _ in operands) + max(operand.depth for operand in operands)
        if depth > expressions.DEEPEST:
            raise expressions.TooDeep(leaf[0])
        for operand in operands[1:]:
            node = syntax.Binary(leaf[0], leaf[1], leaf[2], leaf[3], depth, str(children[0]), node, operand)
        if len(operands) < 2:
            self._error("TS001", f"{children[0]} needs two values", leaf[0], f"{children[0]}(a, b)")
        return node

    def paren(self, children: list[Any]) -> Node:
        node: Node = children[1]
        leaf = self.source.leaf(children[0], children[2])
        if node.depth >= expressions.DEEPEST:
            raise expressions.TooDeep(leaf[0])
        node.span, node.start, node.end, node.text = leaf[:4]
        node.depth += 1
        return node


_TAGS = {"cites": "citation list", "initial": "initial value", "with": "flag list", "on": "event list"}
