"""Rows of tests of the smaller specs around TCP and UDP: one event, and what becomes of it."""

from __future__ import annotations

from typing import NamedTuple

from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.stepping import Stepper

SPECS = {name: load_spec(name) for name in ("request-response", "listener", "isn", "options")}
TOP = 1 << 32

Values = dict[str, int | str | None]


class Row(NamedTuple):
    """``rule``: the last one that fires. ``told``: what is sent, then what the user hears."""

    state: str
    let: Values
    event: str
    rule: str
    after: str
    told: tuple[str, ...]
    variables: Values
    profiles: str = ""


class Machine:
    """One endpoint that goes on from where the last event left it."""

    def __init__(self, name: str, profiles: str = "", state: str = "", let: Values | None = None) -> None:
        self.stepper = Stepper(SPECS[name], profiles.split())
        self.state = state or SPECS[name].initial.name
        self.let: Values = dict(let or {})

    def __call__(self, event: str, **picks: int) -> tuple[str, ...]:
        """What is sent and told in answer to the event."""
        before = self.stepper.values(self.state, self.let)
        (outcome,) = self.stepper.step(self.state, before, event, picks).outcomes
        self.state, self.let = outcome.next, dict(outcome.variables)
        return outcome.sent + outcome.signals


def holds(spec: Spec, row: Row) -> None:
    stepper = Stepper(spec, row.profiles.split())
    (outcome,) = stepper.step(row.state, stepper.values(row.state, row.let), row.event).outcomes
    assert outcome.covered
    assert (outcome.rules[-1].id, outcome.next) == (row.rule, row.after)
    assert outcome.sent + outcome.signals == row.told
    assert {name: outcome.variables[name] for name in row.variables} == row.variables


def written(spec: Spec, prefix: str) -> set[str]:
    return {rule.id for state in spec.states for rule in state.rules if rule.id.startswith(prefix)}
