"""Why a message cannot be explained, in words.

Owns: naming an unexplained message by the faults that the spec declares, listing what the spec would have allowed, and
judging single messages by the spec's packet rules.
Must never hold: the condition of any rule: those stand in the spec.
"""

from __future__ import annotations

from tcpmodel.checking.configurations import Configuration
from tcpmodel.checking.endpoint import Endpoint
from tcpmodel.checking.findings import SEVERITY_OF, Diagnostic
from tcpmodel.checking.sightings import Interpreter
from tcpmodel.model.types import Seq
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Run, Sighting
from tcpmodel.semantics.expressions import Test
from tcpmodel.semantics.program import CompiledRule, CompiledSend, Program
from tcpmodel.semantics.values import FALSE, TRUE

MOST_ALLOWED = 4
"""How many alternatives a finding lists."""


def judge_alone(program: Program, sighting: Sighting) -> list[Diagnostic]:
    """What the packet rules say of one message."""
    found: list[Diagnostic] = []
    if not program.packet_rules:
        return found
    environment = program.environment([None] * program.tracked)
    for slot, known in sighting.slots.items():
        environment[slot] = known
    for rule, forbid, excepts in program.packet_rules:
        if rule.severity == "legal" or forbid.test(environment) != TRUE:
            continue
        if any(condition.test(environment) != FALSE for condition in excepts):
            continue
        cites = tuple(str(cite) for cite in rule.cites)
        found.append(Diagnostic(rule.id, SEVERITY_OF[rule.severity], "", 0, False, rule.title, cites))
    return found


def unexplained(endpoint: Endpoint, sighting: Sighting, interpreter: Interpreter) -> Diagnostic:
    """The finding for a message that nothing explains: named by the first fault that certainly applies."""
    program = endpoint.program
    closed = endpoint.closed()
    least = min((c.cost for c in closed.values()), default=0)
    likely = [c for c in closed.values() if c.cost == least]
    states = tuple(endpoint.states())
    allowed = tuple(_allowed(endpoint, likely, sighting, interpreter))
    for fault, condition in program.faults:
        if all(_certain(program, configuration, sighting, condition.test) for configuration in likely):
            cites = tuple(str(cite) for cite in fault.cites)
            return Diagnostic(
                fault.id, SEVERITY_OF[fault.severity], "", 0, False, fault.title, cites, states=states, allowed=allowed
            )
    cites = tuple(dict.fromkeys(str(cite) for _, rule in endpoint.candidates(sighting) for cite in rule.source.cites))
    code = f"{program.spec.name.upper()}-UNEXPLAINED"
    words = "sends what no rule of the spec allows here"
    return Diagnostic(code, "violation", "", 0, False, words, cites[:3], states=states, allowed=allowed)


def _certain(program: Program, configuration: Configuration, sighting: Sighting, test: Test) -> bool:
    environment = program.environment(configuration.values)
    for slot, known in sighting.slots.items():
        environment[slot] = known
    return test(environment) == TRUE


def _allowed(
    endpoint: Endpoint, likely: list[Configuration], sighting: Sighting, interpreter: Interpreter
) -> list[str]:
    """What the likeliest configurations would send instead: first with the same flags, then with any."""
    program = endpoint.program
    lines: dict[str, str] = {}
    for same in (True, False):
        for configuration in likely:
            for wanted, events in endpoint.abilities.senders[configuration.state].items():
                if (wanted == (sighting.message, sighting.flags)) != same:
                    continue
                for event in events:
                    if event[0] == "message":
                        continue
                    run = Run(program, event, unseen=True, trace=True)
                    for outcome in run.start(configuration.state, configuration.values):
                        if outcome.cost or not outcome.sent or any(rule.unusual for rule in outcome.rules):
                            continue
                        rule = outcome.rules[-1]
                        text = _template(program, outcome.sent[0], interpreter)
                        lines.setdefault(text, f"{text}  {_occasion(rule)} {_cited(rule)}".rstrip())
                        if len(lines) >= MOST_ALLOWED:
                            return list(lines.values())
        if lines:
            break
    return list(lines.values())


def _occasion(rule: CompiledRule) -> str:
    """When the rule fires, in the words of the spec."""
    event = rule.source.event
    return "at any time" if event.kind == "own" else f"on {event}"


def _cited(rule: CompiledRule) -> str:
    cites = ", ".join(str(cite) for cite in rule.source.cites)
    return f"[{cites}]" if cites else ""


def _template(
    program: Program, sent: tuple[CompiledSend, tuple[v.Interval | None, ...]], interpreter: Interpreter
) -> str:
    action, known = sent
    message = interpreter.message
    fields = {program.layout.fields[message.name, item.name]: item for item in message.fields}
    parts: list[str] = []
    for (slot, _, raw), value in zip(action.fields, known, strict=True):
        item = fields[slot]
        if item.default is not None and value == (item.default, item.default):
            continue
        parts.append(f"<{item.name}={_show(value, raw, isinstance(item.type, Seq))}>")
    if action.source.flags:
        parts.append(f"<CTL={','.join(action.source.flags)}>")
    return "".join(parts)


def _show(value: v.Interval | None, raw: int | None, circular: bool) -> str:
    if raw is not None:
        return str(raw)
    if value is None or (value[0] <= -v.INFINITY and value[1] >= v.INFINITY):
        return "any"

    def one(number: int) -> str:
        return str(number % v.MODULUS if circular else number)

    if value[0] == value[1]:
        return one(value[0])
    low = one(value[0]) if value[0] > -v.INFINITY else ""
    high = one(value[1]) if value[1] < v.INFINITY else ""
    return f"{low}..{high}"
