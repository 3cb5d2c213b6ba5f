"""Listings of sockets, once or again and again: ss, netstat, Get-NetTCPConnection and /proc/net/tcp.

Owns: where one listing ends and the next begins, when it was made, and which socket is missing in it.
Must never hold: the columns of a row (see ``socket_rows``), or what a state means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from tcpmodel.traces.logs import powershell_list
from tcpmodel.traces.logs.socket_rows import LINUX, Row, begins, is_title, names_columns, row
from tcpmodel.traces.reader import LineReader
from tcpmodel.traces.records import Record, StateRecord
from tcpmodel.traces.source import Source

_EPOCH = re.compile(r"#?\s*(\d{9,11})(?:\.(\d{1,9}))?\s*$", re.ASCII)
_DATE = re.compile(
    r"[#=\s-]*(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?[=\s-]*$"
)

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +"
_CLOCK = r"(\d\d?):(\d\d):(\d\d)(?: (AM|PM))?"
_ZONE = r"(?: ([+-]\d{4}|[A-Z]{1,5}))?"
_MONTH = "(" + "|".join(_MONTHS) + ")"
_US = re.compile(rf"(?:.*[#=:\s-])?{_DAY}{_MONTH} +(\d\d?) +{_CLOCK}{_ZONE} +(\d{{4}})[=\s-]*$", re.ASCII)
_OTHER = re.compile(rf"[#=\s-]*{_DAY}(\d\d?) +{_MONTH} +(\d{{4}}) +{_CLOCK}{_ZONE}[=\s-]*$", re.ASCII)
"""What ``date`` prints of itself, with 24 hours or 12, and behind the name of the command, ``watch``; ``date -R``."""

MOST_SOCKETS = 1 << 17
"""So many sockets of one listing are told apart; those beyond are left out, and what it lacks is no longer told."""

_MOST_UNSURE = 1 << 16
"""So many rows wait until one tells what protocol they are of."""


def recognises(line: str) -> bool:
    """Whether this is the heading of a listing of sockets, or a row of one."""
    return begins(line) or names_columns(line) or isinstance(row(line), Row) or powershell_list.recognises(line)


def only_times(lines: list[str]) -> bool:
    """Whether the text begins like listings in which no socket was."""
    return len(lines) > 1 and all(_time(line) is not None for line in lines[:8])


def _time(line: str) -> int | None:
    """The time that a line between two listings tells, in nanoseconds since the epoch; without a zone it is UTC."""
    found = _EPOCH.match(line)
    if found:
        return int(found[1]) * 1_000_000_000 + int((found[2] or "0").ljust(9, "0"))
    found = _DATE.match(line)
    if found:
        year, month, day, hour, minute, second = (int(found[at]) for at in range(1, 7))
        return _moment(year, month, day, (hour, minute, second), found[7] or "0", found[8])
    found = _US.match(line)
    if found:
        word, day_of, clock, zone, year_of = found[1], found[2], found.group(3, 4, 5, 6), found[7], found[8]
    else:
        found = _OTHER.match(line)
        if not found:
            return None
        day_of, word, year_of, clock, zone = found[1], found[2], found[3], found.group(4, 5, 6, 7), found[8]
    hour = int(clock[0]) % 12 + 12 * (clock[3] == "PM") if clock[3] else int(clock[0])
    numbers = (hour, int(clock[1]), int(clock[2]))
    return _moment(int(year_of), _MONTHS[word], int(day_of), numbers, "0", zone)


def _moment(year: int, month: int, day: int, clock: tuple[int, int, int], part: str, zone: str | None) -> int | None:
    """A time of a zone, in nanoseconds since the epoch; a zone that is only named counts as UTC."""
    try:
        seconds = int(datetime(year, month, day, *clock, tzinfo=UTC).timestamp())
    except ValueError:
        return None
    if zone and zone[0] in "+-":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        seconds -= minutes * 60 if zone[0] == "+" else -minutes * 60
    return seconds * 1_000_000_000 + int(part.ljust(9, "0"))


class SnapshotTrace(LineReader):
    """One or more listings of sockets. See ``tcpmodel.traces.reader.Trace``.

    A socket that is missing in a later listing gives a record without a state, and so does one that was missing in the
    listing before the first in which it is.
    """

    format = "socket listings"
    source = LINUX

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._here = _Listing(0, None)
        self._before: _Listing | None = None
        self._marked = False
        self._kind = ""
        self._unsure: list[tuple[int, Row]] = []

    def records(self) -> Iterator[Record]:
        """The state of each socket in each listing, in order."""
        for number, line in powershell_list.rows(self._numbered()):
            time = _time(line)
            if time is not None:
                yield from self._sure("tcp")
                yield from self._next(number, time)
                self._marked = True
                continue
            if begins(line):
                yield from self._sure("tcp")
                if not self._marked and (self._here.sockets or not self._here.started):
                    yield from self._next(number, None)
                self._here.started = True
                continue
            found = row(line)
            if isinstance(found, str):
                if found and not is_title(line):
                    self._leave_out(number, found)
                continue
            if not found.protocol:
                if found.state not in ("ESTAB", "UNCONN"):
                    self._kind = "tcp"
                elif found.state == "UNCONN" and not self._kind:
                    self._kind = "udp"
                if not self._kind:
                    self._unsure.append((number, found))
                    if len(self._unsure) >= _MOST_UNSURE:
                        yield from self._sure("tcp")
                    continue
                yield from self._sure(self._kind)
                found = found._replace(protocol=self._kind)
            yield from self._take(number, found)
        yield from self._sure("tcp")
        yield from self._missing()

    def _sure(self, protocol: str) -> Iterator[StateRecord]:
        """Take the rows of which it was not clear what protocol they are of."""
        rows, self._unsure = self._unsure, []
        for number, found in rows:
            yield from self._take(number, found._replace(protocol=protocol))

    def _take(self, number: int, found: Row) -> Iterator[StateRecord]:
        name = self._here.name(found)
        if not self._marked and not self._here.started and name != _name(found) and not found.remote.endswith(":0"):
            # Listings without anything in between: the second one begins where a connection comes again.
            yield from self._next(number, None)
            name = self._here.name(found)
        if len(self._here.sockets) >= MOST_SOCKETS:
            self._here.whole = False
            self._leave_out(number, f"sockets beyond the first {MOST_SOCKETS:,} of one listing")
            return
        self._here.sockets[name] = found
        yield from self._row(number, name, found)

    def _row(self, number: int, name: str, found: Row) -> Iterator[StateRecord]:
        before = self._before
        if before is not None and before.whole and name not in before.sockets:
            yield _record(before.number, before.time, name, found, "")
        yield _record(number, self._here.time, name, found, found.state)

    def _next(self, number: int, time: int | None) -> Iterator[StateRecord]:
        """Begin another listing."""
        yield from self._missing()
        if self._here.number or self._here.sockets:
            self._before = self._here
        self._here = _Listing(number, time)

    def _missing(self) -> Iterator[StateRecord]:
        """The sockets of the listing before that this one does not have."""
        if self._before is None or not self._here.whole:
            return
        for name, found in self._before.sockets.items():
            if name not in self._here.sockets:
                yield _record(self._here.number, self._here.time, name, found, "")


class _Listing:
    """The sockets of one listing by name; ``number`` is the line where it begins, 0 where none told so."""

    def __init__(self, number: int, time: int | None) -> None:
        self.number = number
        self.time = time
        self.started = False
        self.whole = True
        """Does it hold all rows?"""
        self.sockets: dict[str, Row] = {}
        self._alike: dict[str, int] = {}
        """How many were on equal addresses, where there were several."""

    def name(self, found: Row) -> str:
        """The name of a socket; several on equal addresses are counted."""
        plain = _name(found)
        count = self._alike.get(plain, 1)
        while (name := plain if count == 1 else f"{plain} ({count})") in self.sockets:
            count += 1
        if count > 1:
            self._alike[plain] = count
        return name


def _name(found: Row) -> str:
    if found.source == LINUX and found.identity:
        return f"socket {found.identity}"
    name = f"{found.local} > {found.remote}" + (f" {found.identity}" if found.identity else "")
    return name if found.protocol == "tcp" else f"{name} {found.protocol}"


def _record(number: int, time: int | None, name: str, found: Row, state: str) -> StateRecord:
    return StateRecord(number, time, found.protocol, name, found.local, found.remote, "", state, found.source)
