"""The options for logs of stacks that nobody has heard of.

Owns: ``--pattern`` and ``--states``, and their errors.
Must never hold: what a pattern may be or what its groups mean (see ``traces.logs.pattern``).
"""

from __future__ import annotations

import argparse

from tcpmodel.cli.errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tcpmodel.model.spec import Spec
    from tcpmodel.traces.logs.pattern import Patterns


def add_pattern(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    group = parser.add_argument_group("logs of any form")
    group.add_argument(
        "--pattern",
        metavar="REGEX",
        action="append",
        default=[],
        help="read text by this regular expression, whose named groups say what is what, such as (?P<time>...), "
        "(?P<local>...), (?P<remote>...), (?P<old>...), (?P<new>...), (?P<flags>...); may be repeated: the first one "
        "that matches a line tells (docs/pattern.md)",
    )
    group.add_argument(
        "--states",
        metavar="WORD=STATE,...",
        help="with --pattern: what the log calls the states, where its words differ by more than case, '-' and '_'",
    )


def read_patterns(args: argparse.Namespace, specs: Iterable[Spec] = ()) -> Patterns | None:
    """The patterns of the command line; None without any. Their states have to be states of ``specs``, if given."""
    if not args.pattern:
        if args.states is not None:
            raise CommandError("--states says what the words mean that --pattern finds; there is no --pattern")
        return None
    from tcpmodel.traces.logs.pattern import PatternError, Patterns

    states = _states(args.states or "", [state.name for spec in specs for state in spec.states])
    for text in args.pattern:
        try:
            Patterns([text])
        except PatternError as problem:
            place = f", character {problem.column}" if problem.column else ""
            mark = f"\n  {text}\n  {' ' * (problem.column - 1)}^" if problem.column and len(text) < 200 else ""
            raise CommandError(f"--pattern{place}: {problem}{mark}") from None
    return Patterns(args.pattern, states)


def _states(text: str, known: list[str]) -> dict[str, str]:
    import difflib

    found: dict[str, str] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        word, equals, state = (piece.strip() for piece in part.partition("="))
        if not equals or not word or not state:
            raise CommandError(f"--states: '{part.strip()}' is not of the form WORD=STATE")
        named = state.upper().replace("_", "-")
        if known and named not in known:
            near = difflib.get_close_matches(named, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(dict.fromkeys(known))}"
            raise CommandError(f"--states: {state} is no state{hint}")
        if found.setdefault(word, named) != named:
            raise CommandError(f"--states: {word} has two meanings, {found[word]} and {named}")
    return found
