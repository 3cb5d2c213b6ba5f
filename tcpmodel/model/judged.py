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
from tcpmodel.model.types import Seq
from tcpmodel.model.typing import Typer

SEVERITIES = ("must", "normative", "should", "unusual", "capture", "legal")
SCOPES = ("packet", "direction", "connection", "run")
BLAMES = ("sender", "receiver", "path", "application", "capture")


def text_of(word: Word | None) -> str:
    """The text of a word, or "" for none."""
    return word.text if word is not None else ""


def words_of(words: list[Word]) -> tuple[str, ...]:
    """The texts of words, each one once."""
    return tuple(dict.fromkeys(word.text for word in words))


def watching(names: Names, definitions: Definitions, message: str) -> Typer:
    """What gives types to conditions of observers: of a message that is sent, with notes."""
    typer = Typer(names, definitions, names.report, "sent", message)
    typer.closed = "rules over single packets and over connections know no variables, only notes"
    typer.watching = True
    return typer


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
        told = self.names.told
        if len(messages) == 1 and not told:
            return next(iter(messages))
        for node in nodes:
            for part in walk(node):
                if isinstance(part, syntax.FlagTest) and part.message.text in messages:
                    return part.message.text
                if isinstance(part, syntax.Name):
                    found = self.names.message_of(part.name) or self.definitions.seen(part.name, "watched").message
                    if found:
                        return found
        if len(messages) == 1:
            return next(iter(messages))
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
            typer = watching(self.names, self.definitions, message)
            forbid = typer.condition(node.forbids[0])
            excepts = tuple(
                (typer.condition(condition) if condition is not None else None, text_of(words))
                for condition, words in node.excepts
            )
            for need in node.needs:
                self.names.known("need", need, self.names.needs, "TS019")
            once, lapses = self._later(typer, node.onces, "once"), self._later(typer, node.lapses, "lapses")
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
                        once,
                        lapses,
                        self._beyond(node),
                        self._steady(node, message),
                    )
                )
        return tuple(out)

    def _beyond(self, node: syntax.PacketRuleDecl) -> int | None:
        """How many are too many, for a rule over a run; an error where the number is missing or has no meaning."""
        counted, over_run = node.beyond, text_of(node.scope) == "run"
        if counted is None and over_run:
            self.report.error("TS043", "the rule does not say how many are too many", node.span, "add: beyond NUMBER")
        if counted is not None and not over_run:
            self.report.error("TS035", "`beyond` counts in rules `over run` only", counted.span)
        return None if counted is None else int(counted.text, 0)

    def _steady(self, node: syntax.PacketRuleDecl, message: str) -> str:
        """The field of which a rule over a run asks whether it grows evenly, or ""."""
        word = node.steady
        if word is None:
            return ""
        if text_of(node.scope) != "run":
            self.report.error("TS035", "`steady` is asked in rules `over run` only", word.span)
        fields = {f"{message}.{field.name}": field for field in self.names.messages[message].fields}
        if not self.names.known("field", word, fields, "TS014"):
            return ""
        field = fields[word.text]
        if not isinstance(field.type, Seq):
            help_ = "take a sequence number"
            self.report.error("TS030", f"`{word.text}` is of type {field.type}", word.span, help_)
        return field.name

    def _later(self, typer: Typer, nodes: list[syntax.Node], word: str) -> spec.Expr | None:
        """What is asked of later messages."""
        for extra in nodes[1:]:
            self.report.error("TS004", f"a second `{word}` in one rule", extra.span, "join them with `and` or `or`")
        if not nodes:
            return None
        typer.after = True
        found = typer.condition(nodes[0])
        typer.after = False
        return found
