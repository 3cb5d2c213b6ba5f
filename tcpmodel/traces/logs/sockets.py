"""Sockets of processes: which descriptor stands for which socket, across copies, threads and forks.

Owns: following descriptors, and the addresses of sockets as calls tell them.
Must never hold: how a log of calls is written, or what a call means for a protocol.
"""

from __future__ import annotations

import re

from tcpmodel.traces.addresses import endpoint_text, unmapped

MOST_SOCKETS = 1 << 16
"""So many descriptors and processes are remembered; beyond, all are forgotten, and begin anew when seen again."""

_PORT = re.compile(r"sin6?_port=htons\((\d{1,5})\)", re.ASCII)
_HOST = re.compile(r'(?:inet_addr\(|inet_pton\(AF_INET6, |sin6_addr=inet_pton\(AF_INET6, )"([0-9A-Fa-f.:]{2,45})"')
_KINDS = {"TCP": "tcp", "TCPv6": "tcp", "UDP": "udp", "UDPv6": "udp"}
_PAIR = re.compile(r"([^\s>]{1,64}:\d{1,5})(?:->([^\s>]{1,64}:\d{1,5}))?$", re.ASCII)


def address_of(arguments: str) -> str:
    """The address in a ``sockaddr`` as strace prints it; "" if there is none."""
    port, host = _PORT.search(arguments), _HOST.search(arguments)
    return endpoint_text(unmapped(host[1]), port[1]) if port and host else ""


class Socket:
    """One socket. ``local``, ``remote``: "" until they are known.

    ``asked``: a connection was asked for; ``connected``: and the log says that it was made; ``failed``: or that it
    could not be; ``aborts``: closing it resets the
    connection; ``shut``: it was told to receive nothing more. ``holders``: how many descriptors stand for it.
    """

    def __init__(self, protocol: str, name: str) -> None:
        self.protocol = protocol
        self.name = name
        self._first = name
        self.local = ""
        self.remote = ""
        self.asked = False
        self.connected = False
        self.failed = False
        self.aborts = False
        self.shut = False
        self.holders = 0
        self.marks: list[str] = []

    def begin_again(self, number: int) -> None:
        """The socket is asked for another connection, in line ``number``: it is another endpoint from now on."""
        self.name = f"{self._first}, again in line {number}"
        self.asked = self.connected = self.failed = False
        if self.local.endswith(":0"):
            self.local = ""

    def know(self, mark: str) -> None:
        """Take over what the mark of a descriptor tells (``10.0.0.1:80->10.0.0.2:5000``)."""
        pair = _PAIR.match(mark)
        if pair is not None:
            self.local = _plain(pair[1])
            if pair[2]:
                self.remote = _plain(pair[2])


class Processes:
    """The tables of descriptors of all processes in a log."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[int, Socket]] = {}
        self._by_mark: dict[str, Socket] = {}
        self._count = 0

    def _table(self, process: str) -> dict[int, Socket]:
        table = self._tables.get(process)
        if table is None:
            self._make_room(0)
            # On a terminal, strace names the process only while there are several: the first one had no name before.
            table = self._tables[process] = self._tables.get("", {})
        return table

    def _make_room(self, descriptors: int) -> None:
        """For so many more descriptors, and another process."""
        if self._count + descriptors > MOST_SOCKETS or len(self._tables) >= MOST_SOCKETS:
            self._tables.clear()
            self._by_mark.clear()
            self._count = 0

    def socket(self, process: str, descriptor: int, kind: str = "", mark: str = "", number: int = 0) -> Socket | None:
        """The socket of a descriptor; None for files and the like. ``kind`` and ``mark``: what strace prints of it."""
        table = self._table(process)
        socket = table.get(descriptor)
        if kind and kind not in _KINDS and kind != "socket":
            if socket is not None:
                self.closed(process, descriptor)
            return None
        if kind in _KINDS:
            known = self._by_mark.get(mark)
            if socket is None or (known is not None and known is not socket):
                if known is None:
                    socket = self.opened(process, descriptor, _KINDS[kind], mark, number)
                else:
                    socket = known
                    self._hold(table, descriptor, known)
            if mark not in socket.marks:
                if len(socket.marks) < 4:
                    socket.marks.append(mark)
                    if not (_PAIR.match(mark) and "->" not in mark):
                        self._by_mark[mark] = socket
                socket.know(mark)
        return socket

    def opened(self, process: str, descriptor: int, protocol: str, mark: str, number: int) -> Socket:
        """A new socket, made in line ``number``."""
        self._make_room(1)
        whose = f" of {process}" if process else ""
        socket = Socket(protocol, f"descriptor {descriptor}{whose}, line {number}")
        self._hold(self._table(process), descriptor, socket)
        if mark:
            socket.marks.append(mark)
            if not (_PAIR.match(mark) and "->" not in mark):
                self._by_mark[mark] = socket
            socket.know(mark)
        return socket

    def _hold(self, table: dict[int, Socket], descriptor: int, socket: Socket) -> None:
        before = table.get(descriptor)
        if before is not socket:
            if before is not None:
                self._let_go(before)
            table[descriptor] = socket
            socket.holders += 1
            self._count += 1

    def _let_go(self, socket: Socket) -> bool:
        """One descriptor less; whether it was the last."""
        socket.holders -= 1
        self._count -= 1
        if socket.holders > 0:
            return False
        for mark in socket.marks:
            if self._by_mark.get(mark) is socket:
                del self._by_mark[mark]
        return True

    def closed(self, process: str, descriptor: int) -> bool:
        """A descriptor was closed; whether that was the last one of its socket, as far as is known."""
        socket = self._table(process).pop(descriptor, None)
        return socket is not None and self._let_go(socket)

    def copied(self, process: str, descriptor: int, copy: int) -> None:
        """``copy`` now stands for the same socket as ``descriptor``."""
        table = self._table(process)
        socket = table.get(descriptor)
        if socket is not None:
            self._hold(table, copy, socket)

    def forked(self, process: str, child: str, *, shared: bool) -> None:
        """A new process; ``shared``: it is a thread, with the same descriptors, and not with copies of them."""
        table = self._table(process)
        if not shared and self._tables.get(child):
            return
        self._make_room(0 if shared else len(table))
        if self._tables.get(process) is not table:
            return  # all was forgotten
        if shared:
            self._tables[child] = table
            return
        copies: dict[int, Socket] = {}
        for descriptor, socket in table.items():
            self._hold(copies, descriptor, socket)
        self._tables[child] = copies

    def ended(self, process: str) -> list[Socket]:
        """A process is over: the sockets whose last descriptors it had."""
        table = self._tables.pop(process, {})
        if any(table is other for other in self._tables.values()):
            return []
        return [socket for socket in table.values() if self._let_go(socket)]


def _plain(address: str) -> str:
    """An address in the spelling of the project."""
    host, _, port = address.rpartition(":")
    return endpoint_text(unmapped(host.strip("[]")), port)
