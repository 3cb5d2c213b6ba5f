"""What readers of frames have in common, and captures of every format.

Owns: what becomes of a frame once it was taken apart: tunnels opened, fragments put together, oddities noted.
Must never hold: how a format is laid out, or what is inside a frame.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpmodel.traces.captures.fragments import Fragments
from tcpmodel.traces.captures.link import within
from tcpmodel.traces.captures.tunnels import Found, Inner, Piece
from tcpmodel.traces.circumstances import TUNNELS, Circumstances
from tcpmodel.traces.reader import Reader
from tcpmodel.traces.records import ODD, Packet, Record, Take
from tcpmodel.traces.source import Source


class FrameReader(Reader):
    """Base of readers of frames, in whatever form a tool wrote them; a format says in ``_records`` where they lie."""

    circumstances: Circumstances

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.circumstances = Circumstances()
        self._fragments = Fragments(self.skipped, self.circumstances)

    def records(self) -> Iterator[Record]:
        """All TCP and UDP packets in order; TraceError, after what was readable, where the input is cut or damaged.

        One that was put together from fragments has the number and time of the piece that made it whole.
        """
        try:
            yield from self._records()
        finally:
            self._finish()

    def _records(self) -> Iterator[Record]:
        raise NotImplementedError

    def _finish(self) -> None:
        """Nothing more comes."""
        self._fragments.finish()
        self.circumstances.finish()

    def _packet(self, found: Found, buffer: bytes, number: int, time: int | None) -> Packet | None:
        """The packet in a frame as its decoder found it, or None where there is none, which is counted."""
        whole, tunnels = self._opened(found, buffer, number, time)
        if isinstance(whole, str):
            self.skipped.add(whole)
            return None
        if whole is not None:
            self._look(whole, tunnels)
        return whole

    def _opened(self, found: Found, buffer: bytes, number: int, time: int | None) -> tuple[Packet | str | None, str]:
        """What is in a frame and in the tunnels around it, and their names; None where more pieces have to come."""
        tunnels = ""
        if isinstance(found, Inner):
            found, tunnels = within(found, buffer, number, time)
            self.circumstances.add((TUNNELS[0], TUNNELS[1].format(tunnels)), number)
        return (self._fragments.take(found, number, time) if isinstance(found, Piece) else found), tunnels

    def _look(self, packet: Packet, tunnels: str) -> None:
        """Note what is odd about a packet with ``tunnels`` around it."""
        if tunnels or self.circumstances.ways or ODD in packet.fields:
            self.circumstances.look(packet, tunnels)


class CaptureFile(FrameReader):
    """Base of readers of captures, whose frames may be taken from the file as they lie there."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._take: Take | None = None

    def offer(self, take: Take) -> None:
        """Have ``take`` look at the packets first, as ``Trace`` says."""
        self._take = take
