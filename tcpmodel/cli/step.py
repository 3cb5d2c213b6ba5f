"""``tcpmodel step``: what one event does to an endpoint.

Owns: the options of the command, and the way from them, or from lines of a batch, to answers.
Must never hold: what an event does (see ``semantics``), or how an answer looks (see ``report``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from tcpmodel.cli.asking import assignments, make_stepper
from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import (
    SPEC_HELP,
    add_color,
    add_output_format,
    add_profile,
    load,
    wants_color,
)

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from tcpmodel.model.spec import Spec
    from tcpmodel.semantics.stepping import Stepper

LONGEST_LINE = 1 << 20
"""A longer line of a batch is not read, so that no input can fill the memory."""

MOST_STEPPERS = 64
"""So many combinations of profiles are kept ready in a batch."""

KEYS = ("state", "let", "choose", "event", "profiles")

EXAMPLES = """\
examples:
  tcpmodel step                             a session: the endpoint moves
  tcpmodel step --event STATUS              one event, on a fresh endpoint
  tcpmodel step --state LISTEN --event CLOSE --profile linux
  tcpmodel step --state LISTEN --event=<SEQ=100><CTL=SYN> --choose ISS=500
  tcpmodel step --batch events.jsonl        one JSON object a line

An event is a message such as '<SEQ=301><ACK=101><CTL=FIN,ACK><DATA=5>', a call
such as 'OPEN passive', 'timeout NAME', 'notice NAME', or 'may' for what needs
no event. On a command line they want quotes. docs/step.md says all of it.

Exit status: 0 answered, 2 not: wrong options, a name or value that the spec
does not have, a line of a batch that could not be used."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``step`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument("--spec", metavar="NAME|PATH", default="tcp", help=f"{SPEC_HELP} (default: %(default)s)")
    parser.add_argument("--state", metavar="STATE", help="the state before the event (default: the initial state)")
    parser.add_argument(
        "--let",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a variable before the event: a number, a word or 'unset'; the others fit the state; may be repeated",
    )
    parser.add_argument("--event", metavar="EVENT", help="what happens; without it, a session on the terminal")
    parser.add_argument(
        "--choose",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="fix a value that the spec leaves open; may be repeated",
    )
    add_profile(parser)
    parser.add_argument(
        "--batch",
        metavar="FILE",
        help="answer each line of FILE ('-': standard input), a JSON object with state, let, choose, event, profiles",
    )
    add_output_format(parser)
    add_color(parser)


def run(args: argparse.Namespace) -> int:
    """Answer; 0 when everything was answered, 2 when a line of a batch was not. CommandError for what cannot be."""
    if args.batch is not None:
        for option in ("state", "event", "let", "choose"):
            if getattr(args, option):
                raise CommandError(f"--{option} does not go with --batch: each line gives its own '{option}'")
        return _batch(load(args.spec), args.profile, args.batch)
    given, choose = assignments(args.let, "--let"), assignments(args.choose, "--choose")
    if args.event is None:
        if sys.stdin is None or not sys.stdin.isatty() or sys.stdout is None or not sys.stdout.isatty():
            raise CommandError("--event or --batch is needed: a session needs a terminal for input and output")
        if args.output_format == "json":
            raise CommandError("--output-format json needs --event or --batch: a session is for people")
        from tcpmodel.cli.session import run as run_session

        return run_session(load(args.spec), args.profile, args.state, given, choose, color=args.color)
    spec = load(args.spec)
    stepper = make_stepper(spec, args.profile)
    text = args.output_format == "text"
    from tcpmodel.semantics.notation import NotationError
    from tcpmodel.semantics.stepping import StepError

    try:
        state = stepper.state(args.state or spec.initial.name)
        done = stepper.apply(state, given, args.event, choose, explain=text)
    except (StepError, NotationError) as error:
        raise CommandError(str(error)) from None
    if not text:
        from tcpmodel.report.step_json import document, line

        sys.stdout.write(line(document(done)))
        return 0
    from tcpmodel.report.step_text import lines
    from tcpmodel.report.style import Style

    style = Style.of(sys.stdout, color=wants_color(args.color, sys.stdout))
    for shown in lines(done, spec, style, [stepper.variable(name) for name in given]):
        print(shown.rstrip())
    return 0


