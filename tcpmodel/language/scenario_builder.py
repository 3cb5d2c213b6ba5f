"""Turns what the grammar finds of scenarios into syntax nodes.

Owns: one method for each rule of the grammar about scenarios, of the same name.
Must never hold: callbacks of other declarations (see ``builder``).
"""

from __future__ import annotations

from typing import Any

from lark import Token

from tcpmodel.language.expression_builder import ExpressionBuilder, Part
from tcpmodel.language.scenario_syntax import ExampleDecl, LineNode, LiteralNode, SaidNode, ScenarioDecl, Settings
from tcpmodel.language.syntax import Node, Time, Word

_KINDS = {"TIMEOUT": "timeout", "NOTICE": "notice", "MAY": "may", "LT": "in", "GT": "out", "SIGNAL": "signal"}
_ARROWS = ("SENDS", "GETS", "UNDER_WAY")


class ScenarioBuilder(ExpressionBuilder):
    """Callbacks for lark."""

    def scenario(self, children: list[Any]) -> ScenarioDecl:
        parts = self._parts(children)
        token = next(child for child in children if isinstance(child, Token) and child.type == "STRING")
        title = self._string(token)
        return ScenarioDecl(
            title.span,
            title,
            self._flag(children, "REJECT"),
            self._one(parts, "from"),
            self._all(parts, "with"),
            self._all(parts, "without"),
            self._all(parts, "lets"),
            self._all(parts, "cites"),
        )

    def example(self, children: list[Any]) -> ExampleDecl:
        name, parts = self._word(children[0]), self._parts(children)
        title, after = self._one(parts, "title"), self._one(parts, "after")
        return ExampleDecl(name.span, name, title, after, self._one(parts, "from"))

    def follows(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("after", word, word.span)

    def from_state(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("from", word, word.span)

    def lets(self, children: list[Any]) -> Part:
        return Part("lets", [child for child in children if isinstance(child, tuple)])

    # ------------------------------------------------------------------------------------- literals, messages

    def literal(self, children: list[Any]) -> LiteralNode:
        child = children[0]
        if isinstance(child, Node):
            assert isinstance(child, Time)
            return LiteralNode(child.span, "duration", child.text, child.value)
        span = self.source.span(child, child)
        if child.type == "NUMBER":
            return LiteralNode(span, "number", str(child), self._number(child))
        return LiteralNode(span, "unset" if child.type == "UNSET" else "word", str(child), 0)

    def setting(self, children: list[Any]) -> tuple[Word, LiteralNode]:
        return self._word(children[0]), children[2]

    def told_field(self, children: list[Any]) -> Part:
        values = [child for child in children if isinstance(child, LiteralNode)]
        return Part("field", (self._word(children[1]), values), self.source.span(children[0], children[-1]))

    def told(self, children: list[Any]) -> SaidNode:
        fields = self._parts(children)
        name = self._word(children[0]) if isinstance(children[0], Token) else None
        text = "".join(f"<{word.text}={','.join(v.text for v in values)}>" for _, (word, values), _ in fields)
        first = name.span if name else fields[0].span
        last = fields[-1].span if fields else first
        text = f"{name.text} {text}".rstrip() if name else text
        return SaidNode(first.to(last), name, [part.value for part in fields], text)

    # ---------------------------------------------------------------------------------------------------- lines

    def end(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("end", word, word.span)

    def became(self, children: list[Token]) -> Part:
        word = self._word(children[0])
        return Part("became", word, word.span)

    def afterwards(self, children: list[Any]) -> Part:
        return Part("afterwards", [child for child in children if isinstance(child, tuple)])

    def refused(self, children: list[Token]) -> Part:
        word = self._string(children[1])
        return Part("refused", word, word.span)

    def words_line(self, children: list[Token]) -> Part:
        return Part("line", {"kind": "words", "words": [self._word(token) for token in children]})

    def event_line(self, children: list[Any]) -> Part:
        """The keyword first, then what belongs to it; LT and GT are the signs of a message that comes or goes."""
        said = next((child for child in children if isinstance(child, SaidNode)), None)
        words: list[Word] = []
        for token in children[1:]:
            if isinstance(token, Token) and token.type != "NOTHING":
                words.append(self._string(token) if token.type == "STRING" else self._word(token))
        return Part("line", {"kind": _KINDS[children[0].type], "words": words, "said": said})

    def choose_line(self, children: list[Any]) -> Part:
        return Part("line", {"kind": "choose", "settings": children})

    def let_line(self, children: list[Any]) -> Part:
        return Part("line", {"kind": "let", "settings": children})

    def between(self, children: list[Any]) -> Part:
        tokens = [child for child in children if isinstance(child, Token)]
        said = next(child for child in children if isinstance(child, SaidNode))
        first, last = tokens[0], tokens[-1]
        arrows = [str(token) for token in tokens if token.type in _ARROWS]
        return Part(
            "line",
            {
                "kind": "between",
                "said": said,
                "arrows": (arrows[0], arrows[1]),
                "left": self._word(first) if first.type == "NAME" else None,
                "right": self._word(last) if last.type == "NAME" else None,
            },
        )

    def shown(self, children: list[Any]) -> Part:
        said = next(child for child in children if isinstance(child, SaidNode))
        return Part("line", {"kind": "shown", "said": said, "arrows": (str(children[0]), "")})

    def pause(self, children: list[Any]) -> Part:
        time = children[0]
        assert isinstance(time, Time)
        literal = LiteralNode(time.span, "duration", time.text, time.value)
        return Part("line", {"kind": "pause", "settings": [(Word("wait", time.span), literal)]})

    def line(self, children: list[Any]) -> LineNode:
        parts = self._parts(children)
        found: dict[str, Any] = next((part.value for part in parts if part.tag == "line"), {"kind": "check"})
        label = next((str(child)[:-1] for child in children if isinstance(child, Token)), "")
        text = self.source.slice(0, len(self.source.text))
        start = len(self.source.text) - len(self.source.text.lstrip())
        values: list[Settings] = [part.value for part in parts if part.tag == "afterwards"]
        return LineNode(
            self.source.whole(start),
            found["kind"],
            label,
            self._one(parts, "end"),
            found.get("words", []),
            found.get("said"),
            found.get("settings", []),
            found.get("arrows", ("", "")),
            found.get("left"),
            found.get("right"),
            [part.value for part in parts if part.tag == "became"],
            values,
            [part.value for part in parts if part.tag == "refused"],
            text,
        )
