"""Resolves marks: every part of the spec that a requirement or a claim refers to must exist.

Owns: what a mark may refer to, and what it must say.
Must never hold: what a requirement or a statement is about.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.language import syntax
from tcpmodel.language.mark_syntax import ClaimDecl, RequirementDecl
from tcpmodel.language.scenario_syntax import ScenarioDecl
from tcpmodel.language.source_syntax import SourceDecl
from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.judged import text_of
from tcpmodel.model.marks import KINDS, VERDICTS, Claim, Reference, Requirement
from tcpmodel.model.names import Names


class Marked:
    """All marks of a spec; everything else must be resolved."""

    def __init__(self, file: syntax.File, names: Names, states: Iterable[spec.State]) -> None:
        self.file = file
        self.names = names
        self.report = names.report
        self.tables = _tables(file, names, states)

    def requirements(self) -> tuple[Requirement, ...]:
        """In the order of the file."""
        out = []
        for node in self.file.all(RequirementDecl):
            if not node.by and node.outside is None:
                help_ = 'add: by rule ID, property NAME ...; or: outside "why no model can show it"'
                self.report.error("TS053", f"it is not said what carries `{node.name.text}`", node.span, help_)
            elif node.by and node.outside is not None:
                message = f"`{node.name.text}` is carried by something and outside at once"
                self.report.error("TS053", message, node.outside.span, "leave one of them")
            out.append(
                Requirement(
                    node.name.text,
                    self._by(node.by),
                    text_of(node.outside),
                    text_of(node.words),
                    self.names.cite(node.cites),
                    node.doc,
                    node.span,
                )
            )
        return tuple(out)

    def claims(self) -> tuple[Claim, ...]:
        """In the order of the file."""
        out = []
        for node in self.file.all(ClaimDecl):
            known = self.names.known("verdict", node.verdict, VERDICTS, "TS019")
            if not node.by:
                help_ = "add: by rule ID, property NAME ...; or: by text"
                self.report.error("TS053", f"it is not said what shows `{node.name.text}`", node.span, help_)
            needed = (known and node.verdict.text != "right") or any(kind.text == "text" for kind, _ in node.by)
            if needed and (node.words is None or not node.words.text.strip()):
                what = f"it is {node.verdict.text}" if node.verdict.text != "right" else "nothing else shows it"
                message = f"`{node.name.text}` does not say what is right, but {what}"
                self.report.error("TS053", message, node.verdict.span, 'end it with what is right: "..."')
            out.append(
                Claim(
                    node.name.text,
                    node.verdict.text,
                    node.statement.text,
                    self._by(node.by),
                    text_of(node.words),
                    self.names.cite(node.cites),
                    node.doc,
                    node.span,
                )
            )
        return tuple(out)

    def _by(self, pairs: list[tuple[Word, Word]]) -> tuple[Reference, ...]:
        out: dict[tuple[str, str], Reference] = {}
        for kind, name in pairs:
            span = kind.span.to(name.span)
            if kind.text == "text":
                self._add(out, Reference("text", "", span))
            elif kind.text not in KINDS:
                self.report.unknown("TS052", "kind", kind, (*KINDS, "text"), "it is one of: " + ", ".join(KINDS))
            else:
                table = self.tables[kind.text]
                if name.text not in table and name.text not in self.names.broken:
                    self._stale(kind.text, name)
                self._add(out, Reference(kind.text, name.text, span))
        return tuple(out.values())

    def _add(self, out: dict[tuple[str, str], Reference], reference: Reference) -> None:
        if (reference.kind, reference.name) in out:
            self.report.error("TS020", f"`{reference}` stands twice in one mark", reference.span, "leave one of them")
        out[reference.kind, reference.name] = reference

    def _stale(self, kind: str, name: Word) -> None:
        elsewhere = next((other for other, table in self.tables.items() if name.text in table), "")
        help_ = f"it is a {elsewhere}: write `{elsewhere} {name.text}`" if elsewhere else ""
        if not help_:
            help_ = self.report.suggest(name.text, self.tables[kind], kind)
        self.report.error("TS052", f"there is no {kind} `{name.text}`", name.span, help_)


def _tables(file: syntax.File, names: Names, states: Iterable[spec.State]) -> dict[str, dict[str, Span]]:
    """For each kind, all that is declared, right or wrong: what is wrong with it is said in its own place."""
    found: dict[str, dict[str, Span]] = {kind: {} for kind in KINDS}

    def add(kind: str, word: Word) -> None:
        found[kind][word.text] = word.span

    for state in states:
        for rule in state.rules:
            add("rule", Word(rule.id, rule.span))
    for declaration in file.declarations:
        match declaration:
            case syntax.StateDecl() | syntax.GroupDecl():
                add("state" if isinstance(declaration, syntax.StateDecl) else "group", declaration.name)
                for item in declaration.items:
                    if isinstance(item, syntax.RuleNode) and item.id is not None:
                        add("rule", item.id)
            case syntax.FaultDecl():
                add("fault", declaration.name)
            case syntax.PacketRuleDecl():
                add("packet", declaration.name)
            case syntax.PropertyDecl():
                add("property", declaration.name)
            case ScenarioDecl():
                add("scenario", declaration.title)
            case syntax.ProfileDecl():
                add("profile", declaration.name)
            case SourceDecl():
                add("source", declaration.name)
            case syntax.ConstDecl():
                add("constant", declaration.name)
            case syntax.DefineDecl():
                add("definition", declaration.name)
            case syntax.VarDecl():
                for word in declaration.names:
                    add("variable", word)
            case syntax.EventDecl():
                for word, _ in declaration.names:
                    add(declaration.kind, word)
            case syntax.MessageDecl():
                add("message", declaration.name)
                for field in declaration.fields:
                    add("field", Word(f"{declaration.name.text}.{field.name.text}", field.name.span))
    return found
