"""What the meaning of a cached thing depends on, other than its source.

Owns: the mark of this program: its version, its sources, its grammar and the Python that runs it.
Must never hold: a cache.
"""

from __future__ import annotations

import hashlib
import os
import sys

from tcpmodel._version import __version__


def program_mark(*folders: str) -> bytes:
    """Differs whenever a source of the ``folders`` of this package differs, or the version or Python's minor version.

    OSError if the sources cannot be looked at (a package inside an archive).
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parts = [f"{__version__} {sys.implementation.cache_tag} {sys.version_info[:2]}"]
    for folder in folders:
        with os.scandir(os.path.join(package, folder)) as entries:
            for entry in sorted(entries, key=_name):
                if entry.name.endswith((".py", ".lark")):
                    found = entry.stat()
                    parts.append(f"{folder} {entry.name} {found.st_size} {found.st_mtime_ns}")
    with open(os.path.join(package, "language", "grammar.lark"), "rb") as grammar:
        return hashlib.sha256("\n".join(parts).encode() + grammar.read()).digest()


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
