"""Scripts of packetdrill: the segments that a script sends to a host and expects from it, and the socket calls there.

Owns: events and their times, which connection a segment belongs to, and from where its numbers count.
Must never hold: the notation of one packet (``packetdrill_packet``), or what a call means to the protocol.

Nothing of a script is ever run: commands, code and includes are counted and passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tcpmodel.traces.printed.packetdrill_packet import Scripted, Token, Wrong, parse_packet, tokens
from tcpmodel.traces.reader import Reader
from tcpmodel.traces.records import ERRORS, FLAG_BITS, Event, Packet, Record, TraceError
from tcpmodel.traces.relative import Relative
from tcpmodel.traces.source import Source

_LONGEST = 1 << 22
_TIME = r"[+*]?(?:\d*\.)?\d*(?:~\+?[\d.]+)?(?:\.\.\.\+?[\d.]+)?"
_PACKET = re.compile(rf"\s*{_TIME}\s*[<>]\s.{{0,200}}?(?:\d+:\d+\(\d+\)|udp \(\d+\)|icmp \w)")
_SOCKET = re.compile(r"\s*\+?[\d.]+\s+socket\s*\(\s*\.\.\.")

_SYN, _ACK, _RST = FLAG_BITS["SYN"], FLAG_BITS["ACK"], FLAG_BITS["RST"]
_MODULUS = 1 << 32
_SENDING = frozenset({"write", "writev", "send", "sendto", "sendmsg", "splice", "sendfile"})
_RECEIVING = frozenset({"read", "readv", "recv", "recvfrom", "recvmsg"})
_FAR = 10**9


def recognises(line: str) -> bool:
    """Whether this is an event of a script."""
    return _PACKET.match(line) is not None or _SOCKET.match(line) is not None


class PacketdrillTrace(Reader):
    """The events of one script. See ``tcpmodel.traces.reader.Trace``.

    The tested host is ``local``, the script ``remote``, with the number of the connection for a port: a script does
    not name them.
    """

    format = "packetdrill script"
    counts_lines = True
    source = "packetdrill"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._fault: tuple[int, str] | None = None

    def records(self) -> Iterator[Record]:
        """All packets and calls in order. What cannot be read is counted, and the first of it named; TraceError if
        nothing else is there, or the script is longer than any."""
        parts = []
        size = 0
        while block := self._source.read():
            size += len(block)
            if size > _LONGEST:
                raise TraceError(self.path, "", f"the script is longer than {_LONGEST} octets")
            parts.append(block)
        text = b"".join(parts).decode("utf-8-sig", "replace").replace("\r\n", "\n")
        reader = _Reader(tokens(text), self._leave_out)
        some = False
        for record in reader.records():
            some = True
            yield record
        if not some:
            line, message = self._fault or (0, "no event is in it")
            raise TraceError(self.path, f"line {line}" if line else "", f"no packet could be read; {message}")

    def _leave_out(self, reason: str, line: int, message: str) -> None:
        if message:
            if self._fault is None:
                self._fault = line, message
            reason = f"{reason} (the first is line {self._fault[0]}: {self._fault[1]})"
        self.skipped.add(reason)


class _Reader:
    """Goes through the tokens of a script."""

    def __init__(self, found: list[Token], leave_out: Callable[[str, int, str], None]) -> None:
        self._tokens = found
        self._at = 0
        self._leave_out = leave_out
        self._now = 0
        self._connections = _Connections()

    def records(self) -> Iterator[Record]:
        while (token := self._peek()) is not None:
            if token.kind in ("command", "code", "option"):
                self._say(token.kind, token.line)
                self._at += 1
                continue
            start = self._at
            try:
                found = self._event(token)
            except Wrong as wrong:
                self._say("what is no event", wrong.line, wrong.message)
                self._at = max(self._at, start + 1)
                self._to_next_line()
                continue
            if found is not None:
                yield found

    def _event(self, first: Token) -> Record | None:
        """One event and, if it is a packet or a call that tells something, its record."""
        time = self._time()
        token = self._peek()
        if token is None:
            raise Wrong(first.line, "the script ends after a time")
        if token.kind in ("command", "code"):
            self._say(token.kind, token.line)
            self._at += 1
            return None
        if token.text in "<>":
            self._at, packet = parse_packet(self._tokens, self._at)
            if isinstance(packet, str):
                self._say(packet, token.line)
                return None
            return self._connections.packet(packet, token.line, time)
        if token.kind == "word":
            return self._call(token, time)
        raise Wrong(token.line, f"{token.text!r} is neither a packet nor a call")

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _say(self, reason: str, line: int, message: str = "") -> None:
        self._leave_out(reason, line, message)

    def _to_next_line(self) -> None:
        """On to the next line that begins with a time."""
        while (token := self._peek()) is not None:
            if token.first and (token.text in ("+", "*") or token.kind in ("int", "float", "command", "code")):
                return
            self._at += 1

    # -------------------------------------------------------------------------------------------------------- times

    def _time(self) -> int | None:
        """The time of an event in nanoseconds: the beginning of a range, None for any time."""
        token = self._tokens[self._at]
        found: int | None
        if token.text == "*":
            self._at += 1
            found = None
        else:
            found = self._now = self._moment()
        for mark in ("~", "..."):
            after = self._peek()
            if after is not None and after.text == mark:
                self._at += 1
                kept = self._now
                self._moment()
                self._now = kept
        return found

    def _moment(self) -> int:
        token = self._peek()
        base = 0
        if token is not None and token.text == "+":
            base = self._now
            self._at += 1
            token = self._peek()
        if token is None or token.kind not in ("int", "float") or len(token.text) > 18:
            line = token.line if token is not None else self._tokens[-1].line
            shown = repr(token.text) if token is not None else "the end of the script"
            raise Wrong(line, f"{shown} stands where a time should")
        self._at += 1
        whole, _, fraction = token.text.partition(".")
        seconds = int(whole) if whole not in ("", "-") else 0
        if abs(seconds) > _FAR:
            raise Wrong(token.line, f"{token.text} seconds are too many")
        return base + seconds * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))

    # -------------------------------------------------------------------------------------------------------- calls

    def _call(self, name: Token, time: int | None) -> Event | None:
        """A socket call: its name, what stands in its brackets, and what it gives back."""
        self._at += 1
        arguments = self._brackets("(", name)
        token = self._peek()
        if token is None or token.text != "=":
            raise Wrong(name.line, f"{name.text}() gives nothing back; a call is written as `name(...) = result`")
        self._at += 1
        result, error = self._result(name)
        return self._connections.call(name.text, arguments, result, error, name.line, time)

    def _brackets(self, opening: str, name: Token) -> list[list[Token]]:
        """The tokens between brackets, cut at the commas of the outermost level."""
        token = self._peek()
        if token is None or token.text != opening:
            raise Wrong(name.line, f"{name.text!r} is neither a packet nor a call")
        depth = 0
        parts: list[list[Token]] = [[]]
        while (token := self._peek()) is not None:
            self._at += 1
            if token.text in ("(", "[", "{") and token.kind == "char":
                depth += 1
                if depth == 1:
                    continue
            elif token.text in (")", "]", "}") and token.kind == "char":
                depth -= 1
                if depth == 0:
                    return parts
            if depth == 1 and token.text == ",":
                parts.append([])
            else:
                parts[-1].append(token)
        raise Wrong(name.line, f"the brackets of {name.text!r} are not closed")

    def _result(self, name: Token) -> tuple[int | None, str]:
        """What a call gives back, and the name of the error if it fails."""
        token = self._peek()
        if token is None:
            raise Wrong(name.line, f"{name.text}() gives nothing back")
        result: int | None = None
        if token.kind == "char" and token.text in "[{":
            self._brackets(token.text, name)
        else:
            self._at += 1
            if token.kind == "int" and len(token.text) < 20:
                result = int(token.text)
        error = ""
        while (token := self._peek()) is not None and not token.first:
            if token.kind == "word" and not error:
                error = token.text
                self._at += 1
            elif token.text == "(":
                self._brackets("(", name)
            elif token.text == "|":
                self._at += 2
            else:
                break
        return result, error


class _Connections:
    """Which connection each segment and call belongs to, and from where the numbers of its ends count."""

    def __init__(self) -> None:
        self._number = 1
        self._used = False
        self._another = False
        self._begins: dict[str, int] = {}
        self._descriptors: dict[int, int] = {}
        self._others: set[int] = set()  # descriptors of sockets that are not of TCP
        self._relative = Relative()

    def packet(self, packet: Scripted, line: int, time: int | None) -> Packet:
        """The record of a packet."""
        opens = packet.protocol == "udp" or packet.flags & (_SYN | _ACK) == _SYN
        if self._another and self._used and opens:
            self._number += 1
            self._begins = {}
        self._another = self._another and self._used and not opens
        self._used = True
        local, remote = self._ends(packet.ports if not packet.inward else packet.ports[::-1])
        source, destination = (remote, local) if packet.inward else (local, remote)
        fields = dict(packet.fields)
        if packet.protocol == ERRORS:
            # What an ICMP message quotes went the other way.
            return Packet(line, time, ERRORS, destination, source, 0, fields, local)
        if packet.protocol == "udp":
            return Packet(line, time, "udp", source, destination, 0, fields, local)
        flags = packet.flags
        seq, ack = fields.pop("seq", None), fields.pop("ack", None)
        if flags & _SYN and seq is not None:
            # Segments with SYN bear numbers of their own, all others count from the first of their direction.
            first = self._begins.setdefault(source, seq)
            seq = (seq - first) % _MODULUS
            if ack is not None:
                ack = (ack - self._begins.get(destination, 0)) % _MODULUS
        # Only a reset of an end that never sent a SYN may bear a number of no sequence.
        plain = flags & ~_RST if source in self._begins else flags
        seq, ack = self._relative.believed(source, destination, plain, seq, ack, relative=True)
        numbers = {"seq": seq, "ack": ack if flags & _ACK else None}
        known = {key: value for key, value in numbers.items() if value is not None}
        return Packet(line, time, "tcp", source, destination, flags, known | fields, local)

    def _ends(self, ports: tuple[int, int]) -> tuple[str, str]:
        own, other = ports
        return f"local:{own or 'port'}", f"remote:{other or self._number}"

    def call(
        self, name: str, arguments: list[list[Token]], result: int | None, error: str, line: int, time: int | None
    ) -> Event | None:
        """What a call tells of a connection; None if that is nothing."""
        first = arguments[0][0] if arguments and arguments[0] else None
        descriptor = int(first.text) if first is not None and first.kind == "int" and len(first.text) < 9 else None
        words = {token.text for argument in arguments for token in argument}
        if name == "socket" and result is not None:
            (self._others.discard if "SOCK_STREAM" in words else self._others.add)(result)
        if descriptor in self._others:
            return None
        if name in ("socket", "listen") or (name == "connect" and "AF_UNSPEC" in words):
            self._another = True
        if name == "accept" and result is not None and result >= 0:
            descriptor = result
            self._descriptors[result] = self._number
        if name == "connect" and descriptor is not None and "AF_UNSPEC" not in words:
            self._descriptors[descriptor] = self._number + (1 if self._another and self._used else 0)
        if "MSG_FASTOPEN" in words and descriptor is not None and descriptor not in self._descriptors:
            self._descriptors[descriptor] = self._number + (1 if self._another and self._used else 0)
        owner = self._descriptors.get(descriptor) if descriptor is not None else None
        word = _word(name, words, result, error)
        if owner is None or not word:
            return None
        if name == "close" and descriptor is not None:
            del self._descriptors[descriptor]
        values: dict[str, int | str] = {"fd": descriptor or 0}
        if result is not None:
            values["result"] = result
        if error:
            values["error"] = error[:40]
        local, remote = "local:port", f"remote:{owner}"
        return Event(line, time, "tcp", f"{local} > {remote}", local, remote, "call", word, values)


def _word(name: str, words: set[str], result: int | None, error: str) -> str:
    """The name of what was done; "" for a call that did nothing to the connection."""
    if name == "connect":
        if "AF_UNSPEC" in words:
            return "disconnect"
        return "connect" if error == "EINPROGRESS" or result == 0 else ""
    if result is None or result < 0:
        return ""
    if name in _SENDING:
        return "send" if "MSG_FASTOPEN" not in words else "connect"
    if name in _RECEIVING:
        return "recv" if result else "recv 0"
    if name == "shutdown":
        return f"shutdown {next((word for word in words if word.startswith('SHUT_')), '')}".strip()
    return name if name in ("close", "accept") else ""
