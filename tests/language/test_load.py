"""From a name, a path or a text to a spec: what is found, and what is said if it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpmodel.language.errors import SpecErrors
from tcpmodel.language.parser import LARGEST_FILE
from tcpmodel.model.load import find_spec, load, load_spec, parse_spec, shipped_specs

GOOD = "spec light\ninitial state A\n"


def said(name: str) -> str:
    with pytest.raises(SpecErrors) as caught:
        load_spec(name)
    assert len(caught.value.errors) == 1
    return str(caught.value)


def test_shipped_specs_have_names() -> None:
    assert {"tcp", "udp"} <= set(shipped_specs())
    assert load_spec("udp").name == "udp"


def test_unknown_name_lists_the_shipped_ones() -> None:
    text = said("tpc")
    assert "there is no spec `tpc`" in text and "tcp" in text and "udp" in text and "TS002" in text


def test_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "light.tcpspec"
    path.write_text(GOOD, encoding="utf-8")
    assert load_spec(str(path)).path == str(path)
    monkeypatch.chdir(tmp_path)
    assert load_spec("light.tcpspec").name == "light"
    (tmp_path / "plain").write_text(GOOD, encoding="utf-8")
    assert load_spec("plain").name == "light"
    (tmp_path / "tcp").write_text(GOOD, encoding="utf-8")
    assert load_spec("tcp").name == "tcp", "the name of a shipped spec wins over a file"
    assert load_spec("./tcp").name == "light"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file" in said(str(tmp_path / "missing.tcpspec"))
    assert "cannot read" in said(str(tmp_path) + "/")
    assert "TS002" in said("a\0b.tcpspec")
    assert "TS002" in said("a\0b")
    assert "TS002" in said("")


def test_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "x.tcpspec"
    path.write_bytes("spec light\n// é".encode() + b"\xff\ninitial state A\n")
    text = said(str(path))
    assert f"{path}:2:5: error[TS002]: the file is not UTF-8 text" in text


def test_too_large(tmp_path: Path) -> None:
    path = tmp_path / "x.tcpspec"
    path.write_bytes(b"/" * (LARGEST_FILE + 1))
    assert "at most 2048 KiB" in said(str(path))
    for text in ("/" * (LARGEST_FILE + 1), "spec x\n" + "steps a\n" * 30_000):
        with pytest.raises(SpecErrors) as caught:
            parse_spec(text, "x")
        assert [error.code for error in caught.value.errors] == ["TS003"]


def test_path_and_digest_are_those_of_the_text() -> None:
    one, two = parse_spec(GOOD, "one"), parse_spec(GOOD, "two")
    assert (one.path, two.path) == ("one", "two")
    assert one.digest == two.digest != parse_spec(GOOD + "\n", "one").digest


def test_source_comes_with_the_spec() -> None:
    assert load("udp").text == find_spec("udp").read_text(encoding="utf-8")


def test_a_spec_without_states() -> None:
    text = "spec rules-only\nmessage M\n  field N : octets\nrule R must\n  forbid M.N = 0\n"
    assert parse_spec(text, "x").states == ()
