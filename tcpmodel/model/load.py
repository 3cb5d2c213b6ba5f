"""The way from a name or a text to a spec.

Owns: where shipped specs are found, and the order of parsing, resolving and checking.
Must never hold: the work itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tcpmodel.language.errors import MOST_ERRORS, SpecError, SpecErrors
from tcpmodel.language.span import NOWHERE, Span
from tcpmodel.model import cache
from tcpmodel.model.spec import Spec

SUFFIX = ".tcpspec"
LARGEST_FILE = 2 * 1024 * 1024
"""Most octets of a spec file."""


class Loaded(NamedTuple):
    """A spec, the warnings about it in the order of the file, and its source."""

    spec: Spec
    warnings: tuple[SpecError, ...]
    text: str


def load_spec(name_or_path: str) -> Spec:
    """The spec of that name (shipped with the program) or in that file; SpecErrors if it is not a good one."""
    return load(name_or_path).spec


def parse_spec(text: str, path: str) -> Spec:
    """The spec that the text is; ``path`` is only used to name it. SpecErrors if it is not a good one."""
    return parse(text, path).spec


def load(name_or_path: str) -> Loaded:
    """As ``load_spec``, with the warnings."""
    path = find_spec(name_or_path)
    shown = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _failure("TS002", f"cannot read the file: {reason}", shown, "give the path of a spec file") from None
    if len(data) > LARGEST_FILE:
        raise _failure("TS003", "file too large", shown, f"a spec file has at most {LARGEST_FILE // 1024} KiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        wrong = SpecError(
            "TS002", "the file is not UTF-8 text", Span(line, column, line, column + 1), "save it as UTF-8"
        )
        raise SpecErrors((wrong,), shown, data.decode("utf-8", "replace")) from None
    return parse(text, shown)


def parse(text: str, path: str) -> Loaded:
    """As ``parse_spec``, with the warnings. What was parsed before comes from the cache."""
    name = cache.name_of(text)
    kept = cache.get(name)
    if kept is None:
        loaded = _parse(text, path)
        cache.put(name, (loaded.spec, loaded.warnings))
        return loaded
    spec, warnings = kept
    return Loaded(spec if spec.path == path else replace(spec, path=path), warnings, text)


def _parse(text: str, path: str) -> Loaded:
    from tcpmodel.language.parser import parse_text
    from tcpmodel.model.check import check
    from tcpmodel.model.resolve import resolve

    file, errors = parse_text(text)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    spec, more, names = resolve(file, path, digest)
    found = [*errors, *more]
    if spec is not None:
        found += check(spec, names, sound=not found)
    found = _in_order(found)
    if spec is None or any(error.severity == "error" for error in found):
        raise SpecErrors(tuple(found), path, text)
    return Loaded(spec, tuple(found), text)


def find_spec(name_or_path: str) -> Path:
    """The file of a shipped spec, or the path as it is given; SpecErrors for a name that is not shipped."""
    path = Path(name_or_path)
    if path.suffix == SUFFIX or "/" in name_or_path or "\\" in name_or_path:
        return path
    shipped = shipped_specs()
    if name_or_path in shipped:
        return shipped[name_or_path]
    if "\0" not in name_or_path and path.is_file():
        return path
    names = ", ".join(sorted(shipped)) or "none"
    help_ = f"shipped are: {names}; or give the path of a file"
    raise _failure("TS002", f"there is no spec `{name_or_path}`", name_or_path, help_)


def shipped_specs() -> dict[str, Path]:
    """Names and files of the specs that come with the program."""
    package = Path(__file__).resolve().parent.parent
    found: dict[str, Path] = {}
    for folder in (package.parent / "specs", package / "specs"):
        if folder.is_dir():
            found.update({path.stem: path for path in sorted(folder.glob("*" + SUFFIX))})
    return found


def _in_order(errors: list[SpecError]) -> list[SpecError]:
    """The order of the file, each one once, and no more than one can read."""
    found = sorted(dict.fromkeys(errors), key=lambda error: (error.span.line, error.span.column))
    if len(found) <= MOST_ERRORS:
        return found
    last = found[MOST_ERRORS - 1].span
    more = SpecError("TS003", f"more than {MOST_ERRORS} errors", last, "the rest is not shown: correct these first")
    serious = [error for error in found if error.severity == "error"][:MOST_ERRORS]
    return [*(serious or found[:MOST_ERRORS]), more._replace(severity="error" if serious else "warning")]


def _failure(code: str, message: str, path: str, help_: str) -> SpecErrors:
    return SpecErrors((SpecError(code, message, NOWHERE, help_),), path)
