"""What all tests share: the checkout's folder, the command as a user runs it, a cache of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import tcpmodel

# A slow machine is no failure; and a failure that only sometimes shows must not stop others: new cases are found by
# developers, the automatic run tries the same ones each time.
settings.register_profile("tcpmodel", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tcpmodel")

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # shared modules are importable, whatever the import mode

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout or of the unpacked source archive."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests out of the user's cache, and the user's cache out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("cache"))
        patch.setenv("XDG_CACHE_HOME", folder)
        patch.setenv("LOCALAPPDATA", folder)
        yield


@pytest.fixture(scope="session")
def run_tcpmodel() -> Run:
    """Run ``tcpmodel ARGUMENTS`` in a process of its own, with the package that these tests import."""

    def run(
        *arguments: str | os.PathLike[str],
        input: str = "",
        cwd: str | os.PathLike[str] = ROOT,
        env: dict[str, str] | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        package = Path(tcpmodel.__file__).resolve().parent.parent
        environment = os.environ | {"PYTHONPATH": str(package), "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
        return subprocess.run(
            [sys.executable, "-P", "-m", "tcpmodel", *map(os.fspath, arguments)],
            input=input,
            capture_output=True,
            encoding="utf-8",
            cwd=cwd,
            env=environment | (env or {}),
            timeout=timeout,
            check=False,
        )

    return run
