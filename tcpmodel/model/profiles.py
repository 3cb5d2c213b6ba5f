"""Which profiles are on.

Owns: how a choice of names turns into a decision for every profile of a spec.
Must never hold: what a profile changes, or how a user names one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tcpmodel.model.spec import Spec


def choose_profiles(spec: Spec, names: Iterable[str]) -> dict[str, bool]:
    """The defaults of ``spec`` with these profiles turned on, in their order.

    A profile brings along what it says it needs, and these what they need, and turns off what it excludes; ``no-NAME``
    turns one off. A name that the spec does not have is passed over: one list of names may serve several specs.
    """
    profiles = {profile.name: profile for profile in spec.profiles}
    chosen = dict.fromkeys(profiles, False)

    def turn_on(name: str) -> None:
        waiting = [name]
        seen: set[str] = set()
        while waiting:
            current = waiting.pop()
            if current in seen or current not in profiles:
                continue
            seen.add(current)
            chosen[current] = True
            chosen.update(dict.fromkeys(profiles[current].turns_off, False))
            waiting.extend(profiles[current].turns_on)

    for profile in spec.profiles:
        if profile.default:
            turn_on(profile.name)
    for name in names:
        if name.startswith("no-") and name[3:] in profiles:
            chosen[name[3:]] = False
        else:
            turn_on(name)
    return chosen


def fits(choice: Mapping[str, bool], names: Iterable[str]) -> bool:
    """Are all of these profiles on in a choice, and off those that are named as ``no-NAME``?"""
    return all(
        not choice[name[3:]] if name.startswith("no-") and name[3:] in choice else choice.get(name, False)
        for name in names
    )
