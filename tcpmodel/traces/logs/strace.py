"""Socket calls in text of strace: ``-f``, ``-t``, ``-tt``, ``-ttt``, ``-r``, ``-T``, ``-y``, ``-yy``, with or without.

Owns: the lines of strace, and which calls belong to one socket through descriptors, copies of them, and processes.
Must never hold: what a call means for a protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tcpmodel.traces.logs.named_groups import Clock
from tcpmodel.traces.logs.sockets import Processes, Socket, address_of
from tcpmodel.traces.reader import Damaged, LineReader
from tcpmodel.traces.records import DOUBTFUL, Event, Record
from tcpmodel.traces.source import Source

_LONGEST_LINE = 1 << 18
_MOST_PENDING = 1 << 16

_START = re.compile(
    r"\s*(?:\[pid\s+(\d{1,10})\]\s+|(\d{1,10})\s+)?(?:(\d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{1,12}\.\d{1,9})\s+)?"
    r"(?:\[[ 0-9a-f]{2,24}\]\s+){0,2}(?=[a-z<+-])",
    re.ASCII,
)
_CALL = re.compile(r"([a-z_][a-z0-9_]{1,30})\(", re.ASCII)
_RESUMED = re.compile(r"<\.\.\. ([a-z_][a-z0-9_]{1,30}) resumed>\s?", re.ASCII)
_UNFINISHED = re.compile(r"\s*<unfinished \.\.\.>\s*$")
_RESULT = re.compile(r"\)\s+= (-?\d{1,20}|\?|0x[0-9a-f]{1,16})((?=[<\s(]|$).*)$", re.ASCII)
_ERROR = re.compile(r"\s+(E[A-Z0-9]{2,20})\b")
_TOOK = re.compile(r"<(\d{1,9}\.\d{1,9})>\s*$", re.ASCII)
_DESCRIPTOR = re.compile(r"(\d{1,10})(?:<([A-Za-z0-9-]{1,20}):\[(.{0,200}?)\]>)?", re.ASCII)
_FOREIGN = Damaged("not a line of strace")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?')
_ROOM = re.compile(r"iov_len=(\d{1,12})")
_NUMBER = re.compile(r'(?:\b0x[0-9a-f]+|"[^"]*") /\* (.{1,60}?) \*/', re.ASCII)
"""With ``-X verbose`` the names stand behind the numbers, as comments."""
_SO_ERROR = re.compile(r"SOL_SOCKET, SO_ERROR, \[(E[A-Z0-9]+)\]")

_SENDS = frozenset({"write", "send", "sendto", "sendmsg", "writev", "sendfile", "sendfile64"})
_RECEIVES = frozenset({"read", "recv", "recvfrom", "recvmsg", "readv"})
_COPIES = frozenset({"dup", "dup2", "dup3"})
_FORKS = frozenset({"fork", "vfork", "clone", "clone2", "clone3"})
_FILES = frozenset({"write", "writev", "sendfile", "sendfile64", "read", "readv"})
"""Calls that may as well be about a file: of these a descriptor proves little in a log that does not show all ends."""
_OURS = frozenset(
    {
        *("socket", "bind", "listen", "accept", "accept4", "connect", "shutdown", "close", "fcntl", "fcntl64"),
        *("getsockname", "getpeername", "setsockopt", "getsockopt", "exit_group"),
        *_SENDS,
        *_RECEIVES,
        *_COPIES,
        *_FORKS,
    }
)
_TELLING = frozenset(
    {"ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EINPROGRESS"}
)
"""Errors that tell of the other end or of the way to it. Any other call that failed did nothing."""


def recognises(line: str) -> bool:
    """Whether this is a line about a call on a socket, or one that only strace writes."""
    start = _START.match(line)
    rest = line[start.end() :] if start else line
    if rest.startswith("+++ exited with ") or _RESUMED.match(rest):
        return True
    call = _CALL.match(rest)
    if call is None:
        return False
    return _RESULT.search(rest) is not None or _UNFINISHED.search(rest) is not None


class _Call(NamedTuple):
    """A call that returned: when (ns), or when it began if that is all that is told; its result, the name of the error
    or "", and what stands behind the result."""

    process: str
    time: int | None
    name: str
    arguments: str
    value: int
    error: str
    after: str


class StraceTrace(LineReader):
    """The calls on TCP and UDP sockets in one output of strace. See ``tcpmodel.traces.reader.Trace``.

    Each gives an event of kind ``call``: its name is that of the family (``send`` for ``write`` and ``sendmsg``), with
    what else matters behind it: ``recv 0``, ``send EPIPE``, ``shutdown SHUT_WR``. A connection that was made is told by
    an event of its own, ``connected``, behind that of the call.
    """

    format = "strace"
    longest = _LONGEST_LINE
    source = "socket-calls"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._clock = Clock()
        self._elapsed = 0
        self._processes = Processes()
        self._pending: dict[str, tuple[str, int | None]] = {}
        self._number = 0
        self._closes = False
        self._doubt = False

    def records(self) -> Iterator[Record]:
        """All calls on sockets, in the order in which they returned."""
        for number, line in self._written():
            self._number = number
            start = _START.match(line)
            if start is None:
                self._leave_out(number, _FOREIGN)
                continue
            process = start[1] or start[2] or ""
            time = self._time(start[3])
            rest = line[start.end() :]
            if rest.startswith("+++ "):
                for socket in self._processes.ended(process):
                    yield self._event(socket, time, "close", {})
                continue
            if rest.startswith("--- "):
                continue
            whole = self._whole(process, rest, time)
            if whole is None:
                continue
            text, began = whole
            call = _CALL.match(text)
            self._doubt = text is not rest
            if call is None:
                self._leave_out(number, _FOREIGN)
            elif call[1] not in _OURS:
                self._leave_out(number, "another call")
            else:
                found = False
                for event in self._call(process, began, call[1], text[call.end() :]):
                    found = True
                    yield event
                if not found:
                    self._leave_out(number, "a call that tells nothing of a TCP or UDP socket")

    def _time(self, text: str | None) -> int | None:
        if text is None:
            return None
        time = self._clock.read(text)
        if time is not None and ":" not in text and time < 10**17:
            self._elapsed += time  # of -r: since the line before
            return self._elapsed
        return time

    def _whole(self, process: str, rest: str, time: int | None) -> tuple[str, int | None] | None:
        """The text of a call and when it began, once it has returned."""
        resumed = _RESUMED.match(rest)
        if resumed is not None:
            begun = self._pending.pop(process, None) or self._pending.pop("", None)
            if begun is None or not begun[0].startswith(f"{resumed[1]}("):
                self._leave_out(self._number, "the end of a call whose beginning is not there")
                return None
            return begun[0] + rest[resumed.end() :], begun[1]
        unfinished = _UNFINISHED.search(rest)
        if unfinished is None:
            return rest, time
        if len(self._pending) < _MOST_PENDING:
            self._pending[process] = (rest[: unfinished.start()], time)
        return None

    # -------------------------------------------------------------------------------------------------------- calls

    def _call(self, process: str, time: int | None, name: str, rest: str) -> Iterator[Event]:
        call = _returned(process, time, name, rest)
        if call is None or name == "exit_group":
            return
        if name in _FORKS:
            if call.value > 0:
                shared = "CLONE_FILES" in call.arguments or "CLONE_THREAD" in call.arguments
                self._processes.forked(process, str(call.value), shared=shared)
            return
        if name == "socket":
            if call.value >= 0 and not call.error:
                self._made(call)
                socket = self._processes.socket(process, call.value)
                if socket is not None:
                    yield self._event(socket, call.time, "socket", {})
            return
        self._closes = self._closes or name == "close"
        one = _DESCRIPTOR.match(call.arguments)
        if one is None:
            return
        if name in _FILES and not one[2] and not self._closes:
            self._doubt = True
        descriptor = int(one[1])
        socket = self._processes.socket(process, descriptor, one[2] or "", one[3] or "", self._number)
        if socket is None or (call.error and name not in ("connect", "close") and call.error not in _TELLING):
            return
        yield from self._on_socket(call._replace(arguments=call.arguments[one.end() :]), socket, descriptor)

    def _made(self, call: _Call) -> None:
        process, descriptor, arguments = call.process, call.value, call.arguments
        kind = "tcp" if "SOCK_STREAM" in arguments else "udp" if "SOCK_DGRAM" in arguments else ""
        if not arguments.startswith(("AF_INET", "PF_INET")) or not kind or "SCTP" in arguments or "ICMP" in arguments:
            self._processes.closed(process, descriptor)
            return
        mark = _DESCRIPTOR.match(f"{descriptor}{call.after}")
        self._processes.opened(process, descriptor, kind, (mark[3] if mark else "") or "", self._number)

    def _on_socket(self, call: _Call, socket: Socket, descriptor: int) -> Iterator[Event]:
        process, time, name, arguments, value, error, _ = call
        if name == "close":
            if self._processes.closed(process, descriptor) and not error:
                yield self._event(socket, time, "close abort" if socket.aborts else "close", {})
        elif name in _COPIES or (name.startswith("fcntl") and "F_DUPFD" in arguments):
            if value >= 0:
                self._processes.copied(process, descriptor, value)
        elif name == "bind":
            if not error:
                socket.local = address_of(arguments) or socket.local
            yield self._event(socket, time, _with(name, error), {})
        elif name == "listen":
            yield self._event(socket, time, _with(name, error), {})
        elif name in ("accept", "accept4"):
            if not error:
                yield self._accepted(call, socket)
        elif name == "connect":
            yield from self._connect(call, socket)
        elif name in ("getsockname", "getpeername"):
            told = "" if error else address_of(arguments)
            if told and name == "getsockname":
                socket.local = told
            elif told:
                socket.remote = told
        elif name == "setsockopt":
            if "SO_LINGER" in arguments and not error:
                socket.aborts = "l_onoff=0" not in arguments and "l_linger=0}" in arguments
        elif name == "getsockopt":
            told_error = _SO_ERROR.search(arguments)
            if told_error is not None:
                yield self._event(socket, time, f"error {told_error[1]}", {})
        elif name == "shutdown":
            how = next((how for how in ("SHUT_RDWR", "SHUT_WR", "SHUT_RD") if how in arguments), "")
            if not error and how in ("SHUT_RD", "SHUT_RDWR"):
                socket.shut = True
            yield self._event(socket, time, _with(f"shutdown {how}".rstrip(), error), {})
        elif name in _SENDS:
            yield from self._sent(call, socket)
        elif name in _RECEIVES:
            yield from self._received(call, socket)

    def _accepted(self, call: _Call, listener: Socket) -> Event:
        mark = _DESCRIPTOR.match(f"{call.value}{call.after}")
        new = self._processes.opened(call.process, call.value, "tcp", (mark[3] if mark else "") or "", self._number)
        new.remote = new.remote or address_of(call.arguments)
        new.local = new.local or listener.local
        # Without -T, the time is that at which the call began to wait.
        return self._event(new, call.time if _TOOK.search(call.after) else None, "accept", {})

    def _connect(self, call: _Call, socket: Socket) -> Iterator[Event]:
        time, arguments, error = call.time, call.arguments, call.error
        peer = address_of(arguments)
        if socket.protocol == "tcp" and "AF_UNSPEC" in arguments:
            if not error:
                socket.begin_again(self._number)
            return
        if error == "EISCONN" and not socket.asked:
            return  # it listens, or was connected by somebody else
        if socket.protocol == "udp":
            socket.remote = peer
            yield self._event(socket, time, _with("connect" if peer else "disconnect", error), {})
            return
        if not socket.asked:
            if socket.failed:
                socket.begin_again(self._number)
            socket.asked = True
            socket.remote = peer or socket.remote
            yield self._event(socket, time, "connect", {})
        if error == "EISCONN" and socket.connected:
            return
        if not error or error == "EISCONN":
            socket.connected = True
            yield self._event(socket, time, "connected", {})
        else:
            socket.failed = error not in ("EINPROGRESS", "EALREADY", "EINTR")
            socket.asked = not socket.failed
            if error in _TELLING:
                yield self._event(socket, time, f"connect {error}", {})

    def _sent(self, call: _Call, socket: Socket) -> Iterator[Event]:
        time, arguments, value, error = call.time, call.arguments, call.value, call.error
        peer = address_of(arguments)
        if socket.protocol == "tcp" and "MSG_FASTOPEN" in arguments and not socket.asked:
            socket.asked = True
            socket.remote = peer or socket.remote
            yield self._event(socket, time, "connect", {})
        name = "sendto" if socket.protocol == "udp" and peer else "send"
        if value == 0 and socket.protocol == "tcp":
            return
        yield self._event(socket, time, _with(name, error), {} if error else {"length": value})

    def _received(self, call: _Call, socket: Socket) -> Iterator[Event]:
        time, arguments, value, error = call.time, call.arguments, call.value, call.error
        if "MSG_PEEK" in arguments or "MSG_ERRQUEUE" in arguments or "MSG_OOB" in arguments:
            return
        if value == 0 and socket.protocol == "tcp":
            if not socket.shut and _room(arguments) > 0:
                yield self._event(socket, time, "recv 0", {"length": 0})
            return
        yield self._event(socket, time, _with("recv", error), {} if error else {"length": value})

    def _event(self, socket: Socket, time: int | None, name: str, values: dict[str, int | str]) -> Event:
        local, remote = socket.local or "0.0.0.0:0", socket.remote or "0.0.0.0:0"
        if self._doubt:
            values = {**values, DOUBTFUL: 1}
        return Event(self._number, time, socket.protocol, socket.name, local, remote, "call", name, values)


def _returned(process: str, time: int | None, name: str, rest: str) -> _Call | None:
    """A call whose name ``rest`` stands behind; None if it did not return."""
    result = _RESULT.search(rest)
    if result is None or result[1] == "?":
        return None
    arguments, value, after = rest[: result.start()], _whole_number(result[1]), result[2]
    if " /* " in arguments:
        arguments = _NUMBER.sub(r"\1", arguments)
    found = _ERROR.match(after)
    error = found[1] if found is not None and value < 0 else ""
    took = _TOOK.search(after)
    if took is not None and time is not None:
        time += round(float(took[1]) * 1_000_000_000)
    return _Call(process, time, name, arguments, value, error, after)


def _with(name: str, error: str) -> str:
    return f"{name} {error}" if error else name


def _whole_number(text: str) -> int:
    return int(text, 16 if text.startswith("0x") else 10)


def _room(arguments: str) -> int:
    """How many octets a call has room for; 0 if that is not told."""
    vectors = _ROOM.findall(arguments)
    if vectors:
        return sum(int(one) for one in vectors)
    parts = _TEXT.sub('""', arguments).split(", ")
    return int(parts[2]) if len(parts) > 2 and parts[2].isdecimal() and len(parts[2]) < 20 else 0
