"""Lines of text from blocks of bytes, numbered, with bounded memory.

Owns: line ends, decoding, the limit on the length of a line.
Must never hold: what a line means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tcpmodel.traces.records import TraceError

LONGEST = 1 << 12
"""Octets of a line that are looked at; the rest of a longer line is dropped. Bounds what a pattern can cost."""


_COLOURS = re.compile(rb"\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b\([A-Z0-9]")
"""What programs write for a terminal: colours, and what clears the screen between two listings."""


def plain(text: bytes) -> bytes:
    """``text``, which ends with a line, without what is meant for a terminal."""
    return _COLOURS.sub(b"", text) if b"\x1b" in text else text


def numbered_lines(read: Callable[[], bytes], longest: int = LONGEST) -> Iterator[tuple[int, str]]:
    """``(number, text)`` of each line, counting from 1, without its end; bytes that are no UTF-8 are replaced.

    Colours for a terminal are left out. What a line has beyond ``longest`` octets is dropped.
    A TraceError of ``read`` comes after the last line that could be read.
    """
    number = 0
    rest = b""
    fault: TraceError | None = None
    while True:
        try:
            block = read()
        except TraceError as error:
            block, fault = b"", error
        if not block:
            break
        if number == 0 and not rest and block.startswith(b"\xef\xbb\xbf"):
            block = block[3:]
        cut = block.rfind(b"\n")
        if cut < 0:
            if len(rest) < longest:
                rest += block
            continue
        whole = plain(rest + block[:cut])
        rest = block[cut + 1 :]
        for line in whole.split(b"\n"):
            number += 1
            yield number, line[:longest].decode("utf-8", "replace").rstrip("\r")
    if rest:
        yield number + 1, plain(rest)[:longest].decode("utf-8", "replace").rstrip("\r")
    if fault is not None:
        raise fault
