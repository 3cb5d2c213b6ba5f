"""Resolves the exact values, messages and events that scenarios name.

Owns: which values a variable or field may have, and what flags and fields a message has.
Must never hold: lines of scenarios (see ``scenarios``).
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.language.scenario_syntax import LiteralNode, SaidNode, Settings
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.names import Names
from tcpmodel.model.scenario import SaidMessage, Value
from tcpmodel.model.types import Duration, Enum, Range, Type

HIGHEST = 2**32 - 1


class Reader:
    """Knows the names of one spec."""

    def __init__(self, names: Names, states: Iterable[spec.State]) -> None:
        self.names = names
        self.report = names.report
        self.observes = False
        """May a message have fields that only observers look at?"""
        self.chosen: dict[str, Type] = {}
        """What rules choose, by name."""
        self.own: set[str] = set()
        """Ids of the rules of an endpoint's own accord."""
        for state in states:
            for rule in state.rules:
                if rule.event.kind == "own":
                    self.own.add(rule.id)
                for action in rule.actions:
                    if isinstance(action, spec.Choose):
                        self.chosen[action.name] = action.type

    # -------------------------------------------------------------------------------------------------------- values

    def settings(self, settings: Settings, chosen: bool = False) -> tuple[tuple[str, Value], ...]:
        """Variables (and, with ``chosen``, values that rules choose) with what is written for them."""
        out: dict[str, Value] = {}
        for word, literal in settings:
            variable = self.names.variables.get(word.text)
            type_ = variable.type if variable is not None else self.chosen.get(word.text) if chosen else None
            if word.text in out:
                self.report.error("TS020", f"`{word.text}` has two values", word.span, "leave one of them")
            if type_ is None:
                if word.text not in self.names.broken:
                    known = [*self.names.variables, *(self.chosen if chosen else ())]
                    self.report.unknown("TS011", "variable", word, known)
                continue
            if literal.kind == "unset":
                if variable is None or not variable.optional:
                    help_ = f"give a value of {type_}"
                    self.report.error("TS036", f"`{word.text}` cannot be unset", literal.span, help_)
                out[word.text] = None
                continue
            number = self._number(literal, type_)
            if number is not None:
                out[word.text] = type_.words[number] if isinstance(type_, Enum) else number
        return tuple(out.items())

    def _number(self, literal: LiteralNode, type_: Type) -> int | None:
        """The value as a number, the index of a word of an enum; None after an error."""
        if isinstance(type_, Enum):
            if literal.kind != "word":
                self._mismatch(literal, type_)
                return None
            word = Word(literal.text, literal.span)
            return type_.words.index(word.text) if self.names.known("word", word, type_.words, "TS011") else None
        if literal.kind == "word" or (literal.kind == "duration") != isinstance(type_, Duration):
            self._mismatch(literal, type_)
            return None
        if isinstance(type_, Duration):
            return literal.value
        low, high = (type_.low, type_.high) if isinstance(type_, Range) else (0, HIGHEST)
        if not low <= literal.value <= high:
            message = f"{literal.text} is not in {low}..{high}"
            self.report.error("TS032", message, literal.span, f"a number from {low} to {high}")
            return None
        return literal.value

    def _mismatch(self, literal: LiteralNode, type_: Type) -> None:
        help_ = f"give a value of type {type_}"
        self.report.error("TS030", f"{type_} is needed here, this is {literal.text}", literal.span, help_)

    # ------------------------------------------------------------------------------------------------------ messages

    def message(self, node: SaidNode) -> SaidMessage | None:
        """The message with its numbers, flags and marks; None if it is not clear which message it is."""
        message = self._which(node)
        if message is None:
            return None
        fields: dict[str, int] = {}
        flags: list[str] = []
        seen: set[str] = set()
        for word, values in node.fields:
            if word.text in seen:
                self.report.error("TS020", f"`{word.text}` stands twice in one message", word.span, "leave one of them")
                continue
            seen.add(word.text)
            field = next((field for field in self._fields(message) if field.name == word.text), None)
            if field is None and word.text == "CTL":
                flags = self._flags(values, message)
            elif field is None:
                if f"{message.name}.{word.text}" not in self.names.broken and message.name not in self.names.broken:
                    self.report.unknown(
                        "TS014", "field", word, [*(known.name for known in self._fields(message)), "CTL"]
                    )
            elif len(values) != 1:
                self.report.error("TS030", "a field has one value", word.span, f"write: <{word.text}=1>")
            else:
                number = self._number(values[0], field.type)
                if number is not None:
                    fields[word.text] = number
        return SaidMessage(
            message.name,
            tuple(fields.items()),
            tuple(flag for flag in flags if flag in message.flags),
            tuple(flag for flag in flags if flag in message.marks),
            node.text,
        )

    def _which(self, node: SaidNode) -> spec.Message | None:
        messages = self.names.messages
        if node.name is not None:
            known = self.names.known("message", node.name, messages, "TS018")
            return messages[node.name.text] if known else None
        if not messages:
            if not self.names.broken:
                self.report.error("TS018", "the spec declares no message", node.span, "declare one: message SEG")
            return None
        names = {word.text for word, _ in node.fields} - {"CTL"}
        fitting = [one for one in messages.values() if names <= {field.name for field in self._fields(one)}]
        return (fitting or list(messages.values()))[0]

    def _fields(self, message: spec.Message) -> list[spec.Field | spec.SeenField]:
        seen = [field for field in self.names.seen.values() if self.observes and field.message == message.name]
        return [*message.fields, *seen]

    def _flags(self, values: list[LiteralNode], message: spec.Message) -> list[str]:
        flags: list[str] = []
        for value in values:
            word = Word(value.text, value.span)
            if value.kind == "word" and value.text == "none" and len(values) == 1:
                continue
            if self.names.known("flag", word, (*message.flags, *message.marks), "TS013"):
                if value.text in flags:
                    self.report.error("TS020", f"`{value.text}` stands twice", value.span, "leave one of them")
                flags.append(value.text)
        return flags

    # -------------------------------------------------------------------------------------------------------- events

    def event(self, kind: str, words: list[Word]) -> spec.Event | None:
        """A call (``words``), ``timeout`` or ``notice``; None after an error."""
        wanted = {"timeout": "timer", "notice": "notice"}.get(kind, "call")
        name = " ".join(word.text for word in words)
        found = self.names.events.get((wanted, name))
        if found is None and name not in self.names.broken:
            word = Word(name, words[0].span.to(words[-1].span))
            other = next((event for (_, known), event in self.names.events.items() if known == name), None)
            if other is not None and other.kind != "message":
                self.report.error("TS012", f"`{name}` is a {other.kind}", word.span, f"write: {other}")
            else:
                self.report.unknown("TS012", wanted, word, [one for known, one in self.names.events if known == wanted])
        return found

    def own_rule(self, words: list[Word]) -> str:
        """The id of a rule of the endpoint's own accord, or "" for any."""
        for word in words:
            if word.text not in self.own:
                help_ = self.report.suggest(word.text, self.own, "rule that begins with `may`")
                self.report.error("TS052", f"no rule `{word.text}` begins with `may`", word.span, help_)
        return words[0].text if words else ""
