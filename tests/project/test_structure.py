"""The shape of the source: who may import whom, how big a module may be, what every module must say."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tcpmodel"
MODULES = sorted(PACKAGE.rglob("*.py"))
LINES_AT_MOST = 500

# A part may import itself, and these. ``traces`` stands beside the others: readers know nothing of the model.
MAY_IMPORT: dict[str, set[str]] = {
    "_version": set(),
    "language": set(),
    "traces": set(),
    "model": {"language"},
    "semantics": {"language", "model"},
    "analysis": {"language", "model", "semantics"},
    "checking": {"language", "model", "semantics", "traces"},
    "report": {"language", "model", "semantics", "analysis", "checking", "traces"},
    "render": {"language", "model", "semantics", "analysis", "checking"},
    "cli": {"language", "model", "semantics", "analysis", "checking", "report", "render", "traces"},
    "__main__": {"cli"},
    "__init__": set(),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """All absolute names of modules that ``path`` imports, in functions and for type checkers too."""
    known = {module_name(module) for module in MODULES}
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            assert node.module is not None
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found.add(submodule if submodule in known else node.module)
    return found


def part_of(module: str) -> str:
    """The part of the project that a module belongs to: the name below ``tcpmodel``."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The import cycles: a list of the modules on each."""
    found: list[list[str]] = []
    finished: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        if module in path:
            found.append([*path[path.index(module) :], module])
        elif module not in finished:
            for imported in sorted(graph.get(module, ())):
                visit(imported, [*path, module])
            finished.add(module)

    for module in sorted(graph):
        visit(module, [])
    return found


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_dependencies_run_one_way(path: Path) -> None:
    own = part_of(module_name(path))
    assert own in MAY_IMPORT, f"a new part of the project: say in MAY_IMPORT what {own} may import"
    allowed = MAY_IMPORT[own] | {own, "_version"}
    wrong = {name for name in imports(path) if name.split(".")[0] == "tcpmodel" and part_of(name) not in allowed}
    assert not wrong, f"{own} must not import {sorted(wrong)}"


def test_no_import_cycles() -> None:
    graph = {
        module_name(path): {name for name in imports(path) if name.startswith("tcpmodel.")} - {module_name(path)}
        for path in MODULES
    }
    assert cycles(graph) == []


def test_folders_know_each_other_in_one_direction() -> None:
    """A module of a part, and a folder of one, count as one place each: what is beside them is not in a circle."""

    def place(module: str) -> str:
        return ".".join(module.split(".")[:3])

    graph: dict[str, set[str]] = {}
    for path in MODULES:
        own = place(module_name(path))
        known = {place(name) for name in imports(path) if name.startswith("tcpmodel.")}
        graph.setdefault(own, set()).update(known - {own})
    assert cycles(graph) == []


def test_cycles_are_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c", "b"]]
    assert cycles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "__init__.py" and not text.strip():
        return
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, "the first thing in a module says what it owns and what must never be in it"
    assert docstring.splitlines()[0].endswith((".", ":")), "the first line of the docstring is a sentence"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_is_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LINES_AT_MOST, f"{lines} lines: split it along what it owns"


def requirement_name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return match[0].lower().replace("_", "-")


def test_imported_packages_are_declared_and_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {requirement_name(requirement) for requirement in project["dependencies"]}
    imported = {name.split(".")[0] for path in MODULES for name in imports(path)}
    foreign = imported - set(sys.stdlib_module_names) - {"tcpmodel"}
    assert foreign <= declared
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for name in declared:
        assert f"`{name}`" in explained, f"docs/dependencies.md does not say why {name} is needed"
