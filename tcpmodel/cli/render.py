"""``tcpmodel render``: draw a spec as a diagram.

Owns: the options of the command, and the choice of the format from a file name.
Must never hold: what a diagram shows or how it is drawn (see ``tcpmodel.render``).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import SPEC_HELP, active_profiles, add_profile, load, unknown, write_output

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from tcpmodel.model.spec import Spec
    from tcpmodel.render.diagram import Diagram

FORMATS = ("svg", "png", "dot", "mermaid", "pdf")
SUFFIXES = {f".{name}": name for name in FORMATS} | {".gv": "dot", ".mmd": "mermaid"}
BINARY = frozenset({"png", "pdf"})

EXAMPLES = """\
examples:
  tcpmodel render -o tcp.svg                    the file name decides the format
  tcpmodel render udp -o udp.png                another shipped spec
  tcpmodel render tcp --view full -o full.svg   not only what the figure draws
  tcpmodel render tcp --to mermaid              to paste into Markdown
  tcpmodel render --coverage used.json -o used.svg
  tcpmodel render --highlight LISTEN,SYN-RECEIVED,ESTABLISHED -o path.svg

Nothing but tcpmodel need be installed, except for PDF: that needs Graphviz."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``render`` to ``parser``."""
    parser.epilog = EXAMPLES
    parser.add_argument("spec", metavar="SPEC", nargs="?", default="tcp", help=f"{SPEC_HELP} (default: %(default)s)")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: standard output)")
    parser.add_argument("--to", choices=FORMATS, help="format (default: by the suffix of FILE, else svg)")
    parser.add_argument(
        "--view",
        choices=("figure", "full"),
        default="figure",
        help="figure: what the figure of the standard draws; full: every change of state (default: %(default)s)",
    )
    add_profile(parser)
    parser.add_argument(
        "--highlight", metavar="STATE,STATE,...", default="", help="emphasise these states and the arrows on the way"
    )
    parser.add_argument(
        "--coverage",
        metavar="FILE",
        help="colour what traces used, as 'check --coverage --output-format json' told it",
    )
    parser.add_argument(
        "--engine",
        choices=("auto", "dot"),
        default="auto",
        help="auto: the layout program that comes with tcpmodel; dot: that of Graphviz (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Draw the spec and write the picture; always 0, or CommandError."""
    to = args.to or _format_of(args.output)
    if to in BINARY and args.output is None and sys.stdout is not None and sys.stdout.isatty():
        raise CommandError(f"{to} is not for a terminal: name a file with -o FILE, or send the output elsewhere")
    spec = load(args.spec)
    profiles = active_profiles(spec, args.profile)
    highlight = _states(spec, args.highlight)

    from tcpmodel.render.render import RenderError, render
    from tcpmodel.render.views import figure_view, full_view

    view = full_view if args.view == "full" else figure_view
    diagram = view(spec, profiles, highlight)
    if args.coverage:
        diagram = _with_coverage(diagram, spec, args)
    try:
        data = render(diagram, to, args.engine)
    except RenderError as error:
        raise CommandError(str(error)) from None
    write_output(data, args.output)
    return 0


def _format_of(path: str | None) -> str:
    """The format for an output file, by its suffix; svg for standard output."""
    if path is None or path == "-":
        return "svg"
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in SUFFIXES:
        what = f"the suffix '{suffix}' of '{path}'" if suffix else f"'{path}'"
        raise CommandError(f"{what} does not tell the format: add --to {{{','.join(FORMATS)}}}")
    return SUFFIXES[suffix]


def _with_coverage(diagram: Diagram, spec: Spec, args: argparse.Namespace) -> Diagram:
    """The diagram with what the file of ``--coverage`` tells; CommandError when that is nothing."""
    from tcpmodel.render.coloured import coloured
    from tcpmodel.report.coverage import CoverageError, read

    try:
        return coloured(diagram, spec, read(args.coverage, spec), figure=args.view == "figure")
    except CoverageError as error:
        raise CommandError(f"--coverage: {error}") from None


def _states(spec: Spec, names: str) -> Sequence[str]:
    """The states that ``--highlight`` names, as the spec spells them; CommandError for one that it does not have."""
    known = {state.name.upper(): state.name for state in spec.states}
    found = []
    for word in filter(None, (part.strip() for part in names.split(","))):
        name = known.get(word.upper().replace("_", "-"))
        if name is None:
            raise unknown("state", word, known.values(), f"spec '{spec.name}'")
        found.append(name)
    return tuple(found)
