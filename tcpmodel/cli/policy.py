"""Options that say which findings are of consequence.

Owns: ``--select``, ``--ignore``, ``--severity``, ``--fail-on``, ``--baseline`` and ``--write-baseline``.
Must never hold: what follows from them (see ``tcpmodel.report.policy``).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from tcpmodel.cli.errors import CommandError

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from tcpmodel.checking.outcome.findings import Diagnostic, Report
    from tcpmodel.model.spec import Spec
    from tcpmodel.report.policy import Policy

LEVELS = ("violation", "warning", "note")
CHOICE = "codes (TCP-FIN-001), beginnings of codes (TCP-FIN) or severities (note)"


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Add the options to ``parser``."""
    group = parser.add_argument_group(
        "which findings count", "No verdict depends on these: what is ignored violates all the same."
    )
    group.add_argument(
        "--select", metavar="CODE,...", action="append", default=[], help=f"only these findings count: {CHOICE}"
    )
    group.add_argument(
        "--ignore", metavar="CODE,...", action="append", default=[], help="these do not count, even if selected"
    )
    group.add_argument(
        "--severity",
        metavar="CODE=LEVEL",
        action="append",
        default=[],
        help=f"take a finding for a {', '.join(LEVELS[:-1])} or {LEVELS[-1]}; may be repeated",
    )
    group.add_argument(
        "--fail-on",
        metavar="LEVEL",
        choices=(*LEVELS, "never"),
        default="violation",
        help="the least severity for which the exit status is 1: violation, warning, note, or never "
        "(default: %(default)s)",
    )
    group.add_argument("--baseline", metavar="FILE", help="findings that FILE knows do not count")
    group.add_argument(
        "--write-baseline", metavar="FILE", help="write all findings to FILE, from now on known; they do not count"
    )


def read_policy(args: argparse.Namespace, specs: Sequence[Spec]) -> Policy:
    """What the options ask for; CommandError for a code that no spec has, or a baseline that is none."""
    from tcpmodel.report.policy import Policy, PolicyError, check_words, codes, read_baseline

    known = codes(specs)
    try:
        levels = dict(_level(text) for text in args.severity)
        select, ignore = _split(args.select), _split(args.ignore)
        check_words(select, known, "--select")
        check_words(ignore, known, "--ignore")
        for code in levels:
            check_words([code], known, "--severity")
            if code.lower() in (*LEVELS, "capture"):
                raise CommandError(f"--severity: '{code}' is a severity; name a code, such as TCP-FIN-001={LEVELS[1]}")
        already = read_baseline(args.baseline) if args.baseline and args.baseline != args.write_baseline else {}
    except PolicyError as error:
        raise CommandError(str(error)) from None
    return Policy(select, ignore, levels, already, args.fail_on)


def write_baseline(report: Report, path: str) -> None:
    """Write what a report has found; all of it is known from now on."""
    import json

    from tcpmodel.checking.outcome.reports import change
    from tcpmodel.report.policy import baseline

    document = baseline(report)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(document, indent=1) + "\n")

    def mark(found: Iterable[Diagnostic]) -> None:
        for item in found:
            if item.severity != "capture" and not item.ignored:
                item.ignored = "baseline"

    change(report.connections, lambda one: mark(one.diagnostics))
    for each in report.inputs:
        mark(each.notes)


def _split(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for text in texts for part in text.split(",") if (word := part.strip()))


def _level(text: str) -> tuple[str, str]:
    code, equals, level = (part.strip() for part in text.partition("="))
    if not equals or not code or level not in LEVELS:
        raise CommandError(f"--severity: '{text}' is not like CODE=LEVEL with one of {', '.join(LEVELS)}")
    return code, level
