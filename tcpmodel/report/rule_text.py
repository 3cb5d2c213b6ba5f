"""A rule of a spec in words, for somebody who met its id in a report.

Owns: how a rule, a packet rule or a fault is told as text.
Must never hold: the rules themselves, or where specs are found.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.model import spec as m

SEVERITY_WORDS = {
    "must": "breaks a numbered MUST",
    "normative": "breaks normative text",
    "should": "breaks a SHOULD",
    "unusual": "unusual, but legal",
    "capture": "a fault of the capture rather than of an endpoint",
    "legal": "legal; never reported",
}


def describe(spec: m.Spec, identifier: str) -> str | None:
    """All that the spec says under this id (any case), or None when it has no such id."""
    wanted = identifier.upper()
    for fault in spec.faults:
        if fault.id.upper() == wanted:
            return _told(spec, fault.id, fault.title, fault.severity, fault.doc, fault.cites, _fault_lines(fault))
    for rule in spec.packet_rules:
        if rule.id.upper() == wanted:
            return _told(spec, rule.id, rule.title, rule.severity, rule.doc, rule.cites, _packet_rule_lines(rule))
    rules = [rule for state in spec.states for rule in state.rules if rule.id.upper() == wanted]
    if rules:
        return _told(spec, rules[0].id, rule_header(rules[0]), "", rules[0].doc, rules[0].cites, _rule_lines(rules))
    return None


def identifiers(spec: m.Spec) -> list[str]:
    """Every id that ``describe`` knows."""
    found = [*(fault.id for fault in spec.faults), *(rule.id for rule in spec.packet_rules)]
    found += [rule.id for state in spec.states for rule in state.rules]
    return list(dict.fromkeys(found))


def rule_header(rule: m.Rule) -> str:
    """A rule's first line without its state: event, guard and target."""
    words = "of its own accord" if rule.event.kind == "own" else f"on {rule.event}"
    if rule.guard is not None:
        words += f" when {rule.guard.text}"
    if rule.target != rule.state:
        words += f" -> {rule.target}"
    else:
        words += ": drop" if rule.drops else ": stay"
    return words + (" then continue" if rule.continues else "")


def _told(
    spec: m.Spec, identifier: str, title: str, severity: str, doc: str, cites: Iterable[m.Citation], lines: list[str]
) -> str:
    text = [f"{identifier} of {spec.name}: {title}", ""]
    if doc:
        text += [doc, ""]
    if severity:
        text.append(f"severity  {SEVERITY_WORDS[severity]}")
    text += lines
    clause = ", ".join(str(cite) for cite in cites)
    if clause:
        text.append(f"clause    {clause}")
    return "\n".join(text)


def _fault_lines(fault: m.Fault) -> list[str]:
    return [
        f"reported  when no rule of the sender explains a {fault.message}, and",
        f"          {fault.when.text}",
    ]


def _packet_rule_lines(rule: m.PacketRule) -> list[str]:
    lines = [f"reported  of a {rule.message} sent when {rule.forbid.text}", f"blames    {rule.blames}"]
    for condition, words in rule.excepts:
        told = words if condition is None else f"{condition.text}: {words}" if words else condition.text
        lines.append(f"except    {told}")
    if rule.beyond is not None:
        lines.append(f"counted   where it is the last message of a connection: more than {rule.beyond} at one address")
    if rule.needs:
        lines.append(f"needs     {', '.join(rule.needs)}")
    return lines


def _rule_lines(rules: list[m.Rule]) -> list[str]:
    rule = rules[0]
    lines = [f"states    {', '.join(dict.fromkeys(each.state for each in rules))}"]
    if rule.profiles:
        told = ", ".join(name if wanted else f"not {name}" for name, wanted in rule.profiles)
        lines.append(f"profile   {told}")
    for action in rule.actions:
        match action:
            case m.Assign():
                value = "unset" if action.unset else action.value.text if action.value is not None else "any"
                lines.append(f"sets      {action.variable} <- {value}")
            case m.Send():
                lines.append(f"sends     {action.text}")
            case m.Signal():
                lines.append(f'tells     "{action.text}"')
            case m.Choose():
                lines.append(f"chooses   {action.name} : {action.type}")
    return lines
