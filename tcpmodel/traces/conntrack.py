"""Entries of Linux's connection tracking: ``conntrack -E``, ``conntrack -L`` and ``/proc/net/nf_conntrack``.

Owns: the lines of these, with any of the options for time, id and addresses (not XML).
Must never hold: which states there are, or which follow each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.lines import numbered_lines
from tcpmodel.traces.records import Record, Skipped, StateRecord
from tcpmodel.traces.source import Source

_LINE = re.compile(
    r"\s*(?:\[(\d{1,12})\.(\d{1,9})\]\s*)?(?:\[(NEW|UPDATE|DESTROY)\]\s+)?"
    r"(?:ipv[46]\s+\d+\s+)?([a-z][a-z0-9]*)\s+(\d{1,3})\s+"
    r"(?:(\d{1,10})\s+)?(?:([A-Z][A-Z0-9_]*)\s+)?src=(\S{1,64}) dst=(\S{1,64})"
    r"(?: sport=(\d{1,5}) dport=(\d{1,5}))?(.*)$",
    re.ASCII,
)
_ID = re.compile(r"\bid=(\d{1,12})\b", re.ASCII)


def recognises(line: str) -> bool:
    """Whether this is a line about an entry."""
    return "src=" in line and _LINE.match(line) is not None


class ConntrackTrace:
    """The entries of TCP connections in one log. See ``tcpmodel.traces.records.Trace``.

    Each line gives a sample of the state that it prints. Before a new entry, a sample says that there was none; after
    a destroyed one, a sample of ``DESTROY`` says that there is none any more.
    """

    format = "conntrack"
    counts_lines = True
    source = "conntrack"

    def __init__(self, source: Source) -> None:
        self.path = source.path
        self.skipped = Skipped()
        self._source = source

    def records(self) -> Iterator[Record]:
        """The states of all entries in order."""
        for number, line in numbered_lines(self._source.read):
            found = _LINE.match(line)
            if found is None:
                if line and not line.isspace():
                    self.skipped.add("not a line about an entry")
                continue
            seconds, fraction, event, protocol, _, _, state, src, dst, sport, dport, rest = found.groups()
            if protocol != "tcp":
                self.skipped.add("an entry of another protocol than TCP")
                continue
            if sport is None or (state is None and event != "DESTROY"):
                self.skipped.add("unreadable line")
                continue
            time = int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0")) if seconds else None
            local, remote = endpoint_text(unmapped(src), sport), endpoint_text(unmapped(dst), dport)
            mark = _ID.search(rest)
            name = f"entry {mark[1]}" if mark else f"{local} > {remote}"
            if event == "NEW":
                yield StateRecord(number, time, "conntrack", name, local, remote, "", "")
            if state is not None:
                yield StateRecord(number, time, "conntrack", name, local, remote, "", state)
            if event == "DESTROY":
                yield StateRecord(number, time, "conntrack", name, local, remote, "", "DESTROY")
