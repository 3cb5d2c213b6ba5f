"""What captures of every format have in common.

Owns: what becomes of a frame once it was taken apart: tunnels opened, fragments put together, oddities noted.
Must never hold: how a format is laid out, or what is inside a frame.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpmodel.traces.captures.circumstances import TUNNELS, Circumstances
from tcpmodel.traces.captures.fragments import Fragments
from tcpmodel.traces.captures.link import within
from tcpmodel.traces.captures.tunnels import Found, Inner, Piece
from tcpmodel.traces.records import ODD, Packet, Record, Skipped, Take
from tcpmodel.traces.source import Source


class CaptureFile:
    """One capture; a format says in ``_records`` where its frames lie. See ``tcpmodel.traces.records.Trace``."""

    format = ""
    counts_lines = False
    source = ""

    def __init__(self, source: Source) -> None:
        self.path = source.path
        self.skipped = Skipped()
        self.circumstances = Circumstances()
        self._source = source
        self._pieces = Fragments(self.skipped, self.circumstances)
        self._take: Take | None = None

    def offer(self, take: Take) -> None:
        """Have ``take`` look at the packets before they are read here; it leaves those that it does not take."""
        self._take = take

    def records(self) -> Iterator[Record]:
        """All TCP and UDP packets in order; TraceError, after what was readable, where the file is cut or damaged.

        One that was put together from fragments has the number and time of the piece that made it whole.
        """
        try:
            yield from self._records()
        finally:
            self._pieces.finish()
            self.circumstances.finish()

    def _records(self) -> Iterator[Record]:
        raise NotImplementedError

    def _packet(self, found: Found, buffer: bytes, number: int, time: int | None) -> Packet | None:
        """The packet in a frame as its decoder found it, or None where there is none, which is counted."""
        names = ""
        if isinstance(found, Inner):
            found, names = within(found, buffer, number, time)
            self.circumstances.add((TUNNELS[0], TUNNELS[1].format(names)), number)
        whole = self._pieces.take(found, number, time) if isinstance(found, Piece) else found
        if isinstance(whole, str):
            self.skipped.add(whole)
            return None
        if whole is not None and (names or self.circumstances.ways or ODD in whole.fields):
            self.circumstances.look(whole, names)
        return whole
