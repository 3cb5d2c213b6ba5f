"""Resolves examples: messages that break a rule, or that look as if they did.

Owns: which lines an example may have, and which rule it is about.
Must never hold: how an example is tried (see ``checking.examples``).
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.language import syntax
from tcpmodel.language.scenario_syntax import ExampleDecl, LineNode
from tcpmodel.model import scenario, spec
from tcpmodel.model.judged import text_of
from tcpmodel.model.names import Names
from tcpmodel.model.said import Reader

_SENDERS = {"-->": "A", "<--": "B"}
BETWEEN = "between"
"""In place of an end: neither of them."""


class Examples:
    """All examples of a spec; names and states must be resolved."""

    def __init__(self, file: syntax.File, names: Names, states: Iterable[spec.State]) -> None:
        self.nodes = file.all(ExampleDecl)
        self.names = names
        self.report = names.report
        self.reader = Reader(names, states)
        self.reader.observes = True
        self.rules = {node.name.text for node in file.all(syntax.PacketRuleDecl)}
        self.rules |= {node.name.text for node in file.all(syntax.FaultDecl)}
        self.begun = {node.after.text for node in self.nodes if node.after is not None}

    def all(self) -> tuple[spec.Example, ...]:
        """In the order of the file."""
        found: dict[str, spec.Example] = {}
        out = []
        for node in self.nodes:
            name = node.name.text
            if name not in self.rules and name not in self.begun and name not in self.names.broken:
                self.report.unknown("TS052", "rule", node.name, self.rules)
            if node.after is not None and node.after.text not in found and node.after.text not in self.names.broken:
                self.report.unknown("TS052", "example before this one", node.after, found)
            example = self._example(node)
            if name not in self.rules:
                if name in found:
                    self.report.error("TS020", f"example `{name}` is declared twice", node.name.span, "rename one")
                found[name] = example
            out.append(example)
        return tuple(out)

    def _example(self, node: ExampleDecl) -> spec.Example:
        lines: list[scenario.ShownLine] = []
        wait = 0
        for line in node.lines:
            if line.kind == "pause":
                wait += line.settings[0][1].value
                continue
            shown = self._line(node, line, wait)
            if shown is not None:
                lines.append(shown)
            wait = 0
        if not node.lines and not node.damaged:
            help_ = "one line for each message: --> MESSAGE or <-- MESSAGE"
            self.report.error("TS050", "an example without lines", node.span, help_)
        after = node.after.text if node.after is not None else ""
        if node.end is not None:
            self.names.known("end", node.end, (*_SENDERS.values(), BETWEEN), "TS019")
        end = text_of(node.end)
        return spec.Example(node.name.text, text_of(node.title), after, end, tuple(lines), node.doc, node.span)

    def _line(self, node: ExampleDecl, line: LineNode, wait: int) -> scenario.ShownLine | None:
        sender = _SENDERS.get(line.arrows[0])
        if line.kind != "shown" or line.end is not None or sender is None or line.said is None:
            help_ = "--> MESSAGE and <-- MESSAGE are seen, `wait 2 s` lets time pass"
            self.report.error("TS050", "no line of an example", line.span, help_)
            return None
        wrong = line.refused[0].text if line.refused else ""
        if wrong and node.name.text not in self.rules:
            help_ = "give the example the name of the rule that it breaks"
            self.report.error("TS051", "the beginning of other examples breaks no rule", line.refused[0].span, help_)
        message = self.reader.message(line.said)
        return scenario.ShownLine(line.span, sender, message, wrong, wait) if message is not None else None
