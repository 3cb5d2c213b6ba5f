"""``tcpmodel verify``: prove the properties of a spec.

Owns: the options of the command, and the way from a spec to a report.
Must never hold: how a property is decided (see ``analysis``).
"""

from __future__ import annotations

import argparse

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import SPEC_HELP, add_color, add_output_format, add_profile

EXAMPLES = """\
examples:
  tcpmodel verify                           TCP, under its default profiles
  tcpmodel verify udp                       another shipped spec
  tcpmodel verify my.tcpspec                your own spec
  tcpmodel verify tcp --profile rfc793      with a profile turned on
  tcpmodel verify tcp --output-format json  for a program

Exit status: 0 all properties hold, 1 one does not, 2 the spec cannot be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``verify`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument("spec", metavar="SPEC", nargs="?", default="tcp", help=f"{SPEC_HELP} (default: %(default)s)")
    add_profile(parser)
    add_output_format(parser)
    add_color(parser)


def run(args: argparse.Namespace) -> int:
    """Verify the spec; 0 all properties hold, 1 at least one does not."""
    raise CommandError("'verify' is not available yet")
