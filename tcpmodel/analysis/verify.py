"""All proofs about one spec, in order.

Owns: which checks are made under which profiles.
Must never hold: how a check is decided (see the other modules of ``analysis``).
"""

from __future__ import annotations

from tcpmodel.analysis.asked import KINDS
from tcpmodel.analysis.behaviour import behaviour_section
from tcpmodel.analysis.coverage import Observer, classes_handled, deterministic, events_handled
from tcpmodel.analysis.declared import OF_ALL_PROFILES, property_check
from tcpmodel.analysis.graph import graph_of
from tcpmodel.analysis.results import Check, Section, Verification
from tcpmodel.analysis.scenarios import SECTION, scenario_checks
from tcpmodel.analysis.structure import reached, structure_checks
from tcpmodel.analysis.usage import View, extra_choices, profiles_matter, rules_used, states_used, view
from tcpmodel.model.profiles import choose_profiles, fits
from tcpmodel.model.spec import Spec


def verify(spec: Spec, profiles: frozenset[str] | None = None, *, behaviour: bool = True) -> Verification:
    """Prove or refute the properties of a spec; without ``behaviour``, those of its structure only.

    With None: under the default profiles, with each other profile turned on, and for the rules of all profiles
    together; and its scenarios, each under its own profiles. With a set: under exactly these profiles and nothing else.
    """
    observer = Observer(spec)
    if profiles is not None:
        chosen = {profile.name: profile.name in profiles for profile in spec.profiles}
        name = "+".join(name for name, wanted in chosen.items() if wanted) or "none"
        elsewhere = reached(spec, graph_of(spec, None))
        section = _section(observer, view(observer, name, chosen), elsewhere, "pair")
        behaves = behaviour_section(observer, profiles) if behaviour else None
        return Verification(spec.name, spec.path, (section, behaves) if behaves else (section,))
    default = choose_profiles(spec, ())
    views = [view(observer, "default", default)]
    for profile in spec.profiles:
        if not profile.default:
            views.append(view(observer, profile.name, choose_profiles(spec, [profile.name])))
    extra = [view(observer, "", choice) for choice in extra_choices(spec, [each.profiles for each in views])]
    everything = [*views, *extra]
    never = set.intersection(*(set(each.never) | _absent(spec, each) for each in everything))
    full = graph_of(spec, None, lambda rule: id(rule) not in never)
    elsewhere = reached(spec, full)
    sections = [_section(observer, each, elsewhere) for each in views]
    behaves = behaviour_section(observer) if behaviour else None
    together = [
        rules_used(observer, everything, full),
        states_used(spec, full),
        profiles_matter(spec),
        *(
            property_check(spec, full, declared)
            for declared in spec.properties
            if declared.kind not in (*KINDS, "checks") and not declared.expect_failure and not declared.profiles
        ),
    ]
    names = tuple(profile.name for profile in spec.profiles)
    sections.append(Section("all", names, tuple(together)))
    if behaves is not None:
        sections.append(behaves)
    if spec.scenarios:
        sections.append(Section(SECTION, (), scenario_checks(spec)))
    return Verification(spec.name, spec.path, tuple(sections))


def _absent(spec: Spec, each: View) -> set[int]:
    """The rules that do not belong to the spec under the profiles of a view."""
    wanted = each.profiles
    return {
        id(rule)
        for state in spec.states
        for rule in state.rules
        if any(wanted[name] != value for name, value in rule.profiles)
    }


def _section(observer: Observer, each: View, elsewhere: set[str], also: str = "") -> Section:
    """The checks under one choice. ``also``: a kind of property that is otherwise asked of all profiles together.

    What must fail is asked of the default profiles only.
    """
    spec = observer.spec
    graph = graph_of(spec, each.on, lambda rule: id(rule) not in each.never)
    checks: list[Check] = structure_checks(spec, graph, elsewhere)
    checks += [
        events_handled(each.program),
        classes_handled(observer, each.program, each.seen),
        deterministic(observer, each.program, each.seen),
    ]
    first = dict(each.profiles) == choose_profiles(spec, ())
    for declared in spec.properties:
        elsewhere_asked = declared.kind in KINDS or (declared.kind in OF_ALL_PROFILES and declared.kind != also)
        if not elsewhere_asked and fits(each.profiles, declared.profiles) and (first or not declared.expect_failure):
            checks.append(property_check(spec, graph, declared, checks))
    on = tuple(profile.name for profile in spec.profiles if profile.name in each.on)
    return Section(each.name, on, tuple(checks))
