"""A private folder for what was computed before: octets under a name.

Owns: where the folder is, who may write to it, and that a file is whole or not there.
Must never hold: what the octets mean.

Nothing here is ever an error: what cannot be read is not there, what cannot be written is not kept. A folder or file
that belongs to somebody else, or that others may write to, is not used. ``TCPMODEL_CACHE=off`` switches it all off,
but for what was computed when the program was installed, which stands beside its sources; ``TCPMODEL_CACHE=/a/folder``
names the folder. ``problem`` tells what is wrong with one that was named.
"""

from __future__ import annotations

import os
import stat

OFF = ("off", "0", "no")
"""Values of ``TCPMODEL_CACHE`` that switch it off."""

LARGEST = 64 * 1024 * 1024
"""Larger files are not read, in octets."""

SHIPPED = "computed"
"""The folder of the package with what was computed when it was built (see ``hatch_build.py``); a checkout has none."""

MOST_FILES = 64
"""So many files are kept; the oldest go first."""


def folder() -> str:
    """The folder, which need not exist; "" if there is none for this user."""
    named = os.environ.get("TCPMODEL_CACHE", "")
    if named:
        return named if os.path.isabs(named) else ""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA", "")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):
            base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "tcpmodel") if os.path.isabs(base) else ""


def problem() -> str:
    """Why the folder that ``TCPMODEL_CACHE`` names cannot be used, in words; "" if it can, or none is named."""
    named = os.environ.get("TCPMODEL_CACHE", "")
    if not named or named.lower() in OFF:
        return ""
    if not os.path.isabs(named):
        return "neither 'off' nor a folder from the root on"
    try:
        found = os.stat(named)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        return f"cannot be looked at: {getattr(error, 'strerror', None) or error}"
    if not stat.S_ISDIR(found.st_mode):
        return "not a folder"
    if not _private(os.lstat(named), stat.S_ISDIR):
        return "a folder of somebody else, a link, or one that others may write to (chmod go-w)"
    return ""


def read(name: str) -> bytes | None:
    """The octets under that name, or None."""
    place = folder()
    if not place:
        return None
    try:
        if not _private(os.lstat(place), stat.S_ISDIR):
            return None
        handle = os.open(os.path.join(place, name), os.O_RDONLY | _FLAGS)
        with open(handle, "rb") as file:
            found = os.fstat(handle)
            if not _private(found, stat.S_ISREG) or found.st_size > LARGEST:
                return None
            return file.read(LARGEST)
    except (OSError, ValueError):
        return None


def shipped(name: str) -> bytes | None:
    """The octets under that name that came with the program, or None."""
    place = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), SHIPPED, name)
    try:
        with open(place, "rb") as file:
            return file.read(LARGEST)
    except (OSError, ValueError):
        return None


def write(name: str, data: bytes) -> None:
    """Keeps the octets under that name, if that is possible."""
    place = folder()
    if not place or len(data) > LARGEST:
        return
    temporary = os.path.join(place, f"{name}.{os.getpid()}.{os.urandom(6).hex()}")
    try:
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        if not os.path.isdir(place):
            os.mkdir(place, 0o700)
        if not _private(os.lstat(place), stat.S_ISDIR):
            return
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, os.path.join(place, name))
        except BaseException:
            os.unlink(temporary)
            raise
        _prune(place)
    except (OSError, ValueError):
        return


_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def _private(found: os.stat_result, kind: object) -> bool:
    """Whether it is of the kind, belongs to this user, and nobody else may write to it."""
    assert callable(kind)
    if not kind(found.st_mode):
        return False
    user = getattr(os, "geteuid", None)
    if user is None:  # Windows: the folder is below one that only this user may open
        return True
    return bool(found.st_uid == user() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _prune(place: str) -> None:
    with os.scandir(place) as entries:
        files = [(entry.stat(follow_symlinks=False).st_mtime, entry.path) for entry in entries]
    for _, path in sorted(files)[: max(0, len(files) - MOST_FILES)]:
        os.unlink(path)
