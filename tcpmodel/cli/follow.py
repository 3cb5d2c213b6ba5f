"""``check --follow``: findings as they are made, of a file that grows or of a pipe.

Owns: the option, and what is printed when.
Must never hold: how a source is followed (see ``traces.source``), or what a finding looks like.
"""

from __future__ import annotations

import argparse
import sys

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.printing import print_errors, style_of

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic
    from tcpmodel.model.spec import Spec
    from tcpmodel.report.policy import Policy
    from tcpmodel.traces.logs.pattern import Patterns


def add_follow(parser: argparse.ArgumentParser) -> None:
    """Add the option to ``parser``."""
    parser.add_argument(
        "--follow",
        action="store_true",
        help="print each finding as soon as it is made, and at the end of a file wait for more, until interrupted",
    )


class Follow:
    """Reads one trace to wherever it ends; CommandError at once for options that do not go together."""

    def __init__(
        self,
        args: argparse.Namespace,
        specs: Sequence[Spec],
        profiles: Sequence[str],
        policy: Policy,
        patterns: Patterns | None,
    ) -> None:
        if len(args.traces) != 1:
            raise CommandError("--follow: name one file, or - for a pipe")
        if args.output_format not in ("text", "jsonl"):
            raise CommandError("--follow prints text or jsonl")
        if args.output is not None or args.ladder or args.coverage or args.connection or args.write_baseline:
            raise CommandError("--follow: does not go together with other outputs, nor with -o")
        self._args, self._specs, self._profiles, self._policy = args, specs, profiles, policy
        self._patterns = patterns
        self._shown: dict[str, list[str]] = {}
        self._gathered: set[str] = set()

    def run(self) -> int:
        """Follow the trace; the exit status is that of ``check``."""
        from tcpmodel.checking.outcome.reports import change
        from tcpmodel.checking.run import check
        from tcpmodel.report import check_json, check_text
        from tcpmodel.report.notes_text import gathered, gathered_lines

        self._style = style_of(self._args)
        report = check(
            self._args.traces,
            self._specs,
            self._profiles,
            found=self._found,
            growing=True,
            patterns=self._patterns,
            vantage=self._args.vantage,
        )
        self._policy.settle(report)
        change(report.connections, self._tell_rest)
        for each in report.inputs:
            for item in each.notes:
                self._policy.mark(item, None)
        if self._args.output_format == "jsonl":
            self._print(check_json.record_lines(report))
            self._print((check_json.summary_line(report),))
        else:
            known = gathered(report) if self._gathered else {}
            rest = {code: each for code, each in known.items() if code in self._gathered}
            self._print(gathered_lines(rest, report, self._style))
            self._print(check_text.summary_lines(report, self._style))
        print_errors(report)
        return report.exit_code

    def _tell_rest(self, one: ConnectionReport) -> None:
        """Tell what was not told while the trace was read."""
        for item in one.diagnostics:
            if not item.told:
                self._tell(one, item)

    def _found(self, name: str, a: str, b: str, item: Diagnostic) -> None:
        from tcpmodel.checking.outcome.findings import INCONCLUSIVE, ConnectionReport

        protocol = name.partition("-")[0]
        self._tell(ConnectionReport(name, protocol, a, b, INCONCLUSIVE, (), (), (), 0, (item,)), item)

    def _tell(self, one: ConnectionReport, item: Diagnostic) -> None:
        from tcpmodel.report import check_json, check_text

        item.told = True
        self._policy.mark(item, one)
        if self._args.output_format == "jsonl":
            self._print((check_json.finding_line(one, item),))
        elif self._wanted(item) and not self._is_gathered(one, item):
            self._print((*check_text.finding_lines(one, item, self._style, verbose=bool(self._args.verbose)), ""))

    def _wanted(self, item: Diagnostic) -> bool:
        if self._args.quiet:
            return item.severity == "violation" and not item.ignored
        return bool(self._args.verbose) or not item.ignored

    def _is_gathered(self, one: ConnectionReport, item: Diagnostic) -> bool:
        """Is this a fault of the capture that was shown of some connections, and is told of the rest in the end?"""
        from tcpmodel.report.notes_text import MOST_ALONE

        if item.severity != "capture" or self._args.verbose:
            return False
        shown = self._shown.setdefault(item.code, [])
        if one.id in shown:
            return False
        if len(shown) < MOST_ALONE:
            shown.append(one.id)
            return False
        self._gathered.add(item.code)
        return True

    def _print(self, lines: Iterable[str]) -> None:
        if sys.stdout is not None:
            for line in lines:
                sys.stdout.write(line + "\n")
            sys.stdout.flush()
