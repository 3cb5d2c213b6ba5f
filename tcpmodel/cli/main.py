"""Entry point of the command: picks the command's module, runs it, and turns what goes wrong into an exit status.

Owns: the list of commands, the exit statuses, and the handling of every exception that reaches the top.
Must never hold: an import of a command or of another part of the project at the top. ``--version`` and ``--help``
answer at once because nothing else is loaded.

Exit statuses: 0 nothing is wrong, 1 a violation or a property that does not hold, 2 the question could not be
answered (wrong usage, unreadable input, a spec with errors), 130 interrupted, 141 the reader of the output went away.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence

from tcpmodel._version import __version__
from tcpmodel.cli.errors import CommandError

TYPE_CHECKING = False  # instead of the one in typing: importing that takes a fifth of the time of --version
if TYPE_CHECKING:
    from typing import NoReturn

COMMANDS = {
    "check": "hold captures and logs against the specs",
    "verify": "prove the properties of a spec",
    "step": "say what an event does to an endpoint",
    "render": "draw a spec as a diagram",
    "convert": "write any capture or log as JSON Lines",
    "explain": "explain the code of a finding or of a spec error",
    "doc": "write what specs say of requirements and claims",
}
"""Every command and its line in the overview; the module of the same name has its ``add_arguments`` and ``run``."""

TROUBLE = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
PIPE_CLOSED = 141  # 128 + SIGPIPE

EXAMPLES = """\
examples:
  tcpmodel check capture.pcap        does this traffic follow the specs?
  tcpmodel verify tcp                do the spec's own properties hold?
  tcpmodel step                      put any event to any state
  tcpmodel render tcp -o tcp.svg     draw the state diagram
  tcpmodel explain TS012             what does this spec error mean?

'tcpmodel COMMAND --help' shows all options of a command, with examples.
Exit status: 0 nothing is wrong, 1 something is, 2 the question could not be answered."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors look like all other errors of the command."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message to standard error; exit with status 2."""
        self.print_usage(sys.stderr)
        self.exit(TROUBLE, f"tcpmodel: error: {message}\ntry '{self.prog} --help'\n")


def build_parser(chosen: str | None) -> Parser:
    """The parser of the whole command line, in which only the ``chosen`` command has its options.

    The other commands are known by name and summary, so that their modules need not be loaded.
    """
    parser = Parser(
        prog="tcpmodel",
        description="A formal model of TCP and UDP, and a checker of captures and logs against it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tcpmodel {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name == chosen:
            importlib.import_module(f"tcpmodel.cli.{name}").add_arguments(command)
    return parser


def dispatch(arguments: Sequence[str]) -> int:
    """Run the command that ``arguments`` name and return its exit status."""
    if not arguments:
        build_parser(None).print_help(sys.stderr)
        return TROUBLE
    # The options before the command take no value, so the first other word is the command.
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    if chosen is not None and chosen not in COMMANDS and os.path.exists(chosen):
        raise CommandError(f"'{chosen}' is a file, not a command; to check it: tcpmodel check {chosen}")
    cache = os.environ.get("TCPMODEL_CACHE")
    if cache:
        from tcpmodel.language.store import problem

        if wrong := problem():
            raise CommandError(f"TCPMODEL_CACHE={cache}: {wrong}")
    parser = build_parser(chosen)
    parsed, rest = parser.parse_known_args(arguments)
    if rest:
        _more_files(parser, parsed, rest)
    status: int = importlib.import_module(f"tcpmodel.cli.{parsed.command}").run(parsed)
    return status


def _more_files(parser: Parser, parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Take what stands behind options for further files: argparse wants them all in one place."""
    files = getattr(parsed, "traces", None) or getattr(parsed, "specs", None)
    unknown = [word for word in rest if word.startswith("-") and word != "-"]
    if files is None or unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown or rest)}")
    files += rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (``sys.argv`` by default) and return the exit status; never raises."""
    try:
        _make_output_safe()
        try:
            status = dispatch(sys.argv[1:] if arguments is None else arguments)
        except SystemExit as stop:  # argparse: --help, --version, wrong usage
            status = stop.code if isinstance(stop.code, int) else 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        _abandon_output()
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_output()
        return PIPE_CLOSED
    except CommandError as error:
        _say(str(error) if error.complete else f"tcpmodel: error: {error}")
    except OSError as error:
        name = f"{error.filename}: " if error.filename is not None else ""
        _say(f"tcpmodel: error: {name}{error.strerror or error}")
    except MemoryError:
        _say("tcpmodel: error: not enough memory")
    except Exception as error:
        # Status 1 would claim a violation, and Python gives 1 to every uncaught exception.
        if os.environ.get("TCPMODEL_TRACEBACK"):
            import traceback

            traceback.print_exc()
        _say(
            f"tcpmodel: internal error: {type(error).__name__}: {error}{_place(error)}\n"
            "This is a fault of tcpmodel, not of its input. Set TCPMODEL_TRACEBACK=1 to see where it happened."
        )
    return TROUBLE


def _make_output_safe() -> None:
    """Print what the terminal's encoding lacks as an escape: no file name and no sign may stop a report."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _abandon_output() -> None:
    """Drop what is left in the output buffer, or the interpreter would try to write it once more as it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass  # no such descriptor: closed, or a stand-in without one


def _say(message: str) -> None:
    """Print ``message`` to standard error, after all that was printed to standard output."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _abandon_output()
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            print(message.rstrip("\n"), file=sys.stderr, flush=True)


def _place(error: Exception) -> str:
    """Module and line where ``error`` was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"
