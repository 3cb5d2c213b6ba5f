"""Where the report of ``check`` goes and in which format.

Owns: ``--output-format`` and ``-o``, and what goes to standard error.
Must never hold: what a report looks like in a format (see ``tcpmodel.report``).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import wants_color

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from typing import TextIO

    from tcpmodel.checking.outcome.findings import Report
    from tcpmodel.model.spec import Spec
    from tcpmodel.report.policy import Policy
    from tcpmodel.report.style import Style

FORMATS = ("text", "json", "jsonl", "sarif", "junit", "github")
STREAMED = ("jsonl",)


class Output:
    """The way of a report to its reader; CommandError at once if there is none.

    ``streams``: call ``read`` after each input; it prints what is new, and applies the policy to it.
    """

    def __init__(self, args: argparse.Namespace, specs: Sequence[Spec], policy: Policy) -> None:
        self._args = args
        self._specs = specs
        self._policy = policy
        self._file: TextIO | None = None
        self._inputs = self._connections = 0
        self.streams = args.output_format in STREAMED and not args.write_baseline
        if args.output is not None:
            check_writable(args.output, "-o", [*args.traces, args.baseline, args.write_baseline])

    def read(self, report: Report) -> None:
        """Print what was added to the report since the last call."""
        from tcpmodel.report.check_json import record_lines

        self._policy.apply(report, self._connections, self._inputs)
        self._print(record_lines(report, self._inputs, self._connections), flush=True)
        self._inputs, self._connections = len(report.inputs), len(report.connections)

    def report(self, report: Report) -> None:
        """Print the report, or what is left of it."""
        self._print(self._lines(report))
        if self._file is not None:
            self._file.close()

    def _lines(self, report: Report) -> Iterator[str]:
        kind = self._args.output_format
        if kind == "jsonl":
            from tcpmodel.report.check_json import record_lines, summary_line

            return chain(record_lines(report, self._inputs, self._connections), (summary_line(report),))
        if kind == "json":
            from tcpmodel.report import check_json

            return check_json.lines(report)
        if kind == "sarif":
            from tcpmodel.report import check_sarif

            return check_sarif.lines(report, self._specs)
        if kind == "junit":
            from tcpmodel.report import check_junit

            return check_junit.lines(report)
        if kind == "github":
            from tcpmodel.report import check_github

            return check_github.lines(report)
        from tcpmodel.report import check_text

        return check_text.lines(report, style_of(self._args), quiet=self._args.quiet, verbose=bool(self._args.verbose))

    def _print(self, lines: Iterable[str], *, flush: bool = False) -> None:
        stream = self._stream()
        if stream is None:
            return
        for line in lines:
            stream.write(line + "\n")
        if flush:
            stream.flush()

    def _stream(self) -> TextIO | None:
        if self._args.output is None or self._args.output == "-":
            return sys.stdout
        if self._file is None:
            self._file = open(  # noqa: SIM115 - closed by report
                self._args.output, "w", encoding="utf-8", errors="backslashreplace", newline="\n"
            )
        return self._file


def style_of(args: argparse.Namespace) -> Style:
    """The style of a text that goes where ``-o`` says: a file has no width, and colours only on demand."""
    from tcpmodel.report.style import Style

    if args.output is not None:
        return Style(color=args.color == "always")
    return Style.of(sys.stdout, color=wants_color(args.color, sys.stdout))


def check_writable(path: str, option: str, others: Sequence[str | None]) -> None:
    """CommandError, before anything is read, if ``path`` cannot be written or is one of ``others``."""
    if path == "-":
        return
    if os.path.isdir(path):
        raise CommandError(f"{option}: {path}: is a directory; name a file")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise CommandError(f"{option}: {path}: there is no directory {folder}")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise CommandError(f"{option}: {path}: permission denied")
    for other in others:
        if other is not None and os.path.exists(other) and os.path.exists(path) and os.path.samefile(path, other):
            raise CommandError(f"{option}: {path}: is read by this command; it would be overwritten")


def print_errors(report: Report) -> None:
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
