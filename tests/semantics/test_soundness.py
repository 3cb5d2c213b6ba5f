"""What really happens is always among what an observer holds for possible: the property that rules out false alarms.

Every case draws a state, exact variables with numbers near the wrap, and an event; the reference interpreter says what
an endpoint does. The same event over intervals that hold those values must then reach the same state with intervals
that hold the values after it, and must recognise each message that was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import pytest
from reference import MODULUS, Message, Reference, Rejected, Result, Values, after, profile_choices

from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Choose, Spec
from tcpmodel.model.types import Enum, Seq
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Outcome, Run, Sighting, Slots
from tcpmodel.semantics.expressions import full_range
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.slicing import irrelevant_variables, unknowable_variables
from tcpmodel.semantics.values import Interval
from tcpmodel.traces.records import FIELD_KEYS

FLAGS = ("SYN", "ACK", "FIN", "RST")
BASES = (0, 1, 5, MODULUS - 1, MODULUS - 2, MODULUS - 700, MODULUS // 2 - 3, 123456789)
STEPS = (0, 0, 0, 1, 1, 2, 10, 500, 1000)
TURNED = (
    (),
    (),
    ("rfc5961", "rfc793", "wild"),
    ("rfc1337", "tfo", "wild"),
    ("time-wait-reopen", "tfo", "icmp-abort"),
    ("mls", "rst-to-time-wait"),
)
"""Profiles that differ from the default."""

SEEDS = range(6)
CASES = 3000


Compile = Callable[[Spec, Mapping[str, bool]], Program]


@pytest.fixture(scope="module")
def tcp() -> Spec:
    return load_spec("tcp")


@pytest.fixture(scope="module")
def observer(tcp: Spec) -> Program:
    """As a checker that knows nothing of the endpoint's profiles compiles it."""
    return Program(tcp, {}, seen_fields=FIELD_KEYS)


class Case:
    """One endpoint before one event. Numbers in ``values`` are integers that do not wrap."""

    def __init__(self, spec: Spec, rng: Random) -> None:
        self.spec = spec
        self.reference = Reference(spec, profile_choices(spec, rng.choice(TURNED)))
        self.state = rng.choice(spec.states).name
        local, peer = rng.choice(BASES) + MODULUS * rng.randrange(3), rng.choice(BASES)
        una = local + rng.choice(STEPS)
        nxt = una + rng.choice(STEPS)
        rcv = peer + rng.choice(STEPS)
        likely: dict[str, tuple[int | None, ...]] = {
            "ISS": (local,),
            "SND.UNA": (una,),
            "SND.NXT": (nxt,),
            "SND.WND": (0, 0, 1, 10, 65535),
            "FIN.SEQ": (None, nxt - 1, nxt - 1, una, una - 1, nxt),
            "IRS": (peer,),
            "RCV.NXT": (rcv,),
            "RCV.WND": (0, 1, 10, 65535, 1 << 20),
        }
        self.values: Values = {}
        for variable in spec.variables:
            near = {"local": una, "peer": rcv}.get(getattr(variable.type, "space", ""), 0)
            low, high = full_range(variable.type)
            amounts = [number for number in (0, 0, 1, 2, 5, 3000, 65535) if low <= number <= high]
            others = (near, near - 1, near + 1) if isinstance(variable.type, Seq) else tuple(amounts)
            self.values[variable.name] = rng.choice(
                likely.get(variable.name, (*others, *others, None) if variable.optional else others)
            )
        self.message: Message | None = None
        self.event = self._event(rng)

    def _event(self, rng: Random) -> tuple[str, str]:
        own = self.reference.own(self.state)
        if own and rng.random() < 0.3:
            return "own", str(rng.choice(own))
        if rng.random() < 0.6:
            self.message = self._message(rng)
            return "message", "SEG"
        hidden = [event for event in self.spec.events if event.kind in ("call", "timer", "notice")]
        event = rng.choice(hidden)
        return event.kind, event.name

    def _message(self, rng: Random) -> Message:
        flags = frozenset(
            rng.choice(((), ("ACK",), ("ACK",), ("SYN",), ("SYN", "ACK"), ("FIN", "ACK"), ("RST",), ("RST", "ACK")))
        )
        if rng.random() < 0.2:
            flags = frozenset(name for name in FLAGS if rng.random() < 0.5)
        seq = self._near(rng, ("RCV.NXT", "IRS"))
        ack = self._near(rng, ("SND.NXT", "SND.UNA", "ISS"))
        fields: dict[str, int] = {}
        for item in self.spec.messages[0].fields:
            if isinstance(item.type, Seq):
                fields[item.name] = (seq if item.type.space == "sender" else ack) % MODULUS
            elif isinstance(item.type, Enum):
                fields[item.name] = int(rng.random() < 0.1)
            else:
                fields[item.name] = rng.choice((0, 0, 1, 10, 500, 1460, 65535))
        marks = frozenset(name for name in self.spec.messages[0].marks if rng.random() < 0.2)
        return Message("SEG", flags | marks, fields)

    def _near(self, rng: Random, names: tuple[str, ...]) -> int:
        number = self.values[rng.choice(names)]
        assert number is not None
        return number + rng.choice((0, 0, 0, 1, -1, 2, 10, -10, 500, -500, 70000, -70000, 1 << 30, -(1 << 30)))

    def exact(self) -> Values:
        """The variables as an endpoint keeps them."""
        types = {variable.name: variable.type for variable in self.spec.variables}
        return {
            name: value % MODULUS if value is not None and isinstance(types[name], Seq) else value
            for name, value in self.values.items()
        }

    def __str__(self) -> str:
        on = [name for name, value in self.reference.profiles.items() if value]
        return f"{self.state} {self.values}\n  profiles {on}\n  event {self.event} {self.message}"


