"""``check --ladder``: the course of connections instead of the report on them.

Owns: ``--ladder`` and ``--connection``, which connections are drawn, and the choice of the format from a file name.
Must never hold: how a course is drawn (see ``report.ladder_text`` and ``render.ladder``).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import unknown, write_output
from tcpmodel.cli.printing import style_of

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from tcpmodel.checking.outcome.findings import ConnectionReport, Report

MOST = 5
"""So many connections are drawn when none is named."""

SUFFIXES = {".svg": "svg", ".mmd": "mermaid", ".txt": "text"}


def add_ladder(parser: argparse.ArgumentParser) -> None:
    """Add the options to ``parser``."""
    group = parser.add_argument_group("the course of a connection")
    group.add_argument(
        "--ladder",
        action="store_true",
        help="draw each message with the states of both ends after it; as SVG or Mermaid with -o FILE.svg or FILE.mmd",
    )
    group.add_argument(
        "--connection", metavar="ID", action="append", default=[], help="draw this one, such as tcp-1; may be repeated"
    )


class Ladder:
    """Draws what ``recorder`` watched; CommandError at once for options that do not go together."""

    def __init__(self, args: argparse.Namespace) -> None:
        from tcpmodel.checking.sequence import KEPT, Recorder

        self._args = args
        if args.output_format != "text":
            raise CommandError("--ladder is text, or by the name of the file SVG (-o x.svg) or Mermaid (-o x.mmd)")
        self._format = "text"
        if args.output not in (None, "-"):
            suffix = os.path.splitext(args.output)[1].lower()
            if suffix not in SUFFIXES:
                raise CommandError(f"-o: '{args.output}' does not tell the format: use .svg, .mmd or .txt")
            self._format = SUFFIXES[suffix]
        self.recorder = Recorder(args.connection, None if args.verbose else KEPT)

    def report(self, report: Report) -> None:
        """Draw the connections."""
        chosen = self._chosen(report)
        if self._format == "text":
            data = "".join(line + "\n" for line in self._text(chosen, report))
            if self._args.output is None and sys.stdout is not None:
                sys.stdout.write(data)
                return
        else:
            from tcpmodel.render import ladder

            if len(chosen) != 1:
                names = ", ".join(one.id for one in chosen[:MOST]) or "none"
                raise CommandError(f"a picture shows one connection; name it with --connection (there are: {names})")
            draw = ladder.svg if self._format == "svg" else ladder.mermaid
            data = draw(chosen[0], self.recorder.courses[chosen[0].id])
        write_output(data.encode("utf-8", "backslashreplace"), self._args.output)

    def _chosen(self, report: Report) -> list[ConnectionReport]:
        drawn = [one for one in report.connections if one.id in self.recorder.courses]
        if self._args.connection:
            for name in self._args.connection:
                if not any(one.id == name for one in drawn):
                    raise unknown("connection", name, (one.id for one in report.connections), "what was checked")
        return drawn

    def _text(self, chosen: list[ConnectionReport], report: Report) -> Iterator[str]:
        from tcpmodel.report import check_text
        from tcpmodel.report.ladder_text import lines

        style = style_of(self._args)
        most = len(chosen) if self._args.connection or self._args.verbose else MOST
        for one in chosen[:most]:
            yield from lines(one, self.recorder.courses[one.id], report, style)
            yield ""
        if len(chosen) > most:
            yield f"{len(chosen) - most:,} more connections; --connection ID draws one, --verbose all"
        yield from check_text.lines(report, style, quiet=True)
