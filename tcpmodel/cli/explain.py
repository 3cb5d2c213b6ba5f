"""``tcpmodel explain``: say more about a code in the errors of a spec, or about a rule that a report names.

Owns: the options of the command, and where an id is looked up.
Must never hold: the explanations themselves (see ``language.codes``, ``report.finding_codes`` and the specs).
"""

from __future__ import annotations

import argparse
import re

from tcpmodel.cli.errors import CommandError

EXAMPLES = """\
examples:
  tcpmodel explain TS012        the code of an error in a spec: error[TS012]
  tcpmodel explain TCP-FIN-001  the id of a rule, as reports show it
  tcpmodel explain SYN-02 --spec tcp"""

_SPECS = ("tcp", "udp", "conntrack", "zeek", "sockets")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``explain`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument("code", metavar="CODE", help="a code such as TS012, or the id of a rule such as TCP-FIN-001")
    parser.add_argument(
        "--spec",
        metavar="NAME|PATH",
        action="append",
        default=[],
        help="look in this spec (default: tcp, udp, conntrack, zeek, sockets)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the explanation; CommandError for a code that does not exist."""
    code = args.code.strip().strip("[]").upper()
    if re.fullmatch(r"TS\d+", code):
        from tcpmodel.language.codes import explain

        try:
            print(explain(code).rstrip("\n"))
        except LookupError:
            raise CommandError(f"there is no code '{args.code}'; codes look like TS012") from None
        return 0
    from tcpmodel.report.finding_codes import explain as explain_finding

    told = explain_finding(code, _SPECS)
    if told is not None:
        print(told)
    _explain_rule(code, args.spec, known=told is not None)
    return 0


def _explain_rule(code: str, names: list[str], *, known: bool) -> None:
    """What specs declare of a code. ``known``: it was explained already, and there may be nothing else."""
    from tcpmodel.cli.options import load
    from tcpmodel.report.rule_text import describe, identifiers

    specs = [load(name) for name in names or _SPECS]
    told = [text for spec in specs if (text := describe(spec, code)) is not None]
    if known:
        print("".join(f"\n{text}\n" for text in told), end="")
        return
    if not told:
        from difflib import get_close_matches

        from tcpmodel.report.finding_codes import GENERAL

        names_known = {name.upper(): name for spec in specs for name in (*identifiers(spec), *GENERAL)}
        near = get_close_matches(code, names_known, n=1)
        hint = f"; did you mean {names_known[near[0]]}?" if near else "; codes look like TS012, ids like TCP-FIN-001"
        raise CommandError(f"there is no code or rule '{code}'{hint}")
    print("\n\n".join(told))
