"""``tcpmodel doc``: write what specs say of requirements, claims or rules over messages as a page.

Owns: the options of the command, and which specs a page is made of.
Must never hold: the layout of a page (see ``report.marks_md`` and ``report.rules_md``).
"""

from __future__ import annotations

import argparse
import os

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import SPEC_HELP, load, write_output

WHAT = ("requirements", "claims", "rules")

EXAMPLES = """\
examples:
  tcpmodel doc requirements             of all shipped specs, to read at once
  tcpmodel doc rules                    what is said of messages, and what not
  tcpmodel doc claims -o claims.md      links lead from this file to the specs
  tcpmodel doc requirements my.tcpspec  of your own spec"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``doc`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument("what", metavar="WHAT", choices=WHAT, help="requirements, claims or rules")
    parser.add_argument("specs", metavar="SPEC", nargs="*", help=f"{SPEC_HELP} (default: all shipped ones)")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: standard output)")


def run(args: argparse.Namespace) -> int:
    """Write the page; always 0, or CommandError."""
    from tcpmodel.model.load import shipped_specs
    from tcpmodel.report.marks_md import RepeatedError, page
    from tcpmodel.report.rules_md import page as rules_page

    specs = [load(name) for name in args.specs or sorted(shipped_specs())]
    to_file = args.output is not None and args.output != "-"
    folder = os.path.dirname(args.output) or "." if to_file else "."
    try:
        text = rules_page(specs, folder) if args.what == "rules" else page(args.what, specs, folder)
    except RepeatedError as error:
        raise CommandError(str(error)) from None
    write_output(text.encode(), args.output)
    return 0
