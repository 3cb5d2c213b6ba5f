"""Properties of behaviour: what an endpoint does, step after step.

Owns: whether a step breaks a property, the shortest run that leads to such a step, and the verdict.
Must never hold: which steps are tried (see ``exploration`` and ``classes``), or a name of any protocol.

What is sent is also asked in every case that a spec tells apart, whether a connection gets there or not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tcpmodel.analysis.classes import Arrival, describe
from tcpmodel.analysis.coverage import Observer
from tcpmodel.analysis.exploration import Configuration, Exploration, Happening
from tcpmodel.analysis.results import Check, Section, Witness
from tcpmodel.model import spec as m
from tcpmodel.model.profiles import choose_profiles
from tcpmodel.model.types import Enum, Seq
from tcpmodel.semantics.execution import Outcome, Run
from tcpmodel.semantics.expressions import Compiler, Environment, Guard, Value, unknown_narrow
from tcpmodel.semantics.notation import write_message
from tcpmodel.semantics.program import CompiledSend, Program
from tcpmodel.semantics.values import FALSE, MODULUS, OPEN, TRUE, Interval

Slots = Iterable[tuple[int, "Interval | None"]]

SECTION = "behaviour"
"""The name of the section that holds the verdicts."""

SENDS = ("never-sends", "sends-nothing", "sends-only")
KINDS = ("always", "each-step", "never-step", *SENDS)


def behaviour_section(observer: Observer, profiles: frozenset[str] | None = None) -> Section | None:
    """The verdicts on all such properties, each under its own profiles; None if the spec has none.

    With ``profiles``: under exactly these, and without those that say something of other profiles only, or that must
    fail under the default ones.
    """
    spec = observer.spec
    declared = [one for one in spec.properties if one.kind in KINDS]
    groups: dict[tuple[bool, ...], list[m.Property]] = {}
    for one in declared:
        choice = choose_profiles(spec, one.profiles)
        if profiles is not None:
            exact = {profile.name: profile.name in profiles for profile in spec.profiles}
            if (one.profiles or one.expect_failure) and exact != choice:
                continue
            choice = exact
        groups.setdefault(tuple(choice[profile.name] for profile in spec.profiles), []).append(one)
    verdicts: dict[str, Check] = {}
    for key, properties in groups.items():
        chosen = {profile.name: on for profile, on in zip(spec.profiles, key, strict=True)}
        for one, check in zip(properties, prove(observer, Program(spec, chosen), properties), strict=True):
            verdicts[one.name] = check
    if not verdicts:
        return None
    default = choose_profiles(spec, ()) if profiles is None else dict.fromkeys(profiles, True)
    on = tuple(profile.name for profile in spec.profiles if default.get(profile.name))
    return Section(SECTION, on, tuple(verdicts[one.name] for one in declared if one.name in verdicts))


def prove(observer: Observer, program: Program, properties: Sequence[m.Property]) -> list[Check]:
    """The verdict on each of these properties under the profiles of ``program``."""
    asked = [_Asked(program, one) for one in properties]
    exploration = Exploration(program)
    waiting = list(asked)
    pairs: set[tuple[int, tuple[object, ...], int, tuple[object, ...]]] = set()
    for start in exploration.starts():
        for one in waiting:
            one.first(start)
    for before, happening, after in exploration.run():
        key = (before.state, before.values, after.state, after.values)
        known = key in pairs
        pairs.add(key)
        waiting = [one for one in waiting if not one.found]
        if not waiting:
            break
        for one in waiting:
            if not known or one.needs_event:
                one.step(exploration, before, happening, after)
    tried = f"{exploration.steps:,} steps from {exploration.configurations:,} configurations"
    for one in asked:
        if not one.found and one.declared.kind in SENDS:
            one.cases(observer)
    return [_check(one, exploration, tried) for one in asked]


def _check(asked: _Asked, exploration: Exploration, tried: str) -> Check:
    declared = asked.declared
    name = f"property {declared.name}"
    title = declared.title or declared.kind
    under = f" (with {', '.join(declared.profiles)})" if declared.profiles else ""
    witnesses: tuple[Witness, ...] = ()
    if asked.run is not None:
        witnesses = (_witness(exploration, asked.run, declared),)
    elif asked.witness is not None:
        witnesses = (asked.witness,)
    if declared.expect_failure:
        if witnesses:
            said = f"fails as it must, {declared.expect_failure}: {title}{under}"
            run = tuple(words for _, words in witnesses[0].details)
            return Check(name, True, said, notes=(witnesses[0].text, *run))
        said = f"should fail, {declared.expect_failure}, yet no counterexample is found: {title}{under}"
        return Check(
            name, False, said, (Witness(f"none in {tried}", line=declared.span.line, part=declared.span.path),)
        )
    if witnesses:
        return Check(name, False, f"does not hold: {title}{under}", witnesses)
    also = f", and {asked.more:,} cases" if asked.more else ""
    return Check(name, True, f"{title}{under}; {tried}{also}")


# ---------------------------------------------------------------------------------------------------- one property


class _TwoTimes(Compiler):
    """Expressions over the values before and after an event: those after get slots of their own."""

    def __init__(self, program: Program) -> None:
        layout = program.layout
        super().__init__(
            program.spec,
            dict(program.profiles),
            layout.variables,
            layout.fields,
            layout.flags,
            layout.allocate,
        )
        self.derived = program.compiler.derived
        self._derived_slots = program.compiler._derived_slots
        self.after: list[tuple[int, Value]] = []

    def _slot(self, expr: m.After) -> int:
        slot = self._allocate()
        self.after.append((slot, self.value(expr.operand)))
        return slot

    def _plain_value(self, expr: m.Expr) -> Value:
        if isinstance(expr, m.After):
            slot = self._slot(expr)
            return Value(lambda environment: environment[slot], unknown_narrow)
        return super()._plain_value(expr)

    def _guard(self, expr: m.Expr) -> Guard:
        if isinstance(expr, m.After):
            slot = self._slot(expr)

            def test(environment: Environment) -> int:
                known = environment[slot]
                return OPEN if known is None or known[0] != known[1] else known[0]

            return Guard(test, lambda _environment, _truth: True)
        return super()._guard(expr)


@dataclass
class _Asked:
    """A property, ready to be asked of steps, and the first step found that breaks it.

    ``run``: a configuration that is reached by it, ``witness``: a case that no run was found to. ``more``: cases tried.
    """

    program: Program
    declared: m.Property
    run: Configuration | None = None
    witness: Witness | None = None
    more: int = 0
    needs_event: bool = False
    _where: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one, program = self.declared, self.program
        compiler = _TwoTimes(program)
        self._expr = compiler.guard(one.expr) if one.expr is not None else None
        self._condition = compiler.guard(one.condition) if one.condition is not None else None
        self._after = compiler.after
        self._states = {program.states.index(name) for name in one.states}
        self._events = {(event.kind, event.name) for event in one.events}
        self.needs_event = one.kind in SENDS
        bits = program.flag_bits
        names = {name: message for message, flags in bits.items() for name in flags}
        self._flags = [
            (
                sum(bits[names[name]][name] for name in alternative.present if name in names),
                sum(bits[names[name]][name] for name in alternative.absent if name in names),
            )
            for alternative in one.flags
        ]
        if one.kind == "sends-only":
            for state, groups in enumerate(program.rules):
                for rules in groups.values():
                    for rule in rules:
                        self._where.update((id(a), state) for a in rule.actions if isinstance(a, CompiledSend))

    @property
    def found(self) -> bool:
        return self.run is not None or self.witness is not None

    def first(self, start: Configuration) -> None:
        """Ask of a configuration that nothing led to."""
        if self.declared.kind == "always" and self._inside(start.state) and not self._holds(start.values, start.values):
            self.run = start

    def step(self, exploration: Exploration, before: Configuration, happening: Happening, after: Configuration) -> None:
        kind = self.declared.kind
        if kind == "always":
            broken = self._inside(after.state) and not self._holds(after.values, after.values)
        elif kind == "each-step":
            inside = self._inside(before.state) and self._inside(after.state)
            broken = inside and not self._holds(before.values, after.values)
        elif kind == "never-step":
            assert after.outcome is not None
            passed = [before.state, *(rule.target for rule in after.outcome.rules)]
            source, target = (self.program.states.index(name) for name in self.declared.states)
            broken = (source, target) in itertools.pairwise(passed) and self._applies(before.values, after.values)
        else:
            if kind != "sends-only" and happening.event not in self._events:
                return
            assert after.outcome is not None
            broken = self._sends(before.state, before.values, after.outcome, exploration.slots(happening))
        if broken:
            self.run = after

    def cases(self, observer: Observer) -> None:
        """Ask what is sent in all cases that the spec tells apart."""
        program = self.program
        for state, groups in enumerate(program.rules):
            for event in groups:
                if self.declared.kind != "sends-only" and event not in self._events:
                    continue
                if event[0] == "own":
                    continue
                cases = observer.cases((state, event))
                arrival = Arrival(program, cases.message)
                for case in cases.all():
                    known = tuple(None if value is None else (value, value) for value in case.variables)
                    slots = arrival.slots(case)
                    for outcome in Run(program, event, trace=True, picks={}).start(state, list(known), slots):
                        self.more += 1
                        if self._sends(state, known, outcome, slots):
                            rules = [rule.source for rule in outcome.rules]
                            text = f"in {program.states[state]}, {rules[-1].id} does it"
                            values = describe(program.spec, cases, case, rules)
                            span = rules[-1].span
                            self.witness = Witness(
                                text, program.states[state], event[1], (rules[-1].id,), span.line, (), values, span.path
                            )
                            return

    def _inside(self, state: int) -> bool:
        return not self._states or state in self._states

    def _environment(
        self,
        before: Sequence[Interval | None],
        after: Sequence[Interval | None],
        slots: Slots = (),
    ) -> Environment:
        environment = self.program.environment(list(before))
        for slot, known in slots:
            environment[slot] = known
        if self._after:
            later = self.program.environment(list(after))
            for slot, value in self._after:
                environment[slot] = value.evaluate(later)
        return environment

    def _holds(self, before: Sequence[Interval | None], after: Sequence[Interval | None]) -> bool:
        environment = self._environment(before, after)
        if self._condition is not None and self._condition.test(environment) == FALSE:
            return True
        assert self._expr is not None
        return self._expr.test(environment) != FALSE

    def _applies(
        self,
        before: Sequence[Interval | None],
        after: Sequence[Interval | None],
        slots: Slots = (),
    ) -> bool:
        return self._condition is None or self._condition.test(self._environment(before, after, slots)) == TRUE

    def _sends(self, state: int, before: Sequence[Interval | None], outcome: Outcome, slots: Slots) -> bool:
        """Does it send what it may not?"""
        if not outcome.sent:
            return False
        kind = self.declared.kind
        if kind == "sends-only":
            sent = [action for action, _ in outcome.sent if self._where.get(id(action)) in self._states]
            bad = any(not self._matches(action) for action in sent)
        else:
            if not self._inside(state):
                return False
            bad = kind == "sends-nothing" or any(self._matches(action) for action, _ in outcome.sent)
        return bad and self._applies(before, outcome.values, slots)

    def _matches(self, action: CompiledSend) -> bool:
        return any(action.flags & wanted == wanted and not action.flags & banned for wanted, banned in self._flags)


# ---------------------------------------------------------------------------------------------------- how it got there


def _witness(exploration: Exploration, last: Configuration, declared: m.Property) -> Witness:
    """The run that ends in ``last``, in the notation of scenarios."""
    program = exploration.program
    steps: list[Configuration] = []
    at = last
    while at.parent is not None:
        steps.append(at)
        at = at.parent
    steps.reverse()
    let = _changes(program, exploration.starts()[0], at)
    head = f"from {program.states[at.state]}" + (f" let {let}" if let else "")
    details = [("run", head)]
    for one in steps:
        assert one.parent is not None and one.cause is not None and one.outcome is not None
        values = _changes(program, one.parent, one)
        passed = [program.states[rule.target] for rule in one.outcome.rules]
        text = f"{_event(program, one)} => {passed[-1]}" + (f" ({values})" if values else "")
        details.append(("", text))
        details += [("", f"> {_sent(program, action, known)}") for action, known in one.outcome.sent]
    rules = tuple(rule.source.id for rule in last.outcome.rules) if last.outcome is not None else ()
    line = last.outcome.rules[-1].source.span if last.outcome is not None else declared.span
    many = f"{len(steps)} event{'' if len(steps) == 1 else 's'}"
    text = f"after {many}, by {', '.join(rules)}" if rules else "from the start"
    return Witness(
        text,
        program.states[last.state],
        rules=rules,
        line=line.line,
        part=line.path,
        details=tuple(details),
    )


def _event(program: Program, at: Configuration) -> str:
    assert at.cause is not None and at.outcome is not None
    kind, name = at.cause.event
    case = at.cause.case
    if kind == "own":
        return f"may {at.outcome.rules[0].source.id}"
    if case is None:
        return name if kind == "call" else f"{kind} {name}"
    message = next(item for item in program.spec.messages if item.name == name)
    names = (*message.flags, *message.marks)
    carried = tuple(flag for flag, bit in zip(names, case.flags, strict=True) if bit)
    fields = {
        item.name: number % MODULUS if isinstance(item.type, Seq) else number
        for item, number in zip(message.fields, case.fields, strict=True)
        if (item.only_with is None or item.only_with in carried)
        and (isinstance(item.type, Seq) or number != (item.typical or item.default or 0))
    }
    return f"< {write_message(message, fields, carried, named=len(program.spec.messages) > 1)}"


def _sent(program: Program, action: CompiledSend, known: Sequence[Interval | None]) -> str:
    message = next(item for item in program.spec.messages if item.name == action.message)
    names = {program.layout.fields[message.name, item.name]: item for item in message.fields}
    fields = {
        names[slot].name: value[0] % MODULUS if isinstance(names[slot].type, Seq) else value[0]
        for (slot, _, _), value in zip(action.fields, known, strict=True)
        if value is not None
    }
    return write_message(message, fields, action.source.flags, named=len(program.spec.messages) > 1)


def _changes(program: Program, before: Configuration, after: Configuration) -> str:
    told = []
    for variable, one, two in zip(program.spec.variables, before.values, after.values, strict=True):
        if one == two:
            continue
        if two is None:
            word = "unset"
        elif isinstance(variable.type, Enum):
            word = variable.type.words[two[0]]
        else:
            word = str(two[0] % MODULUS if isinstance(variable.type, Seq) else two[0])
        told.append(f"{variable.name} = {word}")
    return ", ".join(told)
