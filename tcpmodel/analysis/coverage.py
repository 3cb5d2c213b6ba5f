"""Checks on what happens to each event: is it handled, in every case, and in one way only.

Owns: what is observed when the cases of an event are run, and the three checks that follow from it.
Must never hold: which cases are tried (see ``classes``), or how they are run (see ``semantics``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tcpmodel.analysis.classes import Arrival, Case, Cases, Enumeration, continuations, describe
from tcpmodel.analysis.logic import Logic, Neither
from tcpmodel.analysis.reading import variables_in
from tcpmodel.analysis.results import Check, Witness, count, listed
from tcpmodel.model import spec as m
from tcpmodel.model.walk import expressions, walk
from tcpmodel.semantics.execution import Outcome, Run
from tcpmodel.semantics.program import CompiledRule, EventKey, Program

REQUIRED = ("message", "call", "notice")
"""Kinds of events that come whenever they like. A timer only expires where it runs."""

Cell = tuple[int, EventKey]
"""A state and an event."""


@dataclass
class Observation:
    """What the cases of one event in one state led to under one choice of profiles.

    ``fired``: ids (``id()``) of rules. ``unhandled``: cases that no rule brings to an end, each with the state in which
    the rules ran out: none fired, or only such that let processing continue. ``ambiguous``: cases with several
    outcomes that no choice of the endpoint explains. ``overlaps``: (rule that won, rule that would have fired too) ->
    weight and case of the simplest one. ``moves``: (state before, state after the whole event).
    """

    runs: int = 0
    fired: set[int] = field(default_factory=set)
    unhandled: list[tuple[Case, int]] = field(default_factory=list)
    ambiguous: list[tuple[Case, tuple[str, ...]]] = field(default_factory=list)
    overlaps: dict[tuple[int, int], tuple[int, Case]] = field(default_factory=dict)
    moves: set[tuple[int, int]] = field(default_factory=set)


class Observer:
    """Runs the cases of a spec under several choices of profiles, each as seldom as possible.

    ``fired``: rules (``id()``) that fired in runs from the initial state. ``told``: (rule that wins, rule that would
    fire too, case), each as ``id()`` -> the words about that overlap.
    """

    def __init__(self, spec: m.Spec) -> None:
        self.spec = spec
        self.full = Program(spec, {})
        self._enumeration = Enumeration(self.full)
        self._cases: dict[Cell, Cases] = {}
        self._seen: dict[tuple[object, ...], Observation] = {}
        self.told: dict[tuple[int, int, int], Witness] = {}
        self.fired: set[int] = set()

    def program(self, profiles: Mapping[str, bool]) -> Program:
        """The spec under a choice of profiles."""
        return Program(self.spec, profiles)

    def cases(self, cell: Cell) -> Cases:
        """The cases of an event in a state, the same under all profiles."""
        if cell not in self._cases:
            self._cases[cell] = self._enumeration.cases(*cell)
        return self._cases[cell]

    def observe(self, program: Program) -> dict[Cell, Observation]:
        """Run every case of every event that some rule names."""
        found: dict[Cell, Observation] = {}
        identities = Identities(program)
        for state, events in enumerate(program.rules):
            for event in events:
                key = (state, event, *identities.of(state, event))
                if key not in self._seen:
                    self._seen[key] = _observe(program, self.cases((state, event)))
                found[state, event] = self._seen[key]
        return found


def constants_of(spec: m.Spec, profiles: Mapping[str, bool | None]) -> tuple[str, ...]:
    """The constants whose value a profile decides, as they are under these profiles."""
    chosen = []
    for constant in spec.constants:
        values = dict(constant.values)
        own = next((values[name].text for name, _ in constant.values if name and profiles.get(name)), "")
        chosen.append(own)
    return tuple(chosen)


class Identities:
    """All that the outcome of an event depends on: two programs that agree in it need not both be run."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._constants = constants_of(program.spec, program.profiles)
        self._found: dict[Cell, tuple[object, ...]] = {}
        varying = {constant.name for constant in program.spec.constants if len(constant.values) > 1}
        bodies: dict[str, list[m.Expr]] = {one.name: [one.body] for one in program.spec.definitions}
        bodies.update((one.name, [value for _, value in one.values]) for one in program.spec.constants)
        for _ in bodies:  # each round finds those that name what the round before found
            varying |= {name for name, exprs in bodies.items() if any(_names(each) & varying for each in exprs)}
        self._varying = varying

    def of(self, state: int, event: EventKey) -> tuple[object, ...]:
        """The rules that may be tried, and constants that a profile decides if one of these rules reads any."""
        if (state, event) not in self._found:
            program = self._program
            states = continuations(program, state, event)
            rules = [rule.source for index in states for rule in program.rules[index].get(event, ())]
            read = bool(self._varying) and any(_read(rule) & self._varying for rule in rules)
            self._found[state, event] = (*map(id, rules), self._constants if read else ())
        return self._found[state, event]


