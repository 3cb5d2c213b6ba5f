"""The way from a name or a text to a spec.

Owns: where shipped specs are found, and the order of parsing, resolving and checking.
Must never hold: the work itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tcpmodel.language.errors import MOST_ERRORS, SpecError, SpecErrors
from tcpmodel.language.parts import NO_PARTS, SUFFIX, Parts, not_utf8, read_parts
from tcpmodel.language.span import NOWHERE
from tcpmodel.model import cache
from tcpmodel.model.spec import Spec

LARGEST_FILE = 2 * 1024 * 1024
"""Most octets of a spec file."""


class Loaded(NamedTuple):
    """A spec, the warnings about it in the order of the file, its source, and the sources of its parts."""

    spec: Spec
    warnings: tuple[SpecError, ...]
    text: str
    parts: Mapping[str, str] = {}


def load_spec(name_or_path: str) -> Spec:
    """The spec of that name (shipped with the program) or in that file; SpecErrors if it is not a good one."""
    return load(name_or_path).spec


def parse_spec(text: str, path: str) -> Spec:
    """The spec that the text is; ``path`` names it, and its parts are looked for there. SpecErrors if it is wrong."""
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
        wrong = not_utf8(data, error, "")
        raise SpecErrors((wrong,), shown, data.decode("utf-8", "replace")) from None
    return parse(text, shown)


def parse(text: str, path: str) -> Loaded:
    """As ``parse_spec``, with the warnings. What was parsed before comes from the cache."""
    parts = read_parts(text, path)
    name = cache.name_of(text, parts.texts)
    kept = cache.get(name) or cache.shipped(text, parts.texts, name)
    if kept is None:
        loaded = _parse(text, path, parts)
        cache.put(name, (loaded.spec, loaded.warnings))
        return loaded
    spec, warnings = kept
    return Loaded(spec if spec.path == path else replace(spec, path=path), warnings, text, parts.texts)


def _parse(text: str, path: str, parts: Parts = NO_PARTS) -> Loaded:
    from tcpmodel.language.parser import parse_text
    from tcpmodel.model.check import check
    from tcpmodel.model.resolve import resolve

    file, errors = parse_text(text, parts)
    spec, more, names = resolve(file, path, _digest(text, parts.texts), tuple(parts.texts))
    found = [*errors] if file.incomplete else [*errors, *more]
    if spec is not None and not file.incomplete:
        found += check(spec, names, sound=not found)
    found = _in_order(found, parts.texts)
    if spec is None or any(error.severity == "error" for error in found):
        raise SpecErrors(tuple(found), path, text, parts.texts)
    return Loaded(spec, tuple(found), text, parts.texts)


def _digest(text: str, parts: Mapping[str, str]) -> str:
    """Tells specs apart, whatever their paths are."""
    found = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
    for path, part in parts.items():
        found.update(f"\0{path}\0{part}".encode("utf-8", "surrogatepass"))
    return found.hexdigest()


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


def _in_order(errors: list[SpecError], parts: Iterable[str]) -> list[SpecError]:
    """The order of the file, that of its parts after it, each one once, and no more than one can read."""
    places = {path: at for at, path in enumerate(("", *parts))}
    found = sorted(
        dict.fromkeys(errors), key=lambda error: (places[error.span.path], error.span.line, error.span.column)
    )
    if len(found) <= MOST_ERRORS:
        return found
    last = found[MOST_ERRORS - 1].span
    more = SpecError("TS003", f"more than {MOST_ERRORS} errors", last, "the rest is not shown: correct these first")
    serious = [error for error in found if error.severity == "error"][:MOST_ERRORS]
    return [*(serious or found[:MOST_ERRORS]), more._replace(severity="error" if serious else "warning")]


def _failure(code: str, message: str, path: str, help_: str) -> SpecErrors:
    return SpecErrors((SpecError(code, message, NOWHERE, help_),), path)
