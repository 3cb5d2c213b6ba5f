"""What the traces and the readers of all formats have in common.

Owns: what a trace tells of itself, where a reader gets its octets or lines from, and the count of what it left out.
Must never hold: anything of a format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from tcpmodel.traces.circumstances import Circumstances
from tcpmodel.traces.lines import LONGEST, numbered_lines
from tcpmodel.traces.records import Record, Skipped, Take
from tcpmodel.traces.source import Source


class Trace:
    """An opened trace. ``records`` may raise TraceError after it has yielded what was readable before.

    ``path`` as given (``-`` for standard input); ``format`` such as ``pcap``, ``pcapng``, ``tcpdump text``,
    ``ftrace``; ``counts_lines`` tells whether numbers are lines (a log) or frames (a capture); ``source`` names the
    observation source of state records (``linux-states``), or is "" for packets. These fill as records are read:
    ``skipped``; ``circumstances``, where the form of the trace tells any; and ``translated``: for the two addresses
    behind a translation, those before it. ``following``: once all records have been read, another trace that stands
    behind this one in the same input.
    """

    path: str
    format = ""
    counts_lines = False
    source = ""
    skipped: Skipped
    circumstances: Circumstances | None = None
    translated: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType({})
    following: Trace | None = None
    offer: Callable[[Take], None] | None = None
    """Has a function look at the packets before they are read; it leaves those that it does not take."""

    def records(self) -> Iterator[Record]:
        """All records in order, once; TraceError, after what was readable, where the input is cut or damaged."""
        raise NotImplementedError


class Reader(Trace):
    """Base of all readers. A format says what a ``Trace`` says of itself, and gives ``records``.

    A reader is made of a source whose first octets have told its format and are still unread. It reads it once, from
    the beginning to the end, and asks for no more than the next record needs: a source that grows gives no more.
    """

    def __init__(self, source: Source) -> None:
        self.path = source.path
        self.skipped = Skipped()
        self._source = source


class Damaged(str):
    """Why a line says nothing though it should: the first one that is left out for this reason is named."""

    __slots__ = ()


UNREADABLE = Damaged("unreadable line")
NOT_A_ROW = Damaged("not a row of a table")
OTHER_COLUMNS = Damaged("row with another number of columns than the heading")


class LineReader(Reader):
    """Base of readers of text in which each line says something of its own. ``longest``: octets kept of a line."""

    counts_lines = True
    longest = LONGEST

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._named: dict[str, str] = {}

    def _numbered(self) -> Iterator[tuple[int, str]]:
        """Each line with its number, from 1 on."""
        return numbered_lines(self._source.read, self.longest)

    def _written(self) -> Iterator[tuple[int, str]]:
        """Each line that is not blank, with its number."""
        return ((number, line) for number, line in self._numbered() if line and not line.isspace())

    def _leave_out(self, number: int, reason: str) -> None:
        """Count line ``number``, which says nothing here."""
        if isinstance(reason, Damaged):
            reason = self._named.setdefault(reason, f"{reason} (the first is line {number})")
        self.skipped.add(reason)
