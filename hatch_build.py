"""Builds what makes tcpmodel faster: the express lane, where there is a C compiler, and the shipped specs as read.

Without either tcpmodel is the same, but slower. Run as a program, it builds the express lane inside the checkout, where
specs are read when they are used, since they change: ``python hatch_build.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "tcpmodel/checking/memory/_express.c"
MODULE = "tcpmodel.checking.memory._express"


def build(root: Path, folder: Path) -> Path | str:
    """The compiled module in ``folder``, or why it could not be built."""
    try:
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext

        folder.mkdir(parents=True, exist_ok=True)
        parts = [str(path) for path in (root / SOURCE).parent.glob("express_parts/*.h")]
        extension = Extension(MODULE, [os.path.relpath(root / SOURCE)], depends=parts)
        command = build_ext(Distribution({"name": "tcpmodel", "ext_modules": [extension]}))
        command.build_lib = str(folder)
        command.build_temp = str(folder / "objects")
        command.ensure_finalized()
        command.run()
        return folder / command.get_ext_filename(MODULE)
    except (Exception, SystemExit) as problem:
        return f"{type(problem).__name__}: {problem}"


def read_specs(root: Path, folder: Path) -> str | None:
    """Puts into ``folder`` what comes of the shipped specs; why not, if that failed."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tcpmodel.model.shipping", str(folder)]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1]


class FasterHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds both to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and say where the results go."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        if version != "editable":
            computed = root / "build" / "computed"
            shutil.rmtree(computed, ignore_errors=True)
            problem = read_specs(root, computed)
            if problem:
                self.app.display_warning(
                    f"tcpmodel is built without its specs as read, its first run is slower: {problem}"
                )
            else:
                build_data["force_include"][str(computed)] = "tcpmodel/computed"
        built = build(root, root / "build" / "express")
        if isinstance(built, str):
            self.app.display_warning(f"tcpmodel is built without its express lane, so it is slower: {built}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version == "editable":
            (root / SOURCE).with_name(built.name).write_bytes(built.read_bytes())
        else:
            build_data["force_include"][str(built)] = str(Path(SOURCE).with_name(built.name))


if __name__ == "__main__":
    top = Path(__file__).resolve().parent
    found = build(top, top / "build" / "express")
    if isinstance(found, str):
        sys.exit(found)
    (top / SOURCE).with_name(found.name).write_bytes(found.read_bytes())
    print(f"built {found.name}")
