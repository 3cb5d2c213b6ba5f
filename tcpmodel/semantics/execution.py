"""What one event does: the one meaning that every use of a spec shares.

Owns: trying the rules of a state in order, carrying out what they say, and following `then continue`, over values of
which more or less is known. With exact values this is a step; with intervals it is what an observer can conclude.
Must never hold: which events are tried when (see ``analysis`` and ``checking``), or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tcpmodel.semantics import values as v
from tcpmodel.semantics.expressions import Environment, Guard
from tcpmodel.semantics.program import (
    CompiledAction,
    CompiledAssign,
    CompiledChoose,
    CompiledRule,
    CompiledSend,
    EventKey,
    Program,
)
from tcpmodel.semantics.prospects import Prospects, possible, prospects, settled_fields
from tcpmodel.semantics.values import FALSE, OPEN, TRUE, Interval, apart

Slots = Sequence[tuple[int, "Interval | None"]]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message that was seen leaving: its slots, its flags, and the raw number of each field (for literal numbers)."""

    message: str
    flags: int
    slots: dict[int, Interval | None]
    raw: dict[int, int]


@dataclass(slots=True)
class Outcome:
    """One way an event can end. ``values`` are the variables after it.

    ``matched``: the message seen is among those sent. ``cost``: how many unusual choices of profile it took.
    ``rules``: the rules that fired. ``sent``: (action, environment values of its fields) in order, when traced.
    ``perhaps``: rules that fired on only some of the ways that were joined into this one.
    """

    state: int
    values: list[Interval | None]
    matched: bool
    cost: int
    rules: tuple[CompiledRule, ...]
    sent: tuple[tuple[CompiledSend, tuple[Interval | None, ...]], ...] = ()
    signals: tuple[str, ...] = ()
    covered: bool = True
    perhaps: tuple[CompiledRule, ...] = ()


