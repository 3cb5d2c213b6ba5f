"""What specs say of requirements and claims, as pages in Markdown: tables whose rows lead to the lines of the specs.

Owns: the layout of both pages, and links to the lines of specs.
Must never hold: what a requirement asks or what is true of a claim: marks in the specs say so.

Marks of several specs make one page. ``///`` before a mark is the heading of what follows it; ``//!`` at the top of the
file that has most of the marks is the title and the introduction of the page.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from tcpmodel.language.span import Span, path_of
from tcpmodel.model.marks import VERDICTS, Claim, Reference, Requirement
from tcpmodel.model.spec import Spec

PAGES = ("requirements", "claims")
"""Every page that there is."""

_Mark = TypeVar("_Mark", Requirement, Claim)
_BREAKS = str.maketrans({"|": "\\|", "<": "&lt;", ">": "&gt;", "[": "\\[", "]": "\\]", "*": "\\*"})
_NOTE = "<!-- Written by `tcpmodel doc {page}` from the marks in the specs: change these, not this page. -->"
_SEVERAL = {"property": "properties"}


class RepeatedError(ValueError):
    """Two specs have a mark of the same id."""


def page(kind: str, specs: Sequence[Spec], folder: str) -> str:
    """The page with the marks of all specs; links are relative to ``folder``, where the page is to lie.

    ``kind`` is one of PAGES. Raises RepeatedError, and OSError if a file of a spec cannot be read again.
    """
    places = [Places(spec, folder) for spec in specs]
    if kind == "requirements":
        requirements = _unique((mark, place) for place in places for mark in place.spec.requirements)
        body = _requirements(requirements)
        top = _introduction(requirements)
    else:
        claims = _unique((mark, place) for place in places for mark in place.spec.claims)
        body = _claims(claims)
        top = _introduction(claims)
    return "\n".join([*top, "", _NOTE.format(page=kind), "", *body, ""])


class Places:
    """Where the parts of a spec stand, as links."""

    def __init__(self, spec: Spec, folder: str) -> None:
        self.spec = spec
        self.folder = folder
        self.spans = _spans(spec)
        self.files: dict[str, str] = {}
        self.refused = {scenario.title for scenario in spec.scenarios if scenario.rejects}

    def text(self, part: str) -> str:
        """The source of a part, "" for that of the spec itself."""
        if part not in self.files:
            with open(path_of(self.spec.path, part), encoding="utf-8-sig") as file:
                self.files[part] = file.read()
        return self.files[part]

    def link(self, words: str, span: Span) -> str:
        """``words``, leading to the line of the spec."""
        target = os.path.relpath(path_of(self.spec.path, span.path), self.folder).replace(os.sep, "/")
        return f"[{plain(words)}]({target.replace(' ', '%20')}#L{span.line})"

    def carriers(self, references: Iterable[Reference]) -> str:
        """All references as links, those of one kind together."""
        kinds: dict[str, list[str]] = {}
        for reference in references:
            if reference.kind == "text":
                continue
            kind = "refused run" if reference.kind == "scenario" and reference.name in self.refused else reference.kind
            link = self.link(reference.name, self._span(reference))
            kinds.setdefault({"packet": "packet rule"}.get(kind, kind), []).append(link)
        return "; ".join(
            f"{_SEVERAL.get(kind, kind + 's') if len(links) > 1 else kind} {', '.join(links)}"
            for kind, links in kinds.items()
        )

    def _span(self, reference: Reference) -> Span:
        if reference.kind == "group":
            return self._group(reference)
        return self.spans[reference.kind][reference.name]

    def _group(self, reference: Reference) -> Span:
        """A resolved spec has the rules of a group alone, so its heading is looked for in the source."""
        heading = re.compile(rf"^rules[ \t]+{re.escape(reference.name)}(?![A-Za-z0-9.\-_])", re.M)
        for part in ("", *self.spec.parts):
            found = heading.search(self.text(part))
            if found:
                line = self.text(part).count("\n", 0, found.start()) + 1
                return Span(line, 1, line, 1, part)
        return reference.span


def _spans(spec: Spec) -> Mapping[str, Mapping[str, Span]]:
    """For each kind of a reference, except groups, the names and where they are declared."""
    events: dict[str, dict[str, Span]] = {}
    for event in spec.events:
        events.setdefault(event.kind, {})[event.name] = event.span
    return {
        "rule": {rule.id: rule.span for state in spec.states for rule in state.rules},
        "state": {state.name: state.span for state in spec.states},
        "fault": {fault.id: fault.span for fault in spec.faults},
        "packet": {rule.id: rule.span for rule in spec.packet_rules},
        "property": {declared.name: declared.span for declared in spec.properties},
        "scenario": {scenario.title: scenario.span for scenario in spec.scenarios},
        "variable": {variable.name: variable.span for variable in spec.variables},
        "constant": {constant.name: constant.span for constant in spec.constants},
        "definition": {definition.name: definition.span for definition in spec.definitions},
        "profile": {profile.name: profile.span for profile in spec.profiles},
        "source": {source.name: source.span for source in spec.sources},
        "message": {message.name: message.span for message in spec.messages},
        "field": {f"{each.name}.{field.name}": field.span for each in spec.messages for field in each.fields},
        "call": events.get("call", {}),
        "timer": events.get("timer", {}),
        "notice": events.get("notice", {}),
    }


# ---------------------------------------------------------------------------------------------------------- the pages


def _requirements(marks: list[tuple[Requirement, Places]]) -> list[str]:
    """By the section that a requirement cites, and in it by level and number."""
    outside = sum(bool(mark.outside) for mark, _ in marks)
    lines = [
        f"{_number(len(marks), 'requirement')}: {len(marks) - outside} carried by something in the specs, "
        f"{outside} outside of any model of an endpoint, with the reason."
    ]
    sections: dict[str, list[tuple[Requirement, Places]]] = {}
    for mark, place in marks:
        sections.setdefault(str(mark.cites[0]) if mark.cites else "", []).append((mark, place))
    for section in sorted(sections, key=_natural):
        heading = next((mark.doc for mark, _ in sections[section] if mark.doc), "")
        title = " ".join([re.sub(r"^RFC(?=\d)", "RFC ", section), *heading.split()]).strip()
        lines += ["", f"## {plain(title or 'Others')}", ""]
        lines += _table("id", "what is required", "carried by")
        for mark, place in sorted(sections[section], key=_by_id):
            carried = f"*outside:* {plain(mark.outside)}" if mark.outside else place.carriers(mark.by)
            lines.append(_row(place.link(mark.id, mark.span), plain(mark.words), carried))
    return lines


def _claims(marks: list[tuple[Claim, Places]]) -> list[str]:
    """By id: the part before the hyphen is the source."""
    verdicts = Counter(mark.verdict for mark, _ in marks)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS if verdicts[verdict])
    lines = [f"{_number(len(marks), 'statement')}: {counts}." if marks else "0 statements."]
    source, fresh = "", True
    for mark, place in sorted(marks, key=_by_id):
        if mark.id.partition("-")[0] != source:
            source, fresh = mark.id.partition("-")[0], True
            lines += ["", f"## {plain(source)}"]
        if mark.doc:
            lines += ["", f"### {plain(' '.join(mark.doc.split()))}"]
        if mark.doc or fresh:
            lines += [
                "",
                "| id | what is said | verdict | what is right | shown by |",
                "| --- | --- | --- | --- | --- |",
            ]
            fresh = False
        verdict = mark.verdict if mark.verdict == "right" else f"**{mark.verdict}**"
        shown = place.carriers(mark.by) or "this text"
        lines.append(_row(place.link(mark.id, mark.span), plain(mark.statement), verdict, plain(mark.words), shown))
    return lines


def _introduction(marks: Sequence[tuple[_Mark, Places]]) -> list[str]:
    """The ``//!`` lines at the top of the file that has most of the marks."""
    if not marks:
        return ["# Nothing is marked"]
    files = Counter((id(place), mark.span.path) for mark, place in marks)
    wanted, part = files.most_common(1)[0][0]
    place = next(place for _, place in marks if id(place) == wanted)
    lines = []
    for line in place.text(part).splitlines():
        if not line.startswith("//!"):
            break
        lines.append(line[3:].removeprefix(" "))
    return lines or [f"# {place.spec.title}"]


def _unique(marks: Iterable[tuple[_Mark, Places]]) -> list[tuple[_Mark, Places]]:
    found: dict[str, tuple[_Mark, Places]] = {}
    for mark, place in marks:
        if mark.id in found:
            other = found[mark.id][1].spec.name
            where = f"specs '{other}' and '{place.spec.name}'" if other != place.spec.name else f"spec '{other}'"
            raise RepeatedError(f"'{mark.id}' is marked twice, in {where}: leave one of them")
        found[mark.id] = mark, place
    return list(found.values())


def _table(*headings: str) -> list[str]:
    return [_row(*headings), _row(*["---"] * len(headings))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def plain(words: str) -> str:
    """``words`` as they are: nothing in them means anything to Markdown."""
    return words.translate(_BREAKS)


def _number(number: int, one: str) -> str:
    return f"{number} {one if number == 1 else one + 's'}"


def _by_id(pair: tuple[_Mark, Places]) -> tuple[object, ...]:
    return _natural(pair[0].id)


def _natural(words: str) -> tuple[object, ...]:
    """Orders numbers in words by their value."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", words))
