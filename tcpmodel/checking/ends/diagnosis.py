"""Why a message cannot be explained, in words.

Owns: naming an unexplained message by the faults that the spec declares.
Must never hold: the condition of any rule: those stand in the spec. What else could have been sent is found out by
``candidates``.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.checking.ends.candidates import answer
from tcpmodel.checking.ends.configurations import Configuration
from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.outcome.findings import SEVERITY_OF, Diagnostic
from tcpmodel.model import spec as m
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.expressions import Environment
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.reasons import reasons
from tcpmodel.semantics.values import TRUE

NO_FAULT = "no packets that the capture may have lost, doubled or swapped explain it"

MISSING = "CAP-006"
"""Packets are missing from the capture."""

UNEXPLAINED = "-UNEXPLAINED"
"""The end of the name of what has no other."""


_marked: dict[int, tuple[m.Spec, dict[str, list[str]]]] = {}
"""Of each spec, by its identity: the ids of the requirements marked with each id of a rule or fault."""


def unexplained(endpoint: Endpoint, sighting: Sighting, interpreter: Interpreter) -> Diagnostic:
    """The finding for a message that nothing explains: named by the first fault that certainly applies."""
    closed = endpoint.closed()
    least = min((c.cost for c in closed.values()), default=0)
    likely = [c for c in closed.values() if c.cost == least]
    finding = _named(endpoint, likely, sighting)
    instead = answer(endpoint, likely, sighting, interpreter)
    finding.states = tuple(endpoint.states())
    finding.allowed, finding.compared = instead.allowed, instead.compared
    finding.candidates, finding.elsewhere = instead.candidates, instead.elsewhere
    return finding


def named(findings: list[Diagnostic]) -> list[Diagnostic]:
    """The findings with one for each message that nothing explains and that a rule over messages has a name for.

    What is known of the states stays; name, words and clause are those of the rule. What was found twice under one
    name is told once: by the finding that proves more. A packet that is a fault is no sign of others that are missing.
    """
    faults = {(one.place, one.endpoint) for one in findings if one.severity == "violation"}
    kept = [one for one in findings if one.code != MISSING or (one.place, one.endpoint) not in faults]
    for one in findings:
        if one.severity != "violation" or not one.code.endswith(UNEXPLAINED):
            continue
        for other in kept:
            same = (other.place, other.endpoint, other.severity) == (one.place, one.endpoint, one.severity)
            if same and not other.code.endswith(UNEXPLAINED):
                one.code, one.message, one.cites = other.code, other.message, other.cites
                one.values, one.requirements = other.values, other.requirements
                kept.remove(other)
                break
    best: dict[tuple[str, str, int, int], Diagnostic] = {}
    for one in kept:
        key = (one.code, one.endpoint, one.place, one.input)
        if key not in best or _proof(one) > _proof(best[key]):
            best[key] = one
    return [one for one in kept if best[one.code, one.endpoint, one.place, one.input] is one]


def _proof(finding: Diagnostic) -> tuple[int, bool]:
    """How much a finding proves, and whether it tells of states."""
    return (("note", "capture", "warning", "violation").index(finding.severity), bool(finding.states))


def altered(finding: Diagnostic) -> str:
    """What a capture would have to have done to the message, if no endpoint is to blame; "" when nothing is known."""
    told = [f"{each.name} {each.actual} for {each.expected}" for each in finding.compared if not each.agrees]
    return f"the capture itself would have to have altered it ({', '.join(told)})" if told else ""


def requirements(spec: m.Spec, code: str, cites: Iterable[m.Citation]) -> tuple[str, ...]:
    """The ids of the requirements that a rule or fault of this id carries: those it cites, and those marked with it."""
    known = _marked.get(id(spec))
    if known is None or known[0] is not spec:
        marked: dict[str, list[str]] = {}
        for mark in spec.requirements:
            for reference in mark.by:
                marked.setdefault(reference.name, []).append(mark.id)
        known = _marked[id(spec)] = (spec, marked)
    found = [cite.place for cite in cites if cite.requirement]
    return tuple(dict.fromkeys([*found, *known[1].get(code, ())]))


def _named(endpoint: Endpoint, likely: list[Configuration], sighting: Sighting) -> Diagnostic:
    program = endpoint.program
    for fault, condition in program.faults:
        environments = [_environment(program, configuration, sighting) for configuration in likely]
        if all(condition.test(environment) == TRUE for environment in environments):
            cites = tuple(str(cite) for cite in fault.cites)
            finding = Diagnostic(fault.id, SEVERITY_OF[fault.severity], "", 0, False, fault.title, cites)
            if environments:
                finding.values = reasons(program, fault.when, environments[0])
            finding.requirements = requirements(program.spec, fault.id, fault.cites)
            return finding
    rules = [rule.source for _, rule in endpoint.candidates(sighting)]
    cites = tuple(dict.fromkeys(str(cite) for rule in rules for cite in rule.cites))
    code = f"{program.spec.name.upper()}{UNEXPLAINED}"
    return Diagnostic(code, "violation", "", 0, False, "sends what no rule of the spec allows here", cites[:3])


def _environment(program: Program, configuration: Configuration, sighting: Sighting) -> Environment:
    environment = program.environment(configuration.values)
    for slot, known in sighting.slots.items():
        environment[slot] = known
    return environment
