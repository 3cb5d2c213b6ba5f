"""Resolves what a spec says about things other than its machine: faults, rules over single messages, logs.

Owns: these declarations, and the closed lists of words that they use.
Must never hold: states and their rules.
"""

from __future__ import annotations

from tcpmodel.language import syntax
from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.definitions import Definitions, walk
from tcpmodel.model.names import Names
from tcpmodel.model.typing import Typer

SEVERITIES = ("must", "normative", "should", "unusual", "capture", "legal")
SCOPES = ("packet",)
BLAMES = ("sender", "receiver", "path", "application", "capture")


def text_of(word: Word | None) -> str:
    """The text of a word, or "" for none."""
    return word.text if word is not None else ""


def words_of(words: list[Word]) -> tuple[str, ...]:
    """The texts of words, each one once."""
    return tuple(dict.fromkeys(word.text for word in words))


class Judged:
    """All of them, for one file; names and definitions must be resolved."""

    def __init__(self, file: syntax.File, names: Names, definitions: Definitions) -> None:
        self.file = file
        self.names = names
        self.definitions = definitions
        self.report = names.report

    def _message_for(self, nodes: list[syntax.Node], given: Word | None, place: Span) -> str | None:
        messages = self.names.messages
        if given is not None:
            return given.text if self.names.known("message", given, messages, "TS018") else None
        if len(messages) == 1:
            return next(iter(messages))
        for node in nodes:
            for part in walk(node):
                if isinstance(part, syntax.FlagTest) and part.message.text in messages:
                    return part.message.text
                if isinstance(part, syntax.Name):
                    found = self.names.message_of(part.name) or self.definitions.seen(part.name, "sent").message
                    if found:
                        return found
        if messages or not self.names.broken:
            self.report.error("TS018", "it is not clear which message this is about", place, "use one of its fields")
        return None

    def _severity(self, word: Word) -> str:
        self.names.known("severity", word, SEVERITIES, "TS019")
        return word.text

    def faults(self) -> tuple[spec.Fault, ...]:
        """All faults, in the order of the file."""
        out = []
        for node in self.file.all(syntax.FaultDecl):
            severity, cites = self._severity(node.severity), self.names.cite(node.cites)
            parts = [condition.expression for condition in node.conditions]
            if not parts:
                self.report.error("TS043", "the fault does not say when it is one", node.span, "add: when CONDITION")
                continue
            message = self._message_for(parts, node.message, node.span)
            if message is None:
                continue
            typer = Typer(self.names, self.definitions, self.report, "sent", message)
            when = typer.all_of(typer.conditions(node.conditions) or [])
            if when is not None:
                title = text_of(node.title)
                out.append(spec.Fault(node.name.text, severity, message, title, when, cites, node.doc, node.span))
        return tuple(out)

    def packet_rules(self) -> tuple[spec.PacketRule, ...]:
        """All rules over single messages, in the order of the file."""
        out = []
        for node in self.file.all(syntax.PacketRuleDecl):
            severity, cites = self._severity(node.severity), self.names.cite(node.cites)
            scope, blames = node.scope, node.blames
            for word, known, kind in ((scope, SCOPES, "scope"), (blames, BLAMES, "one to blame")):
                if word is not None:
                    self.names.known(kind, word, known, "TS019")
            for extra in node.forbids[1:]:
                self.report.error("TS004", "a second `forbid` in one rule", extra.span, "join them with `or`")
            if not node.forbids:
                self.report.error("TS043", "the rule does not say what it forbids", node.span, "add: forbid CONDITION")
                continue
            message = self._message_for(node.forbids, None, node.span)
            if message is None:
                continue
            typer = Typer(self.names, self.definitions, self.report, "sent", message)
            typer.closed = "a rule about single packets knows no variables"
            forbid = typer.condition(node.forbids[0])
            excepts = tuple(
                (typer.condition(condition) if condition is not None else None, text_of(words))
                for condition, words in node.excepts
            )
            if forbid is not None:
                out.append(
                    spec.PacketRule(
                        node.name.text,
                        severity,
                        text_of(scope) or "packet",
                        message,
                        text_of(blames) or "sender",
                        text_of(node.title),
                        forbid,
                        excepts,
                        words_of(node.needs),
                        cites,
                        node.doc,
                        node.span,
                    )
                )
        return tuple(out)

    def _state_name(self, word: Word) -> str:
        self.names.known("state", word, self.names.states, "TS010")
        return word.text

    def sources(self) -> tuple[spec.Source, ...]:
        """All sources of logs."""
        out = []
        for node in self.file.all(syntax.SourceDecl):
            renames: dict[str, str] = {}
            for printed, state in node.names:
                key = printed.text.upper().replace("_", "-")
                if key in renames:
                    self.report.error("TS020", f"`{key}` has two meanings", printed.span, "leave one of them")
                renames[key] = self._state_name(state)
            reads = []
            for old, new, really in node.reads:
                states = tuple(self._state_name(word) for word in really)
                reads.append((self._printed(old, renames), self._printed(new, renames), states))
            births = tuple((self._printed(old, renames), self._printed(new, renames)) for old, new in node.births)
            out.append(
                spec.Source(
                    node.name.text,
                    text_of(node.title),
                    tuple(renames.items()),
                    tuple(self._state_name(word) for word in node.hides),
                    tuple(reads),
                    births,
                    node.repeats,
                    self.names.cite(node.cites),
                    node.doc,
                    node.span,
                )
            )
        return tuple(out)

    def _printed(self, word: Word, renames: dict[str, str]) -> str:
        """The state that a printed word stands for; the state's own name may be written as well."""
        state = renames.get(word.text.upper().replace("_", "-"))
        return state if state is not None and word.text not in self.names.states else self._state_name(word)
