"""Tables that tshark -T fields writes: from rows to packets.

Owns: the heading, separators, quotes and several values in one column.
Must never hold: what a field is called or says (``tshark_packet``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcpmodel.traces.printed.tshark_packet import COMMAND, NO_ENDS, Packets
from tcpmodel.traces.reader import OTHER_COLUMNS, LineReader
from tcpmodel.traces.records import Packet, Record, TraceError
from tcpmodel.traces.source import Source

_LONGEST_ROW = 1 << 16
_NAME = r"[A-Za-z_][\w-]*(?:\.[\w-]+)+"
_HEADING = re.compile(
    rf"(?P<quote>[\"']?){_NAME}(?P=quote)(?:(?P<sep>[^\w.\"'-])(?P=quote){_NAME}(?P=quote)(?:(?P=sep)|$))?"
)
_KNOWN = re.compile(r"(?:frame|eth|ip|ipv6|tcp|udp)\.[a-z]")
_ADDRESS = re.compile(r"[\t,|;\"' ](\d{1,3}\.){3}\d{1,3}[\t,|;\"' ]")
_FIRST_CELL = re.compile(r"[\"']?\d+(\.\d+)?[\"']?[\t,|;]")


def recognises(line: str) -> bool:
    """Whether this is a heading of such a table."""
    found = _HEADING.match(line)
    if found is None or not _KNOWN.match(line.lstrip("\"'")):
        return False
    return found["sep"] is not None or found.end() == len(line)


def seems_bare(line: str) -> bool:
    """Whether this looks like a row of a table that has no heading, so that nobody knows what its columns are."""
    return _FIRST_CELL.match(line) is not None and _ADDRESS.search(line) is not None


def bare(path: str) -> TraceError:
    """What is said about a table without a heading."""
    message = "this looks like a table without names of its columns; from tshark, write it with a heading: " + COMMAND
    return TraceError(path, "line 1", message)


class FieldsTrace(LineReader):
    """One table of tshark. See ``tcpmodel.traces.reader.Trace``.

    Packets bear the numbers of frames if the table shows them, otherwise those of lines.
    """

    format = "tshark fields"
    longest = _LONGEST_ROW

    def __init__(self, source: Source, heading: str) -> None:
        """``heading``: the first line that is not blank, which ``source`` will give again."""
        super().__init__(source)
        found = _HEADING.match(heading)
        self._separator = (found["sep"] if found is not None else None) or "\t"
        self._names = [name.strip("\"'").replace(".", "_").lower() for name in heading.split(self._separator)]
        self.counts_lines = "frame_number" not in self._names

    def records(self) -> Iterator[Record]:
        """All TCP and UDP packets in order; TraceError if the columns cannot tell between whom they went."""
        packets = Packets()
        begun = False
        for number, line in self._written():
            if not begun:
                begun = True
                self._check(number)
                continue
            cells = self._cells(line)
            if len(cells) != len(self._names):
                self._leave_out(number, OTHER_COLUMNS)
                continue
            values = {name: cell.split(",") for name, cell in zip(self._names, cells, strict=True) if cell}
            found = packets.packet(values, number)
            if isinstance(found, Packet):
                yield found
            else:
                self._leave_out(number, found)

    def _check(self, number: int) -> None:
        names = set(self._names)
        ends = any({f"{ip}_src", f"{ip}_dst"} <= names for ip in ("ip", "ipv6"))
        if not ends or not any({f"{name}_srcport", f"{name}_dstport"} <= names for name in ("tcp", "udp")):
            raise TraceError(self.path, f"line {number}", f"{NO_ENDS} by this table; write it with {COMMAND}")

    def _cells(self, line: str) -> list[str]:
        """The cells of a row, their quotes taken off."""
        quote = next((cell[0] for cell in line.split(self._separator) if cell[:1] in ('"', "'")), "")
        if not quote:
            return line.split(self._separator)
        cells: list[str] = []
        at = 0
        while at <= len(line):
            if line[at : at + 1] == quote:
                end = line.find(quote + self._separator, at + 1)
                if end < 0:
                    end = len(line) - 1 if line.endswith(quote) and len(line) > at + 1 else len(line)
                cells.append(line[at + 1 : end])
                at = end + 2
            else:
                end = line.find(self._separator, at)
                end = len(line) if end < 0 else end
                cells.append(line[at:end])
                at = end + 1
        return cells
