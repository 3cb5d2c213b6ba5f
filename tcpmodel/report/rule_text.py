"""A rule of a spec in words, for somebody who met its id in a report.

Owns: how a rule, a packet rule or a fault is told as text.
Must never hold: the rules themselves, or where specs are found.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.model import spec as m
from tcpmodel.model.types import Bool
from tcpmodel.model.walk import opened

WIDTH = 120
"""Most characters in a line."""

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
    judged: list[m.Fault | m.PacketRule] = [
        *(fault for fault in spec.faults if fault.id.upper() == wanted),
        *(rule for rule in spec.packet_rules if rule.id.upper() == wanted),
    ]
    if judged:
        told = []
        for one in judged:
            lines = _fault_lines(one) if isinstance(one, m.Fault) else _packet_rule_lines(spec, one)
            told.append(_told(spec, one.id, one.title, one.severity, one.doc, one.cites, lines))
        return "\n\n".join(told) + _shown(spec, judged[0].id)
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
    return "\n".join("\n".join(_wrapped(line)) for line in text)


def _wrapped(line: str) -> list[str]:
    """A line, continued below its second column where it is too long; paragraphs of the spec stay as they are."""
    if len(line) <= WIDTH or line[:1].isupper() or "\n" in line:
        return [line]
    from textwrap import wrap

    return wrap(line, WIDTH, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False)


def _fault_lines(fault: m.Fault) -> list[str]:
    return [
        f"reported  when no rule of the sender explains a {fault.message}, and",
        f"          {fault.when.text}",
    ]


def undecided(spec: m.Spec, rule: m.PacketRule) -> str:
    """Why nothing is ever reported of a rule, or ""."""
    return next((need.title for need in spec.needs if need.name in rule.needs and need.fact == "nothing"), "")


def _packet_rule_lines(spec: m.Spec, rule: m.PacketRule) -> list[str]:
    why_not = undecided(spec, rule)
    lines = []
    if why_not:
        lines.append(f"reported  never: {why_not}")
    elif rule.severity != "legal":
        lines.append(f"reported  of a {rule.message} {_looked_at(rule)} when")
        lines.append(f"          {rule.forbid.text}")
    if rule.severity != "legal":
        lines.append(f"blames    {rule.blames}")
    for word, later in (("and", rule.once), ("unless", rule.lapses)):
        if later is not None:
            lines.append(f"{word:<10}later {later.text}")
    for condition, words in rule.excepts:
        told = words if condition is None else f"{condition.text}: {words}" if words else condition.text
        lines.append(f"except    {told}")
    lines += [f"where     {one.name} = {one.body.text}" for one in _conditions_named(spec, rule)]
    if rule.steady and not why_not:
        lines.append(
            f"counted   where it is the first message of a connection: more than {rule.beyond} of one host in a row,\n"
            f"          whose {rule.message}.{rule.steady} grows by the same"
        )
    elif rule.beyond is not None and not why_not:
        lines.append(f"counted   where it is the last message of a connection: more than {rule.beyond} at one address")
    needs = [need for need in spec.needs if need.name in rule.needs and need.fact != "nothing"]
    lines += [f"needs     {need.title or need.name}" for need in needs]
    return lines


def _conditions_named(spec: m.Spec, rule: m.PacketRule) -> list[m.Definition]:
    """The definitions of conditions that a rule names, also within each other."""
    known = {one.name: one for one in spec.definitions if isinstance(one.type, Bool)}
    judged = [rule.forbid, rule.once, rule.lapses, *(condition for condition, _ in rule.excepts)]
    parts = opened(judged, lambda name: known[name].body if name in known else None)
    named = dict.fromkeys(part.name for part in parts if isinstance(part, m.DefinitionRef))
    return [known[name] for name in named if name in known]


def _looked_at(rule: m.PacketRule) -> str:
    return {"direction": "in one direction", "connection": "of a connection"}.get(rule.scope, "sent")


def _shown(spec: m.Spec, identifier: str) -> str:
    """The examples of a rule, each after an empty line."""
    from tcpmodel.checking.examples import whole

    text = []
    for example in spec.examples:
        if example.name != identifier:
            continue
        lines = whole(spec, example)
        broken = any(line.wrong for line in lines)
        words = "an example that breaks it" if broken else "an example that is legal" if lines else ""
        text += ["", words + (f": {example.title}" if example.title else "")]
        if example.end:
            text.append(f"  (captured at the host of {'the left' if example.end == 'A' else 'the right'} end)")
        for line in lines:
            if line.wait:
                text.append(f"  ... {line.wait / 1e6:g} s later")
            arrow = "-->" if line.sender == "A" else "<--"
            text.append(f"  {arrow} {line.message.text}" + (f"  ! {line.wrong}" if line.wrong else ""))
    return "".join(f"\n{line}" for line in text)


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
