"""Finds and reads the parts of a spec: the files that ``include`` names.

Owns: which paths may be included, and the limits on parts.
Must never hold: what a part says; it is known here only that a line begins with ``include``.

Parts are read before anything is parsed, so that what was parsed before can be found by the text of all of them.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from tcpmodel.language.errors import SpecError
from tcpmodel.language.span import NOWHERE, Span

SUFFIX = ".tcpspec"
DEEPEST = 4
"""Most levels of parts inside parts; the spec file itself is not counted."""

MOST_PARTS = 64
"""Most parts of one spec."""

LARGEST = 2 * 1024 * 1024
"""Most octets of all parts together, and of the spec file."""

FORM = f"a path below the folder of this file, such as tcp/figures{SUFFIX}: no `..`, no `\\`, not absolute"

_INCLUDE = re.compile(r'^include[ \t]+"([^"\n]*)"', re.M)
_PATH = re.compile(rf"(?:(?!\.\.?/)[^/\\:\0\"]+/)*[^/\\:\0\"]+{re.escape(SUFFIX)}")


class Parts(NamedTuple):
    """``texts``: path (relative to the folder of the spec) -> text, in the order in which they are included.

    ``targets``: (path of the including part, path as written) -> path; ``wrong``: the same -> why there is none. The
    spans of these errors are NOWHERE where the place is that of the ``include``.
    """

    texts: dict[str, str]
    targets: dict[tuple[str, str], str]
    wrong: dict[tuple[str, str], SpecError]


NO_PARTS = Parts({}, {}, {})


def good_path(written: str) -> bool:
    """Whether that may stand after ``include``."""
    return len(written) <= 1000 and written.isprintable() and _PATH.fullmatch(written) is not None


def read_parts(text: str, spec_path: str) -> Parts:
    """All parts of the spec with that text; never raises."""
    parts = Parts({}, {}, {})
    if "include" in text:
        folder, name = os.path.split(spec_path)
        _Finder(parts, folder, name).follow(text.removeprefix("\ufeff"), "", ())
    return parts


class _Finder:
    def __init__(self, parts: Parts, folder: str, name: str) -> None:
        self.parts = parts
        self.folder = folder
        self.name = name
        self.size = 0
        self.count = 0

    def follow(self, text: str, part: str, above: tuple[str, ...]) -> None:
        """Reads what ``text``, which is that of ``part``, includes."""
        inside = part[: part.rfind("/") + 1]
        for found in _INCLUDE.finditer(text):
            written = found[1]
            if not good_path(written) or (part, written) in self.parts.wrong:
                continue
            self.count += 1
            if self.count > MOST_PARTS:
                return
            path = inside + written
            problem = self._problem(path, part, above)
            if problem is None:
                read = self._read(path)
                if isinstance(read, str):
                    self.parts.texts[path] = read
                    self.parts.targets[part, written] = path
                    self.follow(read, path, (*above, path))
                    continue
                problem = read
            self.parts.wrong[part, written] = problem

    def _problem(self, path: str, part: str, above: tuple[str, ...]) -> SpecError | None:
        if path in above or path == self.name:
            names = [self.name, *above]
            circle = " -> ".join([*names[names.index(path) :], path])
            return _wrong(f"`{path}` includes itself: {circle}", "leave this `include`")
        if path in self.parts.texts:
            return _wrong(f"`{path}` is included twice", "leave one of them")
        if len(above) >= DEEPEST:
            return _wrong(f"more than {DEEPEST} levels of parts", "include it further up")
        return None

    def _read(self, path: str) -> str | SpecError:
        place = os.path.join(self.folder, *path.split("/"))
        try:
            if not self._inside(place):
                return _wrong(f"`{path}` lies outside of the folder of the spec", FORM)
            if not os.path.isfile(place):
                there = os.path.exists(place)
                return _wrong(
                    f"`{path}` is not a file" if there else f"there is no file `{path}`", f"looked for {place}"
                )
            with open(place, "rb") as file:
                data = file.read(LARGEST + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return _wrong(f"cannot read `{path}`: {reason}", FORM)
        self.size += len(data)
        if self.size > LARGEST:
            help_ = f"all parts of a spec together have at most {LARGEST // 1024} KiB"
            return SpecError("TS003", "the parts of the spec are too large", NOWHERE, help_)
        try:
            return data.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            self.parts.texts[path] = data.decode("utf-8", "replace")
            return not_utf8(data, error, path)

    def _inside(self, place: str) -> bool:
        """Whether the file, all links followed, is below the folder of the spec (of the file that it may link to)."""
        real = os.path.realpath(place)
        spec = os.path.join(self.folder, self.name)
        folders = (os.path.realpath(self.folder or "."), os.path.dirname(os.path.realpath(spec)))
        return any(real.startswith(os.path.join(folder, "")) for folder in folders)


def not_utf8(data: bytes, error: UnicodeDecodeError, part: str) -> SpecError:
    """The error about octets that are not UTF-8, at the first wrong one."""
    before = data[: error.start].decode("utf-8")
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    span = Span(line, column, line, column + 1, part)
    return SpecError("TS002", "the file is not UTF-8 text", span, "save it as UTF-8")


def _wrong(message: str, help_: str) -> SpecError:
    return SpecError("TS008", message, NOWHERE, help_)
