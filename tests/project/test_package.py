"""What is built and installed: one version, the specs inside the wheel, the tests inside the source archive."""

from __future__ import annotations

import email
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import tcpmodel

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SPECS = sorted(path.relative_to(ROOT / "specs").as_posix() for path in (ROOT / "specs").rglob("*.tcpspec"))


def installed() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution("tcpmodel")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("tcpmodel is not installed: the tests run on the checkout")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout."""
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(ROOT))
    (path,) = builder.build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the source archive of this checkout, without its top folder."""
    builder = pytest.importorskip("hatchling.builders.sdist").SdistBuilder(str(ROOT))
    (path,) = builder.build(directory=str(tmp_path_factory.mktemp("sdist")), versions=["standard"])
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_version_is_written_once() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", tcpmodel.__version__)
    assert "version" in PROJECT["dynamic"] and "version" not in PROJECT


def test_changelog_has_the_version() -> None:
    headings = re.findall(r"(?m)^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert headings[0] == "Unreleased"
    assert tcpmodel.__version__ in headings


def test_installed_version() -> None:
    assert installed().version == tcpmodel.__version__


def test_installed_command() -> None:
    (script,) = installed().entry_points.select(group="console_scripts", name="tcpmodel")
    assert callable(script.load())


def test_wheel_metadata(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = email.message_from_bytes(wheel.read(name))
    assert metadata["Name"] == "tcpmodel"
    assert metadata["Version"] == tcpmodel.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_wheel_holds_all_modules_and_data(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    source = [path for path in (ROOT / "tcpmodel").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.relative_to(ROOT).as_posix() for path in source} <= names
    assert "tcpmodel/py.typed" in names


def test_wheel_holds_the_specs(wheel: zipfile.ZipFile) -> None:
    assert SPECS, "no spec found in the checkout"
    for name in SPECS:
        assert wheel.read(f"tcpmodel/specs/{name}") == (ROOT / "specs" / name).read_bytes()


def test_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"tcpmodel", f"tcpmodel-{tcpmodel.__version__}.dist-info"}


def test_specs_of_the_wheel_need_no_parser(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """They come as they were read when it was built, and a spec with one more word is read anew."""
    wheel.extractall(tmp_path)
    program = """
import sys
from tcpmodel.model.load import load, shipped_specs
for path in shipped_specs().values():
    shipped = load(str(path))
    assert "lark" not in sys.modules, path.name
changed = path.with_name("changed.tcpspec")
changed.write_text(shipped.text + chr(10), encoding="utf-8")
again = load(str(changed))
assert "lark" in sys.modules
assert (again.spec.states, again.warnings) == (shipped.spec.states, shipped.warnings)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "TCPMODEL_CACHE": "off"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == "" and done.returncode == 0


def test_source_archive_is_enough_for_the_tests(sdist: set[str]) -> None:
    for folder in ("tcpmodel", "specs", "tests", "traces", "docs", "bench", ".ci"):
        wanted = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".so", ".pyd")
        }
        assert wanted <= sdist
    assert {"pyproject.toml", "hatch_build.py", "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= sdist
