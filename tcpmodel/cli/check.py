"""``tcpmodel check``: hold captures and logs against the specs.

Owns: the options of the command, and the way from its files to a report.
Must never hold: what conforms (see ``checking``) or what a report looks like (see ``report``).
"""

from __future__ import annotations

import argparse
import sys

from tcpmodel.cli.choosing import add_vantage, choose_profiles, choose_specs
from tcpmodel.cli.coverage import Covering, add_coverage
from tcpmodel.cli.follow import Follow, add_follow
from tcpmodel.cli.ladder import Ladder, add_ladder
from tcpmodel.cli.options import SPEC_HELP, add_color, add_profile
from tcpmodel.cli.pattern import add_pattern, read_patterns
from tcpmodel.cli.policy import add_policy, read_policy, write_baseline
from tcpmodel.cli.printing import FORMATS, Output, print_errors
from tcpmodel.cli.slice import Slice, add_slice

EXAMPLES = """\
examples:
  tcpmodel check capture.pcapng                   a capture, gzip or not
  tcpmodel check client.pcap server.pcap          several files
  tcpdump -w - -c 1000 tcp | tcpmodel check -     standard input
  tcpmodel check --follow growing.pcap            findings as they come
  tcpmodel check tcpdump.txt trace.txt            text of tcpdump, state logs
  tcpmodel check --output-format json x.pcap      for a program
  tcpmodel check --output-format junit -o report.xml *.pcap
  tcpmodel check --ignore UDP,note x.pcap         what is of no interest
  tcpmodel check --baseline known.json x.pcap     only new findings fail
  tcpmodel check --profile rfc793 old-stack.pcap  judged by another profile
  tcpmodel check --vantage 10.0.0.1 x.pcap        captured at that host
  tcpmodel check --ladder x.pcap                  messages with states beside
  tcpmodel check --slice 9 -o small.pcap x.pcap   as few packets as show it
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
    parser.add_argument(
        "--output-format",
        choices=FORMATS,
        default="text",
        help="text for people; json and jsonl (one connection a line) for programs; sarif, junit and github for "
        "platforms that run tests (default: %(default)s)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write the report to FILE, not to standard output")
    add_color(parser)
    add_vantage(parser)
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("-q", "--quiet", action="store_true", help="print violations and one line of summary only")
    amount.add_argument(
        "-v", "--verbose", action="count", default=0, help="print every connection and finding, however many"
    )
    add_policy(parser)
    add_ladder(parser)
    add_slice(parser)
    add_coverage(parser)
    add_follow(parser)
    add_pattern(parser)


def run(args: argparse.Namespace) -> int:
    """Check the traces; 0 no violation, 1 at least one, 2 something could not be read."""
    import gc

    from tcpmodel.checking.run import check
    from tcpmodel.cli.progress import Progress

    # What is known of many connections lives long and has no cycles: looking for some costs half the time.
    gc.set_threshold(100_000, 20, 100)
    specs, profiles = choose_profiles(args.profile, choose_specs(args.spec))
    policy = read_policy(args, specs)
    patterns = read_patterns(args, specs)
    if args.slice is not None:
        return Slice(args, specs, profiles, policy).run()
    if args.follow:
        return Follow(args, specs, profiles, policy, patterns).run()
    output = Output(args, specs, policy)
    special: Ladder | Covering | None = None
    if args.coverage:
        special = Covering(args)
    elif args.ladder or args.connection:
        special = Ladder(args)
    watch = special.recorder if special is not None else None
    progress = Progress(sys.stderr)
    try:
        read = output.read if output.streams else None
        report = check(
            args.traces,
            specs,
            profiles,
            progress=progress,
            read=read,
            watch=watch,
            patterns=patterns,
            vantage=args.vantage,
        )
    finally:
        progress.end()
    if not output.streams:
        policy.apply(report)
    if args.write_baseline:
        write_baseline(report, args.write_baseline)
    try:
        if special is not None:
            special.report(report)
        else:
            output.report(report)
    finally:
        print_errors(report)
    return report.exit_code
