"""Logs that went through a journal, syslog or a container: each line begins with words of their own.

Owns: the forms of these words, and the source of the lines without them.
Must never hold: any trace format.
"""

from __future__ import annotations

import re

from tcpmodel.traces.records import TraceError
from tcpmodel.traces.source import BLOCK, Source

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_DATE = rf"\d{{4}}-\d\d-\d\dT{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?"
_DAY = rf"[A-Z][a-z]{{2}} [ \d]\d {_CLOCK}"
_NAME = r"[^\s:\[\]]{1,64}(?:\[\d{1,10}\])?:(?: |$)"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"(?:<\d{{1,3}}>)?(?:{_DAY}|{_DATE}) [\w.-]{{1,64}} {_NAME}",
        rf"<\d{{1,3}}>1 {_DATE} \S{{1,64}} \S{{1,64}} \S{{1,64}} \S{{1,64}} (?:-|\[.{{0,200}}?\]) ?",
        rf"{_DATE} (?:stdout|stderr) [FP] ?",
        r"[\w./-]{1,64} +\|(?: |$)",
    )
)
"""What journalctl (also with ``-o short-iso``) and syslog (RFC 3164, RFC 5424) write, container runtimes and
``docker compose logs``."""

_OF_THE_JOURNAL = re.compile(r"-- .* --$|-- (?:Journal|Logs|Boot|No entries)")
_MOST = 200
"""So many first lines are looked at."""


def of(lines: list[str]) -> re.Pattern[str] | None:
    """The form of the words with which all of these lines begin; None if they have none in common."""
    told = [line for line in lines[:_MOST] if line and not line.isspace() and not _OF_THE_JOURNAL.match(line)]
    if not told:
        return None
    return next((form for form in _FORMS if form.match(told[0]) and all(map(form.match, told))), None)


class Unprefixed(Source):
    """``source`` without what each line begins with. Lines that do not begin so stay as they are."""

    def __init__(self, source: Source, form: re.Pattern[str]) -> None:
        self.path = source.path
        self.growing = source.growing
        self.packed = source.packed
        self._inner = source
        self._words = re.compile(b"(?m)^(?:" + form.pattern.encode() + b")")
        self._rest = b""
        self._fault: TraceError | None = None

    def read(self) -> bytes:
        """The next octets, whole lines as long as more come, or ``b""`` at the end."""
        while self._fault is None:
            try:
                block = self._inner.read()
            except TraceError as error:
                block, self._fault = b"", error
            if not block:
                break
            cut = block.rfind(b"\n") + 1
            if not cut and len(self._rest) < BLOCK:
                self._rest += block
                continue
            whole, self._rest = self._rest + block[:cut], block[cut:]
            return self._words.sub(b"", whole)
        last, self._rest = self._words.sub(b"", self._rest), b""
        if not last and self._fault is not None:
            raise self._fault
        return last

    def head(self, size: int) -> bytes:
        """The first octets; fewer than ``size``, since the words before each line are left out."""
        return self._words.sub(b"", self._inner.head(size))

    def peek(self) -> bytes:
        """What has been read ahead so far, without waiting for more."""
        return self._words.sub(b"", self._inner.peek())

    def close(self) -> None:
        """Give the file back."""
        self._inner.close()

    def __del__(self) -> None:
        pass  # whoever has the inner source may still read it