def _read(rule: m.Rule) -> set[str]:
    exprs = [expr for action in rule.actions for expr in expressions(action)]
    return set().union(*map(_names, [*exprs, rule.guard] if rule.guard is not None else exprs))


def _names(expr: m.Expr) -> set[str]:
    """The definitions and constants that an expression names."""
    return {one.name for one in walk(expr) if isinstance(one, m.DefinitionRef)}


def _observe(program: Program, cases: Cases) -> Observation:
    found = Observation()
    rules = program.rules[cases.state][cases.event]
    places = {id(rule.source): index for index, rule in enumerate(cases.rules)}
    bits_of = [1 << places[id(rule.source)] for rule in rules]
    overlaps = _Overlaps(rules, bits_of)
    arrival = Arrival(program, cases.message)
    for bits, kept in cases.groups.items():
        overlaps.note(found, bits, kept[0], cases.weights[bits])
    for case in cases.all():
        found.runs += 1
        run = Run(program, cases.event, trace=True, brief=True)
        known = [None if value is None else (value, value) for value in case.variables]
        outcomes = run.start(cases.state, known, arrival.slots(case))
        for outcome in outcomes:
            found.fired.update(id(rule.source) for rule in outcome.rules)
            found.moves.add((cases.state, outcome.state))
            if not outcome.rules or outcome.rules[-1].continues:
                found.unhandled.append((case, outcome.state))
        if len(outcomes) > 1 and not any(_chooses(rule) for outcome in outcomes for rule in outcome.rules):
            found.ambiguous.append((case, _ways(outcomes)))
    return found


def _chooses(rule: CompiledRule) -> bool:
    """Does the endpoint pick a value in this rule?"""
    return any(
        isinstance(action, m.Choose) or (isinstance(action, m.Assign) and action.value is None and not action.unset)
        for action in rule.source.actions
    )


def _ways(outcomes: list[Outcome]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.source.id for outcome in outcomes for rule in outcome.rules[-1:]))


class _Overlaps:
    """Finds the later rules that also match where the first one wins, and do something else.

    Rules without a condition are left out: they are meant for the rest.
    """

    def __init__(self, rules: list[CompiledRule], bits_of: list[int]) -> None:
        self._rules = [rule.source for rule in rules]
        self._bits = bits_of
        self._effects = [
            (rule.target, rule.continues, tuple(_action_text(action) for action in rule.actions))
            for rule in self._rules
        ]

    def note(self, found: Observation, bits: int, case: Case, weight: int) -> None:
        """Add the pairs that overlap in a group of cases, of which this is the lightest."""
        matching = [index for index, bit in enumerate(self._bits) if bits & bit]
        if len(matching) < 2 or self._rules[matching[0]].continues:
            return
        first = matching[0]
        for index in matching[1:]:
            if self._rules[index].guard is not None and self._effects[index] != self._effects[first]:
                pair = (id(self._rules[first]), id(self._rules[index]))
                known = found.overlaps.get(pair)
                if known is None or weight < known[0]:
                    found.overlaps[pair] = (weight, case)


def _action_text(action: m.Action) -> tuple[object, ...]:
    if isinstance(action, m.Assign):
        return ("set", action.variable, action.unset, action.value.text if action.value is not None else None)
    if isinstance(action, m.Choose):
        return ("choose", action.name, action.where.text if action.where is not None else None)
    return (action.text, action.when.text if action.when is not None else None)


# ------------------------------------------------------------------------------------------------------ the checks


def events_handled(program: Program) -> Check:
    """Does every state say what happens on every message, call and notice?"""
    spec = program.spec
    required = [event for event in spec.events if event.kind in REQUIRED]
    witnesses = []
    for index, state in enumerate(spec.states):
        for event in required:
            if not program.rules[index].get((event.kind, event.name)):
                text = f"{state.name} says nothing about {event}"
                span = state.span
                witnesses.append(Witness(text, state.name, str(event), line=span.line, part=span.path))
    cells = len(spec.states) * len(required)
    if witnesses:
        message = f"{len(witnesses)} of {cells} pairs of state and event have no rule"
    else:
        message = f"every state has a rule for each of {count(len(required), 'event')}"
    return Check("events-handled", not witnesses, message, tuple(witnesses))


