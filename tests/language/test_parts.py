"""Specs in several files: where declarations stand, where errors are, what may be included, what is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tcpmodel.language.errors import SpecErrors
from tcpmodel.language.span import path_of
from tcpmodel.model import cache
from tcpmodel.model.load import Loaded, load, parse_spec, shipped_specs

HEAD = "spec light\ncall GO, HALT\n"


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "light.tcpspec"


def loaded(folder: Path, files: dict[str, str]) -> Loaded:
    return load(str(written(folder, files)))


def said(folder: Path, files: dict[str, str]) -> str:
    with pytest.raises(SpecErrors) as caught:
        loaded(folder, files)
    return str(caught.value).replace(os.sep, "/").replace(str(folder).replace(os.sep, "/") + "/", "")


def test_declarations_stand_where_the_include_is(tmp_path: Path) -> None:
    main = HEAD + 'initial state A\n  on GO -> B\ninclude "light/more.tcpspec"\nstate D\n'
    found = loaded(
        tmp_path,
        {
            "light.tcpspec": main,
            "light/more.tcpspec": '//! said\n/// doc\nstate B\n  on GO -> C\ninclude "deep/last.tcpspec"\n',
            "light/deep/last.tcpspec": "\ufeffstate C\n  on GO -> A\n",
        },
    )
    assert [state.name for state in found.spec.states] == ["A", "B", "C", "D"]
    assert found.spec.parts == ("light/more.tcpspec", "light/deep/last.tcpspec") == tuple(found.parts)
    assert found.spec.state("B").doc == "doc" and found.spec.doc == ""
    span = found.spec.state("C").rules[0].span
    assert (span.path, span.line) == ("light/deep/last.tcpspec", 2)
    assert found.spec.state("A").span.path == ""
    assert Path(path_of(found.spec.path, span.path)).read_text(encoding="utf-8").endswith("-> A\n")


def test_errors_and_warnings_are_in_their_own_file(tmp_path: Path) -> None:
    files = {
        "light.tcpspec": HEAD + 'initial state A\n  on GO -> X\ninclude "p.tcpspec"\n',
        "p.tcpspec": "\nstate B\n  on GO when 1 < -> A\n  on HALT -> Y [not a form]\nstate A\n",
    }
    text = said(tmp_path, files)
    assert "light.tcpspec:4:12: error[TS010]: unknown state `X`\n    4 |   on GO -> X\n" in text
    assert "p.tcpspec:3:18: error[TS001]: syntax error: found `->`\n    3 |   on GO when 1 < -> A\n" in text
    assert "p.tcpspec:4:14: error[TS010]: unknown state `Y`" in text
    assert "p.tcpspec:4:17: error[TS006]" in text
    assert "p.tcpspec:5:7: error[TS020]: state `A` is declared twice" in text
    assert "line 3: give" in text
    assert text.index("light.tcpspec:4") < text.index("p.tcpspec:3") < text.index("p.tcpspec:5")
    files = {"light.tcpspec": HEAD + 'initial state A\n  on GO, HALT stay\ninclude "p.tcpspec"\n'}
    warnings = loaded(tmp_path, files | {"p.tcpspec": "const C = 1\n"}).warnings
    assert [(warning.code, warning.span.path) for warning in warnings] == [("TS062", "p.tcpspec")]


def test_an_earlier_declaration_in_a_part(tmp_path: Path) -> None:
    main = HEAD + 'include "p.tcpspec"\ninitial state A\n  R-1: on GO stay\n'
    text = said(tmp_path, {"light.tcpspec": main, "p.tcpspec": "state A\nstate B\n  on GO stay\n"})
    assert "the first declaration is in line 1 of p.tcpspec" in text
    files = {"light.tcpspec": main, "p.tcpspec": "state B\n  R-1: on GO stay\n"}
    assert "line 2 of p.tcpspec has a rule with this id" in said(tmp_path, files)


@pytest.mark.parametrize(
    "path",
    [
        "../p.tcpspec",
        "/p.tcpspec",
        "a/../p.tcpspec",
        "a/./p.tcpspec",
        "./p.tcpspec",
        "a//p.tcpspec",
        "C:p.tcpspec",
        "a\\\\p.tcpspec",
        "p.txt",
        ".tcpspec/",
        "",
        "p\t.tcpspec",
        "x" * 2000 + ".tcpspec",
    ],
)
def test_paths_that_may_not_be_included(tmp_path: Path, path: str) -> None:
    text = said(tmp_path, {"light.tcpspec": f'{HEAD}include "{path}"\ninitial state A\n'})
    assert "light.tcpspec:3:9: error[TS008]" in text and "cannot be included" in text
    assert text.count("error[") == 1


def test_missing_file_and_folder(tmp_path: Path) -> None:
    (tmp_path / "d.tcpspec").mkdir()
    text = said(tmp_path, {"light.tcpspec": HEAD + 'include "no.tcpspec"\ninclude "d.tcpspec"\ninitial state A\n'})
    assert "light.tcpspec:3:9: error[TS008]: there is no file `no.tcpspec`" in text
    assert "light.tcpspec:4:9: error[TS008]: `d.tcpspec` is not a file" in text


def test_what_a_missing_part_declares_is_not_missed(tmp_path: Path) -> None:
    text = said(tmp_path, {"light.tcpspec": HEAD + 'initial state A\n  on GO -> B\ninclude "no.tcpspec"\n'})
    assert text.count("error[") == 1


def test_circles(tmp_path: Path) -> None:
    files = {
        "light.tcpspec": HEAD + 'include "p.tcpspec"\ninitial state A\n',
        "p.tcpspec": 'include "q.tcpspec"\n',
        "q.tcpspec": '\ninclude "p.tcpspec"\n',
    }
    text = said(tmp_path, files)
    assert "q.tcpspec:2:9: error[TS008]: `p.tcpspec` includes itself: p.tcpspec -> q.tcpspec -> p.tcpspec\n" in text
    text = said(tmp_path, files | {"p.tcpspec": 'include "light.tcpspec"\n'})
    assert "p.tcpspec:1:9: error[TS008]: `light.tcpspec` includes itself" in text


def test_twice(tmp_path: Path) -> None:
    main = HEAD + 'include "p.tcpspec"\ninclude "p.tcpspec"\ninitial state A\n'
    assert "light.tcpspec:4:9: error[TS008]" in said(tmp_path, {"light.tcpspec": main, "p.tcpspec": "state B\n"})
    files = {"light.tcpspec": HEAD + 'include "q.tcpspec"\ninclude "p.tcpspec"\ninitial state A\n'}
    files |= {"p.tcpspec": "state B\n", "q.tcpspec": 'include "p.tcpspec"\n'}
    assert "light.tcpspec:4:9: error[TS008]: `p.tcpspec` is included twice" in said(tmp_path, files)


def test_depth(tmp_path: Path) -> None:
    files = {"light.tcpspec": HEAD + 'include "1.tcpspec"\ninitial state A\n'}
    files |= {f"{at}.tcpspec": f'include "{at + 1}.tcpspec"\n' for at in range(1, 4)}
    assert len(loaded(tmp_path, files | {"4.tcpspec": "state B\n  on GO -> A\n"}).spec.parts) == 4
    text = said(tmp_path, files | {"4.tcpspec": 'include "5.tcpspec"\n', "5.tcpspec": "state B\n"})
    assert "4.tcpspec:1:9: error[TS008]: more than 4 levels" in text


def test_number_and_size(tmp_path: Path) -> None:
    names = [f"p{at}" for at in range(70)]
    files = {f"{name}.tcpspec": f"profile {name}\n" for name in names}
    main = HEAD + "".join(f'include "{name}.tcpspec"\n' for name in names) + "initial state A\n"
    assert "light.tcpspec:67:9: error[TS008]" in said(tmp_path, files | {"light.tcpspec": main})
    files = {f"p{at}.tcpspec": "// " + "x" * 1_000_000 + "\n" for at in range(3)}
    main = HEAD + "".join(f'include "p{at}.tcpspec"\n' for at in range(3)) + "initial state A\n"
    assert "light.tcpspec:5:9: error[TS003]" in said(tmp_path, files | {"light.tcpspec": main})
    files = {"p.tcpspec": "const a = 1\n" * 20_001}
    main = HEAD + 'include "p.tcpspec"\ninitial state A\n'
    assert "error[TS003]: too many declarations" in said(tmp_path, files | {"light.tcpspec": main})


def test_heading_in_a_part(tmp_path: Path) -> None:
    main = HEAD + 'include "p.tcpspec"\ninitial state A\n'
    text = said(tmp_path, {"light.tcpspec": main, "p.tcpspec": "spec other\n"})
    assert "p.tcpspec:1:6: error[TS040]: a part has no `spec` heading" in text and text.count("error[") == 1


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "p.tcpspec").write_bytes(b"state B\n  // \xe9\n")
    text = said(tmp_path, {"light.tcpspec": HEAD + 'include "p.tcpspec"\ninitial state A\n'})
    assert "p.tcpspec:2:6: error[TS002]: the file is not UTF-8 text\n    2 |   // " in text


def test_a_path_on_the_next_line(tmp_path: Path) -> None:
    text = said(tmp_path, {"light.tcpspec": HEAD + 'include\n  "p.tcpspec"\ninitial state A\n', "p.tcpspec": ""})
    assert "light.tcpspec:4:3: error[TS008]" in text and "one line" in text


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_links_do_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "secret.tcpspec").write_text("state B\n", encoding="utf-8")
    main = HEAD + 'include "p.tcpspec"\ninitial state A\n  on GO -> B\n'
    written(tmp_path / "in", {"light.tcpspec": main})
    (tmp_path / "in" / "p.tcpspec").symlink_to(tmp_path / "secret.tcpspec")
    with pytest.raises(SpecErrors, match="outside"):
        load(str(tmp_path / "in" / "light.tcpspec"))
    written(tmp_path / "real", {"light.tcpspec": main, "p.tcpspec": "state B\n  on GO -> A\n"})
    (tmp_path / "linked").mkdir()
    for name in ("light.tcpspec", "p.tcpspec"):
        (tmp_path / "linked" / name).symlink_to(tmp_path / "real" / name)
    assert load(str(tmp_path / "linked" / "light.tcpspec")).spec.parts == ("p.tcpspec",)


def test_parts_of_a_text_are_looked_for_at_its_path(tmp_path: Path) -> None:
    path = written(tmp_path, {"p.tcpspec": "state B\n  on GO -> A\n"})
    text = HEAD + 'include "p.tcpspec"\ninitial state A\n  on GO -> B\n'
    assert [state.name for state in parse_spec(text, str(path)).states] == ["B", "A"]


def test_the_cache_notices_a_change_in_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "base"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "base"))
    monkeypatch.delenv("TCPMODEL_CACHE", raising=False)
    files = {"light.tcpspec": HEAD + 'include "p.tcpspec"\ninitial state A\n  on GO -> B\n'}
    one = loaded(tmp_path, files | {"p.tcpspec": "state B\n  on GO -> A\n"})
    assert cache.get(cache.name_of(one.text, one.parts)) == (one.spec, one.warnings)
    assert load(str(tmp_path / "light.tcpspec")) == one
    two = loaded(tmp_path, files | {"p.tcpspec": "state B\n  on GO stay\n"})
    assert two.spec.state("B").rules[0].target == "B"
    assert one.spec.digest != two.spec.digest
    (tmp_path / "p.tcpspec").unlink()
    with pytest.raises(SpecErrors):
        load(str(tmp_path / "light.tcpspec"))


def test_parts_are_not_shipped_as_specs() -> None:
    assert {path.parent.name for path in shipped_specs().values()} == {"specs"}
