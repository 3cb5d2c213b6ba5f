"""Properties of behaviour: what an endpoint does, step after step, under every choice of profiles.

Owns: under which profiles a property is asked, the shortest run that breaks it, and the verdict.
Must never hold: which steps are tried (see ``exploration`` and ``classes``), whether one step breaks a property (see
``asked``), or a name of any protocol.

What an event brings about is also asked in every case that a spec tells apart, whether a connection gets there or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tcpmodel.analysis.asked import KINDS, Asked, Slots
from tcpmodel.analysis.classes import Arrival, describe
from tcpmodel.analysis.coverage import Identities, Observer
from tcpmodel.analysis.exploration import MOST_OF_A_MOVE, Exploration, Known
from tcpmodel.analysis.results import Check, Section, Witness
from tcpmodel.analysis.telling import witness_of
from tcpmodel.model import spec as m
from tcpmodel.model.profiles import choose_profiles, fits
from tcpmodel.semantics.execution import Run
from tcpmodel.semantics.program import EventKey, Program

SECTION = "behaviour"
"""The name of the section that holds the verdicts."""

FEWER_OF_A_MOVE = 2
"""As ``MOST_OF_A_MOVE``, for profiles on top of the default ones: most of their rules were looked at under these."""

Choice = Mapping[str, bool]


def behaviour_section(observer: Observer, profiles: frozenset[str] | None = None) -> Section | None:
    """The verdicts on all such properties, each under every choice of profiles that it is about; None if there is none.

    Without ``profiles`` these are the default ones, and these with each other profile. With ``profiles``: exactly these
    and nothing else, without what must fail under others.
    """
    spec = observer.spec
    asked = [_Claim(one, choose_profiles(spec, one.profiles)) for one in spec.properties if one.kind in KINDS]
    default = choose_profiles(spec, ())
    if profiles is not None:
        exact = {profile.name: profile.name in profiles for profile in spec.profiles}
        asked = [one for one in asked if one.fits(exact)]
        choices, names = [exact], [""]
    else:
        choices, names = [dict(default)], [""]
        for profile in spec.profiles:
            if not profile.default:
                choices.append(choose_profiles(spec, [profile.name]))
                names.append(profile.name)
        for one in asked:
            if not any(map(one.fits, choices)):
                choices.append(dict(one.own))
                names.append(" ".join(one.declared.profiles))
    if not asked:
        return None
    known: dict[tuple[object, ...], Known] = {}
    settled: set[tuple[object, ...]] = set()
    for name, choice in zip(names, choices, strict=True):
        waiting = [one for one in asked if not one.witness and one.fits(choice)]
        if waiting:
            most = FEWER_OF_A_MOVE if name else MOST_OF_A_MOVE
            _Search(observer, observer.program(choice), name, known, settled, most).ask(waiting)
    on = tuple(name for name, wanted in (default if profiles is None else choices[0]).items() if wanted)
    return Section(SECTION, on, tuple(one.check() for one in asked))


@dataclass
class _Claim:
    """A property and what was found out about it.

    ``own``: the profiles that it names, on top of the default ones. ``found``: the profile under which ``witness`` was.
    """

    declared: m.Property
    own: Choice
    witness: Witness | None = None
    found: str = ""
    steps: int = 0
    cases: int = 0
    choices: int = 0

    def fits(self, choice: Choice) -> bool:
        """Is the property about these profiles? One that must fail is asked under its own only."""
        if self.declared.expect_failure:
            return dict(choice) == dict(self.own)
        return fits(choice, self.declared.profiles)

    def check(self) -> Check:
        """The verdict, once all was asked."""
        declared = self.declared
        name = f"property {declared.name}"
        title = declared.title or declared.kind
        under = f" (with {', '.join(declared.profiles)})" if declared.profiles else ""
        tried = f"{self.steps:,} steps" + (f" and {self.cases:,} cases" if self.cases else "")
        if self.choices > 1:
            tried += f", {self.choices} choices of profiles"
        witness = self.witness
        if declared.expect_failure:
            if witness is not None:
                said = f"fails as it must, {declared.expect_failure}: {title}{under}"
                run = tuple(words for _, words in witness.details)
                return Check(name, True, said, notes=(witness.text, *run))
            said = f"should fail, {declared.expect_failure}, yet no counterexample is found: {title}{under}"
            span = declared.span
            return Check(name, False, said, (Witness(f"none in {tried}", line=span.line, part=span.path),))
        if witness is not None:
            where = f" with {self.found}" if self.found else ""
            return Check(name, False, f"does not hold{where}: {title}{under}", (witness,))
        return Check(name, True, f"{title}{under}; {tried}")


@dataclass(frozen=True)
class _About:
    """What is to be asked of an event; ``again``: also of a step between configurations that another step joined."""

    all: list[tuple[_Claim, Asked]]
    again: list[tuple[_Claim, Asked]]
    names: frozenset[str]


@dataclass
class _Search:
    """Steps and cases under one choice of profiles.

    ``known`` and ``settled`` are shared with other choices: what an event leads to, and (state, event, the rules for
    it, name of a property) of which every case was asked.
    """

    observer: Observer
    program: Program
    name: str
    known: dict[tuple[object, ...], Known]
    settled: set[tuple[object, ...]]
    most: int
    _waiting: list[tuple[_Claim, Asked]] = field(default_factory=list)
    _of: dict[EventKey, _About] = field(default_factory=dict)

    def ask(self, claims: Sequence[_Claim]) -> None:
        """Look for a step or a case that breaks one of these."""
        self._waiting = [(claim, Asked(self.program, claim.declared)) for claim in claims]
        exploration = Exploration(
            self.program, lambda event: self._about(event).names, self.known, most_of_a_move=self.most
        )
        first = exploration.starts()[0]
        for start in exploration.starts():
            for claim, one in self._waiting:
                if one.first(start):
                    claim.found = self.name
                    claim.witness = witness_of(self.program, first, start, claim.declared, self.name)
        self._forget()
        pairs: set[tuple[object, ...]] = set()
        fired = self.observer.fired
        for before, happening, after in exploration.run():
            assert after.outcome is not None
            fired.update(id(rule.source) for rule in after.outcome.rules)
            key = (before.state, before.values, after.state, after.values)
            asked = self._about(happening.event)
            broken = [
                claim
                for claim, one in (asked.again if key in pairs else asked.all)
                if one.step(before, after, partial(exploration.slots, happening))
            ]
            pairs.add(key)
            for claim in broken:
                claim.witness = witness_of(self.program, first, after, claim.declared, self.name)
                claim.found = self.name
            if broken:
                self._forget()
                if not self._waiting:
                    break
        for claim in claims:
            claim.steps += exploration.steps
            claim.choices += 1
        self._cases()

    def _forget(self) -> None:
        """What is settled needs no further steps."""
        self._waiting = [(claim, one) for claim, one in self._waiting if claim.witness is None]
        self._of.clear()

    def _about(self, event: EventKey) -> _About:
        if event not in self._of:
            found = [(claim, one) for claim, one in self._waiting if one.about(event)]
            again = [(claim, one) for claim, one in found if one.of_answers or one.declared.events]
            self._of[event] = _About(found, again, frozenset(claim.declared.name for claim, _ in found))
        return self._of[event]

    def _cases(self) -> None:
        """Ask what is brought about in all cases that the spec tells apart."""
        identities = Identities(self.program)
        for state, groups in enumerate(self.program.rules):
            for event in groups:
                if event[0] == "own":
                    continue
                place = (state, event, *identities.of(state, event))
                asked = [
                    (claim, one)
                    for claim, one in self._about(event).all
                    if one.of_answers and (*place, claim.declared.name) not in self.settled
                ]
                if not asked:
                    continue
                self._case_of(state, event, asked)
                self.settled.update((*place, claim.declared.name) for claim, _ in asked)
                self._forget()

    def _case_of(self, state: int, event: EventKey, asked: list[tuple[_Claim, Asked]]) -> None:
        program = self.program
        cases = self.observer.cases((state, event))
        arrival = Arrival(program, cases.message)
        for case in cases.all():
            known = [None if value is None else (value, value) for value in case.variables]
            slots = arrival.slots(case)
            for outcome in Run(program, event, trace=True, brief=True, picks={}).start(state, known, slots):
                for claim, one in asked:
                    claim.cases += 1
                    if claim.witness is None and one.answer(state, known, outcome, partial(_same, slots)):
                        rules = [rule.source for rule in outcome.rules]
                        names = tuple(rule.id for rule in rules[-1:])
                        text = f"in {program.states[state]}, " + (f"{names[0]} does it" if names else "no rule fires")
                        values = describe(program.spec, cases, case, rules)
                        span = rules[-1].span if rules else claim.declared.span
                        claim.witness = Witness(
                            text, program.states[state], event[1], names, span.line, (), values, span.path
                        )
                        claim.found = self.name


def _same(slots: Slots) -> Slots:
    return slots
