"""Kernel trace text of ``sock:inet_sock_set_state``: ftrace, trace-cmd, perf script and perf trace.

Owns: the lines of these tools, and joining the records of one socket where the kernel's address of it is not printed.
Must never hold: which states there are or which changes are legal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.reader import UNREADABLE, LineReader
from tcpmodel.traces.records import Record, StateRecord
from tcpmodel.traces.source import Source

_EVENT = re.compile(r"(?:^|\s)(\d+)(?:\.(\d{1,9}))?:\s+(?:\d+\s+)?(?:[\w-]+:)?([A-Za-z_]\w*)\s*[:(](.*)$")
_LATENCY = re.compile(r"\s(\d+)us\s*\S?\s*:\s+(?:[\w-]+:)?([A-Za-z_]\w*)\s*[:(](.*)$")
"""ftrace with its option latency-format."""
_BARE = re.compile(r"(?:[\w-]+:)?([a-z_]\w*):\s+(.*=.*|skb_addr .*)$")
"""ftrace without its option context-info: no process, no time."""
_PERF_TRACE = re.compile(r"\s*(\d+)\.(\d{1,6})\s.*?\bsock:inet_sock_set_state\s*[:(](.*)$")
_NAME = "inet_sock_set_state"
_PAIRS = re.compile(r"(\w+)(?:=|: )([^\s,)]*)")

NUMBERED = {
    "1": "TCP_ESTABLISHED",
    "2": "TCP_SYN_SENT",
    "3": "TCP_SYN_RECV",
    "4": "TCP_FIN_WAIT1",
    "5": "TCP_FIN_WAIT2",
    "6": "TCP_TIME_WAIT",
    "7": "TCP_CLOSE",
    "8": "TCP_CLOSE_WAIT",
    "9": "TCP_LAST_ACK",
    "10": "TCP_LISTEN",
    "11": "TCP_CLOSING",
    "12": "TCP_NEW_SYN_RECV",
}
"""How the kernel numbers the states: tools that do not know the names print these."""
_SOCKETS_KEPT = 1 << 18


def recognises(line: str) -> bool:
    """Whether this is a line of a kernel trace (of any tracepoint), or the heading of one."""
    if line.startswith("# tracer:") or f"sock:{_NAME}" in line or f"{_NAME}: " in line or ": PERF_RECORD_" in line:
        return True
    return re.match(r"\s*\S.*\[\d+\]\s+(\S+\s+)?\d+\.\d+:\s+([\w-]+:)?[a-z_]\w*:\s", line) is not None


class KernelTrace(LineReader):
    """One log of state changes from the kernel's tracepoint. See ``tcpmodel.traces.reader.Trace``."""

    format = "ftrace"
    source = "linux-states"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._sockets = Sockets()

    def records(self) -> Iterator[Record]:
        """All state changes of TCP sockets in order."""
        for number, line in self._written():
            if line[0] == "#":
                continue
            if _NAME not in line:
                if "LOST " in line and " EVENTS" in line.upper():
                    self._leave_out(number, "events lost by the kernel before this log was written")
                else:
                    self._leave_out(number, "another tracepoint" if _is_event(line) else UNREADABLE)
                continue
            record = self._record(number, line)
            if isinstance(record, str):
                self._leave_out(number, record)
            else:
                yield record

    def _record(self, number: int, line: str) -> StateRecord | str:
        found = _told(line)
        if found is None:
            return "another tracepoint" if _is_event(line) else UNREADABLE
        time, text = found
        values: dict[str, str] = dict(_PAIRS.findall(text))
        if "newstate: " in text:
            for name in ("sport", "dport"):
                values.setdefault(name, "0")  # perf trace leaves out what is zero
        if values.get("oldstate", "").startswith("0x"):
            values["stored"] = "yes"
        for name in ("oldstate", "newstate", "sport", "dport", "family", "protocol"):
            values[name] = _plain(values.get(name, ""))
        protocol = values["protocol"]
        if protocol not in ("IPPROTO_TCP", "6"):
            return "not TCP" if protocol else UNREADABLE
        old, new = values.get("oldstate", ""), values.get("newstate", "")
        if not old or not new or not _is_port(values.get("sport", "")) or not _is_port(values.get("dport", "")):
            return UNREADABLE
        six = values.get("family") in ("AF_INET6", "10")
        from_port, to_port = values["sport"], values["dport"]
        from_host, to_host = (_host(values, side, six) for side in ("saddr", "daddr"))
        old, new = NUMBERED.get(old, old), NUMBERED.get(new, new)
        local, remote = endpoint_text(from_host, from_port), endpoint_text(to_host, to_port)
        endpoint = values.get("skaddr", "")
        if not endpoint or endpoint.strip("0x") == "":
            endpoint = self._sockets.name(number, from_host, local, remote, old, new, from_port == "0")
        return StateRecord(number, time, "tcp", endpoint, local, remote, old, new)


