"""Unpacking bzip2 and xz as it goes, never more than a block at a time.

Owns: which of the two a file is, one stream behind another, and what is said of one that is damaged or cut.
Must never hold: gzip (see ``source``), or any trace format.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tcpmodel.traces.records import TraceError

BZIP2, XZ = b"BZh", b"\xfd7zXZ\0"

PIECE = 1 << 15
"""So many packed octets are asked for at a time."""

SLICE = 1 << 12
"""So many packed octets are unpacked at a time, counted from the first: what was readable before damage does then not
depend on how the octets came."""

MOST_MEMORY = 1 << 27
"""What xz may need, in octets; ``xz -9`` needs half of it."""


class _Stream(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _of(first: bytes) -> tuple[str, bytes, Callable[[], _Stream]] | None:
    if first.startswith(BZIP2):
        import bz2

        return "bzip2", BZIP2, bz2.BZ2Decompressor
    if first.startswith(XZ):
        import lzma

        return "xz", XZ, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MOST_MEMORY)
    return None


class Unpacked:
    """Reads what is packed in ``first`` and what ``read`` gives behind it, ``block`` octets at a time at most."""

    def __init__(self, path: str, read: Callable[[int], bytes], first: bytes, block: int) -> None:
        found = _of(first)
        assert found is not None  # ``is_packed`` said so
        self._name, self._magic, self._new = found
        self._path, self._read, self._block = path, read, block
        self._waiting = first
        self._stream = self._new()
        self._taken = 0
        self._done = False

    def read(self) -> bytes:
        """The next unpacked octets, or ``b""`` at the end; TraceError when the packed data is damaged or cut."""
        while not self._done:
            if self._stream.eof:
                self._next_stream()
                continue
            given = b""
            if self._stream.needs_input:
                size = SLICE - self._taken % SLICE
                while len(self._waiting) < size and (more := self._read(PIECE)):
                    self._waiting += more
                given, self._waiting = self._waiting[:size], self._waiting[size:]
                if not given:
                    self._stop(f"the {self._name} data ends early; the file was probably not copied completely")
            try:
                found = self._stream.decompress(given, self._block)
            except Exception as error:  # LZMAError, OSError, EOFError, ValueError: each says what is wrong in words
                self._stop(f"the {self._name} data is damaged: {error}")
            self._taken += len(given)
            if found:
                return found
        return b""

    def _next_stream(self) -> None:
        """Another stream may follow; padding of zeros is passed over, and anything else ends the file."""
        left = self._stream.unused_data
        self._taken -= len(left)
        left += self._waiting
        while len(stripped := left.lstrip(b"\0")) < len(self._magic) and (more := self._read(PIECE)):
            self._taken += len(left) - len(stripped)
            left = stripped + more
        self._taken += len(left) - len(stripped)
        self._waiting = stripped
        if self._waiting.startswith(self._magic):
            self._stream = self._new()
        else:
            self._done = True

    def _stop(self, words: str) -> None:
        self._done = True
        raise TraceError(self._path, f"packed byte offset {self._taken}", words) from None


def is_packed(first: bytes) -> bool:
    """Whether a file that begins so is packed with bzip2 or xz."""
    return first.startswith((BZIP2, XZ))
