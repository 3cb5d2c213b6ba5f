"""Which specs judge what was observed, by which of their profiles, and from where it was seen.

Owns: the meaning of ``--spec``, ``--profile`` and ``--vantage`` for ``check``.
Must never hold: how a spec is read (see ``options.load``), or what it says.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import active_profiles, load

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from tcpmodel.model.spec import Spec


def choose_specs(wanted: Sequence[str]) -> list[Spec]:
    """The specs that judge: those that ``wanted`` names, and the shipped ones of all other protocols.

    CommandError with the errors of all specs that cannot be used, or for two specs of one protocol.
    """
    from tcpmodel.traces.records import PROTOCOLS, SPECS

    chosen: dict[str, tuple[str, Spec]] = {}
    errors: list[str] = []
    for name in wanted:
        try:
            spec = load(name)
        except CommandError as error:
            errors.append(str(error) if error.complete else f"tcpmodel: error: {error}")
            continue
        protocol = spec.over or spec.name
        if protocol in chosen and chosen[protocol][0] != name:
            errors.append(
                f"tcpmodel: error: '{chosen[protocol][0]}' and '{name}' are both specs of {protocol}: give one of them"
            )
        chosen[protocol] = (name, spec)
    if errors:
        raise CommandError("\n\n".join(errors), complete=True)
    for name in (*PROTOCOLS, *SPECS):
        if name not in chosen:
            spec = load(name)
            chosen.setdefault(spec.over or spec.name, (name, spec))
    return [spec for _, spec in chosen.values()]


def choose_profiles(wanted: Sequence[str], specs: Sequence[Spec]) -> tuple[list[Spec], list[str]]:
    """The specs with the wanted profiles as their defaults, and the names to judge by; no names if none are wanted.

    CommandError for a profile that no spec has, or if two exclude each other.
    """
    if not wanted:
        return list(specs), []
    from dataclasses import replace

    known: dict[str, list[str]] = {spec.name: [profile.name for profile in spec.profiles] for spec in specs}
    everywhere = {name for names in known.values() for name in names}
    for name in wanted:
        if name not in everywhere and name.removeprefix("no-") not in everywhere:
            raise CommandError(_unknown_profile(name, known))
    chosen: list[Spec] = []
    left: set[str] = set()
    for spec in specs:
        own = {*known[spec.name], *(f"no-{name}" for name in known[spec.name])}
        on = active_profiles(spec, [name for name in wanted if name in own])
        left |= on
        profiles = [
            replace(profile, default=profile.name in on, turns_on=(), turns_off=()) for profile in spec.profiles
        ]
        chosen.append(replace(spec, profiles=tuple(profiles)))
    # What a later option turned off again must not be asked for; what is off by "no-" is off in the defaults above.
    return chosen, [name for name in wanted if name in left or name not in everywhere]


def _unknown_profile(name: str, known: dict[str, list[str]]) -> str:
    import difflib

    plain = name.removeprefix("no-")
    folded = {each.upper(): each for names in known.values() for each in names}
    near = [folded[match] for match in difflib.get_close_matches(plain.upper(), folded, n=1)]
    hint = f"; did you mean {'no-' if plain != name else ''}{near[0]}?" if near else ""
    listed = "\n".join(f"  {spec}: {', '.join(names) or 'none'}" for spec, names in known.items())
    return f"no spec has a profile '{name}'{hint}\nprofiles by spec:\n{listed}"


def add_vantage(parser: argparse.ArgumentParser) -> None:
    """Add ``--vantage WHERE``."""
    parser.add_argument(
        "--vantage",
        metavar="WHERE",
        type=_vantage,
        default="auto",
        help="where captures were made: the address of the host, 'client' (the end that sent first), 'server', "
        "'middle' (anywhere), or 'auto': as far as packets prove it (default: %(default)s)",
    )


def _vantage(word: str) -> str:
    import ipaddress

    from tcpmodel.checking.faults.vantage import WORDS

    if word in WORDS:
        return word
    host = word.rpartition("]:")[0] if "]:" in word else word
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{word}' is no address; say {', '.join(WORDS)}, or an address such as 10.0.0.1 or [2001:db8::1]:80"
        ) from None
    return word
