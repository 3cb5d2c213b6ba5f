"""Logs of calls judged by themselves: whether the answers on one socket can follow each other.

Owns: following the calls on one socket through a spec of sockets, and what is said of an answer that it drops.
Must never hold: the words of a log or which call may follow which: those stand in the spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tcpmodel.checking.ends.configurations import Abilities, Configurations
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.model import spec as m
from tcpmodel.semantics.execution import Run
from tcpmodel.semantics.program import EventKey, Program
from tcpmodel.traces.records import DOUBTFUL, Event

SHOWN = 3
"""So many calls before the one that cannot be are shown with it."""


def spec_of_calls(specs: Iterable[m.Spec], protocol: str, source: str) -> m.Spec | None:
    """The spec that says which calls of ``source`` may follow each other, beside that of ``protocol``."""
    for spec in specs:
        if not spec.messages and spec.over != protocol and any(one.name == source for one in spec.sources):
            return spec
    return None


class Calls:
    """Judges the calls of one source by ``spec``, which has no messages."""

    def __init__(self, spec: m.Spec, source: str) -> None:
        self.spec = spec
        self._abilities = Abilities(Program(spec, {}))
        declared = next(one for one in spec.sources if one.name == source)
        self._tells = dict(declared.tells)
        self._events = {(event.kind, event.name.upper()): (event.kind, event.name) for event in spec.events}

    def wrong(self, lines: Sequence[object]) -> Diagnostic | None:
        """The first call on one socket that cannot follow those before it; None if all can."""
        now: Configurations | None = None
        before: list[Event] = []
        for line in lines:
            event = self._event(line) if isinstance(line, Event) else None
            if event is None or not isinstance(line, Event):
                continue
            if now is None:
                now = self._after(self._abilities.fresh(), event) or self._after(self._middle(), event)
                before.append(line)
                continue
            after = self._after(now, event)
            if after:
                now = after
                before.append(line)
            elif DOUBTFUL not in line.values:
                return self._finding(line, now, before)
        return None

    def _event(self, line: Event) -> EventKey | None:
        """What a word of the log stands for; None for nothing that this spec knows, or for several things."""
        word = line.name.upper()
        readings = self._tells.get(word)
        if readings is None:
            return self._events.get((line.kind, word))
        return readings[0].event if len(readings) == 1 else None

    def _middle(self) -> Configurations:
        """Where a socket may be that is in use when the log begins."""
        final = {at for at, name in enumerate(self._abilities.program.states) if self.spec.state(name).final}
        return {key: c for key, c in self._abilities.universe().items() if c.state not in final}

    def _after(self, now: Configurations, event: EventKey) -> Configurations:
        abilities = self._abilities
        after: Configurations = {}
        for configuration in now.values():
            for outcome in Run(abilities.program, event).start(configuration.state, configuration.values):
                if outcome.rules and outcome.rules[-1].source.drops:
                    continue
                new = abilities.after(configuration, outcome, 0, anew=True)
                if new is not None:
                    abilities.add(after, new)
        return after

    def _finding(self, line: Event, now: Configurations, before: Sequence[Event]) -> Diagnostic:
        program = self._abilities.program
        states = [name for at, name in enumerate(program.states) if any(c.state == at for c in now.values())]
        possible = [
            name
            for kind, name in dict.fromkeys((event.kind, event.name) for event in self.spec.events)
            if self._after(now, (kind, name))
        ]
        cites = (str(cite) for state in states for rule in self.spec.state(state).rules for cite in rule.cites)
        told = ", ".join(f"{one.name} (line {one.number})" for one in before[-SHOWN:])
        return Diagnostic(
            f"{self.spec.name.upper()}-CALL",
            "violation",
            line.local,
            line.number,
            True,
            f"tells of {line.name}, which cannot follow what was told of the socket before: {told}",
            tuple(dict.fromkeys(cites))[:2],
            line.time,
            observed=f"{line.kind} {line.name}",
            states=tuple(states),
            allowed=(", ".join(possible),) if possible else (),
        )