def classes_handled(observer: Observer, program: Program, seen: Mapping[Cell, Observation]) -> Check:
    """Where rules have conditions: does one of them hold in every case?"""
    spec = observer.spec
    witnesses = []
    guessed: list[str] = []
    proved = 0
    for (state, event), observation in seen.items():
        if event[0] not in REQUIRED:
            continue
        rules = program.rules[state][event]
        cases = observer.cases((state, event))
        name = program.states[state]
        if observation.unhandled:
            case, last = min(observation.unhandled, key=lambda pair: pair[0].weight())
            values = describe(spec, cases, case, [rule.source for rule in rules])
            text = f"in {name} no rule for {rules[0].source.event} holds"
            if any(rule.continues for rule in rules):
                where = f" in {program.states[last]}" if last != state else ""
                text = f"in {name} no rule brings {rules[0].source.event} to an end{where}"
            span = rules[0].source.span
            witnesses.append(
                Witness(text, name, str(rules[0].source.event), line=span.line, values=values, part=span.path)
            )
        elif cases.complete or _always_ends(program, state, event):
            proved += 1
        else:
            guessed.append(f"{rules[0].source.event} in {name}: no unhandled case among {cases.tried}, but no proof")
    if witnesses:
        message = f"{count(len(witnesses), 'event')} not handled in every case"
    else:
        total = proved + len(guessed)
        message = f"whatever the values, some rule holds for each of {count(total, 'pair')} of state and event"
        if guessed:
            message += f" ({proved} proved, {len(guessed)} only tried)"
    return Check("classes-handled", not witnesses, message, tuple(witnesses), tuple(guessed))


def _always_ends(program: Program, state: int, event: EventKey, after: int = -2) -> bool:
    """Is it certain that a rule ends the event, whatever the values? ``after``: only rules of later steps are met."""
    spec = program.spec
    ends: list[m.Expr] = []
    changed: set[str] = set()
    certain = False
    for rule in program.rules[state].get(event, ()):
        if rule.step <= after:
            continue
        if rule.continues and rule.target != state:
            if not _always_ends(program, rule.target, event, rule.step):
                return False
        elif rule.continues:
            changed.update(action.variable for action in rule.source.actions if isinstance(action, m.Assign))
        elif rule.source.guard is None:
            certain = True
            break
        elif not variables_in(spec, rule.source.guard) & changed:
            ends.append(rule.source.guard)
    if certain or not ends:
        return certain
    logic = Logic(spec, ends)
    return logic.possible([Neither(tuple(logic.formula(guard) for guard in ends))]) is False


def deterministic(observer: Observer, program: Program, seen: Mapping[Cell, Observation]) -> Check:
    """Is there one outcome only, once all values and the endpoint's own choices are known?

    Overlaps of conditions that the order of the rules resolves are no failure; they are listed.
    """
    spec = observer.spec
    witnesses: list[Witness] = []
    overlaps: list[Witness] = []
    tried = 0
    for (state, event), observation in seen.items():
        if event[0] == "own":
            continue  # each such rule is a choice of its own
        cases = observer.cases((state, event))
        tried += observation.runs
        name = program.states[state]
        rules = {id(rule.source): rule.source for rule in program.rules[state][event]}
        if observation.ambiguous:
            case, ways = min(observation.ambiguous, key=lambda pair: pair[0].weight())
            first = next(iter(rules.values()))
            text = f"in {name}, {first.event} may end in several ways: {listed(list(ways))}"
            span = next((rule.span for rule in rules.values() if rule.id == ways[0]), first.span)
            values = describe(spec, cases, case, rules.values())
            witnesses.append(Witness(text, name, str(first.event), ways, span.line, values=values, part=span.path))
        for (winner, other), (_, case) in observation.overlaps.items():
            key = (winner, other, id(case))
            if key not in observer.told:
                observer.told[key] = _overlap(spec, cases, case, rules[winner], rules[other])
            overlaps.append(observer.told[key])
    if witnesses:
        message = f"{count(len(witnesses), 'event')} with several outcomes"
    else:
        message = f"one outcome in each of {tried} cases"
        if overlaps:
            message += f"; {count(len(overlaps), 'overlap')} of rules settled by their order"
    return Check("deterministic", not witnesses, message, tuple(witnesses), (), tuple(overlaps))


def _overlap(spec: m.Spec, cases: Cases, case: Case, winner: m.Rule, other: m.Rule) -> Witness:
    text = f"in {winner.state}, {winner.id} wins over {other.id}, whose condition holds as well"
    values = describe(spec, cases, case, (winner, other))
    ids = (winner.id, other.id)
    span = winner.span
    return Witness(text, winner.state, str(winner.event), ids, span.line, values=values, part=span.path)
