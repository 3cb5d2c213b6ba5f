"""``tcpmodel check``: hold captures and logs against the specs.

Owns: the options of the command, and the way from its files to a report.
Must never hold: what conforms (see ``checking``) or what a report looks like (see ``report``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import (
    SPEC_HELP,
    active_profiles,
    add_color,
    add_output_format,
    add_profile,
    load,
    wants_color,
)

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from tcpmodel.checking.findings import Report
    from tcpmodel.model.spec import Spec

EXAMPLES = """\
examples:
  tcpmodel check capture.pcapng                   a capture, gzip or not
  tcpmodel check client.pcap server.pcap          several files
  tcpdump -w - -c 1000 tcp | tcpmodel check -     standard input
  tcpmodel check tcpdump.txt trace.txt            text of tcpdump, state logs
  tcpmodel check --output-format json x.pcap      for a program
  tcpmodel check --profile rfc793 old-stack.pcap  judged by another profile
  tcpmodel check --spec my.tcpspec x.pcap         judged by your own spec

What a file is shows in its content; its name does not matter.
Exit status: 0 no violation, 1 at least one, 2 a file or spec could not be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``check`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "traces",
        metavar="TRACE",
        nargs="+",
        help="a capture (pcap, pcapng), tcpdump's text or a log of state changes; '-' is standard input",
    )
    parser.add_argument(
        "--spec",
        metavar="SPEC",
        action="append",
        default=[],
        help=f"{SPEC_HELP}; takes the place of the shipped spec of the same protocol; may be repeated",
    )
    add_profile(parser)
    add_output_format(parser)
    add_color(parser)
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("-q", "--quiet", action="store_true", help="print violations and one line of summary only")
    amount.add_argument(
        "-v", "--verbose", action="count", default=0, help="print every connection and finding, however many"
    )


def run(args: argparse.Namespace) -> int:
    """Check the traces; 0 no violation, 1 at least one, 2 something could not be read."""
    from tcpmodel.checking.run import check
    from tcpmodel.cli.progress import Progress

    specs, profiles = choose_profiles(args.profile, choose_specs(args.spec))
    progress = Progress(sys.stderr)
    try:
        report = check(args.traces, specs, profiles, progress)
    finally:
        progress.end()
    _print(_report_lines(report, args))
    _print_errors(report)
    return report.exit_code


# ------------------------------------------------------------------------------------------------ specs and profiles


def choose_specs(wanted: Sequence[str]) -> list[Spec]:
    """The specs that judge: those that ``wanted`` names, and the shipped ones of all other protocols.

    CommandError with the errors of all specs that cannot be used, or for two specs of one protocol.
    """
    from tcpmodel.traces.records import PROTOCOLS

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
    for name in PROTOCOLS:
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


# --------------------------------------------------------------------------------------------------------- printing


def _report_lines(report: Report, args: argparse.Namespace) -> Iterator[str]:
    if args.output_format == "json":
        from tcpmodel.report import check_json

        return check_json.lines(report)
    from tcpmodel.report import check_text
    from tcpmodel.report.style import Style

    style = Style.of(sys.stdout, color=wants_color(args.color, sys.stdout))
    return check_text.lines(report, style, quiet=args.quiet, verbose=bool(args.verbose))


def _print(lines: Iterable[str]) -> None:
    if sys.stdout is not None:
        for line in lines:
            sys.stdout.write(line + "\n")


def _print_errors(report: Report) -> None:
    """What could not be read, after all of the report."""
    from tcpmodel.report.check_text import shown_path
    from tcpmodel.report.style import Style

    if sys.stdout is not None:
        sys.stdout.flush()
    if sys.stderr is None:
        return
    style = Style.of(sys.stderr)
    for item in report.inputs:
        if item.error:
            what = item.error.removeprefix(f"{item.path}: ")
            sys.stderr.write(style.clean(f"tcpmodel: error: {shown_path(item.path)}: {what}") + "\n")
