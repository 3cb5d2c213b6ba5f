"""A line on the terminal that says how far a long reading has come.

Owns: when the line is written, and that nothing of it is left at the end.
Must never hold: what is read or found.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from typing import TextIO

PATIENCE = 0.5
"""Seconds before the line is shown at all."""

PAUSE = 0.1
"""Seconds between two changes of the line."""

WIDTH = 79


class Progress:
    """Call it with the path and how many records were read; ``end`` removes the line. Silent if not a terminal."""

    def __init__(self, stream: TextIO | None) -> None:
        try:
            self._stream = stream if stream is not None and stream.isatty() else None
        except ValueError:  # a closed stream
            self._stream = None
        self._next = time.monotonic() + PATIENCE
        self._shown = 0

    def __call__(self, path: str, count: int) -> None:
        """Show that ``count`` records of ``path`` were read, if it is time to say so."""
        if self._stream is None:
            return
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PAUSE
        name = "".join(char if char.isprintable() else "?" for char in path)
        numbers = f": {count:,} records"
        room = WIDTH - len(numbers)
        line = (name if len(name) <= room else "..." + name[3 - room :]) + numbers
        # Blanks instead of a control sequence: every terminal knows them.
        self._write("\r" + line.ljust(self._shown))
        self._shown = len(line)

    def end(self) -> None:
        """Remove the line."""
        if self._shown:
            self._write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def _write(self, text: str) -> None:
        assert self._stream is not None
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._stream = None
            self._shown = 0
