"""What a program that imports tcpmodel can use, and that it is loaded late."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tcpmodel

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(tcpmodel.__file__).resolve().parent


@pytest.mark.parametrize("name", [name for name in tcpmodel.__all__ if not name.startswith("_")])
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(tcpmodel, name))


def test_types_are_declared_for_the_same_names() -> None:
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    found: dict[str | None, str | None] = {}
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            found.update({alias.asname: node.module for alias in node.names})
    assert set(found) == set(tcpmodel.__all__)
    for name, module in found.items():
        if name is not None and name != "__version__":
            assert getattr(tcpmodel, name) is getattr(sys.modules[str(module)], name)


def test_dir_lists_them() -> None:
    assert set(tcpmodel.__all__) <= set(dir(tcpmodel))


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'chek'"):
        tcpmodel.chek  # type: ignore[attr-defined]  # noqa: B018


def test_import_loads_nothing() -> None:
    code = "import sys, tcpmodel\nprint(sorted(name for name in sys.modules if name.startswith('tcpmodel')))"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    result = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "['tcpmodel', 'tcpmodel._version']"


def test_check_from_a_program() -> None:
    paths = [str(ROOT / "traces" / "zeek" / "http-get.pcap"), "no-such.pcap"]
    counts: list[tuple[str, int]] = []
    report = tcpmodel.check(
        paths, [tcpmodel.load_spec("tcp")], progress=lambda path, count: counts.append((path, count))
    )
    assert [one.verdict for one in report.connections] == ["conforms"]
    assert [one.input for one in report.connections] == [0]
    assert [item.error != "" for item in report.inputs] == [False, True]
    assert report.inputs[0].first_time == 1_362_692_526_869_344_000
    assert report.exit_code == 2
    document = json.loads(json.dumps(tcpmodel.report_document(report)))
    assert document["summary"]["conforms"] == 1
    assert document["inputs"][0]["start"] == "1362692526.869344000"


def test_spec_with_errors() -> None:
    with pytest.raises(tcpmodel.SpecErrors) as caught:
        tcpmodel.parse_spec("spec\n", "mine.tcpspec")
    assert str(caught.value).startswith("mine.tcpspec:1:")
