"""Traces packed with bzip2 or xz: the same records, and the place where packed data is damaged or cut."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from pathlib import Path

import pytest

from tcpmodel.cli.main import main
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import TraceError
from tcpmodel.traces.source import Source

PACK = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("text", ["lab/normal-client-close.client.pcap", "logs/lab/half-close/ftrace.txt"])
def test_the_same_records(name: str, text: str, root: Path, tmp_path: Path) -> None:
    plain = root / "traces" / text
    packed = tmp_path / "packed"
    packed.write_bytes(PACK[name](plain.read_bytes()))
    assert list(open_trace(str(packed)).records()) == list(open_trace(str(plain)).records())


@pytest.mark.parametrize("name", ["bzip2", "xz"])
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize("behind", [b"", b"\0\0\0\0"])
def test_streams_behind_each_other(name: str, piece: int, behind: bytes) -> None:
    left = PACK[name](b"one\n") + PACK[name](b"two\n") + behind

    def read(size: int, /) -> bytes:
        nonlocal left
        block, left = left[: min(size, piece)], left[min(size, piece) :]
        return block

    source = Source("x", read)
    blocks = b""
    while block := source.read():
        blocks += block
    assert blocks == b"one\ntwo\n"


@pytest.mark.parametrize("name", ["bzip2", "xz"])
def test_much_in_little(name: str) -> None:
    """A small file that holds much is unpacked a block at a time."""
    left = PACK[name](b"\n" * (1 << 23))

    def read(size: int, /) -> bytes:
        nonlocal left
        block, left = left[:size], left[size:]
        return block

    source = Source("x", read)
    sizes = []
    while block := source.read():
        sizes.append(len(block))
    assert sum(sizes) == 1 << 23 and max(sizes) <= 1 << 20


@pytest.mark.parametrize("name", ["bzip2", "xz"])
@pytest.mark.parametrize(("how", "words"), [("cut", "ends early"), ("damaged", "is damaged")])
def test_packed_data_that_is_not_whole(name: str, how: str, words: str, root: Path, tmp_path: Path) -> None:
    octets = bytearray(PACK[name]((root / "traces" / "logs" / "lab" / "half-close" / "ftrace.txt").read_bytes()))
    if how == "cut":
        del octets[-20:]
    else:
        octets[len(octets) // 2] ^= 0xFF
    path = tmp_path / "packed"
    path.write_bytes(octets)
    with pytest.raises(TraceError, match=words) as caught:
        list(open_trace(str(path)).records())
    assert caught.value.where.startswith("packed byte offset ")
    assert main(["check", str(path)]) == 2


def test_zones_of_addresses(tmp_path: Path) -> None:
    """The zone of a link-local address is a name that one host has for it."""
    path = tmp_path / "log"
    path.write_text(
        "SKADDR C-PID C-COMM IP LADDR LPORT RADDR RPORT OLDSTATE -> NEWSTATE MS\n"
        "ffff9fd7e8192000 22384 curl 6 fe80::1%eth0 40246 fe80::2%eth0.7 17001 CLOSE -> SYN_SENT 0.1\n"
    )
    (record,) = open_trace(str(path)).records()
    assert (record.local, record.remote) == ("[fe80::1]:40246", "[fe80::2]:17001")


@pytest.mark.parametrize("name", ["bzip2", "xz"])
@pytest.mark.parametrize("damage", [0.0, 0.5, 0.9])
def test_damage_is_told_alike_however_the_octets_come(name: str, damage: float) -> None:
    dice = random.Random(name)
    packed = bytearray(PACK[name](dice.randbytes(30_000)) + PACK[name](b"two\n"))
    packed[max(10, int(damage * len(packed)))] ^= 0x55

    def told(piece: int) -> tuple[bytes, str]:
        left, blocks = bytes(packed), b""

        def read(size: int, /) -> bytes:
            nonlocal left
            block, left = left[: min(size, piece)], left[min(size, piece) :]
            return block

        try:
            source = Source("x", read)
            while block := source.read():
                blocks += block
        except TraceError as error:
            return blocks, str(error)
        return blocks, ""

    whole = told(1 << 20)
    assert whole[1] and told(1) == told(1000) == whole
