"""The words of logs for events, and which of them a spec knows.

Owns: finding the event or signal that a word names, and counting words that name none.
Must never hold: a word of a source or a protocol: those stand in the specs.
"""

from __future__ import annotations

from tcpmodel.model import spec as m

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tcpmodel.semantics.program import EventKey
    from tcpmodel.traces.records import Event

MOST_STRANGE = 20
"""So many unknown words are told apart."""


def known_words(spec: m.Spec) -> tuple[dict[tuple[str, str], EventKey], dict[str, str]]:
    """The events of a spec by kind and name in upper case, and its signals by their text in upper case."""
    events: dict[tuple[str, str], EventKey] = {}
    signals: dict[str, str] = {}
    for event in spec.events:
        events[event.kind, event.name.upper()] = (event.kind, event.name)
    for state in spec.states:
        for rule in state.rules:
            for action in rule.actions:
                if isinstance(action, m.Signal):
                    signals[action.text.upper()] = action.text
    return events, signals


class EventWords:
    """The words of one trace."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, str], str] = {}
        self._strange = 0
        self._words: dict[str, tuple[dict[tuple[str, str], EventKey], dict[str, str]]] = {}

    def unknown(self, event: Event, source: str, spec: m.Spec) -> str:
        """Why an event cannot be used, in words; "" if it can."""
        key = (spec.name, source, event.kind, event.name.upper())
        reason = self._known.get(key)
        if reason is None:
            reason = self._look_up(event, source, spec)
            if reason:
                self._strange += 1
                if self._strange > MOST_STRANGE:
                    return f"other unknown {event.kind}s"
            if len(self._known) < 64 * MOST_STRANGE:
                self._known[key] = reason
        return reason

    def _look_up(self, event: Event, source: str, spec: m.Spec) -> str:
        declared = next((item for item in spec.sources if item.name == source), None)
        if declared is None:
            return f"the spec {spec.name} does not say what {source} shows"
        word = event.name.upper()
        if any(told == word for told, _ in declared.tells):
            return ""
        if spec.name not in self._words:
            self._words[spec.name] = known_words(spec)
        events, signals = self._words[spec.name]
        if word in signals if event.kind == "signal" else (event.kind, word) in events:
            return ""
        return f"unknown {event.kind} {event.name} (first in line {event.number})"
