"""Resolves scenarios.

Owns: which forms of lines a scenario of one or of two ends may have, and what their names mean.
Must never hold: how a scenario is run.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.language import syntax
from tcpmodel.language.scenario_syntax import LineNode, ScenarioDecl
from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Word
from tcpmodel.model import scenario, spec
from tcpmodel.model.names import OWN, Names
from tcpmodel.model.said import Reader

ENDS = ("A", "B")
"""The left and the right end of a scenario of two."""

_ARROWS = {
    ("-->", "-->"): ("A", True, True),
    ("-->", "..."): ("A", True, False),
    ("...", "-->"): ("A", False, True),
    ("<--", "<--"): ("B", True, True),
    ("...", "<--"): ("B", True, False),
    ("<--", "..."): ("B", False, True),
}
_BETWEEN = (
    "`--> M -->` and `<-- M <--` arrive, `--> M ...` and `... M <--` set out, `... M -->` and `<-- M ...` come late"
)


Base = tuple[Span, str, str, str]
"""What all lines have: place, label, text, and why the line is to be refused."""


class Scenarios:
    """All scenarios of a spec; names and states must be resolved."""

    def __init__(self, file: syntax.File, names: Names, states: Iterable[spec.State]) -> None:
        self.file = file
        self.names = names
        self.report = names.report
        self.reader = Reader(names, states)

    def all(self) -> tuple[spec.Scenario, ...]:
        """In the order of the file."""
        return tuple(self._scenario(node) for node in self.file.all(ScenarioDecl))

    def _scenario(self, node: ScenarioDecl) -> spec.Scenario:
        lets = [("", name, value) for name, value in self.reader.settings(node.lets)]
        if node.lets and node.state is None:
            help_ = "write a line for one of them: A: let NAME = VALUE"
            self.report.error("TS050", "which of the two ends has these values?", node.lets[0][0].span, help_)
        lines: list[spec.Line] = []
        started = False
        for at, line in enumerate(node.lines):
            self._common(node, line, last=at == len(node.lines) - 1)
            if line.kind == "let":
                if started:
                    help_ = "values are set before the first event"
                    self.report.error("TS050", "`let` after something has happened", line.span, help_)
                lets += [(self._end(node, line), name, value) for name, value in self.reader.settings(line.settings)]
                continue
            resolved = self._line(node, line)
            if resolved is not None:
                lines.append(resolved)
            started = started or not isinstance(resolved, spec.StatesLine)
        if node.rejects and node.lines and not node.damaged and not any(line.refused for line in node.lines):
            help_ = 'let the last line end with what is wrong about it: ! "why"'
            self.report.error("TS051", "nothing in this scenario is to be refused", node.span, help_)
        elif not node.lines and not node.damaged:
            self.report.error(
                "TS050", "a scenario without lines", node.span, "say what happens, one line for each step"
            )
        return spec.Scenario(
            node.title.text,
            node.rejects,
            self._profiles(node),
            self._start(node, lines),
            tuple(lets),
            tuple(lines),
            self.names.cite(node.cites),
            node.doc,
            node.span,
        )

    def _profiles(self, node: ScenarioDecl) -> tuple[str, ...]:
        for word in node.turns_on:
            self.names.choice(word)
        for word in node.turns_off:
            self.names.known("profile", word, self.names.profiles, "TS015")
        return (*(word.text for word in node.turns_on), *(f"no-{word.text}" for word in node.turns_off))

    def _start(self, node: ScenarioDecl, lines: list[spec.Line]) -> tuple[str, ...]:
        if node.state is not None:
            return (self._state(node.state),)
        first = lines[0] if lines else None
        if isinstance(first, spec.StatesLine):
            return first.left, first.right
        if node.lines and not node.damaged:
            help_ = "begin with the states of both ends (`CLOSED LISTEN`), or write `from STATE` for one end"
            self.report.error("TS050", "it is not said where this scenario begins", node.span, help_)
        return "", ""

    def _common(self, node: ScenarioDecl, line: LineNode, last: bool) -> None:
        """What may stand at the end of any line: what is refused, and what is afterwards."""
        for words in (line.state, line.refused):
            for extra in words[1:]:
                self.report.error("TS004", "the same part twice in one line", extra.span, "leave one of them")
        for settings in line.values[1:]:
            self.report.error("TS004", "the same part twice in one line", settings[0][0].span, "leave one of them")
        for word in line.refused:
            if not node.rejects:
                help_ = "begin it with: reject scenario"
                self.report.error("TS051", "only a rejecting scenario has a line to refuse", word.span, help_)
            elif not last:
                help_ = "it must be the last line: nothing happens after it"
                self.report.error("TS051", "lines after the one that is refused", word.span, help_)
            elif line.kind in ("let", "choose"):
                self.report.error("TS051", f"`{line.kind}` cannot be refused", word.span, "refuse what happens")
        if line.kind in ("words", "timeout", "notice", "may", "in", "check"):
            return
        for word in (*line.state, *(setting[0] for settings in line.values for setting in settings)):
            help_ = "write it in a line of its own: => STATE (NAME = VALUE)"
            self.report.error("TS050", "this line does not say what is afterwards", word.span, help_)
            break

    def _state(self, word: Word) -> str:
        self.names.known("state", word, self.names.states, "TS010")
        return word.text

    def _end(self, node: ScenarioDecl, line: LineNode) -> str:
        """``A``, ``B``, or "" for the one end there is."""
        if node.state is not None:
            if line.end is not None:
                help_ = "leave it away"
                self.report.error("TS050", "this scenario has one end", line.end.span, help_)
            return ""
        if line.end is None:
            self.report.error("TS050", "which of the two ends?", line.span, "begin the line with `A:` (left) or `B:`")
            return "A"
        if line.end.text not in ENDS:
            self.report.error("TS050", f"there is no end `{line.end.text}`", line.end.span, "A is left, B is right")
        return line.end.text

    # --------------------------------------------------------------------------------------------------------- lines

    def _line(self, node: ScenarioDecl, line: LineNode) -> spec.Line | None:
        base = (line.span, line.label, line.text, line.refused[0].text if line.refused else "")
        if line.kind in ("shown", "pause"):
            help_ = "what an observer sees stands in an example, not in a scenario"
            self.report.error("TS050", "no line of a scenario", line.span, help_)
            return None
        if line.kind == "between":
            return self._between(node, line, base)
        if line.kind == "words" and node.state is None and line.end is None:
            return self._states(line, base)
        end = self._end(node, line)
        match line.kind:
            case "signal":
                return scenario.SignalLine(*base, end, line.words[0].text if line.words else None)
            case "choose":
                return scenario.ChooseLine(*base, end, self.reader.settings(line.settings, chosen=True))
            case "check":
                return scenario.CheckLine(*base, end, self._became(line), self._values(line))
            case "out":
                if line.said is None:
                    return scenario.SentLine(*base, end, None)
                if node.state is None:
                    self._of_two(line)
                sent = self.reader.message(line.said)
                return scenario.SentLine(*base, end, sent) if sent is not None else None
        return self._event(node, line, base, end)

    def _of_two(self, line: LineNode) -> None:
        help_ = "write where it goes: STATE --> MESSAGE --> STATE, or `...` where it does not arrive"
        self.report.error("TS050", "with two ends a message goes from one to the other", line.span, help_)

    def _became(self, line: LineNode) -> str:
        return self._state(line.state[0]) if line.state else ""

    def _values(self, line: LineNode) -> scenario.Values:
        return self.reader.settings(line.values[0]) if line.values else ()

    def _states(self, line: LineNode, base: Base) -> spec.Line | None:
        if len(line.words) < 2:
            help_ = "two states, or an event of one end: `A: EVENT`"
            self.report.error("TS050", "a line with one word", line.span, help_)
            return None
        left, right = (self._state(word) for word in line.words)
        if line.state or line.values:
            self.report.error("TS050", "the line gives the states already", line.span, "leave the rest away")
        return scenario.StatesLine(*base, left, right)

    def _between(self, node: ScenarioDecl, line: LineNode, base: Base) -> spec.Line | None:
        assert line.said is not None
        if node.state is not None:
            help_ = "`< MESSAGE` comes, `> MESSAGE` goes"
            self.report.error("TS050", "a scenario of one end has no other side", line.span, help_)
            return None
        if line.end is not None:
            self.report.error("TS050", "the message is about both ends", line.end.span, "leave `A:` or `B:` away")
        way = _ARROWS.get(line.arrows)
        if way is None:
            self.report.error("TS050", f"`{'` and `'.join(line.arrows)}` do not fit together", line.span, _BETWEEN)
        left, right = (self._state(word) if word is not None else "" for word in (line.left, line.right))
        message = self.reader.message(line.said)
        if way is None or message is None:
            return None
        return scenario.MessageLine(*base, *way, left, right, message)

    def _event(self, node: ScenarioDecl, line: LineNode, base: Base, end: str) -> spec.Line | None:
        message, rule, event = None, "", None
        if line.kind == "in":
            assert line.said is not None
            if node.state is None:
                self._of_two(line)
            message = self.reader.message(line.said)
            event = self.names.events.get(("message", message.message)) if message else None
            said = message.text if message else ""
        elif line.kind == "may":
            rule, event = self.reader.own_rule(line.words), OWN
            said = f"may {rule}".rstrip()
        else:
            event = self.reader.event(line.kind, line.words)
            said = str(event)
        state, values = self._became(line), self._values(line)
        if event is None:
            return None
        return scenario.EventLine(*base, end, event, said, message, rule, state, values)
