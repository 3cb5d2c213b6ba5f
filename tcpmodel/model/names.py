"""What a name of a spec stands for, and the list of what is wrong.

Owns: the tables of declared names, and the reporting of unknown ones.
Must never hold: types of expressions, or rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tcpmodel.language import syntax
from tcpmodel.language.errors import SpecError
from tcpmodel.language.mark_syntax import ClaimDecl, RequirementDecl
from tcpmodel.language.observer_syntax import NeedDecl, NoteDecl, SeenDecl
from tcpmodel.language.scenario_syntax import ScenarioDecl
from tcpmodel.language.source_syntax import SourceDecl
from tcpmodel.language.span import NOWHERE, Span
from tcpmodel.language.syntax import Cite, Word
from tcpmodel.model.observer import PEER, Need, Note, SeenField, SeenMessage
from tcpmodel.model.spec import Citation, Event, Message, Profile, Variable

_MOST_SUGGESTIONS = 100

OWN = Event("own", "", False, None, "own accord", (), "", NOWHERE)
"""The event of rules that begin with ``may``."""


class Report:
    """Collects errors and warnings; ``add_all`` takes over those of another report."""

    def __init__(self) -> None:
        self.errors: list[SpecError] = []
        self._suggestions = 0

    def error(self, code: str, message: str, span: Span, help_: str = "") -> None:
        """Notes an error; ``help_`` says what would be right."""
        self.errors.append(SpecError(code, message, span, help_))

    def warn(self, code: str, message: str, span: Span, help_: str = "") -> None:
        """Notes something that does not stop the spec from being used."""
        self.errors.append(SpecError(code, message, span, help_, "warning"))

    def unknown(self, code: str, kind: str, word: Word, names: Iterable[str], help_: str = "") -> None:
        """Notes an unknown name, with the nearest known one."""
        self.error(code, f"unknown {kind} `{word.text}`", word.span, self.suggest(word.text, names, kind) or help_)

    def suggest(self, word: str, names: Iterable[str], kind: str) -> str:
        """``did you mean ...``, or the known names if they are few, or ""."""
        from tcpmodel.language.words import nearest

        self._suggestions += 1
        if self._suggestions > _MOST_SUGGESTIONS:
            return ""
        known = list(names)
        near = nearest(word, known)
        if near:
            return f"did you mean `{near}`?"
        if not known:
            return f"the spec declares no {kind}"
        return "known are: " + ", ".join(known) if len(known) <= 12 else ""


class Names:
    """All declared names of a spec. ``broken`` ones are declared, but their declaration could not be read."""

    def __init__(self, file: syntax.File, report: Report) -> None:
        self.file = file
        self.report = report
        self.broken = file.broken
        self.documents: tuple[str, ...] = ()
        self.steps: dict[str, int] = {}
        self.profiles: dict[str, Profile] = {}
        self.variables: dict[str, Variable] = {}
        self.messages: dict[str, Message] = {}
        self.events: dict[tuple[str, str], Event] = {}
        self.definitions: dict[str, syntax.DefineDecl | syntax.ConstDecl] = {}
        self.states: dict[str, syntax.StateDecl] = {}
        self.groups: dict[str, syntax.GroupDecl] = {}
        self.seen: dict[str, SeenField] = {}
        self.told: dict[str, SeenMessage] = {}
        self.notes: dict[str, Note] = {}
        self.needs: dict[str, Need] = {}
        self.used: set[tuple[str, str]] = set()
        """(kind, name) of what something refers to: profile, value, group, event."""
        self._places: dict[tuple[str, str], Span] = {}

    def declare_all(self) -> None:
        """Notes all declarations in the order of the file, so that of two with one name the second is the error."""
        for declaration in self.file.declarations:
            for kind, word in _declared(declaration):
                first = self._places.setdefault((kind, word.text), word.span)
                if first != word.span:
                    what = "name" if kind == "value" else kind
                    help_ = f"the first declaration is in {first.where}: give one of them another name"
                    self.report.error("TS020", f"{what} `{word.text}` is declared twice", word.span, help_)

    def first(self, kind: str, word: Word) -> bool:
        """Whether this is the declaration that counts. ``value`` is one kind: all that stands in expressions."""
        return self._places.get((kind, word.text)) == word.span

    def known(self, kind: str, word: Word, table: Iterable[str], code: str) -> bool:
        """Whether the name is declared; notes its use, or the error."""
        names = table if isinstance(table, dict) else list(table)
        if word.text in names:
            self.used.add((kind, word.text))
            return True
        if word.text not in self.broken:
            self.report.unknown(code, kind, word, names)
        return False

    def choice(self, word: Word) -> bool:
        """Whether the word turns a declared profile on, or off (``no-NAME``); notes the error."""
        name = word.text
        if name not in self.profiles and name.startswith("no-") and name[3:] in self.profiles:
            return True
        return self.known("profile", word, self.profiles, "TS015")

    def cite(self, cites: list[Cite]) -> tuple[Citation, ...]:
        """The citations with their documents."""
        out: list[Citation] = []
        for cite in cites:
            document = cite.document
            if cite.label:
                document = ""
            elif not document:
                if not self.documents:
                    help_ = "name the document here, or declare it: `spec NAME cites RFC9293`"
                    self.report.error("TS007", "the spec cites no document", cite.span, help_)
                    continue
                document = self.documents[0]
            elif document not in self.documents:
                help_ = self.report.suggest(document, self.documents, "document")
                help_ = help_ if help_.startswith("did") else f"add it to the `cites` of the spec: cites {document}"
                self.report.error("TS007", f"the spec does not cite `{document}`", cite.span, help_)
                continue
            entry = Citation(document, cite.place, cite.requirement)
            if entry not in out:
                out.append(entry)
        return tuple(out)

    def note_of(self, name: str) -> Note | None:
        """The note of that name, also when it is the other direction's."""
        return self.notes.get(name) or self.notes.get(name.removeprefix(PEER))

    def message_of(self, dotted: str) -> str:
        """The message whose field a dotted name is, or ""."""
        at = dotted.rfind(".")
        while at > 0:
            if dotted[:at] in self.messages or dotted[:at] in self.told:
                return dotted[:at]
            at = dotted.rfind(".", 0, at)
        return ""


