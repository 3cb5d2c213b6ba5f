"""The examples in the specs: what breaks a rule is found at its message, and what only looks like it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.examples import packets, whole
from tcpmodel.checking.outcome.findings import SEVERITY_OF
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Example, Spec
from tcpmodel.traces.records import Packet

Judge = Callable[..., Checker]
SPECS = [load_spec(name) for name in ("tcp", "udp")]
SHIFTS = [(0, 0), (2**32 - 101, 2**32 - 301), (2**31 - 110, 2**32 - 311)]
"""Of both ends: as written, about to wrap, and in the middle of both."""


def rules(spec: Spec) -> dict[str, set[str]]:
    """Ids, and the severities that they may be told with."""
    found: dict[str, set[str]] = {}
    for rule in (*spec.packet_rules, *spec.faults):
        found.setdefault(rule.id, set()).add(SEVERITY_OF[rule.severity])
    return found


EXAMPLES = [
    pytest.param(spec, example, id=f"{example.name} line {example.span.line}")
    for spec in SPECS
    for example in spec.examples
    if example.name in rules(spec)
]


@pytest.mark.parametrize(("spec", "example"), EXAMPLES)
def test_example(judge: Judge, spec: Spec, example: Example) -> None:
    wrong = [(example.name, number) for number, line in enumerate(whole(spec, example), 1) if line.wrong]
    for shifts in SHIFTS:
        connections = judge(packets(spec, example, shifts)).report.connections
        found = [(one.code, one.place, one.severity) for each in connections for one in each.diagnostics]
        assert [(code, place) for code, place, _ in found if code == example.name] == wrong, (shifts, found)
        places = {place for _, place in wrong}
        assert not [one for one in found if one[2] == "violation" and one[1] not in places], shifts
        wanted = rules(spec)[example.name] if wrong else set()
        assert {severity for code, _, severity in found if code == example.name} <= wanted | {"warning"}


@pytest.mark.parametrize("spec", SPECS[:1], ids=["tcp"])
def test_every_rule_has_its_examples(spec: Spec) -> None:
    """One that breaks it, if anything can, and one that does not; only messages of the protocol itself can be shown."""
    nothing = {need.name for need in spec.needs if need.fact == "nothing"}
    for rule in (*spec.packet_rules, *spec.faults):
        own = [example for example in spec.examples if example.name == rule.id]
        if not rule.id.startswith(f"{spec.name.upper()}-"):
            continue
        if getattr(rule, "scope", "") == "run" or nothing & set(getattr(rule, "needs", ())):
            continue
        if rule.severity != "legal":
            assert any(line.wrong for example in own for line in example.lines), f"{rule.id}: no example that breaks it"
        legal = [example for example in own if not any(line.wrong for line in example.lines)]
        assert legal, f"{rule.id}: no example of what is legal"


def test_rules_over_a_run(judge: Judge) -> None:
    """What cannot be decided is not counted, such as TCP-HS-022."""
    syns = [
        Packet(number, number * 10**6, "tcp", f"10.0.0.1:{number + 1000}", "10.0.0.2:80", 2, {"seq": 100})
        for number in range(1, 120)
    ]
    (report,) = judge(syns).report.inputs
    assert {note.code for note in report.notes if note.severity != "capture"} == {"TCP-HS-016", "TCP-HS-019"}
