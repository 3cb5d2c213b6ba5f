"""Syntax tree -> spec: declarations one kind after the other, then all that refers to them.

Owns: the order of resolving, and all declarations that come before the states.
Must never hold: what a rule or an expression means.
"""

from __future__ import annotations

from dataclasses import replace

from tcpmodel.language import syntax
from tcpmodel.language.errors import SpecError
from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.define import Definer
from tcpmodel.model.definitions import Definitions
from tcpmodel.model.examples import Examples
from tcpmodel.model.judged import Judged, text_of, words_of
from tcpmodel.model.marked import Marked
from tcpmodel.model.names import Names, Report
from tcpmodel.model.noted import Noted
from tcpmodel.model.properties import Properties
from tcpmodel.model.rules import Rules
from tcpmodel.model.scenarios import Scenarios
from tcpmodel.model.sources import Sources
from tcpmodel.model.types import DURATION, Enum, Octets, Range, Type
from tcpmodel.model.typing import Typer, read_type


def resolve(
    file: syntax.File, path: str, digest: str, parts: tuple[str, ...] = ()
) -> tuple[spec.Spec | None, list[SpecError], Names]:
    """The spec (None if it has no usable heading), all errors of names and types, and what is used."""
    report = Report()
    resolver = _Resolver(file, report)
    found = resolver.whole(path, digest, parts)
    return found, report.errors, resolver.names