def _declared(declaration: syntax.Declaration) -> Iterator[tuple[str, Word]]:
    """Kinds and names that one declaration declares."""
    match declaration:
        case syntax.Steps():
            yield from (("step", word) for word in declaration.names)
        case syntax.ProfileDecl():
            yield "profile", declaration.name
        case syntax.VarDecl():
            yield from (("value", word) for word in declaration.names)
        case syntax.ConstDecl() | syntax.DefineDecl():
            yield "value", declaration.name
        case syntax.MessageDecl():
            yield "event", declaration.name
            for field in declaration.fields:
                yield "value", Word(f"{declaration.name.text}.{field.name.text}", field.name.span)
        case syntax.EventDecl():
            kind = "event" if declaration.kind == "call" else declaration.kind
            yield from ((kind, word) for word, _ in declaration.names)
        case syntax.StateDecl():
            yield "state", declaration.name
        case syntax.GroupDecl():
            yield "group", declaration.name
        case syntax.FaultDecl():
            yield "fault", declaration.name
        case syntax.PacketRuleDecl():
            # One mistake may be seen in several ways, some of which prove less than others.
            yield f"{declaration.severity.text} rule", declaration.name
        case SourceDecl():
            yield "source", declaration.name
        case syntax.PropertyDecl():
            yield "property", declaration.name
        case SeenDecl() | NoteDecl():
            yield "value", declaration.name
        case NeedDecl():
            yield "need", declaration.name
        case RequirementDecl():
            yield "requirement", declaration.name
        case ClaimDecl():
            yield "claim", declaration.name
        case ScenarioDecl():
            yield "scenario", declaration.title
