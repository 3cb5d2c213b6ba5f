"""The scenarios of a spec as its tests.

Owns: which runs a scenario is given, and its verdict.
Must never hold: what a line of a scenario means (see ``one_end`` and ``two_ends``), or how a verdict is shown.

Every scenario also runs with its numbers moved: once for each number that it names, so that this one becomes 0.
"""

from __future__ import annotations

from tcpmodel.analysis.failures import Failure
from tcpmodel.analysis.one_end import OneEnd
from tcpmodel.analysis.results import Check, Witness, count
from tcpmodel.analysis.shifting import NO_SHIFT, Shift, numbers_of, shifts
from tcpmodel.analysis.two_ends import TwoEnds
from tcpmodel.model.scenario import Scenario
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.stepping import Stepper

SECTION = "scenarios"
"""The name of the section that holds the verdicts."""

REFUSED = "refused"
"""How the message of a scenario begins whose last line is refused as it must be."""


def scenario_checks(spec: Spec) -> tuple[Check, ...]:
    """One check for each scenario, in the order of the spec."""
    steppers: dict[tuple[str, ...], Stepper] = {}
    found: list[Check] = []
    for scenario in spec.scenarios:
        if scenario.profiles not in steppers:
            steppers[scenario.profiles] = Stepper(spec, scenario.profiles)
        found.append(run_scenario(steppers[scenario.profiles], scenario))
    return tuple(found)


def run_scenario(stepper: Stepper, scenario: Scenario) -> Check:
    """The verdict on one scenario; the profiles of ``stepper`` are those of the scenario."""
    runner = OneEnd(stepper, scenario) if len(scenario.start) == 1 else TwoEnds(stepper, scenario)
    first = runner.run()
    failure = _judged(scenario, first)
    if failure is not None or (scenario.rejects and first is None):
        return _failed(scenario, failure)
    tried = 1
    for shift in shifts(numbers_of(stepper.spec, scenario, "" if len(scenario.start) == 1 else "A")):
        if shift == NO_SHIFT:
            continue
        tried += 1
        again = runner.run(shift)
        failure = _judged(scenario, again)
        if failure is not None or (scenario.rejects and again is None):
            return _failed(scenario, failure, shift)
    kind = REFUSED if scenario.rejects else "runs"
    why = f": {scenario.lines[-1].refused}" if scenario.rejects else ""
    return Check(scenario.title, True, f"{kind}{why}", notes=(f"with {count(tried, 'numbering')}",))


def _judged(scenario: Scenario, failure: Failure | None) -> Failure | None:
    """What is wrong about a run that ended in ``failure``: nothing, if that line was to be refused."""
    if failure is not None and scenario.rejects and failure.line is scenario.lines[-1]:
        return None
    return failure


def _failed(scenario: Scenario, failure: Failure | None, shift: Shift = NO_SHIFT) -> Check:
    details: tuple[tuple[str, str], ...]
    if failure is None:
        line = scenario.lines[-1]
        details = (("must be refused", line.refused), ("but", "the spec allows it"))
        message = "the spec allows what the scenario says that it must refuse"
    else:
        line, shift = failure.line, failure.shift
        whose = f"{failure.end} may be in" if failure.end else "in"
        details = (("expected", failure.expected), ("actual", failure.actual), (whose, failure.states or "no state"))
        message = "the spec does not do what the scenario says"
    if shift != NO_SHIFT:
        moved = (f"numbers moved by {shift.local} and {shift.peer}", "it passes where they are")
        details = (*details, moved)
    witness = Witness(line.text, rules=(), line=line.span.line, part=line.span.path, details=details)
    return Check(scenario.title, False, message, (witness,))
