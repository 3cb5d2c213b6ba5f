"""The set of configurations in which an endpoint may be.

Owns: what makes two configurations the same, how what is known of them is joined, and closing a set under events that
nobody sees.
Must never hold: when a set is closed or narrowed (see ``endpoint``), or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import is_
from typing import NamedTuple, Protocol

from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Outcome, Run, Slots
from tcpmodel.semantics.expressions import full_range
from tcpmodel.semantics.program import CompiledAssign, CompiledSend, EventKey, Program
from tcpmodel.semantics.slicing import rule_reads
from tcpmodel.semantics.values import Interval


class Reception(NamedTuple):
    """A class of messages that may have arrived; ``flags`` are None when they are not known."""

    event: EventKey
    flags: int | None
    slots: Slots


Key = tuple[int, bool, tuple[Interval | None, ...], tuple[bool, ...]]
Values = list[Interval | None]
Limits = list[int]

WIDEN_AFTER = 4
"""How often a configuration may grow before a bound that moves is given up."""

UNLIKELIEST = 6
"""The highest cost that is told apart: whatever needs as many unlikely things is equally unlikely. Without it, what is
kept possible by something unlikely in each packet would never look the same again."""


@dataclass(slots=True)
class Configuration:
    """One state with what is known of the variables.

    ``cost`` counts the unlikely things that must have happened unseen. ``ended``: the endpoint has come to rest, in the
    initial or a final state, after it had been elsewhere.

    ``must`` and ``may``: the rules that fired on all of the likeliest ways here, and on any of them, as bits by
    ``Abilities.bits``; 0 while nobody counts.
    """

    state: int
    values: Values
    cost: int
    ended: bool = False
    must: int = 0
    may: int = 0


Configurations = dict[Key, Configuration]


Work = Callable[[Configurations, Sequence[Reception]], Configurations]
"""Makes a set of another, and of what may have arrived."""


class Recalls(Protocol):
    """Remembers what came of such work; see ``recalling``."""

    def ask(
        self, what: tuple[bool, ...], base: Configurations, receptions: Sequence[Reception], work: Work
    ) -> Configurations:
        """What ``work`` makes of these."""


class Abilities:
    """What each state of a program can do, found out once: events that may pass unseen, and who can send what."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.silent: list[list[EventKey]] = []
        self.hidden: list[list[EventKey]] = []
        self.changing: list[list[EventKey]] = []
        self.idle_counts = False
        """Does it matter that something happened which changes nothing?"""
        self.senders: list[dict[tuple[str, int], list[EventKey]]] = []
        for state, rules in enumerate(program.rules):
            events = [event for event in rules if event[0] != "message"]
            self.hidden.append(events)
            self.changing.append(self._without_twins(state, [e for e in events if self._changes(state, e)]))
            self.silent.append(self._without_twins(state, [e for e in events if self._can_be_silent(state, e)]))
            senders: dict[tuple[str, int], list[EventKey]] = {}
            for event, sent in program.sends[state].items():
                for what in sent:
                    senders.setdefault(what, []).append(event)
            self.senders.append(senders)
        self.resting = [state.initial or state.final for state in program.spec.states]
        self.paired = any(
            sum(isinstance(action, CompiledSend) and action.required for action in rule.actions) > 1
            for by_event in program.rules
            for rules in by_event.values()
            for rule in rules
        )
        """Does one event send more than one message?"""
        self.dead = self._dead_words()
        self.no_limits: Limits = [-v.INFINITY] * program.tracked
        self._universe: Configurations | None = None
        self._initial: tuple[Key, Values] | None = None
        self.bits: dict[int, int] = {}
        """The bit of each rule of the spec, by the identity of the rule; empty while nobody counts."""
        self.recalls: Recalls | None = None

    def count_rules(self) -> None:
        """From now on, note of configurations which rules fired."""
        rules = [rule for state in self.program.spec.states for rule in state.rules]
        self.bits = {id(rule): 1 << number for number, rule in enumerate(rules)}

    def _changes(self, state: int, event: EventKey) -> bool:
        """Can it do anything but send and signal? What does not leaves what is possible as it was."""
        return any(
            rule.target != state or any(isinstance(action, CompiledAssign) for action in rule.actions)
            for rule in self.program.rules[state][event]
        )

    def _can_be_silent(self, state: int, event: EventKey) -> bool:
        for rule in self.program.rules[state][event]:
            if any(isinstance(a, CompiledSend) and a.required and a.when is None for a in rule.actions):
                continue
            if rule.target != state or any(isinstance(a, CompiledAssign) for a in rule.actions):
                return True
        return False

    def _without_twins(self, state: int, events: list[EventKey]) -> list[EventKey]:
        """Leave out events that do nothing but what another one does always: one way to give up is enough."""
        kept: list[EventKey] = []
        always: set[int] = set()
        for event in sorted(events, key=lambda event: len(self.program.rules[state][event])):
            rules = self.program.rules[state][event]
            plain = [rule for rule in rules if not any(isinstance(a, CompiledAssign) for a in rule.actions)]
            targets = {rule.target for rule in rules if rule.target != state}
            if len(plain) == len(rules) and targets and targets <= always:
                continue
            kept.append(event)
            if len(rules) == 1 and plain and rules[0].guard is None and not rules[0].continues:
                always.add(rules[0].target)
        return kept

    def _dead_words(self) -> list[list[tuple[int, Interval]]]:
        """For each state the words that no rule reads before it sets them: they need not tell configurations apart."""
        program = self.program
        slots = {variable.name: program.layout.variables[variable.name] for variable in program.spec.variables}
        words = {name for name, slot in slots.items() if slot in program.discrete}
        live: list[set[str]] = [set() for _ in program.states]
        known = {id(rule.source): rule.source for by in program.rules for rules in by.values() for rule in rules}
        uses = {key: rule_reads(program.spec, rule) for key, rule in known.items()}
        grown = True
        while grown:
            grown = False
            for state, by_event in enumerate(program.rules):
                found = set(live[state])
                for rules in by_event.values():
                    for rule in rules:
                        reads, sets = uses[id(rule.source)]
                        found |= (reads & words) | (live[rule.target] - sets)
                if found != live[state]:
                    live[state], grown = found, True
        full = {variable.name: full_range(variable.type) for variable in program.spec.variables}
        return [[(slots[name], full[name]) for name in sorted(words - alive)] for alive in live]

    def key(self, configuration: Configuration) -> Key:
        """The identity of a configuration: values that differ in nothing else are joined."""
        values = configuration.values
        return (
            configuration.state,
            configuration.ended,
            tuple([values[slot] for slot in self.program.discrete]),
            tuple([values[slot] is None for slot in self.program.optional]),
        )

    def fresh(self) -> Configurations:
        """A new endpoint in the initial state."""
        if self._initial is None:
            values = self.program.initial_values()
            self._initial = (self.key(Configuration(self.program.initial, values, 0)), values)
        key, values = self._initial
        return {key: Configuration(self.program.initial, list(values), 0)}

    def after(self, before: Configuration, outcome: Outcome, cost: int, *, anew: bool = False) -> Configuration | None:
        """The configuration that an outcome leads to; None when it begins a new life and ``anew`` does not allow that.

        A new life must be seen to begin: otherwise one could explain anything by a whole connection that nobody saw.
        """
        ended = before.ended
        if outcome.state != before.state and self.resting[before.state] != self.resting[outcome.state]:
            if self.resting[outcome.state]:
                ended = True
            elif ended and not anew:
                return None
            else:
                ended = False
        for slot, full in self.dead[outcome.state]:
            outcome.values[slot] = full
        new = Configuration(outcome.state, outcome.values, before.cost + cost + outcome.cost, ended)
        if self.bits:
            perhaps = sum({self.bits[id(rule.source)] for rule in outcome.perhaps})
            fired = sum({self.bits[id(rule.source)] for rule in outcome.rules})
            new.must, new.may = before.must | (fired & ~perhaps), before.may | fired | perhaps
        return new

    def add(
        self, into: Configurations, new: Configuration, limits: Limits | None = None, key: Key | None = None
    ) -> Key | None:
        """Join a configuration into a set; the key when the set grew, None when it held it already.

        With ``limits``, for each slot, a bound that moves goes there at once, and is given up when it moves beyond.
        ``key``: its own, if it is known.
        """
        if key is None:
            key = self.key(new)
        old = into.get(key)
        if old is None:
            into[key] = new
            return key
        joined: Values | None = None
        # Whether bounds are equal is not asked, since numbers that are recorded note the answer.
        for slot, (mine, other) in enumerate(zip(old.values, new.values, strict=True)):
            if mine is other or mine is None or other is None:
                continue
            (low, high), (first, last) = mine, other
            lower, higher = first is not low and first < low, last is not high and last > high
            if lower or higher:
                if joined is None:
                    joined = list(old.values)
                if lower:
                    low = first
                    if limits is not None:
                        low = limits[slot] if limits[slot] <= low else -v.INFINITY
                joined[slot] = (low, (v.INFINITY if limits is not None else last) if higher else high)
        cheaper = new.cost < old.cost
        must, may = old.must, old.may
        if self.bits and new.cost <= old.cost:
            must, may = (new.must, new.may) if cheaper else (old.must & new.must, old.may | new.may)
        if joined is not None or cheaper or must != old.must or may != old.may:
            cost = new.cost if cheaper else old.cost
            into[key] = Configuration(old.state, joined or list(old.values), cost, old.ended, must, may)
        return key if joined is not None or cheaper else None

    def close(
        self,
        base: Configurations,
        receptions: Sequence[Reception],
        *,
        unseen: bool = False,
        anew: bool = True,
        rested: bool = True,
    ) -> Configurations:
        """Everything that may be true without another observation.

        Hidden calls, timers and notices cost one each, receptions nothing. ``unseen``: messages may have been sent that
        the capture does not show. ``anew``: a reception may begin a new life. ``rested``: an endpoint
        that has come to rest may do something of its own; where it rests, nothing gets lost when it does so later.
        """
        if self.recalls is None or self.bits:
            return self._close(base, receptions, unseen, anew, rested)

        def work(base: Configurations, receptions: Sequence[Reception]) -> Configurations:
            return self._close(base, receptions, unseen, anew, rested)

        return self.recalls.ask((unseen, anew, rested), base, receptions, work)

    def _close(
        self, base: Configurations, receptions: Sequence[Reception], unseen: bool, anew: bool, rested: bool
    ) -> Configurations:
        closed = dict(base)
        waiting = list(base)
        grown: dict[Key, int] = {}
        limits: Limits | None = None
        plain = not self.bits and not self.idle_counts
        while waiting:
            key = waiting.pop()
            current = closed[key]
            events: Iterable[EventKey] = self.changing[current.state] if unseen else self.silent[current.state]
            if current.ended and not rested:
                events = ()
            steps = [*(Reception(event, None, ()) for event in events), *receptions]
            for event, flags, slots in steps:
                if not self.program.rules_for(current.state, event, flags):
                    continue
                cost = 0 if slots else 1
                run = Run(self.program, event, unseen=unseen, flags=flags)
                for outcome in run.start(current.state, current.values, slots):
                    if plain and outcome.state == current.state and all(map(is_, outcome.values, current.values)):
                        continue  # nothing came of it
                    new = self.after(current, outcome, cost, anew=anew and event[0] == "message")
                    if new is None:
                        continue
                    known = self.key(new)
                    old = closed.get(known)
                    often = grown.get(known, 0) > WIDEN_AFTER
                    if often and limits is None:
                        limits = self._limits(base, receptions)
                    found = self.add(closed, new, limits if often else None, known)
                    if found is None:
                        if closed[known] is not old and known not in waiting:
                            waiting.append(known)  # only the rules that fired are news: nothing is to be widened
                    else:
                        grown[found] = grown.get(found, 0) + 1
                        if found not in waiting:
                            waiting.append(found)
        return closed

    def _limits(self, base: Configurations, receptions: Sequence[Reception]) -> Limits:
        """For each slot the lowest number of its numbering that is known: what moves down seldom goes below."""
        program = self.program
        limits = [-v.INFINITY] * program.tracked
        for slots, fields in (
            (program.local_numbers, program.receiver_fields),
            (program.peer_numbers, program.sender_fields),
        ):
            known = [c.values[slot] for c in base.values() for slot in slots]
            known += [value for _, _, given in receptions for slot, value in given if slot in fields]
            bounded = [value[0] for value in known if value is not None and value[0] > -v.INFINITY]
            for slot in slots:
                limits[slot] = min(bounded, default=-v.INFINITY)
        return limits

    def anything(self, reach: Interval = v.ANY) -> list[Reception]:
        """Receptions of messages of which nothing is known, but that their sender numbers them within ``reach``."""
        program = self.program
        found = []
        for message in program.spec.messages:
            slots = {item.name: program.layout.fields[message.name, item.name] for item in message.fields}
            known = {name: reach for name, slot in slots.items() if slot in program.sender_fields}
            found.append(Reception(("message", message.name), None, program.message_slots(message.name, None, known)))
        if reach != v.ANY:
            for name, flags in program.literal_sends:
                found.append(Reception(("message", name), flags, program.message_slots(name, flags, {})))
        return found

    def universe(self) -> Configurations:
        """Every configuration that an endpoint can be in when nothing of its life was seen."""
        if self._universe is None:
            closed = self.close(self.fresh(), self.anything(), unseen=True, anew=False)
            for configuration in closed.values():
                configuration.cost = configuration.must = configuration.may = 0
            self._universe = closed
        return self._universe

    def unfinished(self, states: list[str]) -> bool:
        """Is the endpoint certainly neither in the initial nor in a final state?"""
        resting = {state.name for state in self.program.spec.states if state.initial or state.final}
        return not resting & set(states)

    def at_rest(self, states: list[str]) -> bool:
        """Is the endpoint certainly in the initial or a final state?"""
        return all(self.resting[self.program.states.index(name)] for name in states)

    def later(self, states: list[str]) -> list[str]:
        """These states and all that can follow in the same life, in the order of the spec."""
        found: set[int] = set()
        waiting = [self.program.states.index(name) for name in states]
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                if state == self.program.initial:
                    continue
                targets = {rule.target for rules in self.program.rules[state].values() for rule in rules}
                waiting.extend(t for t in targets if self.resting[t] or not self.resting[state])
        return [self.program.states[state] for state in sorted(found)]

    def likely_states(self, configurations: Configurations) -> list[str]:
        """The states that need the fewest unlikely events, in the order of the spec."""
        if not configurations:
            return []
        least = min(configuration.cost for configuration in configurations.values())
        found = {c.state for c in configurations.values() if c.cost == least}
        return [self.program.states[state] for state in sorted(found)]


def rebase(configurations: Configurations) -> Configurations:
    """Costs relative to the cheapest; what is very unlikely does not become more so."""
    least = min(configuration.cost for configuration in configurations.values())
    for configuration in configurations.values():
        configuration.cost = min(configuration.cost - least, UNLIKELIEST)
    return configurations
