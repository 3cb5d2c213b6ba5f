"""What one event does, as text for people.

Owns: what is shown of it, in which order and words.
Must never hold: what an event does (see ``semantics``). Escaping and colours are in ``style``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tcpmodel.model import spec as m
from tcpmodel.report.style import Style, counted
from tcpmodel.semantics.stepping import Step, Stepped, Tried

Values = dict[str, "int | str | None"]

LABEL = 11
"""Columns of the words on the left."""


def lines(done: Stepped, spec: m.Spec, style: Style, given: Collection[str] = ()) -> Iterator[str]:
    """The lines of a whole answer, without line ends: the rules tried, then each outcome.

    ``given``: the names of the variables that were told; the others were taken from the spec.
    """
    yield from StepText(spec, style).lines(done, given)


class StepText:
    """Writes steps of one spec in one style."""

    def __init__(self, spec: m.Spec, style: Style) -> None:
        self._spec = spec
        self._style = style
        self._titles = {variable.name: variable.title for variable in spec.variables}

    def lines(self, done: Stepped, given: Collection[str]) -> Iterator[str]:
        """See the function of this name."""
        several = len(done.outcomes) != 1
        yield (
            self._strong(f"{done.state}: {counted(len(done.outcomes), 'outcome')}")
            if several
            else self.path(done.outcomes[0])
        )
        yield from self._paragraph(self._happening(done), 2, "faint")
        yield ""
        yield from self.tried(done.tried)
        for reason in done.impossible:
            yield from self._paragraph(f"not possible: {reason}", 2, "faint")
        for number, step in enumerate(done.outcomes, 1):
            yield ""
            if several:
                yield f"{number}. {self.path(step)}"
            yield from self.outcome(step)
            yield from self.changes(done.before, step)
            if step.open:
                told = (
                    f"{', '.join(step.open)}: the spec leaves {'them' if len(step.open) > 1 else 'it'} to the endpoint"
                )
                yield from self._labelled("open", [told], role="faint")
            if not several:
                yield from self._same(done.before, given, set(self.changed(done.before, step)))
            yield from self._clauses(step)
        if several:
            yield ""
            yield from self._same(done.before, given, set())

    def _happening(self, done: Stepped) -> str:
        if done.event.startswith("may"):
            return f"what it may do of its own accord in {done.state}"
        return f"{done.event} in {done.state}"

    # ------------------------------------------------------------------------------------------------------- parts

    def path(self, step: Step) -> str:
        """The states that were passed."""
        words = " → ".join(step.path) if len(step.path) > 1 else f"{step.path[0]} (stays)"
        return self._strong(words)

    def tried(self, tried: list[Tried]) -> Iterator[str]:
        """The rules that were looked at, in order, with what settled their guards."""
        if not tried:
            yield self._style.paint("faint", "no rule is about this event here")
            return
        yield self._strong("rules tried")
        width = min(max(len(each.rule.id) for each in tried), 24)
        state = tried[0].rule.state
        for each in tried:
            if each.rule.state != state:
                state = each.rule.state
                yield f"  in {self._style.clean(state)}"
            yield from self._one(each, width)

    def outcome(self, step: Step) -> Iterator[str]:
        """What was sent, and what the user was told."""
        if not step.covered:
            yield from self._labelled("outcome", ["nothing happens: no rule of the spec applies"])
        sent = [f"{text}  ({leave})" if leave else text for text, leave in zip(step.sent, step.leave, strict=True)]
        yield from self._labelled("sends", sent or ["nothing"], role="strong" if sent else "")
        if step.signals:
            yield from self._labelled("tells", [f'"{text}"' for text in step.signals])

    def changed(self, before: Values, step: Step) -> list[str]:
        """The names of the variables that are not what they were."""
        return [name for name, value in step.variables.items() if before[name] != value]

    def variables(self, values: Values) -> Iterator[str]:
        """All variables, one on a line."""
        names = max((len(name) for name in values), default=0)
        numbers = max((len(plain(value)) for value in values.values()), default=0)
        for name, value in values.items():
            line = self._style.clean(f"  {name:{names}}  {plain(value):{numbers}}  {self._titles[name]}")
            yield line[: self._style.prose].rstrip()

    # ---------------------------------------------------------------------------------------------------- the rest

    def _one(self, each: Tried, width: int) -> Iterator[str]:
        style = self._style
        role, sign = {True: ("good", "✓"), False: ("faint", "✗"), None: ("unclear", "?")}[each.answer]
        guard = each.rule.guard.text if each.rule.guard is not None else "always"
        values = ", ".join(f"{name}={value}" for name, value in each.values)
        indent = 2 + 2 + width + 2
        first, *others = style.wrap(style.clean(f"{guard}  ({values})" if values else guard), indent + 2)
        head = style.paint(role, f"{style.clean(sign)} {style.clean(each.rule.id):{width}}")
        yield f"  {head}  {first}"
        yield from (" " * (indent + 2) + line for line in others)
        if each.answer is not False:
            cites = ", ".join(str(cite) for cite in each.rule.cites)
            then = f"{self._then(each.rule)}  [{cites}]" if cites else self._then(each.rule)
            for line in style.wrap(style.clean(then), indent):
                yield " " * indent + style.paint("code", line)

    def _then(self, rule: m.Rule) -> str:
        where = f"→ {rule.target}" if rule.target != rule.state else "drop" if rule.drops else "stay"
        return f"{where}, then continue" if rule.continues else where

    def changes(self, before: Values, step: Step) -> Iterator[str]:
        """The variables that are not what they were, each with its old and its new value."""
        style = self._style
        told = [(name, f"{plain(before[name])} → {plain(step.variables[name])}") for name in self.changed(before, step)]
        if not told:
            yield from self._labelled("changes", ["nothing"])
        names = max((len(name) for name, _ in told), default=0)
        values = max((len(text) for _, text in told), default=0)
        for number, (name, text) in enumerate(told):
            label = "" if number else "changes"
            title = style.clean(self._titles[name])
            if LABEL + 2 + names + 2 + values + 2 + len(title) > style.prose:
                title = ""
            line = f"{label:{LABEL}}{style.paint('code', f'* {name:{names}}')}  {style.clean(f'{text:{values}}')}"
            yield f"{line}  {style.paint('faint', title)}" if title else line.rstrip()

    def _same(self, values: Values, given: Collection[str], changed: Collection[str]) -> Iterator[str]:
        shown = [(name in given, f"{name}={plain(value)}") for name, value in values.items() if name not in changed]
        for label, wanted, role in (("as given", True, ""), ("assumed", False, "faint")):
            told = " ".join(text for known, text in shown if known is wanted)
            if told:
                yield from self._labelled(label, [told], role=role)

    def _clauses(self, step: Step) -> Iterator[str]:
        label = "clauses"
        width = max((len(rule.id) for rule in step.rules), default=0)
        for rule in step.rules:
            indent = LABEL + width + 2
            cites = ", ".join(str(cite) for cite in rule.cites) or f"of {self._spec.name}"
            head = f"{label:{LABEL}}{self._style.clean(rule.id):{width}}  "
            for line in self._style.wrap(self._style.clean(cites), indent):
                yield head + line
                head = " " * indent
            if rule.doc:
                for line in self._style.wrap(self._style.clean(" ".join(rule.doc.split())), indent):
                    yield " " * indent + self._style.paint("faint", line)
            label = ""

    def _labelled(self, label: str, texts: list[str], *, role: str = "") -> Iterator[str]:
        for text in texts:
            for line in self._style.wrap(self._style.clean(text), LABEL):
                yield f"{label:{LABEL}}{self._style.paint(role, line) if role else line}"
                label = ""

    def _paragraph(self, text: str, indent: int, role: str) -> Iterator[str]:
        for line in self._style.wrap(self._style.clean(text), indent):
            yield " " * indent + self._style.paint(role, line)

    def _strong(self, text: str) -> str:
        return self._style.paint("strong", self._style.clean(text))


def plain(value: int | str | None) -> str:
    """A value as people write it."""
    return "unset" if value is None else str(value)
