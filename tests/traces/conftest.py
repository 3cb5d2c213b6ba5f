"""What the tests of the readers share: sample files, file builders and a way to read bytes as a trace."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tcpmodel.traces.open import recognise
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import Record, TraceError
from tcpmodel.traces.source import Source

SAMPLES = Path(__file__).parents[2] / "traces"


class Reading:
    """All that came out of one trace."""

    def __init__(self, trace: Trace | None) -> None:
        self.trace = trace
        self.records: list[Record] = []
        self.error: TraceError | None = None

    @property
    def skipped(self) -> dict[str, int]:
        assert self.trace is not None
        return self.trace.skipped.reasons


def read_bytes(data: bytes, piece: int = 1 << 20) -> Reading:
    """Read ``data`` as a trace, given out in pieces of at most ``piece`` octets."""

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(data), piece):
            yield data[at : at + piece]

    left = pieces()
    reading = Reading(None)
    try:
        reading.trace = recognise(Source("test", lambda size: next(left, b"")))
        for record in reading.trace.records():
            reading.records.append(record)
    except TraceError as error:
        reading.error = error
    return reading


def pcap(
    frames: Iterable[bytes],
    link: int = 1,
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    snaplen: int = 262144,
    extra: bytes = b"",
) -> bytes:
    """A pcap file: frames one time unit apart, beginning at 1000 s. ``extra``: more octets in each record header."""
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)
    for count, frame in enumerate(frames):
        data += struct.pack(order + "IIII", 1000, count, min(len(frame), snaplen), len(frame)) + extra + frame[:snaplen]
    return data


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block."""
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def section(order: str = "<") -> bytes:
    """A section header block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 1, order: str = "<", snaplen: int = 0, options: bytes = b"") -> bytes:
    """An interface description block."""
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(frame: bytes, which: int = 0, ticks: int = 0, order: str = "<", original: int | None = None) -> bytes:
    """An enhanced packet block."""
    head = struct.pack(
        order + "IIIII",
        which,
        ticks >> 32,
        ticks & 0xFFFFFFFF,
        len(frame),
        len(frame) if original is None else original,
    )
    return block(6, head + frame, order)


class Build:
    """The builders, as one fixture."""

    pcap = staticmethod(pcap)
    block = staticmethod(block)
    section = staticmethod(section)
    interface = staticmethod(interface)
    enhanced = staticmethod(enhanced)


@pytest.fixture(scope="session")
def build() -> type[Build]:
    return Build


@pytest.fixture(scope="session")
def read() -> Callable[..., Reading]:
    return read_bytes


@pytest.fixture(scope="session")
def samples() -> Path:
    return SAMPLES
