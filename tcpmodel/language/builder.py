"""Turns what the grammar finds into syntax nodes, while it is found.

Owns: one method for each rule of the grammar, of the same name.
Must never hold: a check that needs more than the declaration at hand.

The children of a rule are nodes, words, tokens and small tagged tuples; ``pick`` takes them apart by tag.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from lark import Token

from tcpmodel.language import expressions, syntax
from tcpmodel.language.citations import read_citations
from tcpmodel.language.errors import SpecError
from tcpmodel.language.expressions import Source
from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Cite, Condition, Node, Word

_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}
_DURATION = re.compile(r"([0-9]+)(?:\.([0-9]+))?[ \t]*([a-z]+)")
LARGEST = 2**64
"""Numbers must be smaller than this."""


class Part(NamedTuple):
    """A piece of a declaration with its role."""

    tag: str
    value: Any
    span: Any = None


class Builder:
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

    # ---------------------------------------------------------------------------------------------------- headings

    def declaration(self, children: list[Any]) -> syntax.Declaration:
        return children[0]  # type: ignore[no-any-return]

    item = declaration

    def names(self, children: list[Any]) -> list[Word]:
        if len(children) == 1:
            return [self._word(children[0])]
        children[0].append(self._word(children[1]))
        return children[0]  # type: ignore[no-any-return]

    def title(self, children: list[Token]) -> Part:
        word = self._string(children[0])
        return Part("title", word, word.span)

    def _string(self, token: Token) -> Word:
        text = re.sub(r"\\(.)", r"\1", str(token)[1:-1])
        return Word(text, self.source.span(token, token))

    def cites(self, children: list[Token]) -> Part:
        token = children[0]
        span = self.source.span(token, token)
        return Part("cites", read_citations(str(token), span.line, span.column, self.errors), span)

    def over(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("over", word, word.span)

    def documents(self, children: list[list[Word]]) -> Part:
        return Part("documents", children[0], children[0][0].span)

    def spec(self, children: list[Any]) -> syntax.SpecHead:
        name, parts = self._word(children[0]), self._parts(children)
        return syntax.SpecHead(
            name.span, name, self._one(parts, "title"), self._one(parts, "over"), self._all(parts, "documents")
        )

    def steps(self, children: list[list[Word]]) -> syntax.Steps:
        return syntax.Steps(children[0][0].span, children[0])

    def with_(self, children: list[list[Word]]) -> Part:
        return Part("with", children[0], children[0][0].span)

    def without(self, children: list[list[Word]]) -> Part:
        return Part("without", children[0], children[0][0].span)

    def profile(self, children: list[Any]) -> syntax.ProfileDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return syntax.ProfileDecl(
            name.span,
            name,
            self._one(parts, "title"),
            self._flag(children, "DEFAULT"),
            self._all(parts, "with"),
            self._all(parts, "without"),
            self._all(parts, "cites"),
        )

    # ------------------------------------------------------------------------------------------ constants, variables

    def const(self, children: list[Any]) -> syntax.ConstDecl:
        name, parts = self._word(children[0]), self._parts(children[3:])
        values: list[tuple[Word | None, Node]] = [(None, children[2])]
        values += [part.value for part in parts if part.tag == "case"]
        return syntax.ConstDecl(name.span, name, values, self._all(parts, "cites"))

    def const_case(self, children: list[Any]) -> Part:
        word = self._word(children[0])
        return Part("case", (word, children[1]), word.span)

    def initial(self, children: list[Any]) -> Part:
        return Part("initial", children[1], children[1].span)

    def type(self, children: list[Any]) -> syntax.TypeName:
        first, last = children[0], children[-1]
        span = self.source.span(first, last)
        if first.type == "NUMBER":
            return syntax.TypeName(span, "range", [], self._number(first), self._number(last))
        words = [self._word(token) for token in children if token.type == "NAME"]
        return syntax.TypeName(span, "call" if last.type == "CLOSE" else "words", words)

    def var(self, children: list[Any]) -> syntax.VarDecl:
        names, parts = children[0], self._parts(children)
        type_ = next(child for child in children if isinstance(child, syntax.TypeName))
        return syntax.VarDecl(
            names[0].span,
            names,
            self._flag(children, "OPTIONAL"),
            type_,
            self._one(parts, "initial"),
            self._flag(children, "FREE"),
            self._one(parts, "title"),
            self._all(parts, "cites"),
        )

    # ----------------------------------------------------------------------------------------- messages and events

    def flag(self, children: list[list[Word]]) -> Part:
        return Part("flags", children[0])

    def mark(self, children: list[list[Word]]) -> Part:
        return Part("marks", children[0])

    def field_from(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("from", word, word.span)

    def field(self, children: list[Any]) -> Part:
        name, parts = self._word(children[0]), self._parts(children)
        return Part(
            "fields",
            [
                syntax.FieldDecl(
                    name.span,
                    name,
                    children[1],
                    self._one(parts, "from"),
                    self._all(parts, "with"),
                    self._one(parts, "title"),
                )
            ],
        )

    def message(self, children: list[Any]) -> syntax.MessageDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return syntax.MessageDecl(
            name.span,
            name,
            self._one(parts, "title"),
            self._all(parts, "flags"),
            self._all(parts, "marks"),
            self._all(parts, "fields"),
            self._all(parts, "cites"),
        )

    def call_name(self, children: list[Token]) -> tuple[Word, None]:
        words = " ".join(str(token) for token in children)
        return Word(words, self.source.span(children[0], children[-1])), None

    def timer_name(self, children: list[Any]) -> tuple[Word, Node | None]:
        return self._word(children[0]), children[2] if len(children) > 1 else None

    def _events(self, kind: str, children: list[Any]) -> syntax.EventDecl:
        names = [child for child in children if not isinstance(child, Part)]
        parts = self._parts(children)
        return syntax.EventDecl(names[0][0].span, kind, names, self._one(parts, "title"), self._all(parts, "cites"))

    def call(self, children: list[Any]) -> syntax.EventDecl:
        return self._events("call", children)

    def timer(self, children: list[Any]) -> syntax.EventDecl:
        return self._events("timer", children)

    def notice(self, children: list[Any]) -> syntax.EventDecl:
        return self._events("notice", [*((word, None) for word in children[1]), *children[2:]])

    def case(self, children: list[Any]) -> Part:
        parts = self._parts(children)
        guard, value = children[0], children[1]
        start = guard.span if isinstance(guard, Node) else self.source.span(guard, guard)
        case = (guard if isinstance(guard, Node) else None, value, start)
        return Part("case", (case, self._all(parts, "cites")), start)

    def define(self, children: list[Any]) -> syntax.DefineDecl:
        name, parts = self._word(children[0]), self._parts(children)
        cases: list[tuple[Node | None, Node, Any]] = [part.value[0] for part in parts if part.tag == "case"]
        if not cases:
            body = children[2]
            return syntax.DefineDecl(name.span, name, True, [(None, body, body.span)], self._all(parts, "cites"))
        cites: list[Cite] = [cite for part in parts if part.tag == "case" for cite in part.value[1]]
        return syntax.DefineDecl(name.span, name, False, cases, cites)

    # ------------------------------------------------------------------------------------------------------- rules

    def _items(self, children: list[Any]) -> list[syntax.Item]:
        return [child for child in children if isinstance(child, syntax.RuleNode | syntax.StepNode | syntax.UseNode)]

    def group(self, children: list[Any]) -> syntax.GroupDecl:
        name = self._word(children[0])
        return syntax.GroupDecl(name.span, name, self._one(self._parts(children), "title"), self._items(children))

    def state(self, children: list[Any]) -> syntax.StateDecl:
        name = self._word(next(child for child in children if isinstance(child, Token) and child.type == "NAME"))
        return syntax.StateDecl(
            name.span,
            name,
            self._one(self._parts(children), "title"),
            self._flag(children, "INITIAL"),
            self._flag(children, "FINAL"),
            self._items(children),
        )

    def step(self, children: list[Token]) -> syntax.StepNode:
        word = self._word(children[0])
        return syntax.StepNode(word.span, word)

    def use(self, children: list[list[Word]]) -> syntax.UseNode:
        return syntax.UseNode(children[0][0].span, children[0])

    def rule_id(self, children: list[Token]) -> Part:
        return Part("id", self._word(children[0]))

    def wanted(self, children: list[Token]) -> Part:
        return Part("profile", (self._word(children[-1]), len(children) == 1))

    def event(self, children: list[Any]) -> syntax.EventRef:
        tokens = [child for child in children if isinstance(child, Token)]
        parts = self._parts(children)
        kind = {"TIMEOUT": "timer", "NOTICE": "notice"}.get(tokens[0].type, "plain")
        words = [self._word(token) for token in (tokens if kind == "plain" else tokens[1:])]
        return syntax.EventRef(
            self.source.span(tokens[0], tokens[-1]), kind, words, self._all(parts, "with"), self._all(parts, "without")
        )

    def on(self, children: list[Any]) -> Part:
        if len(children) == 1:
            return Part("on", [children[0]])
        children[0].value.append(children[1])
        return children[0]  # type: ignore[no-any-return]

    def when(self, children: list[Node]) -> Part:
        return Part("condition", Condition(children[0].span, True, children[0]), children[0].span)

    def unless(self, children: list[Node]) -> Part:
        return Part("condition", Condition(children[0].span, False, children[0]), children[0].span)

    def to(self, children: list[Token]) -> Part:
        return Part("to", self._word(children[0]))

    def drawn(self, children: list[Token]) -> Part:
        return Part("drawn", self._string(children[0]))

    def rule(self, children: list[Any]) -> syntax.RuleNode:
        parts = self._parts(children)
        id_ = self._one(parts, "id")
        trigger, events = "on", self._one(parts, "on") or []
        targets: list[tuple[str, Word]] = []
        continues = 0
        span = events[0].span if events else None
        for child in children:
            if isinstance(child, Part):
                if child.tag == "to":
                    targets.append(("to", child.value))
            elif isinstance(child, Token):
                if child.type in ("STAY", "DROP"):
                    targets.append((str(child), self._word(child)))
                elif child.type == "THEN_CONTINUE":
                    continues += 1
                elif child.type in ("MAY", "OTHERWISE"):
                    trigger, span = str(child), self.source.span(child, child)
        found = [part for part in parts if part.tag == "cites"]
        for extra in found[1:]:
            self._error("TS004", "a second citation list in one rule", extra.span, "put all entries into one list")
        return syntax.RuleNode(
            id_.span if id_ else span,  # type: ignore[arg-type]
            id_,
            [part.value for part in parts if part.tag == "profile"],
            trigger,
            events,
            [part.value for part in parts if part.tag == "condition"],
            targets,
            continues,
            self._all(parts, "cites"),
            [part.value for part in parts if part.tag == "drawn"],
            [child for child in children if isinstance(child, syntax.ActionNode)],
        )

    # ------------------------------------------------------------------------------------------------------ actions

    def assign(self, children: list[Any]) -> syntax.AssignAction:
        target, value = self._word(children[0]), children[1]
        if isinstance(value, Token):
            return syntax.AssignAction(target.span, target, str(value), None)
        return syntax.AssignAction(target.span, target, "value", value)

    def choice(self, children: list[Any]) -> Part:
        return Part("choice", (self._word(children[0]), children[1]))

    def where(self, children: list[Node]) -> Part:
        return Part("where", children[0], children[0].span)

    def choose(self, children: list[Any]) -> syntax.ChooseAction:
        parts = self._parts(children)
        choices = [part.value for part in parts if part.tag == "choice"]
        return syntax.ChooseAction(choices[0][0].span, choices, self._one(parts, "where"))

    def set_field(self, children: list[Any]) -> Part:
        name = self._word(children[1])
        values = [child for child in children if isinstance(child, Node)]
        return Part("field", (name, values), self.source.span(children[0], children[-1]))

    def within(self, children: list[Node]) -> Part:
        return Part("within", children[0], children[0].span)

    def send(self, children: list[Any]) -> syntax.SendAction:
        parts = self._parts(children)
        tokens = [child for child in children if isinstance(child, Token)]
        message = next((self._word(token) for token in tokens if token.type == "NAME"), None)
        fields = [part for part in parts if part.tag == "field"]
        text = "".join(f"<{name.text}={','.join(v.text for v in values)}>" for _, (name, values), _ in fields)
        return syntax.SendAction(
            self.source.span(tokens[0], tokens[0]),
            message,
            [part.value for part in fields],
            [part.value for part in parts if part.tag == "condition"],
            [part.value for part in parts if part.tag == "where"],
            [part.value for part in parts if part.tag == "within"],
            any(token.type == "OR_NOTHING" for token in tokens),
            f"{message.text} {text}".rstrip() if message else text,
        )

    def signal(self, children: list[Any]) -> syntax.SignalAction:
        word = self._string(children[0])
        return syntax.SignalAction(word.span, word, self._one(self._parts(children), "condition"))

    # ------------------------------------------------------------------------------ single messages, logs, properties

    def fault(self, children: list[Any]) -> syntax.FaultDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return syntax.FaultDecl(
            name.span,
            name,
            self._word(children[1]),
            self._one(parts, "over"),
            self._one(parts, "title"),
            [part.value for part in parts if part.tag == "condition"],
            self._all(parts, "cites"),
        )

    def by(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("by", word, word.span)

    def forbid(self, children: list[Node]) -> Part:
        return Part("forbid", children[0], children[0].span)

    def except_(self, children: list[Any]) -> Part:
        condition = children[0] if isinstance(children[0], Node) else None
        title = next((part.value for part in self._parts(children)), None)
        return Part("except", (condition, title))

    def needs(self, children: list[list[Word]]) -> Part:
        return Part("needs", children[0])

    def packet_rule(self, children: list[Any]) -> syntax.PacketRuleDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return syntax.PacketRuleDecl(
            name.span,
            name,
            self._word(children[1]),
            self._one(parts, "over"),
            self._one(parts, "by"),
            self._one(parts, "title"),
            [part.value for part in parts if part.tag == "forbid"],
            [part.value for part in parts if part.tag == "except"],
            self._all(parts, "needs"),
            self._all(parts, "cites"),
        )

    def reachable(self, children: list[Token]) -> Part:
        return Part("reachable-from-all", [self._word(token) for token in children])

    def never(self, children: list[Token]) -> Part:
        return Part("never-pair", [self._word(token) for token in children])

    def exists(self, children: list[Token]) -> Part:
        return Part("pair", [self._word(token) for token in children])

    def property(self, children: list[Any]) -> syntax.PropertyDecl:
        name, parts = self._word(children[0]), self._parts(children)
        what = next(part for part in parts if part.tag not in ("title", "cites"))
        return syntax.PropertyDecl(
            name.span, name, what.tag, what.value, self._one(parts, "title"), self._all(parts, "cites")
        )

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

    def source_(self, children: list[Any]) -> syntax.SourceDecl:
        name, parts = self._word(children[0]), self._parts(children)
        return syntax.SourceDecl(
            name.span,
            name,
            self._one(parts, "title"),
            self._all(parts, "names"),
            self._all(parts, "hides"),
            self._all(parts, "reads"),
            self._all(parts, "births"),
            self._flag(children, "REPEATS"),
            self._all(parts, "cites"),
        )

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

    def is_set(self, children: list[Token]) -> Node:
        leaf = self.source.leaf(children[0], children[1])
        return syntax.SetTest(*leaf, self._word(children[0]), children[1].type == "IS_SET")

    def flags_test(self, children: list[Any]) -> Node:
        parts = children[1:]
        token, last = children[0], parts[-1].value[-1].span
        start, names = self.source.span(token, token), [word for part in parts for word in part.value]
        present, absent = self._all(parts, "with"), self._all(parts, "without")
        end = self._offset(token, last)
        span = Span(start.line, start.column, last.end_line, last.end_column)
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
