"""The command from outside: exit statuses, where errors go, and what is loaded before it answers."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tcpmodel
from tcpmodel.cli import main as entry
from tcpmodel.cli import options
from tcpmodel.cli.errors import CommandError

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMANDS = sorted(entry.COMMANDS)
PACKAGE = Path(tcpmodel.__file__).resolve().parent.parent


def python(code: str) -> str:
    """What ``code`` prints when it is run with the package that these tests import."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE)}
    command = [sys.executable, "-P", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_version(run_tcpmodel: Run) -> None:
    result = run_tcpmodel("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"tcpmodel {tcpmodel.__version__}\n", "")


def test_help_lists_all_commands(run_tcpmodel: Run) -> None:
    result = run_tcpmodel("--help")
    assert result.returncode == 0
    for name, summary in entry.COMMANDS.items():
        assert name in result.stdout and summary in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_has_its_options_and_examples(run_tcpmodel: Run, name: str) -> None:
    result = run_tcpmodel(name, "--help", env={"COLUMNS": "80"})
    assert result.returncode == 0
    assert f"usage: tcpmodel {name}" in result.stdout
    assert "examples:\n  " in result.stdout
    too_long = [line for line in result.stdout.splitlines() if len(line) > 80]
    assert not too_long


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_in_the_help_are_valid(name: str) -> None:
    for part in entry.build_parser(name).format_help(), _command_parser(name).format_help():
        for line in part.splitlines():
            words = line.split("  ")[1].split() if line.startswith("  ") and "tcpmodel" in line else []
            if "tcpmodel" in words:
                words = words[words.index("tcpmodel") + 1 :]
                if words[0] in entry.COMMANDS:
                    entry.build_parser(words[0]).parse_args(words)


def _command_parser(name: str) -> argparse.ArgumentParser:
    for action in entry.build_parser(name)._actions:
        if isinstance(action, argparse._SubParsersAction):
            parser = action.choices[name]
            assert isinstance(parser, argparse.ArgumentParser)
            return parser
    raise AssertionError("no commands")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "usage: tcpmodel"),
        (["chek"], "tcpmodel: error: argument COMMAND: invalid choice: 'chek'"),
        (["--bogus"], "tcpmodel: error: "),
        (["check"], "tcpmodel: error: the following arguments are required: TRACE"),
        (["check", "--bogus", "x"], "tcpmodel: error: unrecognized arguments: --bogus"),
        (["check", "x", "--quiet", "y", "--bogus"], "tcpmodel: error: unrecognized arguments: --bogus"),
        (["verify", "tcp", "-v", "udp"], "tcpmodel: error: unrecognized arguments: udp"),
        (["check", "--output-format", "xml", "x"], "invalid choice: 'xml'"),
        (["check", "--quiet", "--verbose", "x"], "not allowed with argument"),
        (["render", "--to", "gif"], "invalid choice: 'gif'"),
        (["render", "-o", "picture.gif"], "the suffix '.gif' of 'picture.gif' does not tell the format"),
        (["pyproject.toml"], "to check it: tcpmodel check pyproject.toml"),
        (["explain"], "the following arguments are required: CODE"),
    ],
    ids=" ".join,
)
def test_wrong_usage(run_tcpmodel: Run, arguments: list[str], said: str) -> None:
    result = run_tcpmodel(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_files_may_stand_on_both_sides_of_an_option(run_tcpmodel: Run) -> None:
    result = run_tcpmodel("check", "no-such-1", "no-such-2", "--quiet", "no-such-3", "--color", "never", "no-such-4")
    assert result.returncode == 2
    assert [line.split(": ")[2] for line in result.stderr.splitlines()] == [f"no-such-{n}" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (CommandError("no such thing"), 2, "tcpmodel: error: no such thing\n"),
        (CommandError("x.tcpspec:1:1: error[TS001]: what", complete=True), 2, "x.tcpspec:1:1: error[TS001]: what\n"),
        (FileNotFoundError(2, "No such file or directory", "x.pcap"), 2, "tcpmodel: error: x.pcap: No such file"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
        (MemoryError(), 2, "tcpmodel: error: not enough memory\n"),
        (RuntimeError("boom"), 2, "tcpmodel: internal error: RuntimeError: boom (test_command.py:"),
        (SystemExit(1), 1, ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exceptions_become_statuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: BaseException, status: int, said: str
) -> None:
    def fail(arguments: object) -> int:
        raise raised

    monkeypatch.delenv("TCPMODEL_TRACEBACK", raising=False)
    monkeypatch.setattr(entry, "dispatch", fail)
    monkeypatch.setattr(entry, "_abandon_output", lambda: None)  # it would close the test run's own output
    assert entry.main(["check"]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(said) if said else printed.err == ""
    assert "Traceback" not in printed.err


def test_what_was_printed_before_an_error_is_kept() -> None:
    code = (
        "import sys\nfrom tcpmodel.cli import main as entry\n"
        "def dispatch(arguments):\n    print('first file')\n    open('no such file')\n"
        "entry.dispatch = dispatch\nsys.exit(entry.main([]) - 2)"
    )
    assert python(code) == "first file\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_reader_that_goes_away() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = os.environ | {"PYTHONPATH": str(PACKAGE)}
    environment.pop("PYTHONUNBUFFERED", None)
    command = [sys.executable, "-P", "-m", "tcpmodel", "--help"]
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device")
def test_full_disk() -> None:
    environment = os.environ | {"PYTHONPATH": str(PACKAGE)}
    environment.pop("PYTHONUNBUFFERED", None)
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-P", "-m", "tcpmodel", "--help"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(b"tcpmodel: error: ")
    assert result.stderr.count(b"\n") == 1


def test_start_loads_nothing_that_it_does_not_need() -> None:
    loaded = set(python("import sys, tcpmodel.cli.main\nprint(*sys.modules)").split())
    own = {name for name in loaded if name.startswith("tcpmodel")}
    assert own == {"tcpmodel", "tcpmodel._version", "tcpmodel.cli", "tcpmodel.cli.errors", "tcpmodel.cli.main"}
    assert not loaded & {"lark", "networkx", "graphviz", "dataclasses", "inspect", "typing", "json", "subprocess"}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_loads_no_other_part(name: str) -> None:
    code = f"import sys, tcpmodel.cli.main as m\nm.build_parser({name!r})\nprint(*sys.modules)"
    loaded = set(python(code).split())
    parts = {name.split(".")[1] for name in loaded if name.startswith("tcpmodel.")}
    assert parts == {"_version", "cli"}
    assert not loaded & {"lark", "networkx", "graphviz", "dataclasses", "typing"}


@pytest.mark.parametrize(
    ("choice", "no_color", "term", "terminal", "colored"),
    [
        ("always", "1", "dumb", False, True),
        ("never", "", "xterm", True, False),
        ("auto", "", "xterm", True, True),
        ("auto", "", "xterm", False, False),
        ("auto", "1", "xterm", True, False),
        ("auto", "", "dumb", True, False),
    ],
)
def test_color(
    monkeypatch: pytest.MonkeyPatch, choice: str, no_color: str, term: str, terminal: bool, colored: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert options.wants_color(choice, sys.stderr) is colored


class Profile:
    """As much of a spec's profile as choosing one needs."""

    def __init__(self, name: str, default: bool = False, on: tuple[str, ...] = (), off: tuple[str, ...] = ()) -> None:
        self.name, self.default, self.turns_on, self.turns_off = name, default, on, off


class Spec:
    """As much of a spec as choosing a profile needs."""

    name = "s"
    profiles = (
        Profile("modern", default=True),
        Profile("old", off=("modern",)),
        Profile("system", on=("extra", "old")),
        Profile("extra", on=("system",)),
    )


@pytest.mark.parametrize(
    ("wanted", "on"),
    [
        ([], {"modern"}),
        (["no-modern"], set()),
        (["old"], {"old"}),
        (["old", "no-old"], set()),
        (["system"], {"system", "extra", "old"}),
        (["system", "no-extra"], {"system", "old"}),
    ],
)
def test_profiles(wanted: list[str], on: set[str]) -> None:
    assert options.active_profiles(Spec(), wanted) == on  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (["modem"], "spec 's' has no profile 'modem'; did you mean modern?"),
        (["zzz"], "spec 's' has no profile 'zzz'; it has: modern, old, system, extra"),
        (["no-zzz"], "has no profile 'no-zzz'"),
        (["old", "modern"], "profile 'old' excludes profile 'modern'"),
    ],
)
def test_profiles_that_cannot_be(wanted: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said.replace("(", r"\(")):
        options.active_profiles(Spec(), wanted)  # type: ignore[arg-type]
