"""``tcpmodel verify``: prove the properties of a spec.

Owns: the options of the command, and the way from a spec to a report.
Must never hold: how a property is decided (see ``analysis``).
"""

from __future__ import annotations

import argparse
import sys

from tcpmodel.cli.options import (
    SPEC_HELP,
    active_profiles,
    add_color,
    add_output_format,
    add_profile,
    load,
    wants_color,
)

EXAMPLES = """\
examples:
  tcpmodel verify                           TCP, under every profile in turn
  tcpmodel verify udp                       another shipped spec
  tcpmodel verify my.tcpspec                your own spec
  tcpmodel verify tcp --profile rfc793      with this profile turned on only
  tcpmodel verify tcp --output-format json  for a program

Exit status: 0 all properties hold, 1 one does not, 2 the spec cannot be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``verify`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument("spec", metavar="SPEC", nargs="?", default="tcp", help=f"{SPEC_HELP} (default: %(default)s)")
    add_profile(parser)
    add_output_format(parser)
    add_color(parser)
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show every profile in full, all witnesses, and overlapping rules"
    )


def run(args: argparse.Namespace) -> int:
    """Verify the spec; 0 all properties hold, 1 at least one does not."""
    spec = load(args.spec)
    profiles = active_profiles(spec, args.profile) if args.profile else None
    from tcpmodel.analysis.verify import verify

    result = verify(spec, profiles)
    if args.output_format == "json":
        from tcpmodel.report.verify_json import text

        sys.stdout.write(text(result))
    else:
        from tcpmodel.report.style import Style
        from tcpmodel.report.verify_text import lines

        style = Style.of(sys.stdout, color=wants_color(args.color, sys.stdout))
        for line in lines(result, style, verbose=args.verbose):
            print(line)
    return 1 if result.failing else 0
