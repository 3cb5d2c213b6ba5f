"""``tcpmodel render`` on a small spec: formats, files, and what it says when something is asked that cannot be."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tcpmodel.cli import render
from tcpmodel.cli.main import main
from tcpmodel.language.span import NOWHERE
from tcpmodel.model.spec import Event, Profile, Rule, Spec, State


def make_spec() -> Spec:
    """A door: two states, two calls, and a way that only the profile ``fire`` opens."""

    def rule(state: str, call: str, target: str, profiles: tuple[tuple[str, bool], ...] = ()) -> Rule:
        event = Event("call", call, False, None, "", (), "", NOWHERE)
        name = f"{state}.{call}"
        drawn = f"{call} / turn"
        return Rule(
            id=name, state=state, event=event, guard=None, target=target, drops=False, continues=False, step=-1,
            profiles=profiles, actions=(), drawn=drawn, group=None, cites=(), doc="", span=NOWHERE,
        )  # fmt: skip

    shut = (rule("SHUT", "OPEN", "AJAR"), rule("SHUT", "KICK", "AJAR", (("fire", True),)))
    states = (
        State("SHUT", "", True, True, shut, "", NOWHERE),
        State("AJAR", "", False, False, (rule("AJAR", "CLOSE", "SHUT"),), "", NOWHERE),
    )
    return Spec(
        name="door", title="A door", over="", documents=(), steps=(),
        profiles=(Profile("fire", "", False, (), (), (), "", NOWHERE),),
        constants=(), variables=(), messages=(), events=tuple(rule.event for state in states for rule in state.rules),
        definitions=(), states=states, packet_rules=(), faults=(), sources=(), properties=(), doc="",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _spec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name of a spec gives the door."""
    monkeypatch.setattr(render, "load", lambda name: make_spec())


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("door.svg", b"<?xml"),
        ("DOOR.SVG", b"<?xml"),
        ("door.png", b"\x89PNG\r\n"),
        ("door.dot", b"digraph"),
        ("door.gv", b"digraph"),
        ("door.mmd", b""),
    ],
)
def test_the_suffix_decides_the_format(tmp_path: Path, name: str, start: bytes) -> None:
    assert main(["render", "door", "-o", str(tmp_path / name)]) == 0
    data = (tmp_path / name).read_bytes()
    assert data.startswith(start)
    assert start == b"\x89PNG\r\n" or b"AJAR" in data


def test_to_wins_over_the_suffix(tmp_path: Path) -> None:
    assert main(["render", "door", "-o", str(tmp_path / "door.svg"), "--to", "mermaid"]) == 0
    assert b"stateDiagram-v2" in (tmp_path / "door.svg").read_bytes()


def test_standard_output_is_svg(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["render", "door"]) == 0
    assert b"</svg>" in capfdbinary.readouterr().out


@pytest.mark.parametrize(("profiles", "kicked"), [([], False), (["--profile", "fire"], True)])
def test_profiles_decide_what_is_drawn(tmp_path: Path, profiles: list[str], kicked: bool) -> None:
    assert main(["render", "door", "-o", str(tmp_path / "door.dot"), *profiles]) == 0
    assert ("KICK" in (tmp_path / "door.dot").read_text()) is kicked


@pytest.mark.parametrize("view", ["figure", "full"])
def test_highlight_changes_the_picture(tmp_path: Path, view: str) -> None:
    plain, marked = tmp_path / "plain.svg", tmp_path / "marked.svg"
    assert main(["render", "door", "--view", view, "-o", str(plain)]) == 0
    assert main(["render", "door", "--view", view, "-o", str(marked), "--highlight", "shut, AJAR"]) == 0
    assert plain.read_bytes() != marked.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--highlight", "SHUTT"], "spec 'door' has no state 'SHUTT'; did you mean SHUT?"),
        (["--profile", "fir"], "spec 'door' has no profile 'fir'; did you mean fire?"),
        (["-o", "nowhere/door.svg"], "nowhere/door.svg: No such file or directory"),
        (["-o", "door"], "'door' does not tell the format: add --to {svg,png,dot,mermaid,pdf}"),
    ],
)
def test_what_cannot_be(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["render", "door", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"tcpmodel: error: {said}\n"


def test_pdf_without_graphviz_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["render", "door", "-o", str(tmp_path / "door.pdf")]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("tcpmodel: error: ")
    assert "Graphviz" in printed.err
    assert not (tmp_path / "door.pdf").exists()


def test_no_picture_into_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    assert main(["render", "door", "--to", "png"]) == 2
    assert "png is not for a terminal" in capsys.readouterr().err
