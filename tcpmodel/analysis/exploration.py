"""One endpoint as it can really become: configurations reached from the initial state with exact values.

Owns: which events are tried in a configuration, breadth first, and where the search ends.
Must never hold: what is concluded from a step (see ``behaviour``), or a name of any protocol.

Explorations of one spec under several choices of profiles share what they find: where the rules for an event are the
same, what it leads to is looked up.

The numbers of both ends start just below 2^32, amounts that the endpoint may choose are small, and numbers and amounts
grow by a few only. Messages have every set of up to two flags, numbers at and beside the terms of the conditions that
meet them, and an amount of 0 or 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tcpmodel.analysis.classes import BASES, SEQ_FIELD, Arrival, Case, continuations
from tcpmodel.analysis.coverage import Identities
from tcpmodel.analysis.reading import read
from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum, Range, Seq
from tcpmodel.model.walk import expressions, walk
from tcpmodel.semantics.execution import Outcome
from tcpmodel.semantics.expressions import Value
from tcpmodel.semantics.program import CompiledChoose, EventKey, Program
from tcpmodel.semantics.stepping import _Exact
from tcpmodel.semantics.values import Interval

SMALL = 4
"""Where an amount starts that the endpoint is free to choose."""
FARTHEST = 6
"""So far may numbers move from where they start."""
MOST_STEPS = 120_000
"""So many steps are tried under one choice of profiles at most."""
MOST_OF_A_MOVE = 5
"""So many configurations that one move leads to, from state to state, go on at most: those reached first, told apart by
the order of their numbers."""

Values = tuple["Interval | None", ...]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event with all that decides its outcome: the message that arrives, if one does, and what is chosen."""

    event: EventKey
    case: Case | None = None
    picks: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Configuration:
    """A state with exact values, and how it was first reached."""

    state: int
    values: Values
    parent: Configuration | None = None
    cause: Happening | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What an event led to in a configuration, each end once, and what was ``asked`` of the steps."""

    asked: frozenset[str]
    ends: tuple[tuple[Happening, Outcome], ...]


@dataclass(slots=True)
class Exploration:
    """Steps through the configurations of a program. ``ended``: nothing new was left when the search ended.

    ``asks``: the names of what is asked of the steps of an event. Those that were asked all of it before, under rules
    that are the same, are in ``known`` and are not given again. ``steps`` counts those that are given.
    """

    program: Program
    asks: Callable[[EventKey], frozenset[str]] = lambda _event: frozenset()
    known: dict[tuple[object, ...], Known] = field(default_factory=dict)
    most: int = MOST_STEPS
    most_of_a_move: int = MOST_OF_A_MOVE
    configurations: int = 0
    steps: int = 0
    ended: bool = False
    _arrivals: dict[str, Arrival] = field(default_factory=dict)
    _amounts: set[int] | None = None
    _last: tuple[Happening, list[tuple[int, Interval | None]]] | None = None
    _free: dict[str, int] = field(default_factory=dict)
    _spots: dict[tuple[int, str], tuple[dict[str, list[Value]], set[str]]] = field(default_factory=dict)

    def run(self) -> Iterator[tuple[Configuration, Happening, Configuration]]:
        """Every step: before it, what happened, and after it; those of the shortest ways first."""
        known: set[tuple[int, Values]] = set()
        alike: set[tuple[object, ...]] = set()
        tried: dict[tuple[int, int], int] = {}
        level = self.starts()
        known.update((one.state, one.values) for one in level)
        self.ended = True
        identities = Identities(self.program)
        while level:
            following: list[Configuration] = []
            for before in level:
                shape = self._shape(before)
                if shape in alike:
                    continue
                words = self._words(before)
                if before.parent is not None:
                    move = (before.parent.state, before.state)
                    if tried.get(move, 0) >= self.most_of_a_move and words in alike:
                        self.ended = False
                        continue
                    tried[move] = tried.get(move, 0) + 1
                alike.update((shape, words))
                self.configurations += 1
                for event in self.events(before):
                    if self.steps >= self.most:
                        self.ended = False
                        return
                    place = (identities.of(before.state, event), event, before.state, before.values)
                    asked = self.asks(event)
                    old = self.known.get(place)
                    if old is not None and asked <= old.asked:
                        ends = [_after(before, *end) for end in old.ends]
                    else:
                        found: dict[tuple[int, Values], Configuration] = {}
                        for happening in self.happenings(before, event):
                            for outcome in self.apply(before, happening):
                                self.steps += 1
                                after = _after(before, happening, outcome)
                                yield before, happening, after
                                found.setdefault((after.state, after.values), after)
                        ends = list(found.values())
                        self.known[place] = Known(asked, tuple(_end(after) for after in ends))
                    for after in ends:
                        key = (after.state, after.values)
                        if key not in known and self._near(after.values):
                            known.add(key)
                            following.append(after)
            level = following

    def _words(self, at: Configuration) -> tuple[object, ...]:
        """The state and the words that the endpoint remembers: the first configuration with these always goes on."""
        known = zip(self.program.spec.variables, at.values, strict=True)
        return at.state, *(value for variable, value in known if isinstance(variable.type, Enum) and not variable.free)

    def _shape(self, at: Configuration) -> tuple[object, ...]:
        """What tells configurations apart: words, the order and small distances of numbers, which amounts are 0."""
        found: list[object] = [at.state]
        numbers: dict[str, list[int | None]] = {"local": [], "peer": []}
        for variable, known in zip(self.program.spec.variables, at.values, strict=True):
            if isinstance(variable.type, Seq):
                numbers[variable.type.space].append(known[0] if known is not None else None)
            elif known is None or isinstance(variable.type, Enum | Range):
                found.append(known)
            else:
                found.append(known[0] > 0)
        for values in numbers.values():
            found += [
                None if one is None or two is None else max(-2, min(two - one, 2))
                for one, two in itertools.combinations(values, 2)
            ]
        return tuple(found)

    # ------------------------------------------------------------------------------------------------------ starts

    def starts(self) -> list[Configuration]:
        """The initial state, and the same with each other word of what the user or the host decides."""
        spec = self.program.spec
        plain: list[Interval | None] = []
        for variable, known in zip(spec.variables, self.program.initial_values(), strict=True):
            if known is None:
                plain.append(None)
            elif isinstance(variable.type, Seq):
                number = BASES[variable.type.space]
                plain.append((number, number))
            elif variable.free and not isinstance(variable.type, Enum | Range):
                plain.append((SMALL, SMALL))
            else:
                plain.append((known[0], known[0]))
        found = [Configuration(self.program.initial, tuple(plain))]
        rules = [rule.source for state in self.program.rules for group in state.values() for rule in group]
        matter = read(spec, rules).variables
        for index, variable in enumerate(spec.variables):
            if variable.free and isinstance(variable.type, Enum) and variable.name in matter:
                now = plain[index]
                for word in range(len(variable.type.words)):
                    if (word, word) != now:
                        changed = [*plain[:index], (word, word), *plain[index + 1 :]]
                        found.append(Configuration(self.program.initial, tuple(changed)))
        return found

    def _near(self, values: Values) -> bool:
        for variable, known in zip(self.program.spec.variables, values, strict=True):
            if known is None or isinstance(variable.type, Enum | Range):
                continue
            if isinstance(variable.type, Seq):
                base = BASES[variable.type.space]
                if abs(known[0] - base) > FARTHEST:
                    return False
            elif known[0] > FARTHEST and not any(abs(known[0] - usual) <= FARTHEST for usual in self._usual()):
                return False
        return True

    def _usual(self) -> set[int]:
        """Amounts above the small ones that the spec itself names."""
        if self._amounts is None:
            spec = self.program.spec
            named = [value for constant in spec.constants for _, value in constant.values]
            named += [variable.initial for variable in spec.variables if variable.initial is not None]
            found = {each.value for each in named if isinstance(each, m.Literal)}
            for message in spec.messages:
                found.update(value for item in message.fields for value in (item.default, item.typical) if value)
            self._amounts = {value for value in found if value > FARTHEST}
        return self._amounts

    # ------------------------------------------------------------------------------------------------------ events

    def events(self, at: Configuration) -> list[EventKey]:
        """What may happen now: own decisions, calls, timers and notices first, then messages."""
        return sorted(self.program.rules[at.state], key=lambda event: event[0] == "message")

    def happenings(self, at: Configuration, event: EventKey) -> Iterator[Happening]:
        """Every way in which an event is tried."""
        spec = self.program.spec
        if event[0] == "message":
            message = next(item for item in spec.messages if item.name == event[1])
            yield from (Happening(event, case) for case in self._cases(at, event, message))
            return
        yield Happening(event)
        for name in self._numbers(at.state, event):
            top = max(
                (
                    known[0]
                    for variable, known in zip(spec.variables, at.values, strict=True)
                    if known is not None and isinstance(variable.type, Seq) and variable.type.space == "local"
                ),
                default=0,
            )
            yield Happening(event, None, ((name, top),))

    def _numbers(self, state: int, event: EventKey) -> list[str]:
        """The own numbers that a rule of its own accord chooses."""
        if event[0] != "own":
            return []
        return [
            action.source.name
            for rule in self.program.rules[state][event]
            for action in rule.actions
            if isinstance(action, CompiledChoose)
            and isinstance(action.source.type, Seq)
            and action.source.type.space == "local"
        ]

    def _cases(self, at: Configuration, event: EventKey, message: m.Message) -> Iterator[Case]:
        states = continuations(self.program, at.state, event)
        rules = [rule.source for state in states for rule in self.program.rules[state].get(event, ())]
        spots, fields = self._terms(at, event, rules)
        variables = tuple(known[0] if known is not None else None for known in at.values)
        axes: list[list[int]] = []
        amounts: list[int] = []
        for index, item in enumerate(message.fields):
            usual = item.typical if item.typical is not None else item.default
            if item.name not in fields:
                axes.append([usual or 0])
            elif isinstance(item.type, Seq):
                axes.append(spots[SEQ_FIELD.get(item.type.space, item.type.space)])
            elif isinstance(item.type, Enum):
                axes.append([0])
                amounts += [index] * (len(item.type.words) > 1)
            else:
                axes.append([SMALL if usual else 0])
                amounts.append(index)
        names = message.flags
        for count in range(3):
            for chosen in itertools.combinations(range(len(names)), count):
                carried = {names[index] for index in chosen}
                flags = tuple(int(name in carried) for name in names) + (0,) * len(message.marks)
                own = [
                    axis if item.only_with is None or item.only_with in carried else axis[:1]
                    for item, axis in zip(message.fields, axes, strict=True)
                ]
                for values in itertools.product(*own):
                    yield Case(variables, values, flags)
                    for index in amounts:
                        other = 0 if values[index] else 1
                        yield Case(variables, (*values[:index], other, *values[index + 1 :]), flags)

    def _terms(self, at: Configuration, event: EventKey, rules: list[m.Rule]) -> tuple[dict[str, list[int]], set[str]]:
        """Numbers of each end at and beside what the conditions compare with, and the fields that they read."""
        key = (at.state, event[1])
        if key not in self._spots:
            reading = read(self.program.spec, rules)
            terms: dict[str, list[Value]] = {space: [] for space in BASES}
            for term in reading.terms.values():
                if isinstance(term.type, Seq) and term.type.space in terms:
                    terms[term.type.space].append(self.program.compiler.value(term))
            self._spots[key] = terms, reading.fields | {item.name for rule in rules for item in _fields_sent(rule)}
        terms, fields = self._spots[key]
        environment = self.program.environment(list(at.values))
        found: dict[str, list[int]] = {}
        for space, base in BASES.items():
            numbers: set[int] = set()
            for each in terms[space]:
                known = each.evaluate(environment)
                if known is not None and abs(known[0] - base) < 1000:
                    numbers.update((known[0] - 1, known[0], known[0] + 1))
            found[space] = sorted(numbers) or [base]
        return found, fields

    # ------------------------------------------------------------------------------------------------------- steps

    def apply(self, before: Configuration, happening: Happening) -> list[Outcome]:
        """What the event leads to; nothing if the endpoint does not do that of its own accord now."""
        message = self.slots(happening)
        run = _Exact(self.program, happening.event, trace=True, brief=True, picks=self.picks(happening))
        found = run.start(before.state, list(before.values), message)
        return [outcome for outcome in found if outcome.rules]

    def picks(self, happening: Happening) -> dict[str, int]:
        """What is chosen: numbers that are free start where all numbers of that end start."""
        if not self._free:
            self._free.update(
                (variable.name, BASES[variable.type.space])
                for variable in self.program.spec.variables
                if isinstance(variable.type, Seq)
            )
        return {**self._free, **dict(happening.picks)} if happening.picks else self._free

    def slots(self, happening: Happening) -> list[tuple[int, Interval | None]]:
        """The message of a happening, in the slots of the program. Whoever asks next asks of the same one."""
        if happening.case is None:
            return []
        if self._last is not None and self._last[0] is happening:
            return self._last[1]
        name = happening.event[1]
        if name not in self._arrivals:
            message = next(item for item in self.program.spec.messages if item.name == name)
            self._arrivals[name] = Arrival(self.program, message)
        found = self._arrivals[name].slots(happening.case)
        self._last = happening, found
        return found


def _after(before: Configuration, happening: Happening, outcome: Outcome) -> Configuration:
    return Configuration(outcome.state, tuple(outcome.values), before, happening, outcome)


def _end(after: Configuration) -> tuple[Happening, Outcome]:
    assert after.cause is not None and after.outcome is not None
    return after.cause, after.outcome


def _fields_sent(rule: m.Rule) -> list[m.FieldRef]:
    """Fields of the message at hand that the actions of a rule read."""
    exprs = [expr for action in rule.actions for expr in expressions(action)]
    return [part for expr in exprs for part in walk(expr) if isinstance(part, m.FieldRef)]
