"""Bytes of a trace in blocks: from a file, standard input or a packed one, without ever holding the whole.

Owns: opening, reading in big blocks, transparent gzip (bzip2 and xz: see ``packed``), and turning failures of the
system into ``TraceError``.
Must never hold: any trace format.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

from tcpmodel.traces.packed import Unpacked, is_packed
from tcpmodel.traces.records import TraceError

BLOCK = 1 << 20
"""Octets asked for at a time; a read may return fewer, and none at the end."""

PAUSE = 0.1
"""Seconds between two looks at a file that grows."""

_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_MAGIC = 6

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How text in UTF-16 begins, as programs of Windows write it."""


class Read(Protocol):
    """Something that gives the next bytes, up to a number; ``b""`` at the end."""

    def __call__(self, size: int, /) -> bytes:
        """Up to ``size`` octets."""
        ...


class Source:
    """The bytes of one trace, unpacked if they were packed (gzip, bzip2, xz), and as UTF-8 if they were text in UTF-16.

    ``read()`` gives the next block; ``head(n)`` shows the first octets without using them up.
    """

    def __init__(
        self, path: str, read: Read, close: Callable[[], None] | None = None, *, growing: bool = False
    ) -> None:
        """``growing``: more may come later, so nobody should wait for more than is needed."""
        self.path = path
        self.growing = growing
        self.packed = False
        self._close = close
        self._raw = read
        self._held = b""
        self._ended = False
        self._gunzip: _Gunzip | Unpacked | None = None
        self._decode: _Decoder | None = None
        first = self._read_raw(BLOCK)
        while 0 < len(first) < _LONGEST_MAGIC:
            more = self._read_raw(BLOCK)
            if not more:
                break
            first += more
        if first.startswith(_GZIP_MAGIC):
            self.packed = True
            self._gunzip = _Gunzip(path, self._read_raw, first)
            first = self._gunzip.read()
        elif is_packed(first):
            self.packed = True
            self._gunzip = Unpacked(path, self._read_raw, first, BLOCK)
            first = self._gunzip.read()
        if first.startswith(_UTF_16):
            self._decode = _utf_8_of_utf_16()
            first = self._decode(first, False)
        self._held = first
        self._ended = not first and self._decode is None

    def read(self) -> bytes:
        """The next octets, or ``b""`` at the end."""
        if self._held:
            block, self._held = self._held, b""
            return block
        return self._next()

    def head(self, size: int) -> bytes:
        """The first ``size`` octets (fewer if there are no more), which ``read`` will give again."""
        while len(self._held) < size:
            more = self._next()
            if not more:
                break
            self._held += more
        return self._held[:size]

    def peek(self) -> bytes:
        """What has been read ahead so far, without waiting for more."""
        return self._held

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        if self._close is not None:
            self._close()
            self._close = None

    def _next(self) -> bytes:
        while not self._ended:
            block = self._gunzip.read() if self._gunzip is not None else self._read_raw(BLOCK)
            if not block:
                self._ended = True
                self.close()
            if self._decode is not None:
                block = self._decode(block, self._ended)
            if block:
                return block
        return b""

    def _read_raw(self, size: int) -> bytes:
        try:
            return self._raw(size)
        except OSError as error:
            raise TraceError(self.path, "", f"cannot be read: {error.strerror or error}") from None


class _Decoder(Protocol):
    """Gives the octets of UTF-8 for the next ones of a text; ``last`` if there are no more."""

    def __call__(self, octets: bytes, last: bool, /) -> bytes: ...


def _utf_8_of_utf_16() -> _Decoder:
    import codecs

    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    return lambda octets, last: decoder.decode(octets, last).encode("utf-8", "replace")


