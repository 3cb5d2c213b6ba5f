"""State logs: a second view of the same machine, with blind spots that the spec declares (`source`).

Owns: following each logged socket through its records, judging every change of state, and pairing the two ends of a
connection when one log shows both.
Must never hold: the words of a source or what it hides: those stand in the spec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tcpmodel.checking.ends.configurations import Abilities, Configuration, Configurations, Reception, rebase
from tcpmodel.checking.logs.state_words import Words
from tcpmodel.checking.outcome.findings import (
    CONFORMS,
    INCONCLUSIVE,
    VIOLATES,
    ConnectionReport,
    Diagnostic,
    Findings,
    with_rest,
)
from tcpmodel.checking.outcome.reports import ConnectionReports
from tcpmodel.model import spec as m
from tcpmodel.semantics.execution import Run
from tcpmodel.traces.records import StateRecord

MOST_STRANGE = 20
"""So many unknown names of states are told apart."""

MOST_LIVES = 1 << 17
"""So many sockets are followed; then the half that was quiet longest is reported as it stands."""

MOST_STEPS = 1 << 14
"""So many changes from a known set of configurations are remembered."""


@dataclass(slots=True)
class Life:
    """One socket from the first record to the last, ``latest``. ``begun``: it was seen, and not only missed."""

    local: str
    remote: str
    now: Configurations
    records: int = 0
    from_start: bool = True
    gaps: int = 0
    over: bool = False
    begun: bool = True
    latest: int = 0
    diagnostics: Findings = field(default_factory=Findings)


class StateLog:
    """Follows the sockets of one log of one source."""

    def __init__(self, abilities: Abilities, source: m.Source) -> None:
        self.abilities = abilities
        self.program = abilities.program
        self.source = source
        self.index = {name: number for number, name in enumerate(self.program.states)}
        self.initial = self.program.states[self.program.initial]
        self._state = Words(source, self.index).state
        self.reads = {(old, new): states for old, new, states in source.reads}
        self.hidden = {self.index[name] for name in source.hides}
        self.births = set(source.births)
        self._never = {(name, True) for name in source.without}
        self._shown: set[str] = set()
        self._strange: dict[str, int] = {}
        self.current: dict[str, Life] = {}
        self.lives: list[Life] = []
        self._early = ConnectionReports()
        self._given_up = self._first_given_up = 0
        self.found: Callable[[str, str, str, Diagnostic], None] | None = None
        self._fresh = abilities.fresh()
        self._within: dict[tuple[str, ...], Configurations] = {}
        # What follows from the same set by the same change. The set itself is kept, so that its identity stays its own.
        self._steps: dict[tuple[int, str, str], tuple[Configurations, Configurations, tuple[Diagnostic, ...]]] = {}

    def observe(self, record: StateRecord) -> str:
        """Take one record; the reason in words when it cannot be used, else ""."""
        if not record.old:
            return self._sample(record)
        old, new = self._state(record.old), self._state(record.new)
        if old is None or new is None:
            return self._unknown(record.old if old is None else record.new, record.number)
        life = self._life(record, old, new)
        self._note(life, record)
        if old != new or not self.source.self_records:
            self._move(life, record, old, new)
        elif self.index[new] == self.program.initial:
            life.over = True
        return ""

    def _unknown(self, word: str, number: int) -> str:
        """The reason for leaving out a line whose state the source does not name."""
        if word not in self._strange and len(self._strange) >= MOST_STRANGE:
            return "other unknown state names"
        first = self._strange.setdefault(word, number)
        return f"unknown state name {word} (first in line {first})"

    def _note(self, life: Life, record: StateRecord) -> None:
        """Count the record, and take over the addresses that it knows."""
        life.records += 1
        life.latest = record.number
        if len(self.lives) >= MOST_LIVES:
            self._give_up(record.number)
        if record.local.rpartition(":")[2] not in ("0", ""):
            life.local = record.local
        if record.remote.rpartition(":")[2] not in ("0", ""):
            life.remote = record.remote

    # ------------------------------------------------------------------------------------------------------- samples

    def _sample(self, record: StateRecord) -> str:
        """The endpoint was seen in a state, or was missing where it would have been seen."""
        life = self.current.get(record.endpoint)
        seen = self._where_missing(life)
        if record.new:
            state = self._state(record.new)
            if state is None:
                return self._unknown(record.new, record.number)
            seen = (state,)
            self._shown.add(state)
        if life is None or (life.over and life.begun and record.new):
            life = self._appears(record, seen, life is not None or not record.new)
        else:
            life = self._follows(life, record, seen)
        life.begun = life.begun or bool(record.new)
        self._note(life, record)
        life.now = self._anything_in(*seen)
        life.over = self.initial in seen
        return ""

    def _where_missing(self, life: Life | None) -> tuple[str, ...]:
        """The states in which an endpoint may be that is not shown: none of those that this log does show."""
        names = [name for name in self.source.absent if name not in self._shown or name == self.initial]
        if life is not None and life.begun:
            later = self.abilities.later(sorted({self.program.states[c.state] for c in life.now.values()}))
            names = [name for name in names if name in later]
        return tuple(names) or (self.initial,)

    def _appears(self, record: StateRecord, seen: Sequence[str], from_start: bool) -> Life:
        """A life that begins with a sample. ``from_start``: it is known not to have been there before."""
        life = Life(record.local, record.remote, self._anything_in(*seen))
        life.from_start = from_start
        life.begun = bool(record.new)
        self.current[record.endpoint] = life
        self.lives.append(life)
        return life

    def _follows(self, life: Life, record: StateRecord, seen: Sequence[str]) -> Life:
        """The life that this sample belongs to, once it is judged whether it can follow what was seen before."""
        before = {c.state for c in life.now.values()}
        wanted = {self.index[name] for name in seen}
        if before & wanted or wanted & {target for state in before for target in self._next(state)}:
            return life
        was, now = " or ".join(self.program.states[state] for state in sorted(before)), " or ".join(seen)
        if wanted & self._reachable(before):
            if not self.source.samples:
                self._gap(life, record, f"records are missing: {now} does not follow {was} in one step")
            return life
        if record.endpoint.startswith(record.local):
            # An address may serve another socket later; the socket itself may not.
            self._gap(life, record, f"closed and opened again unseen: {now} cannot follow {was} in one life")
            return self._appears(record, seen, False)
        states = tuple(self.program.states[state] for state in sorted(before))
        later = [self.program.states[state] for state in sorted(self._reachable(before) - before)]
        words = f"is in {now} after {was}, and no rules of the spec lead from there to here"
        allowed = (f"{was} -> ... -> {', '.join(later)}",) if later else ()
        self._report(life, record, words, states, allowed, record.new)
        return life

    def _next(self, state: int) -> set[int]:
        return {rule.target for rules in self.program.rules[state].values() for rule in rules}

    def _reachable(self, states: set[int]) -> set[int]:
        """Where an endpoint may be later in the same life, or in the next one if it rests where that begins."""
        begun = {target for state in states if self.abilities.resting[state] for target in self._next(state)}
        names = [self.program.states[state] for state in states | begun]
        return {self.index[name] for name in self.abilities.later(names)}

    # ------------------------------------------------------------------------------------------------------- changes

    def _life(self, record: StateRecord, old: str, new: str) -> Life:
        life = self.current.get(record.endpoint)
        begins = self.index[old] == self.program.initial
        born = (old, new) in self.births
        # The same kernel object, or the same addresses, may serve another socket later; a birth is always a new one.
        if life is not None and not (life.over and begins) and not (born and life.over):
            return life
        life = Life(record.local, record.remote, {})
        if begins:
            life.now = self._fresh
        elif born:
            life.now = self._grown(old)
        else:
            life.now = self._anything_in(old)
            life.from_start = False
        self.current[record.endpoint] = life
        self.lives.append(life)
        return life

    def _grown(self, state: str) -> Configurations:
        """A new endpoint that has come to ``state`` unseen."""
        key = (id(self._fresh), "", state)
        if key not in self._steps:
            grown = self._advance(self._fresh, {self.index[state], self.program.initial})
            self._steps[key] = self._fresh, {k: c for k, c in grown.items() if c.state == self.index[state]}, ()
        return self._steps[key][1]

    def _move(self, life: Life, record: StateRecord, old: str, new: str) -> None:
        life.over = self.index[new] == self.program.initial
        key, before = (id(life.now), record.old, record.new), life.now
        known = self._steps.get(key)
        if known is None:
            found = len(life.diagnostics)
            self._first_time(life, record, old, new)
            if len(self._steps) < MOST_STEPS:
                self._steps[key] = before, life.now, tuple(replace(item) for item in life.diagnostics[found:])
            return
        _, life.now, told = known
        for item in told:
            life.gaps += item.severity == "capture"
            same = replace(item, endpoint=life.local, place=record.number, time=record.time, told=False)
            self._add(life, same)

    def _first_time(self, life: Life, record: StateRecord, old: str, new: str) -> None:
        start = self.index[old]
        waiting = self._advance(life.now, {start} | self.hidden)
        if not any(c.state == start for c in waiting.values()):
            self._gap(life, record, f"records are missing: this one begins in {old}, the last one did not end there")
            waiting = self._anything_in(old)
        allowed = self.reads.get((old, new), (new,))
        after: Configurations = {}
        for name in allowed:
            if name == old:
                for configuration in waiting.values():
                    if configuration.state == start:
                        self.abilities.add(after, configuration)
            else:
                for configuration in self._step(waiting, self.index[name]).values():
                    self.abilities.add(after, configuration)
        if after and new not in allowed:
            grown = self._advance(after, {self.index[name] for name in (*allowed, new)})
            after |= {key: c for key, c in grown.items() if c.state == self.index[new]}
        if not after:
            self._violation(life, record, old, new, waiting)
            after = self._anything_in(*allowed)
        life.now = rebase({key: _cheap(c) for key, c in after.items()})

    def _anything_in(self, *states: str) -> Configurations:
        """Every configuration in these states, of an endpoint of which nothing else is known."""
        found = self._within.get(states)
        if found is None:
            wanted = {self.index[name] for name in states}
            found = {key: c for key, c in self.abilities.universe().items() if c.state in wanted}
            self._within[states] = found
        return found

    def _advance(self, base: Configurations, within: set[int]) -> Configurations:
        """What may happen unseen while the log shows no change: everything that stays within these states."""
        closed = {key: c for key, c in base.items() if c.state in within}
        waiting = list(closed)
        grown: dict[object, int] = {}
        while waiting:
            current = closed[waiting.pop()]
            for new in self._outcomes(current, micro=False):
                if new.state not in within:
                    continue
                key = self.abilities.key(new)
                found = self.abilities.add(closed, new, self.abilities.no_limits if grown.get(key, 0) > 3 else None)
                if found is not None:
                    grown[found] = grown.get(found, 0) + 1
                    waiting.append(found)
        return closed

    def _step(self, base: Configurations, target: int) -> Configurations:
        """One change of state, as one micro step of one event, into ``target``."""
        after: Configurations = {}
        for configuration in base.values():
            for new in self._outcomes(configuration, micro=True):
                if new.state == target and new.state != configuration.state:
                    self.abilities.add(after, new)
        return after

    def _outcomes(self, configuration: Configuration, *, micro: bool) -> list[Configuration]:
        found: list[Configuration] = []
        hidden = [Reception(event, None, ()) for event in self.abilities.hidden[configuration.state]]
        for event, flags, slots in [*hidden, *self.abilities.anything()]:
            run = Run(self.program, event, unseen=True, micro=micro, flags=flags)
            for outcome in run.start(configuration.state, configuration.values, slots):
                if self._never and any(not self._never.isdisjoint(rule.source.profiles) for rule in outcome.rules):
                    continue
                new = self.abilities.after(configuration, outcome, 0, anew=configuration.state not in self.hidden)
                if new is not None:
                    found.append(new)
        return found

    def _violation(self, life: Life, record: StateRecord, old: str, new: str, waiting: Configurations) -> None:
        ways: dict[str, list[str]] = {}
        for rule in self.program.spec.state(old).rules:
            if rule.target != old:
                clause = ", ".join(str(cite) for cite in rule.cites)
                ways.setdefault(rule.target, []).append(f"{rule.event} [{clause}]")
        reachable = {c.state for base in waiting.values() for c in self._outcomes(base, micro=True)}
        allowed = tuple(
            f"{old} -> {target}: {'; '.join(dict.fromkeys(events))}"
            for target, events in ways.items()
            if self.index[target] in reachable
        )
        structural = new in ways
        words = f"goes from {old} to {new}, which no rule of the spec allows"
        if structural:
            words = f"goes from {old} to {new}, which no rule allows after what was logged before"
        self._report(life, record, words, (old,), allowed, f"{record.old} -> {record.new}")

    def _gap(self, life: Life, record: StateRecord, words: str) -> None:
        """Note that the log does not tell everything."""
        life.gaps += 1
        self._add(life, Diagnostic("CAP-006", "capture", life.local, record.number, True, words, (), record.time))

    def _add(self, life: Life, item: Diagnostic) -> None:
        life.diagnostics.append(item)
        if self.found is not None:
            self.found(self.program.spec.name, life.local, life.remote, item)

    def _report(
        self,
        life: Life,
        record: StateRecord,
        words: str,
        states: tuple[str, ...],
        allowed: tuple[str, ...],
        observed: str,
    ) -> None:
        """Add a violation: in ``states`` before, ``allowed`` instead."""
        rules = [rule for name in states for rule in self.program.spec.state(name).rules]
        cites = tuple(dict.fromkeys(str(cite) for rule in rules for cite in rule.cites))
        self._add(
            life,
            Diagnostic(
                f"{self.program.spec.name.upper()}-TRANSITION",
                "violation",
                life.local,
                record.number,
                True,
                words,
                cites[:2],
                record.time,
                observed=observed,
                states=states,
                allowed=allowed,
            ),
        )

    # ------------------------------------------------------------------------------------------------------ reports

    def reports(self, first: int) -> Iterator[ConnectionReport]:
        """One report per connection; the two ends of a connection that one log shows share one."""
        number = first - 1
        for number, one in enumerate(self._early, first):
            yield replace(one, id=f"{self.program.spec.name}-{number}")
        yield from self._reports_of(self.lives, number + 1)

    def findings(self) -> list[Diagnostic]:
        """What is said of the log as a whole."""
        if not self._given_up:
            return []
        words = f"sockets reported as they stood, because too many were open at a time: {self._given_up:,}"
        return [Diagnostic("CAP-014", "capture", "", self._first_given_up, True, words)]

    def _give_up(self, place: int) -> None:
        """Report as they are those that were quiet longest; what comes of them yet begins anew, unseen."""
        latest = sorted(life.latest for life in self.lives)[len(self.lives) // 2]
        gone = [life for life in self.lives if life.latest < latest]
        self._early.extend(self._reports_of(gone, len(self._early) + 1))
        self.lives = [life for life in self.lives if life.latest >= latest]
        self.current = {key: life for key, life in self.current.items() if life.latest >= latest}
        self._given_up += sum(not life.over for life in gone)
        self._first_given_up = self._first_given_up or place

    def _reports_of(self, lives: Sequence[Life], first: int) -> Iterator[ConnectionReport]:
        pairs: list[tuple[Life, Life | None]] = []
        open_ends: dict[tuple[str, str], list[int]] = {}
        for life in lives:
            waiting = open_ends.get((life.remote, life.local), [])
            if waiting:
                index = waiting.pop(0)
                pairs[index] = (pairs[index][0], life)
            else:
                open_ends.setdefault((life.local, life.remote), []).append(len(pairs))
                pairs.append((life, None))
        for number, (a, b) in enumerate(pairs, first):
            yield self._connection(number, a, b)

    def _connection(self, number: int, a: Life, b: Life | None) -> ConnectionReport:
        lives = [a] if b is None else [a, b]
        reasons: list[str] = []
        if not all(life.from_start for life in lives):
            reasons.append("the beginning was not logged")
        if any(life.gaps for life in lives):
            reasons.append("records are missing from the log")
        if any(self.abilities.unfinished(self.abilities.likely_states(life.now)) for life in lives):
            reasons.append("the end was not logged")
        found = sorted((item for life in lives for item in life.diagnostics), key=lambda item: item.place)
        if any(item.severity == "violation" for item in found):
            verdict = VIOLATES
        else:
            verdict = INCONCLUSIVE if reasons else CONFORMS
        return ConnectionReport(
            f"{self.program.spec.name}-{number}",
            self.program.spec.over or self.program.spec.name,
            a.local,
            a.remote,
            verdict,
            tuple(reasons),
            tuple(self.abilities.likely_states(a.now)),
            tuple(self.abilities.likely_states(b.now)) if b is not None else (),
            sum(life.records for life in lives),
            with_rest(found),
            logged=True,
        )


def _cheap(configuration: Configuration) -> Configuration:
    """What the log shows did happen, however unlikely."""
    return Configuration(configuration.state, configuration.values, 0, configuration.ended)
