"""Tables of tcplife (bcc, libbpf-tools, bpftrace): one line for each connection, written when it is over.

Owns: the columns of these tables, with any options, and as comma-separated values.
Must never hold: what the end of a connection means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.reader import NOT_A_ROW, LineReader
from tcpmodel.traces.records import Record, StateRecord

_HEADING = re.compile(r"(?=.*\bLADDR\b)(?=.*\bRADDR\b)(?=.*\bTX_KB\b)(?=.*\bMS\b)")
_ROW = re.compile(
    r"([0-9A-Fa-f.:]{2,45})[\s,]+(\d{1,5})[\s,]+([0-9A-Fa-f.:]{2,45})[\s,]+(\d{1,5})"
    r"[\s,]+\d{1,15}(?:\.\d+)?[\s,]+\d{1,15}(?:\.\d+)?[\s,]+\d{1,15}(?:\.\d+)?\s*$",
    re.ASCII,
)


def recognises(line: str) -> bool:
    """Whether this is the heading of a table of tcplife."""
    return _HEADING.match(line) is not None


class TcplifeTrace(LineReader):
    """One output of tcplife. See ``tcpmodel.traces.reader.Trace``.

    Each row gives one record: the socket was closed. How much it carried, and for how long, is not kept.
    """

    format = "tcplife"
    source = "tcplife"

    def records(self) -> Iterator[Record]:
        """The end of each connection, in order."""
        for number, line in self._written():
            if recognises(line):
                continue
            found = _ROW.search(line)
            if found is None:
                self._leave_out(number, NOT_A_ROW)
                continue
            local = endpoint_text(unmapped(found[1]), found[2])
            remote = endpoint_text(unmapped(found[3]), found[4])
            yield StateRecord(number, None, "tcp", f"{local} > {remote}", local, remote, "", "CLOSE")
