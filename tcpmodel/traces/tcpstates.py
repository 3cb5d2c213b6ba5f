"""Tables of the tcpstates tools (bcc and libbpf-tools): one line for each state change of a socket.

Owns: the columns of these tables, with any options, and as comma-separated values.
Must never hold: which states there are or which changes are legal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.lines import numbered_lines
from tcpmodel.traces.records import Packet, Skipped, StateRecord
from tcpmodel.traces.source import Source

_CLOCKS = r"\s*(?:(\d\d):(\d\d):(\d\d){0})?(?:(\d+)\.(\d{{1,9}}){0})?"
_TABLE = re.compile(
    _CLOCKS.format(r"\s+")
    + r"(?:0x)?([0-9a-f]{4,16})\s+\d+\s+.*?\s+(?:[46]\s+)?([0-9a-fA-F.:]+)\s+(\d+)\s+([0-9a-fA-F.:]+)\s+(\d+)\s+"
    r"(\w+)\s*->\s*(\w+)(?:\s+[\d.]+)?\s*$"
)
_COMMAS = re.compile(
    _CLOCKS.format(",")
    + r"(?:0x)?([0-9a-f]{4,16}),\d+,.*?,(?:[46]?,)?([0-9a-fA-F.:]+),(\d+),([0-9a-fA-F.:]+),(\d+),"
    r"(\w+),(\w+)(?:,[\d.]+)?\s*$"
)
_HEADING = re.compile(r"[A-Z(),\ss0-9-]*SKADDR[\s,].*OLDSTATE[\s,]*(?:->)?\s*NEWSTATE")


def recognises(line: str) -> bool:
    """Whether this is a heading or a row of a table of tcpstates."""
    return _HEADING.match(line) is not None or _TABLE.match(line) is not None or _COMMAS.match(line) is not None


class TcpstatesTrace:
    """One output of tcpstates, with any prose around its tables. See ``tcpmodel.traces.records.Trace``."""

    format = "tcpstates"
    counts_lines = True
    source = "linux-states"

    def __init__(self, source: Source) -> None:
        self.path = source.path
        self.skipped = Skipped()
        self._source = source
        self._days = 0
        self._last = 0

    def records(self) -> Iterator[Packet | StateRecord]:
        """All state changes in order."""
        for number, line in numbered_lines(self._source.read):
            row = _TABLE.match(line) or _COMMAS.match(line)
            if row is None:
                if line and not line.isspace() and not _HEADING.match(line):
                    self.skipped.add("not a row of a table")
                continue
            hours, minutes, seconds, whole, fraction, socket, local, from_port, remote, to_port, old, new = row.groups()
            time = None
            if whole is not None:
                time = int(whole[:12]) * 1_000_000_000 + int(fraction.ljust(9, "0"))
            elif hours is not None:
                time = self._of_day(int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1_000_000_000
            yield StateRecord(
                number,
                time,
                "tcp",
                socket,
                endpoint_text(unmapped(local), from_port),
                endpoint_text(unmapped(remote), to_port),
                old,
                new,
            )

    def _of_day(self, seconds: int) -> int:
        """Seconds since the midnight before the log began."""
        if seconds + self._days * 86_400 < self._last - 43_200:
            self._days += 1
        self._last = seconds + self._days * 86_400
        return self._last
