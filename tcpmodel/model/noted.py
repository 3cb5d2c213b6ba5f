"""Resolves what an observer sees and keeps.

Owns: ``seen``, ``note``, ``observe`` and ``need``.
Must never hold: the rules that rest on them (see ``judged``).
"""

from __future__ import annotations

from dataclasses import replace

from tcpmodel.language import syntax
from tcpmodel.language.observer_syntax import NeedDecl, NoteDecl, ObserveDecl, SeenDecl
from tcpmodel.model import spec
from tcpmodel.model.definitions import Definitions
from tcpmodel.model.judged import text_of, watching
from tcpmodel.model.names import Names
from tcpmodel.model.observer import FACTS
from tcpmodel.model.types import Range, Type
from tcpmodel.model.typing import Typer, read_type


class Noted:
    """All of them, for one file: ``declare`` before anything that may name them, ``initial_values`` after constants."""

    def __init__(self, file: syntax.File, names: Names, definitions: Definitions) -> None:
        self.file = file
        self.names = names
        self.definitions = definitions
        self.report = names.report

    def declare(self) -> None:
        """Note the names and types of all that is seen and kept."""
        for seen in self.file.all(SeenDecl):
            if seen.type is None and self.names.first("value", seen.name):
                self._message(seen)
        for seen in self.file.all(SeenDecl):
            if seen.type is None:
                continue
            if self.names.first("value", seen.name):
                self._seen(seen)
        for note in self.file.all(NoteDecl):
            if self.names.first("value", note.name):
                self._note(note)
        for note in self.file.all(NoteDecl):
            self._inherits(note)

    def _message(self, node: SeenDecl) -> None:
        name = node.name.text
        if "." in name or name in self.names.messages:
            help_ = f"a field has a type: {name} : octets" if "." in name else "leave it: the spec has that message"
            self.report.error("TS043", f"`{name}` is no message of another protocol", node.span, help_)
            self.names.broken |= {name}
            return
        source = node.source.text if node.source else name.lower()
        self.names.told[name] = spec.SeenMessage(name, source, text_of(node.title), node.span)

    def _seen(self, node: SeenDecl) -> None:
        dotted = node.name.text
        message = self.names.message_of(dotted)
        assert node.type is not None
        type_ = read_type(node.type, self.report, ("sender", "receiver"))
        if not message and not self.names.broken:
            self.report.error("TS018", f"`{dotted}` is of no message", node.span, "write MESSAGE.NAME")
        if type_ is None or not message:
            self.names.broken |= {dotted}
            return
        name = dotted[len(message) + 1 :]
        source = node.source.text if node.source else name.lower()
        self.names.seen[dotted] = spec.SeenField(
            message, name, type_, node.optional, source, text_of(node.title), node.span, self._typical(node, type_)
        )

    def _typical(self, node: SeenDecl, type_: Type) -> int | None:
        """The number that is written, if it is one of the type."""
        if node.typical is None:
            return None
        text = node.typical.text
        low, high = (type_.low, type_.high) if isinstance(type_, Range) else (0, 2**32 - 1)
        if not text.isdigit() or not low <= int(text) <= high:
            help_ = f"a number from {low} to {high}"
            self.report.error("TS032", f"{text} is not in {low}..{high}", node.typical.span, help_)
            return None
        return int(text)

    def _note(self, node: NoteDecl) -> None:
        type_ = read_type(node.type, self.report, ("local", "peer"))
        if type_ is None:
            self.names.broken |= {node.name.text}
            return
        self.names.notes[node.name.text] = spec.Note(
            node.name.text,
            type_,
            node.optional,
            None,
            text_of(node.title),
            self.names.cite(node.cites),
            node.doc,
            node.span,
            node.inherits.text if node.inherits is not None else "",
        )

    def initial_values(self) -> None:
        """Note with what each note begins; constants must be known."""
        for node in self.file.all(NoteDecl):
            note = self.names.notes.get(node.name.text)
            if note is None or node.initial is None or not self.names.first("value", node.name):
                continue
            typer = Typer(self.names, self.definitions, self.report, "none", "")
            typer.closed = "an initial value does not depend on variables"
            self.names.notes[note.name] = replace(note, initial=typer.value(node.initial, note.type))

    def _inherits(self, node: NoteDecl) -> None:
        """What is taken over from the connection before has to fit."""
        if node.inherits is None or not self.names.known("note", node.inherits, self.names.notes, "TS011"):
            return
        note, before = self.names.notes.get(node.name.text), self.names.notes[node.inherits.text]
        if note is None:
            return
        if note.type != before.type or (before.optional and not note.optional):
            help_ = f"declare it as `{note.name} : {'optional ' if before.optional else ''}{before.type}`"
            self.report.error("TS030", f"`{note.name}` cannot hold what `{before.name}` is", node.inherits.span, help_)

    def _typer(self, message: str) -> Typer:
        return watching(self.names, self.definitions, message)

    def observations(self) -> tuple[spec.Observation, ...]:
        """All of them, in the order of the file."""
        out = []
        for node in self.file.all(ObserveDecl):
            if not self.names.known("message", node.message, {**self.names.messages, **self.names.told}, "TS018"):
                continue
            typer = self._typer(node.message.text)
            parts: list[spec.Expr | None] = []
            if node.present or node.absent:
                span = node.message.span
                text = _flags_text(node)
                parts.append(typer.flags(node.message, node.present, node.absent, span, text))
            conditions = typer.conditions(node.conditions)
            known = [part for part in parts if part is not None]
            if conditions is None or len(known) < len(parts):
                continue
            jottings = [found for action in node.actions if (found := self._jotting(typer, action)) is not None]
            when = typer.all_of(known + conditions)
            notices = tuple(word.text for word in node.notices if self._notice(word))
            out.append(spec.Observation(node.message.text, when, tuple(jottings), node.doc, node.span, notices))
        return tuple(out)

    def _notice(self, word: syntax.Word) -> bool:
        known = {name: event for (kind, name), event in self.names.events.items() if kind == "notice"}
        return self.names.known("notice", word, known, "TS012")

    def _jotting(self, typer: Typer, node: syntax.AssignAction) -> spec.Jotting | None:
        name = node.target.text
        if not self.names.known("note", node.target, self.names.notes, "TS011"):
            return None
        note = self.names.notes[name]
        if node.how == "unset" and not note.optional:
            help_ = f"declare it as `{name} : optional {note.type}`"
            self.report.error("TS036", f"`{name}` is never unset", node.span, help_)
            return None
        if node.value is None:
            return spec.Jotting(name, None, node.how == "unset", node.span)
        value = typer.value(node.value, note.type)
        return spec.Jotting(name, value, False, node.span) if value is not None else None

    def needs(self) -> tuple[spec.Need, ...]:
        """All needs; rules name them afterwards."""
        for node in self.file.all(NeedDecl):
            if not self.names.first("need", node.name):
                continue
            if bool(node.conditions) == (node.fact is not None):
                help_ = "add: when CONDITION, or: from one of " + ", ".join(FACTS)
                self.report.error("TS043", f"`{node.name.text}` does not say when it is met", node.span, help_)
            fact = ""
            if node.fact is not None and self.names.known("fact", node.fact, FACTS, "TS019"):
                fact = node.fact.text
            when = None
            if node.conditions:
                typer = self._typer(next(iter(self.names.messages), ""))
                when = typer.all_of(typer.conditions(node.conditions) or [])
            self.names.needs[node.name.text] = spec.Need(
                node.name.text, text_of(node.title), when, fact, node.doc, node.span
            )
        return tuple(self.names.needs.values())


def _flags_text(node: ObserveDecl) -> str:
    words = node.message.text
    if node.present:
        words += " with " + ", ".join(word.text for word in node.present)
    if node.absent:
        words += " without " + ", ".join(word.text for word in node.absent)
    return words