def _told(line: str) -> tuple[int | None, str] | None:
    """The time of a change of state, in nanoseconds, and the values that the line gives."""
    event = _EVENT.search(line)
    if event is not None and event[3] == _NAME:
        seconds, fraction, _, text = event.groups()
        return (int(seconds[:12]) * 1_000_000_000 + int(fraction.ljust(9, "0")) if fraction else None), text
    event = _PERF_TRACE.match(line)
    if event is not None:
        milliseconds, fraction, text = event.groups()
        return int(milliseconds[:15]) * 1_000_000 + int(fraction.ljust(6, "0")), text
    event = _LATENCY.search(line)
    if event is not None and event[2] == _NAME:
        return int(event[1][:18]) * 1_000, event[3]
    event = _BARE.match(line)
    return (None, event[2]) if event is not None and event[1] == _NAME else None


def _is_event(line: str) -> bool:
    return any((_EVENT.search(line), _LATENCY.search(line), _BARE.match(line)))


def _plain(text: str) -> str:
    """A number that is printed as the kernel stored it (ftrace with its option fields), in decimal."""
    return str(int(text, 16)) if re.fullmatch(r"0x[0-9a-f]{1,8}", text) else text


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5


def _host(values: dict[str, str], side: str, six: bool) -> str:
    """The address of one side as printed; ``0`` when the tool printed only where it was stored.

    A number has the octets in the order of the machine: little-endian, as on nearly all that run Linux.
    """
    text = values.get(side + "v6" if six else side, "")
    if "." in text or ":" in text:
        return unmapped(text)
    if "stored" in values and re.fullmatch(r"0x[0-9a-f]{1,8}", text):
        return ".".join(str(octet) for octet in int(text, 16).to_bytes(4, "little"))
    return "0"


class Sockets:
    """Which records belong to one socket, when only addresses are printed.

    A connecting socket is first seen without its own port; the next record of the same address pair that goes on from
    the state it was left in is taken to be the same socket. Equal addresses are told apart by the state they are in.
    """

    def __init__(self) -> None:
        self._live: dict[tuple[str, str], list[list[str]]] = {}  # addresses -> [name, state] of each socket on them
        self._waiting: dict[tuple[str, str], list[list[str]]] = {}  # the same for sockets without a port of their own
        self._count = 0

    def name(self, number: int, host: str, local: str, remote: str, old: str, new: str, no_port: bool) -> str:
        """The socket that this record is about, by a name that is its own as long as it lives."""
        table, key = (self._waiting, (host, remote)) if no_port else (self._live, (local, remote))
        sockets = table.get(key, [])
        # No socket is kept that is closed, and there may be very many that are opening.
        socket = None if _ends(old) else next((one for one in sockets if one[1] == old), None)
        if socket is None and not no_port:
            socket = self._found_its_port(host, local, remote, old)
            sockets = table.get(key, [])
        if socket is None and sockets and not _begins(old):
            socket = sockets[-1]  # a record is missing in between; that is for the checker to judge
        if socket is None:
            name = f"{local} > {remote}"
            if no_port or sockets:
                name += f" (line {number})"
            socket = [name, old]
            table.setdefault(key, []).append(socket)
            sockets = table[key]
            self._count += 1
            if self._count > _SOCKETS_KEPT:
                self._forget()
        socket[1] = new
        if _ends(new):
            sockets.remove(socket)
            self._count -= 1
            if not sockets:
                del table[key]
        return socket[0]

    def _found_its_port(self, host: str, local: str, remote: str, old: str) -> list[str] | None:
        for waiting_host in (host, "0.0.0.0", "::", "0"):
            waiting = self._waiting.get((waiting_host, remote), [])
            for socket in waiting:
                if socket[1] == old:
                    waiting.remove(socket)
                    if not waiting:
                        del self._waiting[waiting_host, remote]
                    self._live.setdefault((local, remote), []).append(socket)
                    return socket
        return None

    def _forget(self) -> None:
        """Sockets whose end was never logged must not fill the memory: drop the older half."""
        for table in (self._live, self._waiting):
            for key in list(table)[: (len(table) + 1) // 2]:
                self._count -= len(table.pop(key))


def _begins(state: str) -> bool:
    return state.upper().removeprefix("TCP_") in ("CLOSE", "LISTEN")


def _ends(state: str) -> bool:
    return state.upper().removeprefix("TCP_") == "CLOSE"
