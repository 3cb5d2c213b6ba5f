"""Logs of observers that tell all that moved their machine, followed step by step to what they say came out.

Owns: following a spec that has no messages, whose events are all logged, from the initial state to the state that the
log gives at the end.
Must never hold: the words of a source, or what a word means: those stand in the spec.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpmodel.checking.ends.configurations import Abilities, Configurations
from tcpmodel.checking.outcome.findings import (
    CONFORMS,
    INCONCLUSIVE,
    VIOLATES,
    ConnectionReport,
    Diagnostic,
)
from tcpmodel.checking.outcome.patterns import Pattern
from tcpmodel.checking.outcome.reports import ConnectionReports
from tcpmodel.model import spec as m
from tcpmodel.semantics.execution import Run
from tcpmodel.semantics.program import EventKey, Program
from tcpmodel.traces.records import Event, StateRecord

STORIES_KEPT = 1 << 14
"""So many stories are remembered with what came out of them, and so many may be unfinished at a time."""

EVENTS_KEPT = 1 << 19
"""So many events may they have altogether, whichever comes first."""

MOST_EVENTS = 1 << 10
"""A longer story is not followed."""


@dataclass(slots=True)
class _Story:
    """What was told of one connection so far."""

    first: Event | StateRecord
    events: list[EventKey] = field(default_factory=list)


@dataclass(slots=True)
class _Ending:
    """What comes out of a story: the states that it leads to, with the rules that fired last."""

    states: dict[str, tuple[str, ...]]
    pattern: Pattern | None = None


class Observers:
    """The observers of one protocol. ``spec`` has no messages."""

    def __init__(self, spec: m.Spec) -> None:
        self.spec = spec
        self.abilities = Abilities(Program(spec, {}))
        self.endings: dict[tuple[EventKey, ...], _Ending] = {}
        self.patterns: dict[tuple[tuple[EventKey, ...], str], Pattern] = {}
        self._events = 0

    def note(self, events: tuple[EventKey, ...], name: str, pattern: Pattern) -> None:
        """From now on what is told like this, and of this end, is reported like that."""
        self._make_room(events)
        self.patterns[events, name] = pattern

    def _make_room(self, events: tuple[EventKey, ...]) -> None:
        self._events += len(events)
        if len(self.endings) >= STORIES_KEPT or len(self.patterns) >= STORIES_KEPT or self._events > EVENTS_KEPT:
            self.endings.clear()
            self.patterns.clear()
            self._events = len(events)

    def ending(self, events: tuple[EventKey, ...]) -> _Ending:
        """Where these events lead from the initial state."""
        known = self.endings.get(events)
        if known is None:
            self._make_room(events)
            known = self.endings[events] = self._follow(events)
        return known

    def _follow(self, events: tuple[EventKey, ...]) -> _Ending:
        abilities, program = self.abilities, self.abilities.program
        now = abilities.fresh()
        rules: dict[str, dict[str, None]] = {}
        for event in events:
            after: Configurations = {}
            rules = {}
            for configuration in now.values():
                if not program.rules_for(configuration.state, event):
                    abilities.add(after, configuration)
                    continue
                for outcome in Run(program, event).start(configuration.state, configuration.values):
                    new = abilities.after(configuration, outcome, 0, anew=True)
                    if new is not None:
                        abilities.add(after, new)
                        fired = rules.setdefault(program.states[outcome.state], {})
                        for rule in outcome.rules[-1:]:
                            cites = ", ".join(str(cite) for cite in rule.source.cites)
                            fired[f"{rule.source.id} [{cites}]"] = None
            now = after
        found = {program.states[c.state] for c in now.values()}
        return _Ending({name: tuple(rules.get(name, ())) for name in program.states if name in found})


class Retold:
    """Takes the records of one trace of one source and fills ``reports``; ``origin`` is the index of the input."""

    def __init__(self, observers: Observers, source: m.Source, reports: ConnectionReports, origin: int) -> None:
        self._observers = observers
        self._reports = reports
        self._origin = origin
        self._stories: dict[str, _Story] = {}
        self._told = 0
        """How many events all of them have."""
        self._names = dict(source.names)
        self._events = {(event.kind, event.name.upper()): (event.kind, event.name) for event in observers.spec.events}

    def event(self, record: Event) -> str:
        """Take one event; the reason in words when it cannot be used, else ""."""
        key = self._events.get((record.kind, record.name.upper()))
        if key is None:
            return f"{record.kind}s that the spec {self._observers.spec.name} does not name"
        story = self._story(record)
        if len(story.events) < MOST_EVENTS:
            story.events.append(key)
            self._told += 1
            while self._told > EVENTS_KEPT:
                self._give_up()
        return ""

    def state(self, record: StateRecord) -> str:
        """Take what is said to have come out; the reason in words when it cannot be used, else ""."""
        name = self._names.get(record.new.upper().replace("_", "-")) if record.new else ""
        if name is None:
            return "unknown state names"
        story = self._story(record)
        self._drop(record.endpoint)
        self._finish(story, record, name)
        return ""

    def finish(self) -> None:
        """The trace is over: what was told of connections without an end is reported as it is."""
        for story in self._stories.values():
            self._finish(story, story.first, "")
        self._stories.clear()
        self._told = 0

    def _story(self, record: Event | StateRecord) -> _Story:
        story = self._stories.get(record.endpoint)
        if story is None:
            if len(self._stories) >= STORIES_KEPT:
                self._give_up()
            story = self._stories[record.endpoint] = _Story(record)
        return story

    def _give_up(self) -> None:
        """Report the story that began first as it is."""
        unfinished = self._drop(next(iter(self._stories)))
        self._finish(unfinished, unfinished.first, "")

    def _drop(self, endpoint: str) -> _Story:
        story = self._stories.pop(endpoint)
        self._told -= len(story.events)
        return story

    def _finish(self, story: _Story, record: Event | StateRecord, name: str) -> None:
        observers = self._observers
        events = tuple(story.events)
        number = len(self._reports) + 1
        pattern = observers.patterns.get((events, name))
        if pattern is not None:
            self._reports.add_like(pattern, number, record.local, record.remote, self._origin, len(events) + bool(name))
            return
        ending = observers.ending(events)
        whole = 0 < len(events) < MOST_EVENTS
        states = (name,) if name else tuple(ending.states)
        reasons: list[str] = []
        if not whole:
            reasons.append("more is told of it than is followed" if events else "nothing is told of what happened")
        if not name:
            reasons.append("it is not said what came out")
        elif observers.abilities.unfinished(list(states)):
            reasons.append("the end was not logged")
        found: tuple[Diagnostic, ...] = ()
        if whole and name and name not in ending.states:
            found = (self._disagreement(record, name, ending),)
        spec = observers.spec
        report = ConnectionReport(
            f"{spec.name}-{number}",
            spec.over or spec.name,
            record.local,
            record.remote,
            VIOLATES if found else INCONCLUSIVE if reasons else CONFORMS,
            tuple(reasons),
            states,
            (),
            len(events) + bool(name),
            found,
            self._origin,
        )
        if found:
            self._reports.append(report)
            return
        pattern = Pattern(report)
        observers.note(events, name, pattern)
        self._reports.add_like(pattern, number, record.local, record.remote, self._origin, len(events) + bool(name))

    def _disagreement(self, record: Event | StateRecord, name: str, ending: _Ending) -> Diagnostic:
        spec = self._observers.spec
        allowed = tuple(f"{state}: {'; '.join(rules)}" if rules else state for state, rules in ending.states.items())
        fired = (rule for state in spec.states for rule in state.rules if rule.target == name and state.name != name)
        cites = dict.fromkeys(str(cite) for rule in fired for cite in rule.cites)
        return Diagnostic(
            f"{spec.name.upper()}-TRANSITION",
            "violation",
            record.local,
            record.number,
            True,
            f"is said to end in {name}, but what is told of it leads to {' or '.join(ending.states)}",
            tuple(cites)[:2],
            record.time,
            observed=name,
            states=tuple(ending.states),
            allowed=allowed,
            excuse="both were written by the same observer, of the same packets",
        )
