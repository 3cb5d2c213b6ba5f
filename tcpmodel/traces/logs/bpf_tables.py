"""Tables of the other TCP tools of bcc and bpftrace: tcpconnect, tcpaccept, tcpconnlat, tcptracer, tcpretrans, tcpdrop.

Owns: the columns of these tables, found by their heading.
Must never hold: what a state or a call means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.logs.named_groups import Clock
from tcpmodel.traces.reader import NOT_A_ROW, LineReader
from tcpmodel.traces.records import Event, Record, StateRecord
from tcpmodel.traces.source import Source

_NAMES = frozenset(
    {
        *("TIME", "TIME(s)", "T", "PID", "UID", "COMM", "IP", "BL", "LAT(ms)", "STATE", "(FLAGS)", "SEQ", ">", "T>"),
        *("SADDR", "SPORT", "DADDR", "DPORT", "LADDR", "LPORT", "RADDR", "RPORT", "NETNS", "QUERY", "REASON"),
        *("SADDR:SPORT", "DADDR:DPORT", "LADDR:LPORT", "RADDR:RPORT"),
    }
)
_HOST = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,42})$", re.ASCII)
_STATE = re.compile(r"[A-Z][A-Z0-9_-]{2,15}$")
_KEPT = 1 << 16
_TRACED = {"C": ("connect", "connected"), "A": ("accept",), "X": ("close",)}


def _columns(line: str) -> list[str] | None:
    """The columns that a heading names; None for any other line."""
    words = line.split()
    if len(words) < 4 or not _NAMES.issuperset(words) or len(set(words)) < len(words):
        return None
    ends = [("SADDR", "DADDR"), ("LADDR", "RADDR"), ("SADDR:SPORT", "DADDR:DPORT"), ("LADDR:LPORT", "RADDR:RPORT")]
    return words if any(one in words and other in words for one, other in ends) else None


def recognises(line: str) -> bool:
    """Whether this is the heading of one of these tables."""
    return _columns(line) is not None


class BpfTableTrace(LineReader):
    """One output of such a tool, with any prose around. See ``tcpmodel.traces.reader.Trace``.

    A table with a column STATE gives samples; one of connections that are made gives calls.
    """

    format = "bpf table"
    source = "socket-calls"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._clock = Clock()
        self._names: dict[tuple[str, str], str] = {}

    def records(self) -> Iterator[Record]:
        """The samples or calls of all rows in order."""
        columns: list[str] = []
        for number, line in self._written():
            heading = _columns(line)
            if heading is not None:
                columns = heading
                continue
            row = _row(columns, line) if columns else None
            ends = _ends(row) if row is not None else None
            if row is None or ends is None:
                self._leave_out(number, NOT_A_ROW)
                continue
            yield from self._of_row(number, row, *ends)

    def _of_row(self, number: int, row: dict[str, str], local: str, remote: str) -> Iterator[Record]:
        time = self._clock.read(row.get("TIME") or row.get("TIME(s)") or "")
        if "STATE" in row:
            if _STATE.match(row["STATE"]):
                name = f"{local} > {remote}"
                yield StateRecord(number, time, "tcp", name, local, remote, "", row["STATE"], "linux-sockets")
            else:
                self._leave_out(number, NOT_A_ROW)
            return
        if "T" in row:
            calls: tuple[str, ...] = _TRACED.get(row["T"], ())
        elif "RADDR" in row:
            calls = ("accept",)
        else:
            calls = ("connect", "connected") if "LAT(ms)" in row else ("connect",)
        if not calls:
            self._leave_out(number, NOT_A_ROW)
            return
        begins = calls[0] != "close"
        name = (
            f"{local} > {remote}, line {number}" if begins else self._names.pop((local, remote), f"{local} > {remote}")
        )
        if "T" in row and begins:
            if len(self._names) >= _KEPT:
                self._names.clear()
            self._names[local, remote] = name
        for call in calls:
            yield Event(number, time, "tcp", name, local, remote, "call", call, {})


def _row(columns: list[str], line: str) -> dict[str, str] | None:
    """The words of a row by their columns; the name of a program may hold blanks, and the last columns may be empty."""
    words = line.split()
    at = columns.index("COMM") if "COMM" in columns else len(columns)
    if len(words) < len(columns):
        if at < len(columns) or len(words) < len(columns) - 1:
            return None
        columns = columns[: len(words)]
    row = dict(zip(columns[:at], words, strict=False))
    behind = columns[at + 1 :]
    row.update(zip(reversed(behind), reversed(words), strict=False))
    return row


def _ends(row: dict[str, str]) -> tuple[str, str] | None:
    """This end and the other one."""
    if "LADDR:LPORT" in row:
        ends = (row["LADDR:LPORT"], row.get("RADDR:RPORT", ""))
    elif "SADDR:SPORT" in row:
        ends = (row["SADDR:SPORT"], row.get("DADDR:DPORT", ""))
        if ">" in row:  # of the packet, which came from the other end
            ends = (ends[1], ends[0])
    else:
        side, other = ("L", "R") if "RADDR" in row else ("S", "D")
        port = row.get(f"{side}PORT", row.get("LPORT", "0"))
        hosts = (row.get(f"{side}ADDR", ""), row.get(f"{other}ADDR", ""))
        ends = (f"{hosts[0]}:{port}", f"{hosts[1]}:{row.get(f'{other}PORT', '0')}")
    found = []
    for end in ends:
        host, _, port = end.rpartition(":")
        host = host.strip("[]")
        if not _HOST.match(host) or not (port.isascii() and port.isdecimal() and len(port) <= 5):
            return None
        found.append(endpoint_text(unmapped(host), port))
    return found[0], found[1]
