"""Lines in which stacks tell of themselves: smoltcp, Zephyr, FreeRTOS+TCP, gVisor, old Linux kernels, and the like.

Owns: the lines of these. lwIP has a reader of its own.
Must never hold: which states there are or which changes are legal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tcpmodel.traces.logs.named_groups import Grouped
from tcpmodel.traces.reader import LineReader
from tcpmodel.traces.records import Record
from tcpmodel.traces.source import Source

Groups = dict[str, str | None]

_TIME = re.compile(
    r"\s*(?:[^\s\[(<]{1,40}\s+){0,3}?[\[(<]?\s*("
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d{2,3}:\d\d:\d\d(?:[.,][\d,]{1,15})?"
    r"|\d{1,12}\.\d{1,9}(?=s?[\])>:\s])"
    r")",
    re.ASCII,
)
_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]{2,45}\]|\*)"
_BOTH = re.compile(rf"({_ADDRESS}):(\d{{1,5}})[^\w\[]{{1,6}}({_ADDRESS}):(\d{{1,5}}|\*)", re.ASCII)
_ONE = re.compile(rf"({_ADDRESS}):(\d{{1,5}})\b", re.ASCII)
_POINTER = re.compile(r"(?:\[|state@|\bconn:? |\bsk[ =]|\bpcb[ =:]*|\bep[ =:]*|\bsocket[ =:#]*)(0x[0-9a-fA-F]{4,16})\b")

_SMOLTCP = re.compile(r"(?:(\S+):\s?)?\bstate=([A-Z][A-Z0-9-]{3,15})=>([A-Z][A-Z0-9-]{3,15})")
_HANDLE = re.compile(r"(#\d{1,6}|\[\d{1,6}\])(?=\d|:)")
_ZEPHYR = re.compile(r"\bstate(?:@0x[0-9a-fA-F]+)? ([A-Z][A-Z0-9_]{3,15}) \(\d+\) => ([A-Z][A-Z0-9_]{3,15}) \(\d+\)")
_ZEPHYR_NOW = re.compile(r"<dbg> net_tcp.*[:\s]([A-Z][A-Z0-9_]{3,15})->([A-Z][A-Z0-9_]{3,15})\s*$")
_FREERTOS = re.compile(
    r"\bSocket (\d{1,5}) -> (?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Fa-f]{1,8}|\d{1,3}(?:\.\d{1,3}){3})ip):(\d{1,5}) "
    r"State (e[A-Z_0-9]{3,15})->(e[A-Z_0-9]{3,15})"
)
_KERNEL = re.compile(r"\bTCP sk=(\w{4,20}), State ([A-Z][A-Za-z0-9 ]{3,15}?) -> ([A-Z][A-Za-z0-9 ]{3,15}?)\s*$")
_GVISOR = re.compile(
    r"\b(send|recv)? ?\btcp ([0-9A-Fa-f.:]{2,45}):(\d{1,5}) -> ([0-9A-Fa-f.:]{2,45}):(\d{1,5}) "
    r"len:(\d{1,7}) id:[0-9a-f]{4,8} flags:\s?(?:0x[0-9a-f]+ )?"
    r"\(?([FSRPAU ]{1,8})\)? seqnum: (\d{1,10}) ack: (\d{1,10}) win: (\d{1,7})",
    re.ASCII,
)
_ANY = re.compile(
    r"\bstate\b[^A-Za-z0-9]{0,4}(?:change[ds]?[^A-Za-z0-9]{1,3})?(?:from[^A-Za-z0-9]{1,3})?"
    r"([A-Za-z][\w-]{3,24})['\")\]]{0,2}\s*(?:-{1,2}>|=>|\u2192|to)\s*['\"(\[]{0,2}([A-Za-z][\w-]{3,24})",
    re.IGNORECASE,
)


def _smoltcp(line: str) -> Groups | None:
    found = _SMOLTCP.search(line)
    if found is None:
        return None
    ends = found[1] or ""
    groups = _located({"old": found[2], "new": found[3]}, ends)
    handle = _HANDLE.match(ends)
    return groups if handle is None else groups | {"connection": handle[1]}


def _zephyr(line: str) -> Groups | None:
    found = _ZEPHYR.search(line) or _ZEPHYR_NOW.search(line)
    return None if found is None else _located({"old": found[1], "new": found[2]}, line[: found.end()])


def _freertos(line: str) -> Groups | None:
    found = _FREERTOS.search(line)
    if found is None:
        return None
    port, host, octets, remote_port, old, new = found.groups()
    if octets is not None and "." in octets:
        host = octets
    elif octets is not None:
        number = int(octets, 16)
        host = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
    return {"local": "freertos", "local_port": port, "remote": host, "remote_port": remote_port, "old": old, "new": new}


def _kernel(line: str) -> Groups | None:
    found = _KERNEL.search(line)
    return None if found is None else {"connection": found[1], "old": found[2], "new": found[3]}


def _gvisor(line: str) -> Groups | None:
    found = _GVISOR.search(line)
    if found is None:
        return None
    names = ("direction", "src", "src_port", "dst", "dst_port", "len", "flags", "seq", "ack", "win")
    groups: Groups = dict(zip(names, found.groups(), strict=True))
    groups["flags"] = (groups["flags"] or "").replace(" ", "") or "0"
    return groups


def _any(line: str) -> Groups | None:
    found = _ANY.search(line)
    if found is None:
        return None
    groups = _located({"old": found[1], "new": found[2]}, line)
    return groups if "local" in groups or "connection" in groups or "tcp" in line.lower() else None


def _located(groups: Groups, text: str) -> Groups:
    """Add what ``text`` tells of the ends: two addresses, or one, or the address of an object."""
    both = _BOTH.search(text)
    if both is not None:
        groups |= {"local": both[1], "local_port": both[2], "remote": both[3], "remote_port": both[4]}
    else:
        one = _ONE.search(text)
        if one is not None:
            groups |= {"local": one[1], "local_port": one[2]}
    pointer = _POINTER.search(text)
    if pointer is not None:
        groups["connection"] = pointer[1]
    return groups


class Dialect(NamedTuple):
    """One way to write. ``source`` names the observation source of its states; ``mark`` stands in all of its lines."""

    format: str
    source: str
    mark: str
    read: Callable[[str], Groups | None]


DIALECTS = (
    Dialect("smoltcp", "smoltcp", "state=", _smoltcp),
    Dialect("zephyr", "zephyr", ">", _zephyr),
    Dialect("freertos", "freertos", " State e", _freertos),
    Dialect("kernel states", "linux-states", " State ", _kernel),
    Dialect("gvisor", "", "seqnum: ", _gvisor),
)
LAST_RESORT = Dialect("state lines", "stack-states", "", _any)


def recognises(line: str) -> Dialect | None:
    """The dialect of this line, if it is one."""
    for dialect in DIALECTS:
        if dialect.mark in line and dialect.read(line) is not None:
            return dialect
    return None


def seems(lines: list[str]) -> Dialect | None:
    """The dialect in which one of these lines, of no known format, tells of a change of state."""
    return LAST_RESORT if any(_any(line) is not None for line in lines) else None


class StackTrace(LineReader):
    """What one stack told, between other lines. See ``tcpmodel.traces.reader.Trace``."""

    def __init__(self, source: Source, dialect: Dialect) -> None:
        super().__init__(source)
        self.format = dialect.format
        self.source = dialect.source
        self._dialect = dialect

    def records(self) -> Iterator[Record]:
        """Changes of state, or segments, in order."""
        grouped = Grouped(changes=self.source, samples=self.source)
        mark, read = self._dialect.mark, self._dialect.read
        for number, line in self._written():
            groups = read(line) if mark in line else None
            if groups is None:
                self._leave_out(number, "not a change of state")
                continue
            time = _TIME.match(line)
            if time is not None:
                groups["time"] = time[1]
            record = grouped.record(number, groups)
            if isinstance(record, str):
                self._leave_out(number, record)
            else:
                yield record
