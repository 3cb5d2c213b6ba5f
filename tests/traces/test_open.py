"""Opening: detection by content, gzip, standard input, and what is said about what cannot be read."""

from __future__ import annotations

import gzip
import io
import os
import random
import struct
import subprocess
import sys
import zlib

import pytest

from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import TraceError
from tcpmodel.traces.source import Source

FORMATS = {
    "lab/normal-client-close.client.pcap": ("pcap", False, "", 10),
    "logs/lab/normal-client-close/ftrace.txt": ("ftrace", True, "linux-states", 12),
    "logs/lab/normal-client-close/tcpstates.txt": ("tcpstates", True, "linux-states", 12),
    "logs/lab/normal-client-close/tcpdump_text_client.txt": ("tcpdump text", True, "", 10),
    "logs/bcc/tcpstates_example.txt": ("tcpstates", True, "linux-states", 5),
    "packetdrill/tcp_shutdown_shutdown-wr-close.ftrace.txt": ("ftrace", True, "linux-states", 8),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_the_content_tells_the_format(samples, tmp_path, name, packed):
    data = (samples / name).read_bytes()
    path = tmp_path / "name.misleading"
    path.write_bytes(gzip.compress(data) if packed else data)
    trace = open_trace(str(path))
    records = list(trace.records())
    assert (trace.format, trace.counts_lines, trace.source, len(records)) == FORMATS[name]
    assert trace.path == str(path)


def test_windows_line_ends_and_a_byte_order_mark(samples, read):
    data = (samples / "logs/lab/normal-client-close/tcpdump_text_client.txt").read_bytes()
    expected = read(data).records
    assert read(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")).records == expected


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_text_of_windows_in_utf_16(samples, read, encoding, piece):
    data = (samples / "logs/snapshots/windows-windows-10-netstat-aon.out").read_bytes()
    wide = ("\ufeff" + data.decode().replace("\r", "").replace("\n", "\r\n")).encode(encoding)
    expected = read(data).records
    assert len(expected) > 10
    assert read(wide, piece).records == expected
    assert read(wide + b"x", piece).records == expected
    assert read(gzip.compress(wide)).records == expected


def test_standard_input(samples, monkeypatch):
    data = (samples / "lab/normal-client-close.client.pcap").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    trace = open_trace("-")
    assert (len(list(trace.records())), trace.path) == (10, "-")
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(TraceError, match="no standard input"):
        open_trace("-")


def test_a_pipe_in_small_pieces(samples):
    """Records come while the other end still writes: nothing waits for a full block."""
    data = (samples / "lab/normal-client-close.client.pcap").read_bytes()
    code = (
        "from tcpmodel.traces.open import open_trace\n"
        "for record in open_trace('-').records():\n"
        "    print(record.number, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(data[:-1])
        child.stdin.flush()
        assert child.stdout.readline() == b"11\n"
        child.kill()


def test_gzip_with_several_members_and_padding(samples, read):
    data = (samples / "lab/normal-client-close.client.pcap").read_bytes()
    packed = gzip.compress(data[:1000]) + gzip.compress(data[1000:]) + bytes(512)
    whole = read(data).records
    assert read(packed).records == whole
    assert read(packed, piece=7).records == whole
    assert read(packed + b"rubbish").records == whole


def test_cut_and_damaged_gzip(samples, read):
    data = (samples / "lab/half-close.client.pcap").read_bytes()
    packed = gzip.compress(data)
    cut = read(packed[:-200])
    assert "ends early" in cut.error.message
    assert len(cut.records) > 10
    middle = bytearray(packed)
    middle[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    assert "damaged" in read(bytes(middle)).error.message


@pytest.mark.parametrize("piece", [1, 500, 1 << 20])
def test_what_stands_before_the_damage_is_read(piece):
    """However the packed data arrives, every octet before the damage comes out, and the damage has its place."""
    data = random.Random(7).randbytes(20_000).hex().encode()
    packed = bytearray(gzip.compress(data))
    packed[15_000] ^= 0xFF
    expected = zlib.decompressobj(wbits=31)
    whole = b"".join(expected.decompress(bytes([octet])) for octet in packed[:15_000])
    left = iter([bytes(packed[at : at + piece]) for at in range(0, len(packed), piece)])
    source = Source("x.gz", lambda size: next(left, b""))
    found = b""
    with pytest.raises(TraceError) as raised:
        while block := source.read():
            found += block
    assert found.startswith(whole)
    at = int(raised.value.where.removeprefix("packed byte offset "))
    assert 15_000 <= at < len(packed)
    assert data.startswith(found[: len(whole)])


def test_text_before_the_end_of_a_cut_gzip_is_read(samples, read):
    data = (samples / "logs/lab/loss-retransmit/tcpdump_text_client.txt").read_bytes()
    cut = read(gzip.compress(data)[:-300])
    assert len(cut.records) > 200
    assert "ends early" in cut.error.message


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_stays_bounded(tmp_path):
    """60 MB that pack to nothing, and a line without an end: the peak must not follow."""
    code = (
        "import sys\n"
        "from tcpmodel.traces.open import open_trace\n"
        "for path in sys.argv[1:]:\n"
        "    print(sum(1 for _ in open_trace(path).records()))\n"
        "print(*(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    record = struct.pack("<IIII", 0, 0, 1400, 1400) + bytes(1400)
    capture = tmp_path / "a"
    with gzip.open(capture, "wb", compresslevel=1) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for _ in range(42):
            file.write(record * 1000)
    text = tmp_path / "b"
    with gzip.open(text, "wb", compresslevel=1) as file:
        file.write(b"IP 1.1.1.1.1 > 2.2.2.2.2: UDP, length 5\n")
        for _ in range(60):
            file.write(b"x" * 1_000_000)
    done = subprocess.run([sys.executable, "-c", code, capture, text], capture_output=True, text=True, check=True)
    first, second, peak = done.stdout.split()
    assert (first, second) == ("0", "1")
    assert int(peak) < 40_000  # kB


UNREADABLE = {
    b"": "the input is empty",
    gzip.compress(b"", mtime=0): "the packed file holds nothing",
    b"x": "First bytes: 78",
    b"\x1f": "First bytes: 1f",
    b"hello world\nthis is no trace\n": "'hello world'",
    b"snoop\0\0\0\0\0\0\2": "a snoop capture",
    b"\xff\xfeI\0P\0": "('IP')",
    bytes(100): "First bytes: 00 00 00 00 00",
    b"\xa1\xb2\xc3": "not known",
    b"#kernel\nIpInReceives                    2                  0.0\n": "counters as nstat prints them",
    b"Total: 5\nTCP:   3 (estab 0, closed 3, orphaned 2, timewait 0)\n": "sums as ss -s prints them",
    b"cpu=0   \tfound=0 invalid=0 insert=0\n": "counters as conntrack -S prints them",
    b"Ip:\n    Forwarding: 1\n    12 total packets received\n": "counters as netstat -s prints them",
}


@pytest.mark.parametrize("data", UNREADABLE)
def test_what_is_not_a_trace(read, data):
    reading = read(data)
    assert UNREADABLE[data] in reading.error.message
    assert "Supported: pcap" in reading.error.message


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(TraceError) as missing:
        open_trace(str(tmp_path / "missing"))
    assert missing.value.path == str(tmp_path / "missing")
    assert "cannot be opened" in missing.value.message
    with pytest.raises(TraceError, match="cannot be"):
        open_trace(str(tmp_path))
    with pytest.raises(TraceError, match="cannot be opened"):
        open_trace("a\0b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_files_are_given_back(samples, tmp_path):
    """No descriptor stays open: after the end, after an error, and when nobody asked for the records."""
    before = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
    for name in FORMATS:
        trace = open_trace(str(samples / name))
        list(trace.records())
        del trace
        open_trace(str(samples / name))
    broken = tmp_path / "broken"
    broken.write_bytes(b"hello")
    for _ in range(5):
        with pytest.raises(TraceError):
            open_trace(str(broken))
    after = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
    assert after == before
