"""Tables of the tcpstates tools (bcc and libbpf-tools): one line for each state change of a socket.

Owns: the columns of these tables, with any options, and as comma-separated values.
Must never hold: which states there are or which changes are legal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.reader import NOT_A_ROW, LineReader
from tcpmodel.traces.records import Record, StateRecord
from tcpmodel.traces.source import Source

_OF_DAY = re.compile(r"(\d\d):(\d\d):(\d\d)$", re.ASCII)
_SECONDS = re.compile(r"(\d{1,12})\.(\d{1,9})$", re.ASCII)
_SOCKET = re.compile(r"(?:0x)?[0-9a-f]{4,16}$")
_ADDRESS = re.compile(r"[0-9a-fA-F.:]+(?:%[\w.-]{1,20})?$")
_STATE = re.compile(r"\w+$", re.ASCII)


class _Row(NamedTuple):
    of_day: re.Match[str] | None
    seconds: re.Match[str] | None
    socket: str
    local: str
    remote: str
    old: str
    new: str


def _row(line: str) -> _Row | None:
    """A line of a table, whichever columns it has; the name of the program in the middle may hold anything."""
    words = line.split()
    if "->" in words:
        if words[-3:-2] != ["->"] and words[-2:-1] != ["->"]:
            return None
        if words[-2] != "->":
            words.pop()  # the milliseconds
        words.remove("->")
    elif line.count(",") >= 10:
        words = [word.strip() for word in line.split(",")][:-1]
    else:
        return None
    if len(words) < 9:
        return None
    local, local_port, remote, remote_port, old, new = words[-6:]
    of_day = _OF_DAY.match(words[0])
    at = 1 if of_day else 0
    seconds = _SECONDS.match(words[at])
    at += 1 if seconds else 0
    if not (
        at + 3 <= len(words) - 6
        and _SOCKET.match(words[at])
        and words[at + 1].isdecimal()
        and _ADDRESS.match(local)
        and _ADDRESS.match(remote)
        and _is_port(local_port)
        and _is_port(remote_port)
        and _STATE.match(old)
        and _STATE.match(new)
    ):
        return None
    return _Row(
        of_day,
        seconds,
        words[at],
        endpoint_text(unmapped(local), local_port),
        endpoint_text(unmapped(remote), remote_port),
        old,
        new,
    )


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5


def _is_heading(line: str) -> bool:
    return "SKADDR" in line and "OLDSTATE" in line and "NEWSTATE" in line


def recognises(line: str) -> bool:
    """Whether this is a heading or a row of a table of tcpstates."""
    return _is_heading(line) or _row(line) is not None


class TcpstatesTrace(LineReader):
    """One output of tcpstates, with any prose around its tables. See ``tcpmodel.traces.reader.Trace``."""

    format = "tcpstates"
    source = "linux-states"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._days = 0
        self._last = 0

    def records(self) -> Iterator[Record]:
        """All state changes in order."""
        for number, line in self._written():
            row = _row(line)
            if row is None:
                if not _is_heading(line):
                    self._leave_out(number, NOT_A_ROW)
                continue
            time = None
            if row.seconds is not None:
                time = int(row.seconds[1]) * 1_000_000_000 + int(row.seconds[2].ljust(9, "0"))
            elif row.of_day is not None:
                hours, minutes, seconds = row.of_day.groups()
                time = self._since_first_midnight(int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1_000_000_000
            yield StateRecord(number, time, "tcp", row.socket, row.local, row.remote, row.old, row.new)

    def _since_first_midnight(self, seconds: int) -> int:
        """Seconds since the midnight before the log began, from seconds since the last midnight."""
        if seconds + self._days * 86_400 < self._last - 43_200:
            self._days += 1
        self._last = seconds + self._days * 86_400
        return self._last