@pytest.fixture(scope="module")
def exactly() -> Compile:
    """Programs by their profiles, each compiled once."""
    kept: dict[tuple[bool, ...], Program] = {}

    def compiled(spec: Spec, profiles: Mapping[str, bool]) -> Program:
        key = tuple(profiles.values())
        if key not in kept:
            kept[key] = Program(spec, profiles)
        return kept[key]

    return compiled


def widen(value: int, full: Interval, rng: Random) -> Interval:
    """Some interval that holds the value."""
    if rng.random() < 0.4:
        return (value, value)
    below, above = (rng.choice((0, 0, 1, 10, 1000, 1 << 20, v.INFINITY)) for _ in "ab")
    return (max(full[0], value - below), min(full[1], value + above))


def known_values(case: Case, program: Program, rng: Random) -> list[Interval | None]:
    found: list[Interval | None] = []
    exactly = rng.random() < 0.2
    for variable in case.spec.variables:
        value = case.values[variable.name]
        if value is None:
            found.append(None)
        elif exactly or (isinstance(variable.type, Enum) and rng.random() < 0.7):
            found.append((value, value))
        else:
            found.append(widen(value, full_range(variable.type), rng))
    return found


def unwrapped(case: Case, program: Program, message: Message, sender_is_local: bool) -> dict[str, int]:
    """The fields of a message; numbers as integers next to those of the endpoint."""
    fields: dict[str, int] = {}
    for item in case.spec.messages[0].fields:
        number = message.fields[item.name]
        if item.only_with is not None and item.only_with not in message.flags:
            continue
        if isinstance(item.type, Seq):
            local = (item.type.space == "sender") == sender_is_local
            near = case.values["SND.NXT" if local else "RCV.NXT"]
            assert near is not None
            number = near + after(near % MODULUS, number)
        fields[item.name] = number
    return fields


def bits(program: Program, message: Message) -> int:
    return sum(bit for name, bit in program.flag_bits[message.name].items() if name in message.flags)


def reception(case: Case, program: Program, rng: Random) -> Slots:
    """The message that arrived, as one of a class of messages."""
    if case.message is None:
        return ()
    fields: dict[str, Interval] = {}
    for name, number in unwrapped(case, program, case.message, False).items():
        item = next(item for item in case.spec.messages[0].fields if item.name == name)
        if rng.random() < 0.9:
            fields[name] = widen(number, full_range(item.type), rng) if rng.random() < 0.4 else (number, number)
    flags = None if rng.random() < 0.1 else bits(program, case.message)
    return program.message_slots(case.message.name, flags, fields)


def sighting(case: Case, program: Program, message: Message) -> Sighting:
    """The message as it is seen leaving, whatever of it a capture shows."""
    seen = {name: (number, number) for name, number in unwrapped(case, program, message, True).items()}
    for item in case.spec.messages[0].fields:
        if item.source not in FIELD_KEYS:
            seen.pop(item.name, None)
    slots = dict(program.message_slots(message.name, bits(program, message), seen))
    raw = {program.layout.fields[message.name, name]: message.fields[name] for name in ("SEQ", "ACK") if name in seen}
    return Sighting(message.name, bits(program, message), slots, raw)


def holds(known: Interval | None, value: int | None, near: int | None) -> bool:
    """Is the value in the interval? A number on the circle is placed next to ``near`` if the interval is wide."""
    if value is None or known is None:
        return value is None and known is None
    low, high = known
    if near is None:
        return low <= value <= high
    if high - low < MODULUS:
        return low + (value - low) % MODULUS <= high
    return low <= near + after(near % MODULUS, value) <= high


def differences(case: Case, program: Program, outcome: Outcome, result: Result, skip: frozenset[str]) -> list[str]:
    """What an outcome does not allow of what really happened."""
    found = [] if program.states[outcome.state] == result.state else [f"state {program.states[outcome.state]}"]
    for slot, variable in enumerate(case.spec.variables):
        near = None
        if isinstance(variable.type, Seq):
            near = case.values["SND.NXT" if variable.type.space == "local" else "RCV.NXT"]
        known, value = outcome.values[slot], result.values[variable.name]
        if variable.name not in skip and not holds(known, value, near):
            found.append(f"{variable.name} {known} without {value}")
    return found