@dataclass(slots=True)
class Run:
    """One event applied to one configuration.

    ``sighting``: outcomes that send this message are wanted; with ``matched``, all that do are given and others may
    be left out. Without one, ``unseen`` decides whether required messages may be sent at all: False means that they
    would have been seen. ``micro``: every change of state is an
    outcome too, because a log may show it. ``flags``: those of the message that arrives, if they are known exactly.

    ``trace`` records what is sent (a step), and, unless ``brief``, ``tried`` every rule that was looked at with the
    answer of its guard.
    ``picks``: values for what the spec leaves open, by variable or chosen name; what is not named takes the lowest
    value allowed (0 if there is none).
    """

    program: Program
    event: EventKey
    sighting: Sighting | None = None
    unseen: bool = False
    trace: bool = False
    brief: bool = False
    micro: bool = False
    picks: Mapping[str, int] | None = None
    flags: int | None = None
    matched: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    tried: list[tuple[CompiledRule, int, Environment]] = field(default_factory=list)

    def start(self, state: int, values: list[Interval | None], message: Slots = ()) -> list[Outcome]:
        """Run the event and return every outcome."""
        environment = self.program.environment(values)
        if not self.trace:
            for slot, full in self.program.free:
                environment[slot] = full
        for slot, known in message:
            environment[slot] = known
        if self._thinkable(state, environment):
            self._try(_Path(state, 0, environment))
        return self.outcomes

    def _thinkable(self, state: int, environment: Environment) -> bool:
        """May the message that is looked for be sent at all, as far as it is settled before any rule is tried?"""
        seen = self.sighting
        if not self.matched or seen is None:
            return True
        fields = settled_fields(self.program, state, self.event, self.flags, (seen.message, seen.flags))
        return fields is None or possible(fields, environment, seen.slots)

    def _finish(self, path: _Path, covered: bool = True) -> None:
        self.outcomes.append(
            Outcome(
                path.state,
                path.environment[: self.program.tracked],
                path.matched,
                path.cost,
                path.rules,
                path.sent,
                path.signals,
                covered,
                path.perhaps,
            )
        )

    def _try(self, path: _Path) -> None:
        """Try the rules of ``path.state`` from ``path.index`` on."""
        program = self.program
        rules = program.rules_for(path.state, self.event, self.flags)
        hopes = self._hopes(path)
        while path.index < len(rules):
            if hopes is not None and not hopes.left[path.index]:
                return
            rule = rules[path.index]
            hopeless = hopes is not None and not hopes.taken[path.index]
            path.index += 1
            answer = rule.guard.test(path.environment) if rule.guard is not None else TRUE
            if self.trace and not self.brief:
                self.tried.append((rule, answer, path.environment.copy()))
            if answer == FALSE:
                continue
            passed_over = 0
            if answer == TRUE and rule.open_profiles:
                answer, passed_over = OPEN, rule.usual
            if answer == OPEN:
                taken = None if hopeless else path.copy()
                possible = taken is not None and (rule.guard is None or rule.guard.refine(taken.environment, True))
                if not rule.open_profiles and rule.guard is not None:
                    alive = rule.guard.refine(path.environment, False)
                else:
                    alive = True
                path.cost += passed_over
                if possible and taken is not None:
                    taken.cost += rule.unusual
                    self._take(rule, taken, path if alive else None)
                if not alive:
                    return
            else:
                if not hopeless:
                    self._take(rule, path, None)
                return
        if hopes is None or not self.matched:
            self._finish(path, covered=bool(path.rules))

    def _hopes(self, path: _Path) -> Prospects | None:
        """What is worth trying on this path; None if everything is."""
        if self.trace or path.matched:
            return None
        if self.sighting is None:
            return None if self.unseen else prospects(self.program, path.state, self.event, self.flags, None)
        if not self.matched:
            return None
        wanted = (self.sighting.message, self.sighting.flags)
        return prospects(self.program, path.state, self.event, self.flags, wanted, self.unseen)

    def _take(self, rule: CompiledRule, path: _Path, other: _Path | None) -> None:
        """Carry out a rule; ``other`` is the path on which it did not match, which waits at the next rule."""
        for after in self._act(rule, path):
            changed = rule.target != after.state
            if changed:
                after.state = rule.target
                if self.micro:
                    self._finish(after)
            if not rule.continues:
                self._finish(after)
            elif changed:
                rules = self.program.rules_for(after.state, self.event, self.flags)
                after.index = next((i for i, later in enumerate(rules) if later.step > rule.step), len(rules))
                self._try(after)
            elif other is not None and other.absorb(after, self.program, self.trace):
                continue
            else:
                self._try(after)

    # ------------------------------------------------------------------------------------------------- actions

    def _act(self, rule: CompiledRule, path: _Path) -> list[_Path]:
        path.rules = (*path.rules, rule)
        alive = [path]
        for action in rule.actions:
            if isinstance(action, CompiledSend):
                alive = [after for before in alive for after in self._send(action, before)]
                continue
            for current in alive:
                environment = current.environment
                if isinstance(action, CompiledAssign):
                    if self.picks is not None:
                        self._settle(rule, action, current)
                    _assign(action, environment)
                    if self.picks is not None and action.value is None and not action.unset:
                        environment[action.slot] = _pick(environment[action.slot], self.picks, action.source.variable)
                elif isinstance(action, CompiledChoose):
                    environment[action.slot] = action.full
                    if action.where is not None and not action.where.refine(environment, True):
                        current.dead = True
                elif action.when is None or action.when.test(environment) != FALSE:
                    current.signals = (*current.signals, action.source.text)
            if isinstance(action, CompiledChoose) or self.picks is not None:
                alive = [current for current in alive if not current.dead]
        return alive

    def _settle(self, rule: CompiledRule, before: CompiledAction, path: _Path) -> None:
        """Fix everything chosen so far, in the order of the rule, so that what follows is exact."""
        for action in rule.actions:
            if action is before:
                return
            if isinstance(action, CompiledChoose):
                known = _pick(path.environment[action.slot], self.picks or {}, action.source.name)
                path.environment[action.slot] = known
                if isinstance(before, CompiledSend) and before.where is not None:
                    before.where.refine(path.environment, True)

    def _send(self, action: CompiledSend, path: _Path) -> list[_Path]:
        answer = TRUE if action.when is None else action.when.test(path.environment)
        if answer == FALSE:
            return [path]
        if self.trace:
            if not _holds(action, path.environment):
                return []
            if self.picks is not None:
                self._settle(path.rules[-1], action, path)
            return [_record(action, path)]
        found: list[_Path] = []
        if self.sighting is not None and not path.matched:
            seen = path.copy()
            if _match(action, seen.environment, self.sighting):
                seen.matched = True
                found.append(seen)
        allowed = self.unseen or not action.required or answer == OPEN or path.matched
        if allowed and _holds(action, path.environment):
            found.append(path)
        return found


