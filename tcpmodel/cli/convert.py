"""``tcpmodel convert``: write what was read of any trace as our own JSON Lines.

Owns: the options of the command, and what it says about inputs.
Must never hold: how a format is read or written (see ``traces``).
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.pattern import add_pattern, read_patterns

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from typing import TextIO

    from tcpmodel.traces.reader import Trace

EXAMPLES = """\
examples:
  tcpmodel convert capture.pcapng               JSON Lines on standard output
  tcpmodel convert capture.pcapng | head -3     one event on each line
  tcpmodel convert ftrace.txt -o states.jsonl   into a file
  tcpmodel convert a.pcap b.log -o all.jsonl    several traces in one file
  tcpmodel convert x.pcap | tcpmodel check -    the same verdicts as for x.pcap

docs/json-lines.md describes the format. Standard error says what was left out.
Exit status: 0 everything was read, 2 a file could not be read; what was
readable of it is written."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``convert`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "traces", metavar="TRACE", nargs="+", help="any capture or log that check reads; '-' is standard input"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write into FILE instead of standard output")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing about what was left out")
    add_pattern(parser)


def run(args: argparse.Namespace) -> int:
    """Convert the traces one after another; 0, or 2 if one could not be read to its end."""
    from tcpmodel.traces.open import open_traces
    from tcpmodel.traces.records import TraceError

    patterns = read_patterns(args)
    status = 0
    with ExitStack() as stack:
        out = _output(args.output, args.traces, stack)
        for path in args.traces:
            try:
                traces = open_traces(path, patterns=patterns)
                for count, trace in enumerate(traces):
                    error = _write(trace, out, headed=len(args.traces) > 1 or count > 0)
                    status = 2 if error else status
                    _say(trace, error, quiet=args.quiet)
            except TraceError as problem:
                status = 2
                print(f"tcpmodel: error: {problem}", file=sys.stderr)
    return status


def _output(path: str | None, inputs: list[str], stack: ExitStack) -> TextIO:
    if path is None or path == "-":
        if sys.stdout is None:
            raise CommandError("there is no standard output; say where to write with -o FILE")
        return sys.stdout
    for one in inputs:
        if one != "-" and os.path.exists(path) and os.path.exists(one) and os.path.samefile(path, one):
            raise CommandError(f"'{path}' is one of the inputs; write into another file")
    return stack.enter_context(open(path, "w", encoding="ascii", newline="\n"))


def _write(trace: Trace, out: TextIO, *, headed: bool) -> str:
    """All records of one trace; why it ended early, or ""."""
    from tcpmodel.traces.own.json_write import ending, heading, line
    from tcpmodel.traces.records import TraceError

    if headed:
        out.write(heading(trace) + "\n")
    error = ""
    try:
        for record in trace.records():
            out.write(line(record, trace) + "\n")
    except TraceError as problem:
        error = str(problem)
    for text in ending(trace):
        out.write(text + "\n")
    return error


def _say(trace: Trace, error: str, *, quiet: bool) -> None:
    if sys.stdout is not None:
        sys.stdout.flush()
    if sys.stderr is None:
        return
    from tcpmodel.report.style import Style

    style = Style.of(sys.stderr)
    skipped = trace.skipped
    if skipped.total and not quiet:
        reasons = ", ".join(f"{count} {reason}" for reason, count in skipped.reasons.items())
        sys.stderr.write(style.clean(f"{trace.path}: {skipped.total} left out ({reasons})") + "\n")
    if error:
        sys.stderr.write(style.clean(f"tcpmodel: error: {error}") + "\n")
