"""The frames of a capture as they are: reading some of them, and writing them to a capture of their own.

Owns: frames with their link type, time and length, and the one capture format that is written (pcap).
Must never hold: what is inside a frame.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from struct import Struct
from typing import Any, NamedTuple

from tcpmodel.traces.captures import pcap, pcapng
from tcpmodel.traces.captures.link import Decoder
from tcpmodel.traces.records import TraceError
from tcpmodel.traces.source import open_source

_SNAPLEN = 262144  # what libpcap gives today; no frame of the usual link types is longer


class Frame(NamedTuple):
    """One frame: its 1-based number, link type (as in the pcap format), time in nanoseconds (None: not recorded), the
    octets that were captured, and how many there were."""

    number: int
    link: int
    time: int | None
    data: bytes
    length: int


class _Keeping(dict[int, Any]):
    """In place of the decoders of all link types: frames with wanted numbers go to ``kept`` as they are."""

    def __init__(self, wanted: Collection[int]) -> None:
        self._wanted = wanted
        self.kept: list[Frame] = []

    def get(self, link: int, default: object = None) -> Decoder:
        def keep(buffer: bytes, at: int, end: int, original_end: int, number: int, time: int | None) -> str:
            if number in self._wanted:
                self.kept.append(Frame(number, link, time, bytes(buffer[at:end]), original_end - at))
            return "frame"

        return keep


def is_capture(path: str) -> bool:
    """Is there a pcap or pcapng capture in that file, packed or not? TraceError when it cannot be opened."""
    source = open_source(path)
    try:
        head = source.head(4)
        return head in pcap.MAGICS or head == pcapng.MAGIC
    finally:
        source.close()


def read_frames(path: str, wanted: Collection[int]) -> list[Frame]:
    """The frames of the capture ``path`` with these numbers, in order. Raises TraceError for what is no capture.

    A capture that is damaged behind the last of them is no reason to complain.
    """
    source = open_source(path)
    keeping = _Keeping(frozenset(wanted))
    try:
        head = source.head(4)
        if head not in pcap.MAGICS and head != pcapng.MAGIC:
            raise TraceError(path, "", "is no capture in the pcap or pcapng format")
        kind = pcapng.PcapngTrace if head == pcapng.MAGIC else pcap.PcapTrace
        try:
            for _ in kind(source, keeping).records():
                pass  # the decoder above never yields a packet
        except TraceError:
            if len(keeping.kept) < len(wanted):
                raise
    finally:
        source.close()
    return keeping.kept


def pcap_of(frames: Sequence[Frame]) -> Iterator[bytes]:
    """A pcap capture of these frames, in pieces. ValueError when their link types differ: pcap knows one for all."""
    links = sorted({frame.link for frame in frames})
    if len(links) != 1:
        raise ValueError(f"a pcap capture has one link type, and these frames have {len(links)}")
    exact = any(frame.time is not None and frame.time % 1000 for frame in frames)
    magic, unit = (0xA1B23C4D, 1) if exact else (0xA1B2C3D4, 1000)
    longest = max((len(frame.data) for frame in frames), default=0)
    yield Struct("<IHHIIII").pack(magic, 2, 4, 0, 0, max(_SNAPLEN, longest), links[0])
    header = Struct("<IIII").pack
    for frame in frames:
        seconds, rest = divmod(frame.time or 0, 1_000_000_000)
        yield header(seconds & 0xFFFFFFFF, rest // unit, len(frame.data), frame.length)
        yield frame.data