@dataclass(slots=True)
class _Path:
    """Where one alternative stands: the next rule of a state, and what is known."""

    state: int
    index: int
    environment: Environment
    matched: bool = False
    cost: int = 0
    rules: tuple[CompiledRule, ...] = ()
    sent: tuple[tuple[CompiledSend, tuple[Interval | None, ...]], ...] = ()
    signals: tuple[str, ...] = ()
    perhaps: tuple[CompiledRule, ...] = ()
    dead: bool = False

    def copy(self) -> _Path:
        return _Path(
            self.state,
            self.index,
            self.environment.copy(),
            self.matched,
            self.cost,
            self.rules,
            self.sent,
            self.signals,
            self.perhaps,
        )

    def absorb(self, other: _Path, program: Program, exact: bool) -> bool:
        """Join a path that stands at the same rule into this one, unless that would blur its identity."""
        if exact or self.matched != other.matched:
            return False
        mine, theirs = self.environment, other.environment
        if any(mine[slot] != theirs[slot] for slot in program.discrete):
            return False
        if any((mine[slot] is None) != (theirs[slot] is None) for slot in program.optional):
            return False
        self.environment[:] = [a if a is b else v.join(a, b) for a, b in zip(mine, theirs, strict=True)]
        self.cost = min(self.cost, other.cost)
        self.perhaps = (*self.perhaps, *other.perhaps, *_only_one(self.rules, other.rules))
        self.rules = other.rules
        self.signals = tuple(dict.fromkeys((*self.signals, *other.signals)))
        return True


def _only_one(one: tuple[CompiledRule, ...], other: tuple[CompiledRule, ...]) -> tuple[CompiledRule, ...]:
    """The rules that are in one of the two only."""
    first, second = {id(rule) for rule in one}, {id(rule) for rule in other}
    return (*(rule for rule in one if id(rule) not in second), *(rule for rule in other if id(rule) not in first))


def _pick(known: Interval | None, picks: Mapping[str, int], name: str) -> Interval:
    if name in picks:
        return (picks[name], picks[name])
    low = known[0] if known is not None and known[0] > -v.INFINITY else 0
    return (low, low)


def _assign(action: CompiledAssign, environment: Environment) -> None:
    if action.unset:
        environment[action.slot] = None
    elif action.value is None:
        environment[action.slot] = action.full
    else:
        known = action.value.evaluate(environment)
        if known is not None:
            low, high = action.full
            known = (max(known[0], low), min(max(known[1], low), high))
        environment[action.slot] = known


def _record(action: CompiledSend, path: _Path) -> _Path:
    fields = tuple(value.evaluate(path.environment) for _, value, _ in action.fields)
    path.sent = (*path.sent, (action, fields))
    return path


def _match(action: CompiledSend, environment: Environment, seen: Sighting) -> bool:
    """Can the message seen be this one? Narrows the environment to what it then proves."""
    if action.message != seen.message or action.flags != seen.flags:
        return False
    for slot, value, raw in action.fields:
        known = seen.slots[slot]
        if raw is not None:
            if slot in seen.raw and seen.raw[slot] != raw:
                return False
            continue
        if known is None:
            continue
        if apart(value.evaluate(environment), known) or not value.narrow(environment, *known):
            return False
    return _holds(action, environment, seen)


def _holds(action: CompiledSend, environment: Environment, seen: Sighting | None = None) -> bool:
    """Can the condition of a message that is sent hold? Narrows the environment to where it does.

    ``seen``: the message, where it was seen; else its fields are what the environment makes of them.
    """
    if action.where is None:
        return True
    if not action.said:
        return _narrowed(action.where, environment)
    # In the condition the message is the one sent, elsewhere in the rule the one that arrived.
    said = [(slot, seen.slots.get(slot, known) if seen is not None else known) for slot, known in action.said]
    if seen is None:
        said += [(slot, value.evaluate(environment)) for slot, value, _ in action.fields]
    arrived = [(slot, environment[slot]) for slot, _ in action.said]
    for slot, known in said:
        environment[slot] = known
    possible = _narrowed(action.where, environment)
    for slot, known in arrived:
        environment[slot] = known
    return possible


def _narrowed(guard: Guard, environment: Environment) -> bool:
    answer = guard.test(environment)
    return answer == TRUE or (answer == OPEN and guard.refine(environment, True))
