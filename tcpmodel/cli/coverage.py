"""``check --coverage``: which rules of the specs the traces made use of.

Owns: the option, and where its result goes.
Must never hold: how the use of a rule is found out, or what it looks like.
"""

from __future__ import annotations

import argparse
import sys

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import write_output
from tcpmodel.cli.printing import style_of

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from tcpmodel.checking.outcome.findings import Report


def add_coverage(parser: argparse.ArgumentParser) -> None:
    """Add the option to ``parser``."""
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="tell which rules of the specs the connections used; --output-format json is what render --coverage reads",
    )


class Covering:
    """Collects by ``recorder`` and reports; CommandError at once for options that do not go together."""

    def __init__(self, args: argparse.Namespace) -> None:
        from tcpmodel.checking.exercised import Exercised

        if args.ladder or args.connection:
            raise CommandError("--coverage and --ladder are two reports: ask for one of them")
        if args.output_format not in ("text", "json"):
            raise CommandError("--coverage is text or json")
        self._args = args
        self.recorder = Exercised()

    def report(self, report: Report) -> None:
        """Print what was used, and with text what was found as well."""
        from tcpmodel.report import check_text, coverage

        found = self.recorder.coverages()
        if self._args.output_format == "json":
            import json

            lines = [json.dumps(coverage.document(found), indent=1)]
        else:
            style = style_of(self._args)
            lines = [
                *coverage.lines(found, style, verbose=bool(self._args.verbose)),
                "",
                *check_text.lines(report, style, quiet=True),
            ]
        data = "".join(line + "\n" for line in lines)
        if self._args.output is None and sys.stdout is not None:
            sys.stdout.write(data)
        else:
            write_output(data.encode("utf-8", "backslashreplace"), self._args.output)