class _Resolver:
    def __init__(self, file: syntax.File, report: Report) -> None:
        self.file = file
        self.report = report
        self.names = Names(file, report)
        self.definitions = Definitions(self.names, report)

    def whole(self, path: str, digest: str, parts: tuple[str, ...]) -> spec.Spec | None:
        head = self._head()
        self.names.declare_all()
        self._steps()
        self._profiles()
        self._variables()
        self._messages()
        self._events()
        for declaration in self.file.declarations:
            if not isinstance(declaration, syntax.DefineDecl | syntax.ConstDecl):
                continue
            if self.names.first("value", declaration.name):
                self.names.definitions[declaration.name.text] = declaration
        noted = Noted(self.file, self.names, self.definitions)
        noted.declare()
        Definer(self.definitions).resolve()
        noted.initial_values()
        self._initial_values()
        self._durations()
        for state in self.file.all(syntax.StateDecl):
            if self.names.first("state", state.name):
                self.names.states[state.name.text] = state
        for group in self.file.all(syntax.GroupDecl):
            if self.names.first("group", group.name):
                self.names.groups[group.name.text] = group
        rules = Rules(self.names, self.definitions, self.report)
        states = rules.states()
        self._one_initial()
        names = self.names
        observations, needs = noted.observations(), noted.needs()
        judged = Judged(self.file, names, self.definitions)
        faults, packet_rules = judged.faults(), judged.packet_rules()
        sources = Sources(self.file, names, rules, states).all()
        properties = Properties(self.file, names, self.definitions, rules).all()
        scenarios = Scenarios(self.file, names, states).all()
        marked = Marked(self.file, names, states)
        requirements, claims = marked.requirements(), marked.claims()
        constants, definitions = self._constants(), self._definitions()
        if head is None:
            return None
        return spec.Spec(
            name=head.name.text,
            title=text_of(head.title),
            over=text_of(head.over),
            documents=names.documents,
            steps=tuple(names.steps),
            profiles=tuple(names.profiles.values()),
            constants=constants,
            variables=tuple(names.variables.values()),
            messages=tuple(names.messages.values()),
            events=tuple(names.events.values()),
            definitions=definitions,
            states=states,
            packet_rules=packet_rules,
            faults=faults,
            sources=sources,
            properties=properties,
            doc=self.file.doc or head.doc,
            path=path,
            digest=digest,
            parts=parts,
            scenarios=scenarios,
            requirements=requirements,
            claims=claims,
            seen=tuple(names.seen.values()),
            notes=tuple(names.notes.values()),
            observations=observations,
            needs=needs,
            told=tuple(names.told.values()),
            examples=Examples(self.file, names, states).all(),
            by=self._by(head),
            port=self._port(head),
        )

    # ------------------------------------------------------------------------------------------------------ headings

    def _by(self, head: syntax.SpecHead) -> str:
        """The key of the field that tells conversations apart."""
        if head.by is None:
            return ""
        known = {f"{one.name}.{item.name}": item.source for one in self.names.messages.values() for item in one.fields}
        return known[head.by.text] if self.names.known("field", head.by, known, "TS014") else ""

    def _port(self, head: syntax.SpecHead) -> int:
        if head.port is None:
            return -1
        number = int(head.port.text, 0)
        if number > 0xFFFF:
            self.report.error("TS032", f"{number} is no port", head.port.span, "a number up to 65535")
        return number

    def _head(self) -> syntax.SpecHead | None:
        heads = []
        for head in self.file.all(syntax.SpecHead):
            if not head.span.path:
                heads.append(head)
            else:
                self.report.error("TS040", "a part has no `spec` heading", head.span, "only the spec itself has one")
        for extra in heads[1:]:
            self.report.error("TS040", "a second `spec` heading", extra.span, "one file holds one spec")
        if heads:
            self.names.documents = tuple(dict.fromkeys(word.text for word in heads[0].documents))
            return heads[0]
        if "spec heading" not in self.names.broken:
            help_ = 'begin the file with: spec NAME "title" cites RFC...'
            self.report.error("TS040", "the file has no `spec` heading", Span(1, 1, 1, 1), help_)
        return None

    def _steps(self) -> None:
        for declaration in self.file.all(syntax.Steps):
            for word in declaration.names:
                if self.names.first("step", word):
                    self.names.steps[word.text] = len(self.names.steps)

    def _profiles(self) -> None:
        declarations = self.file.all(syntax.ProfileDecl)
        table = dict.fromkeys(declaration.name.text for declaration in declarations)
        for declaration in declarations:
            if not self.names.first("profile", declaration.name):
                continue
            for word in (*declaration.turns_on, *declaration.turns_off):
                if self.names.known("profile", word, table, "TS015") and word.text == declaration.name.text:
                    self.report.error("TS020", "a profile cannot name itself", word.span, "leave it away")
            self.names.profiles[declaration.name.text] = spec.Profile(
                declaration.name.text,
                text_of(declaration.title),
                declaration.default,
                words_of(declaration.turns_on),
                words_of(declaration.turns_off),
                self.names.cite(declaration.cites),
                declaration.doc,
                declaration.span,
            )

    # ------------------------------------------------------------------------------------------ variables, constants

    def _variables(self) -> None:
        for declaration in self.file.all(syntax.VarDecl):
            type_ = read_type(declaration.type, self.report, ("local", "peer"))
            cites = self.names.cite(declaration.cites)
            for word in declaration.names:
                if not self.names.first("value", word):
                    continue
                if type_ is None:
                    self.names.broken |= {word.text}
                    continue
                self.names.variables[word.text] = spec.Variable(
                    word.text,
                    type_,
                    declaration.optional,
                    declaration.free,
                    None,
                    text_of(declaration.title),
                    cites,
                    declaration.doc,
                    word.span,
                )

    def _initial_values(self) -> None:
        typer = Typer(self.names, self.definitions, self.report, "none", "")
        typer.closed = "an initial value does not depend on variables"
        for declaration in self.file.all(syntax.VarDecl):
            if declaration.initial is None:
                continue
            variable = self.names.variables.get(declaration.names[0].text)
            if variable is None or variable.span != declaration.names[0].span:
                continue
            value = typer.value(declaration.initial, variable.type)
            for word in declaration.names:
                held = self.names.variables.get(word.text)
                if held is not None and held.span == word.span:
                    self.names.variables[word.text] = replace(held, initial=value)

    def _constants(self) -> tuple[spec.Constant, ...]:
        out = []
        for name, declaration in self.names.definitions.items():
            values = self.definitions.constants.get(name)
            if values is None:
                continue
            cites = self.names.cite(declaration.cites)
            type_ = values[0][1].type
            out.append(spec.Constant(name, type_, values, cites, declaration.doc, declaration.span))
        return tuple(out)

    def _definitions(self) -> tuple[spec.Definition, ...]:
        out = []
        for name, declaration in self.names.definitions.items():
            if isinstance(declaration, syntax.DefineDecl):
                cites = self.names.cite(declaration.cites)
                body = self.definitions.body(name)
                if body is not None:
                    out.append(spec.Definition(name, body.type, body, cites, declaration.doc, declaration.span))
        return tuple(out)

    # ------------------------------------------------------------------------------------------- messages and events

    def _messages(self) -> None:
        for declaration in self.file.all(syntax.MessageDecl):
            if not self.names.first("event", declaration.name):
                continue
            name = declaration.name.text
            flags = self._unique(declaration.flags, "flag")
            marks = self._unique([*declaration.flags, *declaration.marks], "flag", quiet=len(declaration.flags))
            fields = [field for node in declaration.fields if (field := self._field(name, node, flags))]
            cites = self.names.cite(declaration.cites)
            self.names.messages[name] = spec.Message(
                name,
                text_of(declaration.title),
                flags,
                tuple(mark for mark in marks if mark not in flags),
                tuple(fields),
                cites,
                declaration.doc,
                declaration.span,
            )
            self.names.events["message", name] = spec.Event(
                "message", name, True, None, text_of(declaration.title), cites, declaration.doc, declaration.span
            )

    def _unique(self, words: list[Word], kind: str, quiet: int = 0) -> tuple[str, ...]:
        seen: dict[str, None] = {}
        for at, word in enumerate(words):
            if word.text in seen and at >= quiet:
                self.report.error("TS020", f"{kind} `{word.text}` is declared twice", word.span, "leave one of them")
            seen[word.text] = None
        return tuple(seen)

    def _field(self, message: str, node: syntax.FieldDecl, flags: tuple[str, ...]) -> spec.Field | None:
        fresh = self.names.first("value", Word(f"{message}.{node.name.text}", node.name.span))
        type_ = read_type(node.type, self.report, ("sender", "receiver"))
        for word in node.only_with:
            self.names.known("flag", word, flags, "TS013")
        for extra in node.only_with[1:]:
            self.report.error("TS004", "a field depends on one flag at most", extra.span, "leave one of them")
        if type_ is None:
            self.names.broken |= {f"{message}.{node.name.text}"}
        if type_ is None or not fresh:
            return None
        if node.default is not None and not isinstance(type_, Octets | Range):
            message_ = f"only octets and ranges have a default, `{node.name.text}` is {type_}"
            self.report.error("TS030", message_, node.span, "leave the default away")
        elif node.default is not None and isinstance(type_, Range) and not type_.low <= node.default <= type_.high:
            self.report.error("TS032", f"{node.default} is not in {type_}", node.span, f"a value of {type_}")
        return spec.Field(
            node.name.text,
            type_,
            node.source.text if node.source else node.name.text.lower(),
            node.only_with[0].text if node.only_with else None,
            text_of(node.title),
            node.span,
            node.default,
            self._typical(node, type_),
        )

    def _typical(self, node: syntax.FieldDecl, type_: Type) -> int | None:
        word = node.typical
        if word is None:
            return None
        number = int(word.text, 0) if word.text[0].isdigit() else None
        if isinstance(type_, Enum):
            return type_.words.index(word.text) if self.names.known("word", word, type_.words, "TS011") else None
        if number is None:
            self.report.error("TS030", f"{type_} is needed here, this is a word", word.span, "give a number")
            return None
        low, high = (type_.low, type_.high) if isinstance(type_, Range) else (0, 2**32 - 1)
        if not low <= number <= high:
            self.report.error("TS032", f"{number} is not in {low}..{high}", word.span, f"a number from {low} to {high}")
        return number

    def _events(self) -> None:
        for declaration in self.file.all(syntax.EventDecl):
            cites = self.names.cite(declaration.cites)
            for word, _ in declaration.names:
                kind = "event" if declaration.kind == "call" else declaration.kind
                if self.names.first(kind, word):
                    self.names.events[declaration.kind, word.text] = spec.Event(
                        declaration.kind,
                        word.text,
                        False,
                        None,
                        text_of(declaration.title),
                        cites,
                        declaration.doc,
                        word.span,
                    )

    def _durations(self) -> None:
        typer = Typer(self.names, self.definitions, self.report, "none", "")
        for declaration in self.file.all(syntax.EventDecl):
            for word, node in declaration.names:
                held = self.names.events.get((declaration.kind, word.text))
                if node is None or held is None or held.span != word.span:
                    continue
                value = typer.value(node, DURATION)
                self.names.events[declaration.kind, word.text] = spec.Event(
                    held.kind, held.name, held.observed, value, held.title, held.cites, held.doc, held.span
                )

    # -------------------------------------------------------------------------------------------------------- states

    def _one_initial(self) -> None:
        states = self.names.states
        initial = [state for state in states.values() if state.initial]
        for extra in initial[1:]:
            message = f"two initial states: `{initial[0].name.text}` and `{extra.name.text}`"
            self.report.error("TS041", message, extra.span, "leave `initial` at one of them")
        if states and not initial and "initial state" not in self.names.broken:
            span = next(iter(states.values())).span
            self.report.error("TS041", "no state is the initial one", span, "write `initial state NAME` at one of them")
