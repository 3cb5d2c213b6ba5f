"""What the meaning of a cached thing depends on, other than its source.

Owns: the mark of this program: its version, its sources, its grammar and the Python that runs it.
Must never hold: a cache.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator

from tcpmodel._version import __version__


def program_mark(*folders: str) -> bytes:
    """Differs whenever a source of the ``folders`` of this package differs, or the version or Python's minor version.

    OSError if the sources cannot be looked at (a package inside an archive).
    """
    mark = hashlib.sha256(_THIS.encode())
    for folder, entry in _sources(folders):
        found = entry.stat()
        mark.update(f"{folder} {entry.name} {found.st_size} {found.st_mtime_ns}\n".encode())
    with open(os.path.join(_PACKAGE, "language", "grammar.lark"), "rb") as grammar:
        mark.update(grammar.read())
    return mark.digest()


def content_mark(*folders: str) -> bytes:
    """As ``program_mark``, but by what the sources say, so it is the same wherever they are; takes some ms longer."""
    mark = hashlib.sha256(_THIS.encode())
    for folder, entry in _sources(folders):
        with open(entry.path, "rb") as file:
            mark.update(f"{folder} {entry.name}\n".encode() + file.read())
    return mark.digest()


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_THIS = f"{__version__} {sys.implementation.cache_tag} {sys.version_info[:2]}\n"


def _sources(folders: Iterable[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    for folder in folders:
        with os.scandir(os.path.join(_PACKAGE, folder)) as entries:
            found = sorted(entries, key=_name)
        for entry in found:
            if entry.name.endswith((".py", ".lark")):
                yield folder, entry
            elif entry.is_dir() and entry.name.isidentifier() and not entry.name.startswith("_"):
                yield from _sources([f"{folder}/{entry.name}"])


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
