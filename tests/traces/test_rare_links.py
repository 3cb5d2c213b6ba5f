"""Link layers that are met less often: what is inside them is what it is on Ethernet."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tcpmodel.traces.captures.frames import Frame, pcap_of
from tcpmodel.traces.captures.link_types import DECODERS
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet

scapy = pytest.importorskip("scapy.all")


def segment(six: bool = False) -> bytes:
    address = scapy.IPv6(src="fd00::1", dst="fd00::2") if six else scapy.IP(src="10.0.0.1", dst="10.0.0.2", id=7)
    return bytes(address / scapy.TCP(sport=1234, dport=80, seq=2**32 - 2, flags="PA") / b"hello")


def snap(inner: bytes, kind: int = 0x0800) -> bytes:
    return b"\xaa\xaa\x03\0\0\0" + struct.pack(">H", kind) + inner


def wireless(inner: bytes, *, kind: int = 0x08, flags: int = 0x01, extra: bytes = b"", sequence: int = 0x10) -> bytes:
    return bytes([kind, flags]) + bytes(20) + struct.pack("<H", sequence) + extra + inner


def radiotap(inner: bytes, *, time: bool = False, padded: bool = False) -> bytes:
    """A header with flags, perhaps with the time before them, and a second word of what is present."""
    fields = (bytes(8) if time else b"") + bytes([0x20 if padded else 0])
    present = struct.pack("<II", 1 << 31 | 2 | time, 0)
    gap = bytes(-(4 + len(present)) % 8) if time else b""
    body = present + gap + fields
    return b"\0\0" + struct.pack("<H", 4 + len(body)) + body + inner


def nflog(inner: bytes, order: str = "<", family: int = 2) -> bytes:
    prefix = struct.pack(order + "HH", 9, 10) + b"rule\0" + bytes(3)
    return bytes([family, 0, 0, 1]) + prefix + struct.pack(order + "HH", 4 + len(inner), 9) + inner


def pktap(inner: bytes, link: int = 1, record: int = 1) -> bytes:
    return struct.pack("<III", 108, record, link) + bytes(96) + inner


ETHERNET = bytes(12) + b"\x08\0"
FOUR, SIX = segment(), segment(six=True)

READ = {
    "802.11": (105, wireless(snap(FOUR))),
    "802.11 between access points": (105, wireless(snap(FOUR), flags=0x03, extra=bytes(6))),
    "802.11 with quality of service": (105, wireless(snap(FOUR), kind=0x88, extra=bytes(2))),
    "802.11 with HT control": (105, wireless(snap(FOUR), kind=0x88, flags=0x81, extra=bytes(6))),
    "802.11 and its checksum": (105, wireless(snap(FOUR)) + b"\x01\x02\x03\x04"),
    "802.11 of scapy": (
        105,
        bytes(
            scapy.Dot11(type=2, subtype=8, FCfield=2)
            / scapy.Dot11QoS()
            / scapy.LLC(dsap=0xAA, ssap=0xAA, ctrl=3)
            / scapy.SNAP(OUI=0, code=0x800)
        )
        + FOUR,
    ),
    "radiotap": (127, radiotap(wireless(snap(FOUR)))),
    "radiotap with time": (127, radiotap(wireless(snap(FOUR)), time=True)),
    "radiotap, padded": (127, radiotap(wireless(b"\0\0" + snap(FOUR), kind=0x88, extra=bytes(2)), padded=True)),
    "radiotap of scapy": (127, bytes(scapy.RadioTap()) + wireless(snap(FOUR))),
    "AVS": (163, struct.pack(">II", 0x80211001, 64) + bytes(56) + wireless(snap(FOUR))),
    "Prism": (119, bytes(144) + wireless(snap(FOUR))),
    "PPI": (192, struct.pack("<BBHI", 0, 0, 8, 105) + wireless(snap(FOUR))),
    "netfilter log": (239, nflog(FOUR)),
    "netfilter log, big end first": (239, nflog(FOUR, ">")),
    "netfilter log, IPv6": (239, nflog(SIX, family=10)),
    "packet filter log": (117, bytes([61, 2]) + bytes(62) + FOUR),
    "packet filter log, IPv6": (117, bytes([61, 24]) + bytes(62) + SIX),
    "enc": (109, struct.pack("<III", 2, 1, 0) + FOUR),
    "Cisco HDLC": (104, b"\x0f\0\x08\0" + FOUR),
    "PPPoE": (51, b"\x11\0\0\x01" + struct.pack(">H", len(FOUR) + 2) + b"\0\x21" + FOUR),
    "PKTAP": (258, pktap(ETHERNET + FOUR)),
    "PKTAP with raw IP": (258, pktap(FOUR, 12)),
}

LEFT_OUT = {
    "IEEE 802.11 management or control frame": (105, wireless(b"", kind=0x80)),
    "IEEE 802.11 frame without data": (105, wireless(b"", kind=0x48)),
    "encrypted IEEE 802.11 frame": (105, wireless(snap(FOUR), flags=0x41)),
    "fragment of an IEEE 802.11 frame": (105, wireless(snap(FOUR), sequence=0x11)),
    "aggregated IEEE 802.11 frame": (105, wireless(snap(FOUR), kind=0x88, extra=b"\x80\0")),
    "IEEE 802.11 frame without an Ethernet type": (105, wireless(b"\x42\x42\x03" + bytes(40))),
    "ARP": (105, wireless(snap(bytes(28), 0x0806))),
    "netfilter log entry without a packet": (239, nflog(FOUR)[:16]),
    "packet tap record without a packet": (258, pktap(FOUR, record=0)),
    "link type 258 within another header": (258, pktap(FOUR, 258)),
    "link type 9999 within another header": (192, struct.pack("<BBHI", 0, 0, 8, 9999) + FOUR),
    "address family 7": (117, bytes([61, 7]) + bytes(62) + FOUR),
}


def read(link: int, frame: bytes, path: Path) -> tuple[list[Packet], dict[str, int]]:
    path.write_bytes(b"".join(pcap_of([Frame(1, link, 0, frame, len(frame))])))
    trace = open_trace(str(path))
    return [record for record in trace.records() if isinstance(record, Packet)], trace.skipped.reasons


@pytest.mark.parametrize("name", READ)
def test_the_packet_is_the_same_as_on_ethernet(name: str, tmp_path: Path) -> None:
    link, frame = READ[name]
    plain = bytes(12) + b"\x86\xdd" + SIX if "IPv6" in name else ETHERNET + FOUR
    assert read(link, frame, tmp_path / "x.pcap") == read(1, plain, tmp_path / "y.pcap")


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_what_holds_no_packet_is_named(reason: str, tmp_path: Path) -> None:
    assert read(*LEFT_OUT[reason], tmp_path / "x.pcap") == ([], {reason: 1})


@pytest.mark.parametrize("name", READ)
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """However little is left of a frame, it is a packet or there is a reason why not."""
    link, frame = READ[name]
    for size in range(len(frame)):
        found = DECODERS[link](frame[:size], 0, size, len(frame), 1, 0)
        assert found is not None
        if isinstance(found, Packet):
            assert "checksum_ok" not in found.fields or size >= len(frame) - 5


def test_link_types_are_listed_in_words() -> None:
    from tcpmodel.traces.captures.link_types import SUPPORTED

    assert all(str(number) in SUPPORTED for number in DECODERS)
