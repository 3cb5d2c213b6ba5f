"""Changes of state that scripts of bpftrace print: a table with a heading, or lines with two addresses and two states.

Owns: the forms of these lines.
Must never hold: which states there are or which changes are legal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.logs.kernel_events import NUMBERED, Sockets
from tcpmodel.traces.logs.named_groups import Clock
from tcpmodel.traces.reader import LineReader
from tcpmodel.traces.records import Record, StateRecord
from tcpmodel.traces.source import Source

_HOST = r"\[?([0-9A-Fa-f.:]{2,45}?)\]?"
_WORD = r"((?:TCP_)?[A-Z][A-Z0-9_]{2,14}|\d{1,2})"
_LINE = re.compile(
    rf"(?:^|.*?[\s=(]){_HOST}:(\d{{1,5}})(?:\s*(?:->|=>|\u2192|<->|,)\s*|\s+){_HOST}:(\d{{1,5}})\b[^:]*?[\s:]{_WORD}"
    rf"\s*(?:->|=>|\u2192)\s*{_WORD}(?:\s+[\d.]+\s*(?:ms|us|ns|s)?)?\s*$"
)
_ARROWS = frozenset({"->", "=>", "\u2192"})
_OLD, _NEW = ("OLDSTATE", "OLD"), ("NEWSTATE", "NEW")
_STATE = re.compile(rf"{_WORD}$")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:%[\w.-]{1,20})?$")
_KERNEL_ADDRESS = re.compile(r"(?:^|\s)(?:0x)?(ffff[0-9a-f]{8,12})\b")
_TIME = re.compile(r"\s*(?:(\d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{1,10}\.\d{1,9})|(\d{12,19}))\s", re.ASCII)


class _Change(NamedTuple):
    local: str
    remote: str
    old: str
    new: str


def _columns(line: str) -> list[str] | None:
    """The columns that a heading names; None for any other line."""
    words = [word.strip("()") for word in line.split() if word not in _ARROWS]
    sides = any(
        {f"{one}ADDR", f"{one}PORT", f"{other}ADDR", f"{other}PORT"} <= set(words) for one, other in ("LR", "SD")
    )
    both = any(old in words and new in words for old, new in zip(_OLD, _NEW, strict=True))
    return words if sides and both else None


def recognises(line: str) -> bool:
    """Whether this is a heading of such a table, or a line with two addresses and a change of state."""
    if "OLD" in line and _columns(line) is not None:
        return True
    return ">" in line and _of_line(line) is not None


class BpfStatesTrace(LineReader):
    """What one script printed. See ``tcpmodel.traces.reader.Trace``."""

    format = "bpftrace states"
    source = "linux-states"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._clock = Clock()
        self._sockets = Sockets()

    def records(self) -> Iterator[Record]:
        """All changes of state in order."""
        columns: list[str] = []
        for number, line in self._written():
            heading = _columns(line) if "OLD" in line else None
            if heading is not None:
                columns = heading
                continue
            change = _of_row(columns, line) if columns else None
            change = change or _of_line(line)
            if change is None:
                if not line.startswith("Attaching "):
                    self._leave_out(number, "not a change of state")
                continue
            yield self._record(number, line, change)

    def _record(self, number: int, line: str, change: _Change) -> StateRecord:
        local, remote, old, new = change
        old, new = NUMBERED.get(old, old), NUMBERED.get(new, new)
        socket = _KERNEL_ADDRESS.search(line)
        host, _, port = local.rpartition(":")
        name = socket[1] if socket else self._sockets.name(number, host, local, remote, old, new, port == "0")
        return StateRecord(number, self._time(line), "tcp", name, local, remote, old, new)

    def _time(self, line: str) -> int | None:
        found = _TIME.match(line)
        if found is None:
            return None
        return int(found[2]) if found[2] else self._clock.read(found[1])


def _of_line(line: str) -> _Change | None:
    if "state" in line.lower():
        return None  # as stacks write it
    found = _LINE.match(line)
    if found is None:
        return None
    host, port, other, other_port, old, new = found.groups()
    return _Change(endpoint_text(unmapped(host), port), endpoint_text(unmapped(other), other_port), old, new)


def _of_row(columns: list[str], line: str) -> _Change | None:
    """A row by its columns; the name of a program may hold blanks."""
    words = [word for word in line.split() if word not in _ARROWS]
    if len(words) < len(columns):
        return None
    at = columns.index("COMM") if "COMM" in columns else len(columns)
    row = dict(zip(columns[:at], words, strict=False))
    row.update(zip(reversed(columns[at + 1 :]), reversed(words), strict=False))
    side, other = ("L", "R") if "LADDR" in row else ("S", "D")
    hosts = row.get(f"{side}ADDR", ""), row.get(f"{other}ADDR", "")
    ports = row.get(f"{side}PORT", ""), row.get(f"{other}PORT", "")
    states = row.get("OLDSTATE", row.get("OLD", "")), row.get("NEWSTATE", row.get("NEW", ""))
    if not all(_ADDRESS.match(host) for host in hosts) or not all(_STATE.match(state) for state in states):
        return None
    if not all(port.isascii() and port.isdecimal() and len(port) <= 5 for port in ports):
        return None
    local, remote = (endpoint_text(unmapped(host), port) for host, port in zip(hosts, ports, strict=True))
    return _Change(local, remote, *states)
