"""Layout programs.

Owns: finding and running a program that reads DOT, and saying what to do when there is none.
Must never hold: what is drawn.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

TIMEOUT = 60.0
"""Seconds that a layout program may take."""
PURE = "graphviz-pure"
PNG_DPI = "144"
"""Dots per inch of a PNG: twice the 72 points of the other formats, so that text stays sharp on dense screens."""


class RenderError(Exception):
    """A picture cannot be drawn; the text says why and what would help."""


def run(source: str, to: str, engine: str) -> bytes:
    """What the layout program makes of DOT text: ``to`` is ``json`` (a laid out graph), ``png`` or ``pdf``.

    ``engine`` as for ``render``. Raises RenderError when there is no such program or it fails.
    """
    program = _program(to, engine)
    command = [program, f"-T{to}"]
    if to == "png":
        command.append(f"-Gdpi={PNG_DPI}")
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise RenderError(f"{program} did not finish the picture within {TIMEOUT:.0f} s") from None
    except OSError as error:
        raise RenderError(f"cannot run the layout program {program}: {error.strerror or error}") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RenderError(f"{program} failed: {said[0] if said else f'exit code {done.returncode}'}")
    return done.stdout


def _program(to: str, engine: str) -> str:
    system = _system_dot() if engine != "pure" else None
    if to == "pdf":
        if engine == "pure":
            raise RenderError("the engine 'pure' cannot write PDF: use the engine 'dot', or write SVG instead")
        if system:
            return system
        raise RenderError(f"PDF needs the program 'dot', which is not on the PATH: {_how_to_get_dot()}; or write SVG")
    if engine == "dot":
        if system:
            return system
        raise RenderError(
            f"the program 'dot' is not on the PATH: {_how_to_get_dot()}; or leave the engine at 'auto', "
            "which needs nothing but Python packages"
        )
    if pure := next(_pure_places(), None):
        return pure
    if system:
        return system
    raise RenderError(
        f"no layout program found: 'pip install {PURE}' brings one, or {_how_to_get_dot()}; "
        "the formats 'dot' and 'mermaid' need none"
    )


def _how_to_get_dot() -> str:
    command = {"darwin": "brew install graphviz", "win32": "winget install graphviz"}
    return f"install Graphviz ('{command.get(sys.platform, 'apt install graphviz')}' or https://graphviz.org/download)"


def _system_dot() -> str | None:
    import shutil

    return shutil.which("dot")


def _pure_places() -> Iterator[str]:
    """Paths of the packaged program, best first: beside this Python, as pip recorded it, on the PATH."""
    import sysconfig

    name = PURE + (".exe" if sys.platform == "win32" else "")
    for folder in dict.fromkeys((sysconfig.get_path("scripts"), os.path.dirname(sys.executable))):
        path = os.path.join(folder, name)
        if folder and os.access(path, os.X_OK):
            yield path
    from importlib import metadata

    try:
        files = metadata.files(PURE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = os.path.normpath(str(file.locate()))
        if file.name == name and os.access(path, os.X_OK):
            yield path
    import shutil

    if found := shutil.which(PURE):
        yield found
