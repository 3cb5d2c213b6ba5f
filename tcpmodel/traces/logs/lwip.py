"""What lwIP prints with TCP_DEBUG and TCP_INPUT_DEBUG.

Owns: these lines, and which connection a line without ports is about.
Must never hold: which states there are or which follow each other.

lwIP prints ports and no addresses, and the state before and after each segment. So every state is a sample.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpmodel.traces.reader import LineReader
from tcpmodel.traces.records import Record, StateRecord

_PORTS = re.compile(r"\|\s*(\d{1,5})\s*\|\s*(\d{1,5})\s*\|\s*\(src port, dest port\)", re.ASCII)
_ARRIVED = "tcp_input: flags"
_STATE = re.compile(r"\bState: ([A-Z][A-Z0-9_]{3,15})\b")
_LISTED = re.compile(
    r"\bLocal port (\d{1,5})(?:, foreign port (\d{1,5}) snd_nxt \d{1,10} rcv_nxt \d{1,10})?\s+"
    r"State: ([A-Z][A-Z0-9_]{3,15})\b",
    re.ASCII,
)
_TOLD = re.compile(r"\bTCP connection (established|closed: ([A-Z][A-Z0-9_]{3,15})) (\d{1,5}) -> (\d{1,5})\.", re.ASCII)


def recognises(line: str) -> bool:
    """Whether only lwIP prints such a line."""
    return any(form.search(line) is not None for form in (_PORTS, _LISTED, _TOLD)) or line.startswith("State: ")


class LwipTrace(LineReader):
    """One debug output of lwIP. See ``tcpmodel.traces.reader.Trace``."""

    format = "lwip"
    source = "lwip"

    def records(self) -> Iterator[Record]:
        """The states of all connections in order."""
        header: tuple[str, str] | None = None  # ports of the last header that was printed: of the peer, and of this end
        about: tuple[str, str] | None = None  # the same, once it is known that this segment has arrived
        for number, line in self._written():
            ports = _PORTS.search(line)
            if ports is not None:
                header, about = (ports[1], ports[2]), None
                continue
            if _ARRIVED in line:
                about, header = header, None
                continue
            listed = _LISTED.search(line)
            if listed is not None:
                yield self._sample(number, listed[1], listed[2] or "0", listed[3])
                continue
            told = _TOLD.search(line)
            if told is not None:
                state = "ESTABLISHED" if told[2] is None else "CLOSED" if told[2] == "LAST_ACK" else "TIME_WAIT"
                yield self._sample(number, told[4], told[3], state)
                continue
            state_of = _STATE.search(line)
            if state_of is None:
                self._leave_out(number, "not about a state")
            elif about is not None and line.lstrip().startswith("State: "):
                yield self._sample(number, about[1], about[0], state_of[1])
            else:
                self._leave_out(number, "the state of an unknown connection")

    def _sample(self, number: int, local_port: str, remote_port: str, state: str) -> StateRecord:
        local, remote = f"lwip:{local_port}", f"peer:{remote_port}"
        return StateRecord(number, None, "tcp", f"{local} > {remote}", local, remote, "", state)
