"""Turns what the grammar finds into syntax nodes, while it is found.

Owns: one method for each rule of the grammar, of the same name.
Must never hold: a check that needs more than the declaration at hand.

The children of a rule are nodes, words, tokens and small tagged tuples; ``_one`` and ``_all`` take them apart by tag.
"""

from __future__ import annotations

from typing import Any

from lark import Token

from tcpmodel.language import syntax
from tcpmodel.language.citations import read_citations
from tcpmodel.language.expression_builder import Part
from tcpmodel.language.mark_builder import MarkBuilder
from tcpmodel.language.observer_builder import ObserverBuilder
from tcpmodel.language.property_builder import PropertyBuilder
from tcpmodel.language.scenario_builder import ScenarioBuilder
from tcpmodel.language.source_builder import SourceBuilder
from tcpmodel.language.syntax import Cite, Condition, Node, Word


class Builder(ScenarioBuilder, MarkBuilder, PropertyBuilder, SourceBuilder, ObserverBuilder):
    """Callbacks for lark; ``errors`` collects what is wrong inside a well-formed piece."""

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

    def cites(self, children: list[Token]) -> Part:
        token = children[0]
        span = self.source.span(token, token)
        return Part("cites", read_citations(str(token), span, self.errors), span)

    def over(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("over", word, word.span)

    def port(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("port", word, word.span)

    def documents(self, children: list[list[Word]]) -> Part:
        return Part("documents", children[0], children[0][0].span)

    def spec(self, children: list[Any]) -> syntax.SpecHead:
        name, parts = self._word(children[0]), self._parts(children)
        return syntax.SpecHead(
            name.span,
            name,
            self._one(parts, "title"),
            self._one(parts, "over"),
            self._all(parts, "documents"),
            self._one(parts, "by"),
            self._one(parts, "port"),
        )

    def include(self, children: list[Token]) -> syntax.Include:
        word = self._string(children[0])
        return syntax.Include(word.span, word)

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

    def field_default(self, children: list[Token]) -> Part:
        return Part("default", self._number(children[1]), self._word(children[1]).span)

    def field_typical(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        if children[0].type == "NUMBER":
            word = Word(str(self._number(children[0])), word.span)
        return Part("typical", word, word.span)

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
                    self._one(parts, "default"),
                    self._one(parts, "typical"),
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
        return [child for child in children if isinstance(child, syntax.Item)]

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

    def set_value(self, children: list[Any]) -> tuple[Word, Node]:
        return self._word(children[0]), children[2]

    def typical(self, children: list[tuple[Word, Node]]) -> syntax.TypicalNode:
        return syntax.TypicalNode(children[0][0].span, children)

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

    def anew(self, children: list[Token]) -> syntax.AnewAction:
        return syntax.AnewAction(self.source.span(children[0], children[0]))

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
        word = self._string(children[1])
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

    def beyond(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("beyond", word, word.span)

    def steady(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("steady", word, word.span)

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
            [part.value for part in parts if part.tag == "once"],
            [part.value for part in parts if part.tag == "lapses"],
            beyond=self._one(parts, "beyond"),
            steady=self._one(parts, "steady"),
        )
