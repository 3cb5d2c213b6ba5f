"""``tcpmodel explain``: say what a code in the errors of a spec means, with a wrong and a right example.

Owns: the options of the command.
Must never hold: the explanations themselves (see ``tcpmodel.language.codes``).
"""

from __future__ import annotations

import argparse

from tcpmodel.cli.errors import CommandError

EXAMPLES = """\
examples:
  tcpmodel explain TS012     the code as errors show it: error[TS012]
  tcpmodel explain ts012     upper or lower case"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``explain`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument("code", metavar="CODE", help="a code such as TS012")


def run(args: argparse.Namespace) -> int:
    """Print the explanation; CommandError for a code that does not exist."""
    from tcpmodel.language.codes import explain

    code = args.code.strip().strip("[]").upper()
    try:
        print(explain(code).rstrip("\n"))
    except LookupError:
        raise CommandError(f"there is no code '{args.code}'; codes look like TS012") from None
    return 0
