"""What several commands share: options of the same meaning, loading a spec, choosing profiles.

Owns: the wording and the behaviour of options that more than one command has.
Must never hold: an import of another part of the project at the top; ``--help`` of a command loads this module.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence

from tcpmodel.cli.errors import CommandError

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from typing import TextIO

    from tcpmodel.model.spec import Profile, Spec

SPEC_HELP = "name of a shipped spec, or path of a .tcpspec file"


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Add ``--profile NAME``, repeatable; ``args.profile`` is a list."""
    parser.add_argument(
        "--profile",
        metavar="NAME",
        action="append",
        default=[],
        help="turn a profile of the spec on, or off with 'no-NAME'; may be repeated",
    )


def add_output_format(parser: argparse.ArgumentParser) -> None:
    """Add ``--output-format text|json``."""
    parser.add_argument(
        "--output-format",
        choices=("text", "json"),
        default="text",
        help="text for people, json for programs (default: %(default)s)",
    )


def add_color(parser: argparse.ArgumentParser) -> None:
    """Add ``--color auto|always|never``."""
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto colours a terminal only, and none where NO_COLOR is set (default: %(default)s)",
    )


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Whether to colour what goes to ``stream``, for the value of ``--color``."""
    if choice != "auto":
        return choice == "always"
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def load(name: str, *, warn: bool = False) -> Spec:
    """The spec of that name or path; CommandError with all errors of the file, rendered, if it has some.

    With ``warn``, what is doubtful in the spec but no error goes to standard error.
    """
    from tcpmodel.language.errors import SpecErrors, render_errors
    from tcpmodel.model import load

    try:
        loaded = load.load(name)
    except SpecErrors as errors:
        raise CommandError(str(errors), complete=True) from None
    if warn and loaded.warnings:
        print(render_errors(loaded.warnings, loaded.spec.path, loaded.text, loaded.parts), file=sys.stderr)
    return loaded.spec


def unknown(what: str, name: str, known: Iterable[str], where: str) -> CommandError:
    """The error for a ``what`` called ``name`` that ``where`` does not have: the nearest names, or all of them."""
    import difflib

    names = list(known)
    folded = {candidate.upper(): candidate for candidate in names}
    near = [folded[match] for match in difflib.get_close_matches(name.upper(), folded, n=3)]
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif names:
        hint = f"it has: {', '.join(names)}"
    else:
        hint = f"it has no {what} at all"
    return CommandError(f"{where} has no {what} '{name}'; {hint}")


def active_profiles(spec: Spec, wanted: Sequence[str]) -> frozenset[str]:
    """The profiles that are on: the defaults of ``spec``, changed by the values of ``--profile`` in their order.

    A profile that is turned on brings the ones that it names along and turns off the ones that it excludes. Raises
    CommandError for a profile that ``spec`` does not have, and if two of ``wanted`` exclude each other.
    """
    known = {profile.name: profile for profile in spec.profiles}
    on: set[str] = set()
    for profile in spec.profiles:
        if profile.default:
            _turn_on(profile, known, on)
    asked: list[str] = []
    for word in wanted:
        if word in known:
            _turn_on(known[word], known, on)
            asked.append(word)
        elif word.startswith("no-") and word[3:] in known:
            on.discard(word[3:])
        else:
            raise unknown("profile", word, known, f"spec '{spec.name}'")
    for name in asked:
        for other in asked:
            if other in known[name].turns_off:
                raise CommandError(f"profile '{name}' excludes profile '{other}': ask for one of them")
    return frozenset(on)


def _turn_on(profile: Profile, known: dict[str, Profile], on: set[str]) -> None:
    """Add ``profile`` and what it brings along to ``on``; take out what these exclude."""
    waiting = [profile]
    seen: set[str] = set()
    while waiting:
        current = waiting.pop()
        if current.name in seen:
            continue
        seen.add(current.name)
        on.add(current.name)
        on.difference_update(current.turns_off)
        waiting.extend(known[name] for name in current.turns_on if name in known)


def write_output(data: bytes, path: str | None) -> None:
    """Write ``data`` to the file ``path``, or to standard output for None and ``-``."""
    if path is None or path == "-":
        if sys.stdout is not None:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        return
    with open(path, "wb") as file:
        file.write(data)