class _Gunzip:
    """A bounded gzip reader: several members, padding of zeros after the last; never more than a block at a time."""

    def __init__(self, path: str, read: Read, first: bytes) -> None:
        import zlib

        def member() -> zlib._Decompress:
            return zlib.decompressobj(wbits=31)

        self._new = member
        self._error = zlib.error
        self._path = path
        self._read = read
        self._waiting = first
        self._member = self._new()
        self._done = False
        self._taken = 0

    def read(self) -> bytes:
        """The next unpacked octets, or ``b""`` at the end; TraceError when the packed data is damaged or cut."""
        while not self._done:
            if not self._waiting:
                self._waiting = self._read(BLOCK // 4)
                if not self._waiting:
                    self._done = True
                    raise TraceError(
                        self._path,
                        f"packed byte offset {self._taken}",
                        "the gzip data ends early; the file was probably not copied completely",
                    )
            before = self._member.copy()
            try:
                block = self._member.decompress(self._waiting, BLOCK)
            except self._error:
                self._member = before
                block = self._until_damage()
                if block:
                    return block
                continue
            self._consume()
            if block:
                return block
        return b""

    def _consume(self) -> None:
        """Take note of what the member has left of what was given to it."""
        before = len(self._waiting)
        self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self._taken += before - len(self._waiting)
        if self._member.eof:
            self._next_member()

    def _until_damage(self) -> bytes:
        """What can be unpacked of a piece that is damaged: octet by octet; TraceError where nothing more can."""
        found: list[bytes] = []
        size = at = 0
        piece = memoryview(self._waiting)
        try:
            while at < len(piece) and size < BLOCK:
                block = self._member.decompress(piece[at : at + 1], BLOCK)
                at += 1
                if block:
                    found.append(block)
                    size += len(block)
        except self._error as error:
            if not found:  # otherwise the next read meets the damage again
                self._done = True
                where = f"packed byte offset {self._taken + at}"
                raise TraceError(self._path, where, f"the gzip data is damaged: {error}") from None
        self._taken += at
        self._waiting = bytes(piece[at:])
        return b"".join(found)

    def _next_member(self) -> None:
        """Another member may follow; zeros or anything else that is not one ends the stream, as gzip itself does."""
        while True:
            self._waiting = self._waiting.lstrip(b"\x00")
            if len(self._waiting) >= 2:
                break
            more = self._read(BLOCK // 4)
            if not more:
                break
            self._waiting += more
        if self._waiting.startswith(_GZIP_MAGIC):
            self._member = self._new()
        else:
            self._done = True


def open_source(path: str, *, growing: bool = False) -> Source:
    """The bytes of the file ``path``, or of standard input for ``-``. Raises TraceError when it cannot be opened.

    ``growing``: the end of a file is not the end: wait for more. Text goes on in the file that replaces it, or at its
    beginning if it gets shorter, as logs do that are rotated; a capture in which that happens is a TraceError. A pipe
    ends when nobody writes to it any more.
    """
    if path == "-":
        if sys.stdin is None:
            raise TraceError(path, "", "cannot be opened: there is no standard input")
        standard_input: io.BufferedReader = sys.stdin.buffer  # type: ignore[assignment]
        # read1 gives what a pipe holds now, so that a capture that is still running can be followed.
        return Source(path, standard_input.read1, growing=growing)
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by Source
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TraceError(path, "", f"cannot be opened: {reason}") from None

    def read_file(size: int, /) -> bytes:
        return file.read(size) or b""

    follower = _Growing(path, file) if growing and os.path.isfile(path) else None
    read: Read = read_file if follower is None else follower.read
    close = file.close if follower is None else follower.close
    try:
        return Source(path, read, close, growing=growing)
    except TraceError:
        close()
        raise


class _Growing:
    """Reads a file to which somebody else still writes."""

    def __init__(self, path: str, file: io.FileIO) -> None:
        self._path, self._file = path, file
        self._same = os.fstat(file.fileno())
        self._is_text: bool | None = None
        self._last = b"\n"

    def read(self, size: int, /) -> bytes:
        """The next octets, as soon as there are any; TraceError when a capture cannot be the one that it was."""
        while True:
            changed = self._changed()
            block = self._file.read(size)  # asked last: it may have been written to before it was replaced
            if block:
                if self._is_text is None:
                    self._is_text = (
                        b"\0" not in block[:512] and not block.startswith(_GZIP_MAGIC) and not is_packed(block)
                    )
                self._last = block[-1:]
                return block
            if changed is None:
                time.sleep(PAUSE)
            elif not self._is_text:
                raise changed
            elif self._begun_anew() and self._last != b"\n":
                # What was written last was no whole line, and no part of the next one.
                self._last = b"\n"
                return b"\n"

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _changed(self) -> TraceError | None:
        """Why it is not the file any more that it was, if it is not."""
        try:
            now = os.stat(self._path)
        except OSError:
            return TraceError(self._path, "", "was removed while it was followed")
        if not os.path.samestat(now, self._same):
            return TraceError(self._path, "", "was replaced by another file while it was followed")
        if now.st_size < self._file.tell():
            where = f"byte offset {now.st_size}"
            return TraceError(self._path, where, "the file became shorter while it was followed")
        return None

    def _begun_anew(self) -> bool:
        """Read from the beginning of the file that bears the name now, as soon as there is one."""
        try:
            file = open(self._path, "rb", buffering=0)  # noqa: SIM115 - closed by Source
        except OSError:
            time.sleep(PAUSE)
            return False
        self._file.close()
        self._file, self._same = file, os.fstat(file.fileno())
        return True
