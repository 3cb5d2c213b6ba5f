"""The octets that tcpdump prints with -x, -X, -xx and -XX: packets exactly as in the capture.

Owns: lines of octets, which link type they are of, and which line a packet is known by.
Must never hold: what the octets mean (``captures``), or the words beside them (``tcpdump_text``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tcpmodel.traces.captures.capture_file import FrameReader
from tcpmodel.traces.captures.link import USUAL
from tcpmodel.traces.captures.tunnels import Found, Inner, Piece
from tcpmodel.traces.circumstances import CLOCK, CUT
from tcpmodel.traces.lines import numbered_lines
from tcpmodel.traces.printed.tcpdump_clock import STAMP, Clock
from tcpmodel.traces.printed.tcpdump_text import OTHER, TcpdumpTrace
from tcpmodel.traces.records import Packet, Record
from tcpmodel.traces.source import Source

_OCTETS = re.compile(r"\s+0x([0-9a-f]{4,5}):\s{1,2}((?:[0-9a-f]{4} ){0,7}[0-9a-f]{2}(?:[0-9a-f]{2})?)(?=\s{2}|\s*$)")
_ASCII = re.compile(r"\s+0x[0-9a-f]{4,5}:")
_LINKS = (101, 1, 113, 276, 0)
"""What the octets may begin with: IP itself (-x), or the header of a link (-xx). The first wins where several do."""

_MOST_OCTETS = 1 << 18
_LONGEST = 1 << 17
WITHOUT = "packet without octets"


class _Block(NamedTuple):
    """What is printed of one packet: the line that it begins with and its number, the time, and the octets."""

    number: int
    time: int | None
    line: str
    octets: bytes


def link_of(lines: list[str]) -> int | None:
    """The link type of the octets in the first lines of a log; None if they show no packet."""
    blocks = list(_blocks(enumerate(lines, 1), Clock(lines)))
    counts = {link: sum(isinstance(_found(block, link), (Packet, Piece, Inner)) for block in blocks) for link in _LINKS}
    best = max(_LINKS, key=lambda link: counts[link])
    return best if counts[best] else None


def _blocks(lines: Iterable[tuple[int, str]], clock: Clock) -> Iterator[_Block]:
    """What each packet is printed as. One that has no octets has them empty."""
    begun: tuple[int, int | None, str] | None = None
    octets = bytearray()
    spoilt = False
    for number, line in lines:
        found = _OCTETS.match(line)
        if found is not None:
            offset = int(found[1], 16)
            if offset == 0:  # what a higher protocol says may be printed before the whole packet
                octets.clear()
            spoilt = offset != len(octets) or offset > _MOST_OCTETS or (spoilt and offset > 0)
            if not spoilt:
                octets += bytes.fromhex(found[2])
            continue
        if _ASCII.match(line) or not line or line.isspace():
            continue
        stamp = STAMP.match(line)
        if begun is not None and (octets or spoilt or stamp is not None):
            yield _Block(*begun, b"" if spoilt else bytes(octets))
            begun = None
        octets.clear()
        spoilt = False
        if begun is None:
            begun = number, clock.read(stamp) if stamp is not None else None, line
    if begun is not None:
        yield _Block(*begun, b"" if spoilt else bytes(octets))


def _found(block: _Block, link: int) -> Found:
    octets = block.octets
    end = len(octets)
    found = USUAL[link](octets, 0, end, end, block.number, block.time)
    if isinstance(found, str):
        # The length of a packet that was cut is only in its own headers.
        longer = USUAL[link](octets, 0, end, _LONGEST, block.number, block.time)
        return found if isinstance(longer, str) else longer
    return found


class OctetsTrace(FrameReader):
    """One log of tcpdump that shows octets. See ``tcpmodel.traces.reader.Trace``."""

    format = TcpdumpTrace.format
    counts_lines = True

    def __init__(self, source: Source, head: list[str], link: int) -> None:
        """``head``: the first lines, which ``source`` will give again; ``link``: what ``link_of`` said of them."""
        super().__init__(source)
        self._clock = Clock(head)
        self._link = link

    def _records(self) -> Iterator[Record]:
        """All TCP and UDP packets in order, each with the number of the line that it begins with."""
        last = 0
        for block in _blocks(numbered_lines(self._source.read), self._clock):
            if not block.octets:
                if STAMP.match(block.line):
                    self.skipped.add(WITHOUT)
                continue
            number, time = block.number, block.time
            if time is not None:
                if time < last:
                    self.circumstances.add(CLOCK, number)
                last = time
            found, tunnels = self._opened(_found(block, self._link), block.octets, number, time)
            if isinstance(found, str):
                other = OTHER.match(block.line)
                self.skipped.add(other[1] if other is not None else found)
            elif found is not None:
                if _is_cut(found, block.octets):
                    self.circumstances.add(CUT, number)
                self._look(found, tunnels)
                yield found


def _is_cut(packet: Packet, octets: bytes) -> bool:
    return packet.fields.get("ip_payload", 0) > len(octets)
