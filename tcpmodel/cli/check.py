"""``tcpmodel check``: hold captures and logs against the specs.

Owns: the options of the command, and the way from its files to a report.
Must never hold: what conforms (see ``checking``) or what a report looks like (see ``report``).
"""

from __future__ import annotations

import argparse

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import SPEC_HELP, add_color, add_output_format, add_profile

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
        help=f"{SPEC_HELP}; may be repeated (default: all shipped specs)",
    )
    add_profile(parser)
    add_output_format(parser)
    add_color(parser)
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("-q", "--quiet", action="store_true", help="print violations and errors only")
    amount.add_argument(
        "-v", "--verbose", action="count", default=0, help="also print what conforms, and why the rest is inconclusive"
    )


def run(args: argparse.Namespace) -> int:
    """Check the traces; 0 no violation, 1 at least one, 2 something could not be read."""
    raise CommandError("'check' is not available yet")
