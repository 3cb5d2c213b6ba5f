"""Builds expression nodes, and decides which operator binds tighter.

Owns: precedence, and the limits of how deep an expression may be.
Must never hold: a name look-up or a type.
"""

from __future__ import annotations

from lark import Token

from tcpmodel.language import syntax
from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Node

DEEPEST = 40
"""Most levels that an expression may have: brackets, ``not`` and operators of one kind in a row count one each."""

_TIGHT = {"*", "/", "mod"}
_COMPARING = {"<", "=<", "<=", ">", ">=", "=", "!="}


class TooDeep(Exception):
    """An expression has too many levels; ``span`` says where."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


class Source:
    """The piece at hand: gives spans and texts of what lies between two tokens or nodes."""

    __slots__ = ("base", "path", "text")

    def __init__(self) -> None:
        self.text = ""
        self.base = 0
        self.path = ""

    def span(self, first: Token, last: Token) -> Span:
        """From the first character of ``first`` to the last of ``last``, in lines of the file."""
        base = self.base
        return Span(
            base + (first.line or 1), first.column or 1, base + (last.end_line or 1), last.end_column or 1, self.path
        )

    def whole(self, start: int) -> Span:
        """From the character at ``start`` to the end of the first line."""
        line = self.text.split("\n", 1)[0].split("//", 1)[0].rstrip()
        return Span(self.base + 1, start + 1, self.base + 1, max(len(line), start + 1) + 1, self.path)

    def word(self, token: Token) -> syntax.Word:
        """A name or keyword with its span."""
        return syntax.Word(str(token), self.span(token, token))

    def slice(self, start: int, end: int) -> str:
        """The source between two offsets, comments dropped and single-spaced."""
        text = self.text[start:end]
        if "//" in text:
            text = "\n".join(line.split("//", 1)[0] for line in text.split("\n"))
        return " ".join(text.split())

    def between(self, left: Node, right: Node, depth: int) -> tuple[Span, int, int, str, int]:
        """The common part of a node that reaches from ``left`` to ``right``."""
        first, last = left.span, right.span
        span = first.to(last)
        if depth > DEEPEST:
            raise TooDeep(span)
        return span, left.start, right.end, self.slice(left.start, right.end), depth

    def leaf(self, first: Token, last: Token) -> tuple[Span, int, int, str, int]:
        """The common part of a node without operands."""
        start, end = first.start_pos or 0, last.end_pos or 0
        return self.span(first, last), start, end, self.slice(start, end), 1


def fold_sum(source: Source, items: list[Node | Token]) -> Node:
    """``a + b * c`` from operands and operator tokens in turn."""
    if len(items) == 1:
        return items[0]  # type: ignore[return-value]
    terms: list[Node] = [items[0]]  # type: ignore[list-item]
    ops: list[str] = []
    for at in range(1, len(items), 2):
        op, operand = str(items[at]), items[at + 1]
        assert isinstance(operand, Node)
        if op in _TIGHT:
            terms[-1] = _binary(source, op, terms[-1], operand)
        else:
            ops.append(op)
            terms.append(operand)
    left = terms[0]
    for op, right in zip(ops, terms[1:], strict=True):
        left = _binary(source, op, left, right)
    return left


def _binary(source: Source, op: str, left: Node, right: Node) -> Node:
    return syntax.Binary(*source.between(left, right, 1 + max(left.depth, right.depth)), op, left, right)


def fold_condition(source: Source, items: list[Node | Token]) -> Node:
    """``not a < b and c or d`` from operands, ``not`` tokens and operator tokens."""
    if len(items) == 1:
        return items[0]  # type: ignore[return-value]
    alternatives: list[list[Node]] = [[]]
    at = 0
    while at < len(items):
        at, operand = _negated(source, items, at)
        alternatives[-1].append(operand)
        if at < len(items):
            if items[at] == "or":
                alternatives.append([])
            at += 1
    parts = [_junction(source, "and", operands) for operands in alternatives]
    return _junction(source, "or", parts)


def _negated(source: Source, items: list[Node | Token], at: int) -> tuple[int, Node]:
    nots: list[Token] = []
    while isinstance(token := items[at], Token):
        nots.append(token)
        at += 1
    at, node = _chain(source, items, at)
    for token in reversed(nots):
        start = source.span(token, token)
        span = start.to(node.span)
        if node.depth >= DEEPEST:
            raise TooDeep(span)
        begin = token.start_pos or 0
        node = syntax.Negation(span, begin, node.end, source.slice(begin, node.end), node.depth + 1, node)
    return at, node


def _chain(source: Source, items: list[Node | Token], at: int) -> tuple[int, Node]:
    operands: list[Node] = [items[at]]  # type: ignore[list-item]
    ops: list[str] = []
    at += 1
    while at < len(items) and items[at] in _COMPARING:
        op = str(items[at])
        ops.append("=<" if op == "<=" else op)
        at += 1
        if isinstance(items[at], Token):  # `a < not b`: the type check says what is wrong with it
            at, operand = _negated(source, items, at)
        else:
            operand = items[at]  # type: ignore[assignment]
            at += 1
        operands.append(operand)
    if not ops:
        return at, operands[0]
    depth = 1 + max(operand.depth for operand in operands)
    return at, syntax.Chain(*source.between(operands[0], operands[-1], depth), operands, ops)


def _junction(source: Source, op: str, operands: list[Node]) -> Node:
    if len(operands) == 1:
        return operands[0]
    depth = 1 + max(operand.depth for operand in operands)
    return syntax.Junction(*source.between(operands[0], operands[-1], depth), op, operands)
