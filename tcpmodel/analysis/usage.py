"""Checks on what a spec says in vain: rules that never fire, states and profiles that nobody needs.

Owns: the certainty that a rule cannot fire, and the checks that follow.
Must never hold: which cases are tried (see ``classes``), or how conditions become formulas (see ``logic``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tcpmodel.analysis.coverage import Cell, Observation, Observer, constants_of
from tcpmodel.analysis.logic import TRUE_FORMULA, Formula, Logic, negated
from tcpmodel.analysis.reading import variables_in
from tcpmodel.analysis.results import Check, Witness, count, listed
from tcpmodel.analysis.structure import reached
from tcpmodel.model import spec as m
from tcpmodel.model.profiles import choose_profiles
from tcpmodel.semantics.program import CompiledRule, Program

if TYPE_CHECKING:
    from tcpmodel.analysis.graph import Graph


@dataclass
class View:
    """A spec under one choice of profiles: its program and what its cases led to.

    ``fired``: ids (``id()``) of the rules that were seen to fire; ``never``: of those that certainly cannot, each with
    the rules that always win, none when its own condition cannot hold.
    """

    name: str
    profiles: Mapping[str, bool]
    program: Program
    seen: dict[Cell, Observation]
    fired: set[int] = field(default_factory=set)
    never: dict[int, list[m.Rule]] = field(default_factory=dict)

    @property
    def on(self) -> frozenset[str]:
        """The profiles that are on."""
        return frozenset(name for name, wanted in self.profiles.items() if wanted)


def view(observer: Observer, name: str, profiles: Mapping[str, bool]) -> View:
    """Run a spec under these profiles, and find out which rules cannot fire."""
    program = observer.program(profiles)
    found = View(name, profiles, program, observer.observe(program))
    for observation in found.seen.values():
        found.fired |= observation.fired
    for state, events in enumerate(program.rules):
        for event, rules in events.items():
            if all(id(rule.source) in found.fired for rule in rules):
                continue
            logic = Logic(observer.spec, [rule.source.guard for rule in rules if rule.source.guard is not None])
            for index, rule in enumerate(rules):
                if id(rule.source) not in found.fired:
                    winners = _winners(program, (state, event), index, logic)
                    if winners is not None:
                        found.never[id(rule.source)] = winners
    return found


def _winners(program: Program, cell: Cell, index: int, logic: Logic) -> list[m.Rule] | None:
    """The rules that keep a rule from ever firing; none if it cannot fire anyway, None if it may fire."""
    state, event = cell
    rules = program.rules[state][event]
    own = _formula(logic, rules[index])
    if logic.possible([own]) is False:
        return []
    rivals: list[CompiledRule] = []
    assigned: set[str] = set()
    for rule in reversed(rules[_entry(program, cell, index) : index]):
        if rule.continues and rule.target == state:
            assigned.update(action.variable for action in rule.source.actions if isinstance(action, m.Assign))
        elif rule.source.guard is None or not variables_in(program.spec, rule.source.guard) & assigned:
            rivals.append(rule)
    rivals.reverse()
    if not rivals or logic.possible([own, *(negated(_formula(logic, rule)) for rule in rivals)]) is not False:
        return None
    for rule in tuple(rivals):
        fewer = [other for other in rivals if other is not rule]
        if logic.possible([own, *(negated(_formula(logic, other)) for other in fewer)]) is False:
            rivals = fewer
    return [rule.source for rule in rivals]


def _formula(logic: Logic, rule: CompiledRule) -> Formula:
    return TRUE_FORMULA if rule.source.guard is None else logic.formula(rule.source.guard)


def _entry(program: Program, cell: Cell, index: int) -> int:
    """The last place at or before ``index`` at which processing may start: 0, or where ``then continue`` leads."""
    state, event = cell
    rules = program.rules[state][event]
    entry = 0
    for other, events in enumerate(program.rules):
        for rule in events.get(event, ()):
            if other != state and rule.continues and rule.target == state:
                place = next((i for i, later in enumerate(rules) if later.step > rule.step), len(rules))
                if entry < place <= index:
                    entry = place
    return entry


def wanted_choice(spec: m.Spec, rule: m.Rule) -> dict[str, bool] | None:
    """A choice of profiles under which the rule belongs to the spec; None if its profiles exclude each other."""
    chosen = choose_profiles(spec, [name for name, wanted in rule.profiles if wanted])
    chosen.update({name: False for name, wanted in rule.profiles if not wanted})
    return chosen if all(chosen[name] == wanted for name, wanted in rule.profiles) else None


def extra_choices(spec: m.Spec, known: Iterable[Mapping[str, bool]]) -> list[dict[str, bool]]:
    """Choices of profiles that the known ones lack, so that each rule belongs to the spec under one at least."""
    choices = list(known)
    found: list[dict[str, bool]] = []
    for rule in _all_rules(spec):
        if not any(_active(rule, choice) for choice in [*choices, *found]):
            chosen = wanted_choice(spec, rule)
            if chosen is not None:
                found.append(chosen)
    return found


def _active(rule: m.Rule, choice: Mapping[str, bool]) -> bool:
    return all(choice[name] == wanted for name, wanted in rule.profiles)


def _all_rules(spec: m.Spec) -> list[m.Rule]:
    return [rule for state in spec.states for rule in state.rules]


# ------------------------------------------------------------------------------------------------------ the checks


def rules_used(observer: Observer, views: Sequence[View], graph: Graph) -> Check:
    """Can every rule fire under some profiles? Only what is certain counts as a failure."""
    spec = observer.spec
    states = reached(spec, graph)
    fired: set[int] = set().union(observer.fired, *(each.fired for each in views))
    witnesses = []
    notes = []
    unreached = 0
    for rule in _all_rules(spec):
        if rule.state not in states:
            unreached += 1
            continue
        if id(rule) in fired:
            continue
        where = [each for each in views if _active(rule, each.profiles)]
        ids: tuple[str, ...] = (rule.id,)
        text = ""
        if not where:
            text = f"{rule.id} in {rule.state} never fires: its profiles exclude each other"
        elif all(id(rule) in each.never for each in where):
            winners = where[0].never[id(rule)]
            if winners:
                names = [winner.id for winner in winners]
                why = f"{listed(names)} always {'wins' if len(names) == 1 else 'win'}"
                ids = (rule.id, *names)
            else:
                why = "its condition can never hold"
            text = f"{rule.id} in {rule.state} never fires: {why}"
        else:
            key = (rule.event.kind, rule.event.name)
            if rule.event.kind == "own":
                key = ("own", str(spec.state(rule.state).rules.index(rule)))
            tried = observer.cases((observer.full.states.index(rule.state), key)).tried
            notes.append(f"{rule.id} in {rule.state} ({rule.span.where}) did not fire in {tried} cases; it may")
        if text:
            span = rule.span
            witnesses.append(Witness(text, rule.state, str(rule.event), ids, span.line, part=span.path))
    if unreached:
        notes.append(f"{count(unreached, 'rule')} of states that are never reached not counted")
    total = len(_all_rules(spec))
    if witnesses:
        message = f"{len(witnesses)} of {count(total, 'rule')} never fire"
    else:
        message = f"{len(fired)} of {count(total, 'rule')} were seen to fire; none is known not to"
    return Check("rules-used", not witnesses, message, tuple(witnesses), tuple(notes))


def states_used(spec: m.Spec, graph: Graph) -> Check:
    """Does some rule of another state lead to every state?"""
    witnesses = [
        Witness(f"no rule leads to {state.name}", state.name, line=state.span.line, part=state.span.path)
        for state in spec.states
        if not state.initial and not any(source != state.name for source, _ in graph.in_edges(state.name))
    ]
    message = f"no rule leads to {listed([w.state for w in witnesses])}" if witnesses else "a rule leads to each state"
    return Check("states-used", not witnesses, message, tuple(witnesses))


def profiles_matter(spec: m.Spec) -> Check:
    """Does every profile change a rule or a constant, by itself or together with others that a rule asks for?"""
    witnesses = [
        Witness(f"{profile.name} changes no rule and no constant", line=profile.span.line, part=profile.span.path)
        for profile in spec.profiles
        if not any(_differs(spec, profile, company) for company in _companies(spec, profile.name))
    ]
    total = count(len(spec.profiles), "profile")
    message = f"{len(witnesses)} of {total} change nothing" if witnesses else f"each of {total} changes something"
    if not spec.profiles:
        message = "the spec has no profiles"
    return Check("profiles-matter", not witnesses, message, tuple(witnesses))


def _companies(spec: m.Spec, name: str) -> list[list[str]]:
    """The other profiles that must be on for a rule that depends on this one; none first."""
    found: list[list[str]] = [[]]
    for rule in _all_rules(spec):
        if any(other == name for other, _ in rule.profiles):
            company = [other for other, wanted in rule.profiles if wanted and other != name]
            if company not in found:
                found.append(company)
    return found


def _differs(spec: m.Spec, profile: m.Profile, company: list[str]) -> bool:
    """Does the profile make a difference to the defaults with these others turned on?"""
    without = choose_profiles(spec, company)
    if without[profile.name]:
        other = without | {profile.name: False}
    else:
        other = choose_profiles(spec, [*company, profile.name])
    return any(_active(rule, without) != _active(rule, other) for rule in _all_rules(spec)) or (
        constants_of(spec, without) != constants_of(spec, other)
    )