def picks(case: Case, result: Result) -> dict[str, int]:
    """What the endpoint chose, as numbers next to its own."""
    found: dict[str, int] = {}
    choices = [action for rule in result.rules for action in rule.actions if isinstance(action, Choose)]
    types = {variable.name: variable.type for variable in case.spec.variables}
    types |= {action.name: action.type for action in choices}
    for name, number in result.drawn.items():
        near = case.values[{"local": "SND.NXT", "peer": "RCV.NXT"}.get(getattr(types[name], "space", ""), "SND.WND")]
        assert near is not None
        found[name] = near + after(near % MODULUS, number) if isinstance(types[name], Seq) else number
    return found


def expectations(case: Case, program: Program, result: Result) -> list[tuple[Sighting | None, bool]]:
    """Each way in which an observer may see it: (the message seen or None, whether messages may have been missed)."""
    found: list[tuple[Sighting | None, bool]] = [(None, True)]
    if not result.sent:
        found.append((None, False))
    missed = False
    for message, action in result.sent:
        found.append((sighting(case, program, message), missed))
        missed = missed or not (action.optional or action.within is not None)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_what_happens_is_among_what_is_possible(tcp: Spec, observer: Program, seed: int) -> None:
    hidden = unknowable_variables(tcp, FIELD_KEYS)
    skip = hidden | irrelevant_variables(tcp, hidden)
    assert "SND.NXT" not in skip and "FIN.SEQ" not in skip
    done = messages = moves = 0
    for number in range(CASES):
        rng = Random(f"{seed}/{number}")
        case = Case(tcp, rng)
        try:
            result = case.reference.step(case.state, case.exact(), case.event, case.message, rng)
        except Rejected:
            continue
        if not result.rules:
            continue
        done += 1
        moves += result.state != case.state
        known, slots = known_values(case, observer, rng), reception(case, observer, rng)
        flags = bits(observer, case.message) if case.message is not None and rng.random() < 0.5 else None
        for seen, missed in expectations(case, observer, result):
            run = Run(observer, case.event, seen, unseen=missed, flags=flags)
            outcomes = run.start(observer.states.index(case.state), list(known), slots)
            if seen is not None:
                messages += 1
                outcomes = [outcome for outcome in outcomes if outcome.matched]
            wrong = [differences(case, observer, outcome, result, skip) for outcome in outcomes]
            assert [] in wrong, (
                f"seed {seed}/{number}: {case}\n  known {known}\n  slots {slots}\n"
                f"  really {[rule.id for rule in result.rules]} -> {result.state}, sent {[m for m, _ in result.sent]}\n"
                f"  seen {seen}, others missed: {missed}\n  outcomes {wrong}"
            )
    assert done > CASES // 3 and messages > 100 and moves > 30, (done, messages, moves)


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_values_do_exactly_what_the_reference_does(tcp: Spec, exactly: Compile, seed: int) -> None:
    """One step with everything known: one outcome, with the rules, messages, signals and values of the reference."""
    done = 0
    for number in range(CASES // 2):
        rng = Random(f"{seed}/{number}/exact")
        case = Case(tcp, rng)
        profiles = case.reference.profiles
        program = exactly(tcp, profiles)
        try:
            result = case.reference.step(case.state, case.exact(), case.event, case.message, rng)
        except Rejected:
            continue
        slots: Slots = ()
        if case.message is not None:
            fields: Mapping[str, Interval] = {
                name: (number, number) for name, number in unwrapped(case, program, case.message, False).items()
            }
            marks = case.message.flags.intersection(tcp.messages[0].marks)
            slots = program.message_slots("SEG", bits(program, case.message), fields, marks)
        values: list[Interval | None] = [None if x is None else (x, x) for x in case.values.values()]
        run = Run(program, case.event, trace=True, picks=picks(case, result))
        outcomes = run.start(program.states.index(case.state), values, slots)
        done += 1
        assert len(outcomes) == 1, f"seed {seed}/{number}: {case}\n  {outcomes}"
        outcome = outcomes[0]
        assert [rule.source.id for rule in outcome.rules] == [rule.id for rule in result.rules], str(case)
        assert program.states[outcome.state] == result.state
        assert list(outcome.signals) == result.signals
        sent = [action.source for action, _ in outcome.sent]
        assert sorted(map(id, sent)) == sorted(map(id, [a for _, a in result.sent] + result.left_out)), str(case)
        for message, action in result.sent:
            traced = next(known for done_, known in outcome.sent if done_.source is action)
            compiled = next(done_ for done_, _ in outcome.sent if done_.source is action)
            names = {slot: name for (_, name), slot in program.layout.fields.items()}
            for (slot, _, _), interval in zip(compiled.fields, traced, strict=True):
                name = names[slot]
                near = {"SEQ": case.values["SND.NXT"], "ACK": case.values["RCV.NXT"]}.get(name)
                assert holds(interval, message.fields[name], near), f"{case}: {name} {interval}"
        assert differences(case, program, outcome, result, frozenset()) == [], str(case)
    assert done > CASES // 6
