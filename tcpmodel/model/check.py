"""Judges a resolved spec as a whole.

Owns: which checks run when, and the warnings about what is not used or not cited.
Must never hold: checks of single names and types (see ``resolve``, ``typing``).
"""

from __future__ import annotations

from tcpmodel.language import syntax
from tcpmodel.language.errors import SpecError
from tcpmodel.language.span import Span
from tcpmodel.model.flow import read_before_set
from tcpmodel.model.names import Names
from tcpmodel.model.shadow import never_fire
from tcpmodel.model.spec import Assign, Fault, PacketRule, Spec


def check(spec: Spec, names: Names, sound: bool) -> list[SpecError]:
    """Errors and warnings about the whole; ``sound``: there were no errors before, so nothing is missing."""
    found = never_fire(spec)
    if sound:
        found += read_before_set(spec) + _unused(spec, names) + _uncited(spec)
    return found


def _warning(code: str, message: str, span: Span, help_: str) -> SpecError:
    return SpecError(code, message, span, help_, "warning")


def _unused(spec: Spec, names: Names) -> list[SpecError]:
    used = names.used
    set_ = {a.variable for state in spec.states for rule in state.rules for a in rule.actions if isinstance(a, Assign)}
    out: list[SpecError] = []
    for variable in spec.variables:
        if ("value", variable.name) not in used and variable.name not in set_:
            message = f"variable `{variable.name}` is never used"
            out.append(_warning("TS060", message, variable.span, "remove it, or use it in a rule"))
    for profile in spec.profiles:
        if ("profile", profile.name) not in used and not profile.turns_on and not profile.turns_off:
            help_ = f"let a rule depend on it: @{profile.name} on ..."
            out.append(_warning("TS061", f"profile `{profile.name}` changes nothing", profile.span, help_))
    for name, declaration in names.definitions.items():
        if ("value", name) not in used:
            kind = "constant" if isinstance(declaration, syntax.ConstDecl) else "definition"
            message = f"{kind} `{name}` is never used"
            out.append(_warning("TS062", message, declaration.span, "remove it, or use it in an expression"))
    for name, group in names.groups.items():
        if ("group", name) not in used:
            help_ = f"write `use {name}` in a state, or remove it"
            out.append(_warning("TS063", f"group `{name}` is used by no state", group.span, help_))
    for event in spec.events:
        if event.kind != "message" and ("event", f"{event.kind} {event.name}") not in used:
            message = f"no rule is about {event.kind} `{event.name}`"
            out.append(_warning("TS066", message, event.span, f"write a rule: on {event}, or remove it"))
    return out


def _uncited(spec: Spec) -> list[SpecError]:
    if not spec.documents:
        return []
    places: dict[Span, tuple[str, Span]] = {}
    for state in spec.states:
        for rule in state.rules:
            if not rule.cites:
                places.setdefault(rule.span, (f"rule {rule.id}", rule.span))
    judged: list[PacketRule | Fault] = [*spec.packet_rules, *spec.faults]
    for one in judged:
        if not one.cites:
            places.setdefault(one.span, (one.id, one.span))
    help_ = f"say where it is written: [§1.2] is a place in {spec.documents[0]}"
    return [_warning("TS064", f"{what} cites nothing", span, help_) for what, span in places.values()]
