"""Resolves what a spec says of logs: which of its states and events they show, and in which words.

Owns: the declaration ``source``.
Must never hold: how a log is read, or judged.
"""

from __future__ import annotations

from tcpmodel.language import syntax
from tcpmodel.language.source_syntax import Reading, SourceDecl
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.judged import text_of
from tcpmodel.model.names import Names
from tcpmodel.model.rules import Rules


class Sources:
    """All sources of one file; the rules of the states must be resolved."""

    def __init__(self, file: syntax.File, names: Names, rules: Rules, states: tuple[spec.State, ...]) -> None:
        self.file = file
        self.names = names
        self.rules = rules
        self.report = names.report
        self.signals = {
            action.text: None
            for state in states
            for rule in state.rules
            for action in rule.actions
            if isinstance(action, spec.Signal)
        }

    def _state_name(self, word: Word) -> str:
        self.names.known("state", word, self.names.states, "TS010")
        return word.text

    def all(self) -> tuple[spec.Source, ...]:
        """All sources of logs."""
        out = []
        for node in self.file.all(SourceDecl):
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
                    node.samples,
                    tuple(self._state_name(word) for word in node.absent),
                    self.names.cite(node.cites),
                    node.doc,
                    node.span,
                    self._tells(node),
                    node.shows_calls,
                    tuple(
                        word.text
                        for word in node.without
                        if self.names.known("profile", word, self.names.profiles, "TS015")
                    ),
                )
            )
        return tuple(out)

    def _tells(self, node: SourceDecl) -> tuple[tuple[str, tuple[spec.Reading, ...]], ...]:
        out: dict[str, tuple[spec.Reading, ...]] = {}
        for words, readings in node.tells:
            meant = tuple(self._reading(reading) for reading in readings)
            for word in words:
                key = word.text.upper()
                if key in out:
                    self.report.error("TS020", f"`{word.text}` is told twice", word.span, "leave one of them")
                out[key] = meant
        return tuple(out.items())

    def _reading(self, reading: Reading) -> spec.Reading:
        extra = [event.span for event in reading.events[1:]] + [signal.span for signal in reading.signals[1:]]
        extra += [words[0].span for words in reading.states[1:]]
        for span in extra:
            self.report.error("TS004", "a second thing of one kind in one reading", span, "write `or` between them")
        for signal in reading.signals:
            if signal.text not in self.signals:
                self.report.unknown("TS019", "signal", signal, self.signals)
        events: list[spec.Event] = []
        for reference in reading.events[:1]:
            events.extend(self.rules.events_of([reference], reference.span))
            if events and events[0].kind == "message":
                self.report.error("TS044", "a log of events shows no messages", reference.span, "name a call or timer")
        return spec.Reading(
            (events[0].kind, events[0].name) if events else None,
            reading.signals[0].text if reading.signals else None,
            tuple(self._state_name(word) for words in reading.states[:1] for word in words),
        )

    def _printed(self, word: Word, renames: dict[str, str]) -> str:
        """The state that a printed word stands for; the state's own name may be written as well."""
        state = renames.get(word.text.upper().replace("_", "-"))
        return state if state is not None and word.text not in self.names.states else self._state_name(word)
