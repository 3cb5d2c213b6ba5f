"""The cache of parsed specs: quick, the same as parsing, and never trusted more than the text."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from language_samples import FULL

from tcpmodel.cli.main import main
from tcpmodel.language import store
from tcpmodel.model import cache
from tcpmodel.model.load import _parse, parse

TEXT = FULL.read_text(encoding="utf-8")
posix = pytest.mark.skipif(os.name == "nt", reason="owners and modes of files are not kept this way")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "base"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "base"))
    monkeypatch.delenv("TCPMODEL_CACHE", raising=False)
    return tmp_path / "base" / "tcpmodel"


def kept(folder: Path) -> Path:
    (found,) = folder.glob("spec-*")
    return found


def test_what_is_kept_is_what_was_parsed(folder: Path) -> None:
    fresh = parse(TEXT, "x.tcpspec")
    assert cache.get(cache.name_of(TEXT)) == (fresh.spec, fresh.warnings)
    again = parse(TEXT, "x.tcpspec")
    assert again == fresh and again.spec is not fresh.spec
    assert parse(TEXT, "y.tcpspec").spec.path == "y.tcpspec"


@posix
def test_only_this_user_may_look_and_write(folder: Path) -> None:
    parse(TEXT, "x")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(kept(folder).stat().st_mode) == 0o600


def test_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TCPMODEL_CACHE", "off")
    parse(TEXT, "x")
    assert not folder.exists() and store.read("x") is None


def test_a_folder_may_be_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "new" / "kept here"
    monkeypatch.setenv("TCPMODEL_CACHE", str(named))
    assert store.problem() == ""
    parse(TEXT, "x")
    assert kept(named).is_file() and not folder.exists() and store.problem() == ""


@posix
@pytest.mark.parametrize(
    ("named", "says"),
    [("here", "neither 'off' nor"), ("{}/file", "not a folder"), ("{}/file/x", "looked at"), ("{}/open", "others may")],
)
def test_a_named_folder_that_cannot_be_used_is_an_error(
    named: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setenv("TCPMODEL_CACHE", named.format(tmp_path))
    assert says in store.problem()
    assert main(["check", str(tmp_path / "file")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tcpmodel: error: TCPMODEL_CACHE=") and says in error


def test_another_text_is_another_entry(folder: Path) -> None:
    parse(TEXT, "x")
    parse(TEXT + "\n", "x")
    assert len(list(folder.glob("spec-*"))) == 2
    assert not list(folder.glob("*.tmp"))


def test_wrong_specs_are_not_kept(folder: Path) -> None:
    with pytest.raises(Exception, match="TS001"):
        parse("spec (\n", "x")
    assert not list(folder.glob("spec-*"))


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "other", "flip"])
def test_damaged_entries_are_parsed_again(folder: Path, damage: str) -> None:
    fresh = parse(TEXT, "x")
    path = kept(folder)
    data = path.read_bytes()
    other = pickle.dumps((1, []))
    path.write_bytes(
        {"empty": b"", "cut": data[: len(data) // 2], "noise": os.urandom(100), "other": other, "flip": b"\x80\x05]."}[
            damage
        ]
    )
    assert cache.get(cache.name_of(TEXT)) is None
    assert parse(TEXT, "x") == fresh
    assert cache.get(cache.name_of(TEXT)) is not None, "it is kept again"


class _Evil:
    def __init__(self, call: object, *arguments: object) -> None:
        self.call = call, arguments

    def __reduce__(self) -> object:
        return self.call


@pytest.mark.parametrize("call", [(os.mkdir, "evil"), (eval, "1"), (print, "x")], ids=["mkdir", "eval", "print"])
def test_nothing_is_called(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: tuple[object, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    parse(TEXT, "x")
    path = kept(folder)
    path.write_bytes(pickle.dumps((_Evil(*call), [])))
    assert cache.get(cache.name_of(TEXT)) is None
    assert not (tmp_path / "evil").exists()


def test_dotted_names_do_not_lead_out_of_the_model(folder: Path) -> None:
    parse(TEXT, "x")
    data = b"\x80\x04\x8c\x13tcpmodel.model.spec\x8c\x14Spec.__init__.__call\x93."
    kept(folder).write_bytes(data)
    assert cache.get(cache.name_of(TEXT)) is None


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_to_is_not_used(folder: Path, mode: int) -> None:
    parse(TEXT, "x")
    folder.chmod(mode)
    assert cache.get(cache.name_of(TEXT)) is None
    parse(TEXT + "\n", "x")
    assert len(list(folder.glob("spec-*"))) == 1


@posix
def test_a_file_that_others_may_write_to_is_not_used(folder: Path) -> None:
    parse(TEXT, "x")
    kept(folder).chmod(0o666)
    assert cache.get(cache.name_of(TEXT)) is None


@posix
def test_another_users_folder_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse(TEXT, "x")
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert cache.get(cache.name_of(TEXT)) is None


@posix
def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    parse(TEXT, "x")
    path = kept(folder)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.get(cache.name_of(TEXT)) is None
    path.unlink()
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert store.read("x") is None


@pytest.mark.parametrize("place", ["file", "below a file"])
def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    (tmp_path / "taken").write_text("")
    base = tmp_path / "taken" if place == "below a file" else tmp_path
    (tmp_path / "tcpmodel").write_text("")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(base))
    assert parse(TEXT, "x").spec.name == "demo"


def test_a_relative_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert not store.folder().startswith("here")
    parse(TEXT, "x")
    assert not (tmp_path / "here").exists()


def test_old_entries_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_FILES", 3)
    for number in range(6):
        store.write(f"f{number}", b"x")
        os.utime(folder / f"f{number}", (number, number))
    assert len(list(folder.iterdir())) <= 4


def test_a_warm_start_needs_no_parser(folder: Path, root: Path) -> None:
    script = (
        "import sys; from tcpmodel.model.load import load; load(sys.argv[1]);"
        "print(*sorted({'lark', 'difflib', 'tcpmodel.language.parser'} & set(sys.modules)))"
    )
    run = [sys.executable, "-c", script, str(FULL)]
    first, second = (
        subprocess.run(run, capture_output=True, text=True, check=True, cwd=root).stdout.split() for _ in range(2)
    )
    assert "lark" in first and second == []


def test_tables_of_the_grammar_are_kept(folder: Path) -> None:
    """A parser from kept tables finds the same; damaged tables are built again."""
    from tcpmodel.language import parser

    try:
        trees = []
        for damage in (None, None, b"noise", pickle.dumps(_Evil(os.mkdir, "evil"))):
            parser._parser.cache_clear()
            tables = list(folder.glob("grammar-*"))
            if damage is not None:
                tables[0].write_bytes(damage)
            trees.append(_parse(TEXT, "x").spec)
        assert all(tree == trees[0] for tree in trees)
        assert len(list(folder.glob("grammar-*"))) == 1
    finally:
        parser._parser.cache_clear()