# ---------------------------------------------------------------------------------------------------------- a batch


def _batch(spec: Spec, profiles: Sequence[str], path: str) -> int:
    """Answer each line of a file with one line, in the same order; 2 if a line could not be used."""
    if path == "-":
        return _answer_all(spec, profiles, sys.stdin.buffer)
    with open(path, "rb") as file:
        return _answer_all(spec, profiles, file)


def _answer_all(spec: Spec, profiles: Sequence[str], file: BinaryIO) -> int:
    from tcpmodel.report.step_json import document, line
    from tcpmodel.semantics.notation import NotationError
    from tcpmodel.semantics.stepping import StepError

    steppers: dict[tuple[str, ...], Stepper] = {}
    wrong = 0
    for number, raw in enumerate(_lines(file), 1):
        try:
            asked = _question(raw)
            key = (*profiles, *asked["profiles"])
            if key not in steppers:
                if len(steppers) >= MOST_STEPPERS:
                    del steppers[next(iter(steppers))]
                steppers[key] = make_stepper(spec, key)
            state = spec.initial.name if asked["state"] is None else asked["state"]
            answer = document(steppers[key].apply(state, asked["let"], asked["event"], asked["choose"]))
        except (StepError, NotationError, CommandError) as error:
            wrong += 1
            answer = {"error": f"line {number}: {error}", "line": number}
        sys.stdout.write(line(answer))
    if wrong:
        sys.stdout.flush()
        lines = "1 line" if wrong == 1 else f"{wrong} lines"
        print(f'tcpmodel: error: {lines} of the batch could not be used; see "error" in the output', file=sys.stderr)
    return 2 if wrong else 0


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a file; None in place of one that is longer than LONGEST_LINE."""
    while raw := file.readline(LONGEST_LINE + 1):
        if len(raw) <= LONGEST_LINE or raw.endswith(b"\n"):
            yield raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(LONGEST_LINE)
        yield None


def _question(raw: bytes | None) -> dict[str, Any]:
    """A line of a batch with all its keys; CommandError for anything that is none."""
    import json

    if raw is None:
        raise CommandError(f"longer than {LONGEST_LINE} octets")
    if not raw.strip():
        raise CommandError("empty: a JSON object is needed")
    try:
        asked = json.loads(raw)
    except (ValueError, RecursionError) as error:
        what = str(error) if isinstance(error, json.JSONDecodeError) else "not text in UTF-8, or beyond all limits"
        raise CommandError(f"not JSON: {what}") from None
    if not isinstance(asked, dict):
        raise CommandError("a JSON object is needed")
    for name in asked:
        if name not in KEYS:
            from tcpmodel.semantics.notation import missing

            raise CommandError(missing("key", name, KEYS, "a line of a batch"))
    if not isinstance(asked.get("event"), str):
        raise CommandError("'event' is needed, a text")
    if not isinstance(asked.get("state", ""), str | None):
        raise CommandError("'state' has to be a text")
    profiles = asked.get("profiles", [])
    if not isinstance(profiles, list) or not all(isinstance(name, str) for name in profiles):
        raise CommandError("'profiles' has to be a list of names")
    return {
        "event": asked["event"],
        "state": asked.get("state"),
        "profiles": profiles,
        "let": _values(asked.get("let", {}), "let"),
        "choose": _values(asked.get("choose", {}), "choose"),
    }


def _values(given: object, key: str) -> dict[str, int | str | None]:
    if not isinstance(given, dict):
        raise CommandError(f"'{key}' has to be an object of names and values")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | str | None):
            raise CommandError(f"'{key}': {name} has to be a number, a word or null")
    return given
