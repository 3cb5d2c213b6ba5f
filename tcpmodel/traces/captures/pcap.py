"""The pcap capture format: file header and packet records.

Owns: byte orders, time units, record lengths and what is wrong with a damaged file.
Must never hold: what is inside a frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import NamedTuple

from tcpmodel.traces.captures.capture_file import CaptureFile
from tcpmodel.traces.captures.link import ETHERNET, USUAL, Decoder
from tcpmodel.traces.captures.link_types import DECODERS, SUPPORTED
from tcpmodel.traces.circumstances import CLOCK, CUT
from tcpmodel.traces.records import ODD, Framing, Packet, Record, Take, TraceError
from tcpmodel.traces.source import Source


class _Kind(NamedTuple):
    order: str
    nanoseconds_per_unit: int
    record_header: int


MAGICS: dict[bytes, _Kind] = {
    b"\xa1\xb2\xc3\xd4": _Kind(">", 1000, 16),
    b"\xd4\xc3\xb2\xa1": _Kind("<", 1000, 16),
    b"\xa1\xb2\x3c\x4d": _Kind(">", 1, 16),
    b"\x4d\x3c\xb2\xa1": _Kind("<", 1, 16),
    # An old patched libpcap: eight more octets in each record header, otherwise the same.
    b"\xa1\xb2\xcd\x34": _Kind(">", 1000, 24),
    b"\x34\xcd\xb2\xa1": _Kind("<", 1000, 24),
}
"""First four octets of a file -> how it is to be read."""

_LARGEST_USUAL = 1 << 18
_LARGEST_EVER = 1 << 24


class PcapTrace(CaptureFile):
    """One pcap file."""

    format = "pcap"

    def __init__(self, source: Source, decoders: Mapping[int, Decoder] = DECODERS) -> None:
        """Read the file header; TraceError when it is cut or of a link type that is not among ``decoders``."""
        super().__init__(source)
        header = source.head(24)
        if len(header) < 24:
            raise TraceError(
                self.path, "byte offset 0", f"the pcap file header is cut: {len(header)} of 24 octets are there"
            )
        self._kind = MAGICS[header[:4]]
        snaplen, network = Struct(self._kind.order + "16xII").unpack(header)
        self._limit = max(_LARGEST_USUAL, min(snaplen, _LARGEST_EVER))
        link = network & 0xFFFF
        decoder = decoders.get(link)
        if decoder is None:
            raise TraceError(
                self.path, "byte offset 20", f"unknown link type {link}; the link types that can be read: {SUPPORTED}"
            )
        self._decode = decoder

    def offer(self, take: Take) -> None:
        """As for any capture, if its records are those that can be taken as they are."""
        if self._decode is USUAL[ETHERNET] and self._kind.record_header == 16:
            super().offer(take)

    def _records(self) -> Iterator[Record]:
        order, unit, header_size = self._kind
        record_header = Struct(order + "IIII").unpack_from
        read = self._source.read
        decode = self._decode
        met, ways = self.circumstances.add, self.circumstances.ways
        last = 0
        limit = self._limit
        framing, note = Framing(order, unit, 0, limit, False), self.circumstances.note
        buffer = read()
        while len(buffer) < 24:
            buffer += read()
        size = len(buffer)
        at = 24
        consumed = 0  # octets of the file before the buffer
        number = 0
        while True:
            if self._take is not None and not ways:
                taken = self._take(buffer, at, size, number, last, framing)
                at, number, last = taken.at, taken.number, taken.last
                note(taken)
            body = at + header_size
            if body > size:
                buffer, size, consumed, at = self._more(buffer, at, consumed, header_size)
                body = at + header_size
                if size == 0:
                    return
                if body > size:
                    self._cut(consumed, number + 1, size - at, header_size, "header")
            seconds, fraction, captured, original = record_header(buffer, at)
            end = body + captured
            if captured > limit:
                raise TraceError(
                    self.path,
                    f"byte offset {consumed + at}",
                    f"the record of packet {number + 1} claims {captured} octets, more than any packet has; "
                    "the file is damaged here",
                )
            if end > size:
                buffer, size, consumed, at = self._more(buffer, at, consumed, header_size + captured)
                body = at + header_size
                end = body + captured
                if end > size:
                    self._cut(consumed, number + 1, size - at, header_size + captured, "record")
            number += 1
            time = seconds * 1_000_000_000 + fraction * unit
            found = decode(buffer, body, end, body + original if original > captured else end, number, time)
            if original > captured:
                met(CUT, number)
            if time < last:
                met(CLOCK, number)
            last = time
            packet = found if isinstance(found, Packet) else None
            if packet is None or ways or ODD in packet.fields:
                packet = self._packet(found, buffer, number, time)
            if packet is not None:
                yield packet
            at = end

    def _more(self, buffer: bytes, at: int, consumed: int, wanted: int) -> tuple[bytes, int, int, int]:
        """The buffer from ``at`` on with at least ``wanted`` octets, if the file has them."""
        parts = [buffer[at:]]
        have = len(parts[0])
        while have < wanted:
            block = self._source.read()
            if not block:
                break
            parts.append(block)
            have += len(block)
        return b"".join(parts), have, consumed + at, 0

    def _cut(self, offset: int, number: int, have: int, wanted: int, what: str) -> None:
        raise TraceError(
            self.path,
            f"byte offset {offset}",
            f"the file ends within the {what} of packet {number}: {have} of {wanted} octets are there; "
            "the capture was probably still being written or not copied completely",
        )
