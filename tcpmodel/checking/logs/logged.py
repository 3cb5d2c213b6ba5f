"""An endpoint of which a log tells states or events, beside the packets that were seen.

Owns: what a log says of the way of one endpoint, and following how far along the log each configuration is.
Must never hold: where a log comes from, what its words mean (see ``source`` in the specs), or anything of a protocol.

How many entries of the log are used up is one more value of a configuration, an interval like the others. Nothing here
needs a clock: an entry is used up by a step of the model that can be what it tells, in the order of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tcpmodel.checking.ends.configurations import Abilities, Configuration, Configurations, Key, Limits, Reception
from tcpmodel.language.span import NOWHERE
from tcpmodel.model import spec as m
from tcpmodel.model.types import OCTETS
from tcpmodel.semantics.execution import Outcome, Run
from tcpmodel.semantics.program import EventKey

POSITION = " position in the log"
"""The name of the variable; no spec can declare one with blanks."""

States = frozenset[int]


def with_position(spec: m.Spec) -> m.Spec:
    """The spec with one more variable, which no rule reads or sets."""
    title = "entries of the log that are used up"
    start = m.Literal(OCTETS, NOWHERE, "0", 0)
    position = m.Variable(POSITION, OCTETS, False, False, start, title, (), "", NOWHERE)
    return replace(spec, variables=(*spec.variables, position))


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an entry may tell, all of it at once: an event, a signal that was told, states of which one was reached."""

    event: EventKey | None = None
    signal: str | None = None
    states: States | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: one of ``meanings`` holds. ``then``: where the end may be until the next entry; None: anywhere.

    ``kind``: that of the event (``call``); "" for a line that tells a state.
    """

    place: int
    time: int | None
    words: str
    meanings: tuple[Meaning, ...]
    then: States | None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """What is told of one end, in its order. ``before``: where it may be before the first entry; None: anywhere."""

    entries: tuple[Entry, ...]
    before: States | None
    shows_calls: bool

    def allows(self, position: int, state: int) -> bool:
        """May the end be in this state when so many entries are used up?"""
        allowed = self.entries[position - 1].then if position else self.before
        return allowed is None or state in allowed


class LoggedAbilities(Abilities):
    """What an endpoint can do when its log has to agree. ``base`` is of the same program, which has the position."""

    def __init__(self, base: Abilities, log: Log) -> None:
        self.__dict__.update(base.__dict__)
        self._plain = base
        self.idle_counts, self.changing = True, self.hidden  # the log may show it
        self.recalls = None
        self.log = log
        self.total = len(log.entries)
        self.slot = base.program.layout.variables[POSITION]
        self.least, self.most = 0, self.total
        """Bounds of the position when a message is sent, where the order of log and packets is known."""
        self._later: dict[str, set[int]] = {}
        self._known_universe: Configurations | None = None

    # ------------------------------------------------------------------------------------------------------ one step

    def after(self, before: Configuration, outcome: Outcome, cost: int, *, anew: bool = False) -> Configuration | None:
        """As always, and None when the log does not allow it."""
        new = super().after(before, outcome, cost, anew=anew)
        if new is None:
            return None
        for text in outcome.signals:
            self._told(text, new.state)
        event = outcome.rules[0].source.event if outcome.rules else None
        return self._placed(before, new, outcome, (event.kind, event.name) if event is not None else None, forced=False)

    def _placed(
        self, before: Configuration, new: Configuration, outcome: Outcome, event: EventKey | None, *, forced: bool
    ) -> Configuration | None:
        path: list[int] = []
        state = before.state
        for rule in outcome.rules:
            if rule.target != state:
                state = rule.target
                path.append(state)
        forced = forced or (event is not None and event[0] == "call" and self.log.shows_calls)
        low, high = self._interval(before)
        ends = [
            end
            for start in range(low, high + 1)
            for end in self._ends(start, before.state, path, event, outcome.signals, forced)
        ]
        if outcome.matched:
            ends = [end for end in ends if self.least <= end <= self.most]
        if not ends:
            return None
        new.values[self.slot] = (min(ends), max(ends))
        return new

    def _interval(self, configuration: Configuration) -> tuple[int, int]:
        known = configuration.values[self.slot] or (0, 0)
        return max(known[0], 0), min(known[1], self.total)

    def _ends(
        self, start: int, state: int, path: Sequence[int], event: EventKey | None, signals: Sequence[str], forced: bool
    ) -> set[int]:
        """Every position that one step can lead to."""
        found: set[int] = set()
        seen: set[tuple[int, int, bool]] = set()
        waiting = [(start, 0, False)]
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            position, passed, used = node
            current = path[passed - 1] if passed else state
            if passed == len(path) and (used or not forced):
                found.add(position)
            if passed < len(path) and self.log.allows(position, path[passed]):
                waiting.append((position, passed + 1, used))
            if position == self.total:
                continue
            for meaning in self.log.entries[position].meanings:
                if meaning.event is not None and (used or meaning.event != event):
                    continue
                if (
                    meaning.signal is not None
                    and meaning.signal not in signals
                    and not self._may_know(meaning.signal, current)
                ):
                    continue
                now_used = used or meaning.event is not None
                for reached in (passed, passed + 1):
                    if reached > len(path):
                        continue
                    there = path[reached - 1] if reached else state
                    if (meaning.states is None or there in meaning.states) and self.log.allows(position + 1, there):
                        waiting.append((position + 1, reached, now_used))
        return found

    def _told(self, text: str, state: int) -> None:
        known = self._later.setdefault(text, set())
        if state not in known:
            names = self.later([self.program.states[state]])
            known.update(self.program.states.index(name) for name in names)

    def _may_know(self, text: str, state: int) -> bool:
        """May the user have been told this before, and the log say so only now?"""
        return state in self._later.get(text, ())

    # ---------------------------------------------------------------------------------------------------------- sets

    def close(
        self,
        base: Configurations,
        receptions: Sequence[Reception],
        *,
        unseen: bool = False,
        anew: bool = True,
        rested: bool = True,
    ) -> Configurations:
        """As always, and with the entries that are used up without a message."""
        closed = dict(base)
        while True:
            closed = super().close(closed, receptions, unseen=unseen, anew=anew, rested=rested)
            grown = False
            for configuration in list(closed.values()):
                for new in self._by_entries(configuration):
                    grown = self.add(closed, new) is not None or grown
            if not grown:
                return closed

    def _by_entries(self, configuration: Configuration) -> Iterable[Configuration]:
        low, high = self._interval(configuration)
        still = Outcome(configuration.state, configuration.values, False, 0, ())
        copied = replace(configuration, values=list(configuration.values))
        moved = self._placed(configuration, copied, still, None, forced=False)
        if moved is not None:
            yield moved
        events = {meaning.event for entry in self.log.entries[low : high + 1] for meaning in entry.meanings}
        for event in events:
            if event is None:
                continue
            if event[0] == "timer" and not self.program.rules_for(configuration.state, event):
                continue  # no such timer runs here
            # What the event makes it send may leave a little later.
            run = Run(self.program, event, unseen=True)
            for outcome in run.start(configuration.state, configuration.values):
                new = super().after(configuration, outcome, 0, anew=True)
                if new is None:
                    continue
                for text in outcome.signals:
                    self._told(text, new.state)
                placed = self._placed(configuration, new, outcome, event, forced=True)
                if placed is not None:
                    yield placed

    def add(
        self, into: Configurations, new: Configuration, limits: Limits | None = None, key: Key | None = None
    ) -> Key | None:
        """As always; a bound of the position is never given up."""
        before = into.get(key or self.key(new))
        known = before.values[self.slot] if before is not None else None
        key = super().add(into, new, limits, key)
        mine = new.values[self.slot]
        if key is not None and limits is not None and known is not None and mine is not None:
            into[key].values[self.slot] = (min(known[0], mine[0]), max(known[1], mine[1]))
        return key

    def universe(self) -> Configurations:
        """Every configuration that the log allows at some place."""
        if self._known_universe is None:
            found: Configurations = {}
            for key, configuration in self._plain.universe().items():
                places = [at for at in range(self.total + 1) if self.log.allows(at, configuration.state)]
                if places:
                    values = list(configuration.values)
                    values[self.slot] = (min(places), max(places))
                    found[key] = replace(configuration, values=values)
            self._known_universe = found
        return self._known_universe
