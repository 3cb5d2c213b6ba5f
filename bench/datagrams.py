"""Datagrams in number: a flood, a scan, a stream, questions with answers, and a scan that is refused.

Owns: writing the captures, and measuring one run of the command on each.
Must never hold: what the command does.

    python bench/datagrams.py --count 1000000
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
A, B = b"\n\0\0\1", b"\n\0\0\2"
HEAD = bytes(12) + b"\x08\x00"


def _ip(protocol: int, source: bytes, target: bytes, payload: bytes, ident: int) -> bytes:
    length = 20 + len(payload)
    return struct.pack(">BBHHHBBH", 0x45, 0, length, ident & 0xFFFF, 0, 64, protocol, 0) + source + target + payload


def _datagram(source: bytes, port: int, target: bytes, to: int, ident: int, text: bytes) -> bytes:
    length = 8 + len(text)
    head = struct.pack(">HHHH", port, to, length, 0)
    summed = source + target + struct.pack(">HH", 17, length) + head + text + bytes(len(text) & 1)
    checksum = 0xFFFF - int.from_bytes(summed, "big") % 0xFFFF
    return _ip(17, source, target, head[:6] + struct.pack(">H", checksum or 0xFFFF) + text, ident)


def _address(number: int) -> bytes:
    return struct.pack(">I", number)


def frames(kind: str, count: int) -> Iterator[bytes]:
    """``count`` packets of this kind, without the header of Ethernet."""
    for at in range(count):
        pair = at // 2
        if kind == "flood":  # from forged addresses to one port
            yield _datagram(_address(0x0B000000 + at), 1024 + at % 60000, B, 53, at, bytes(30))
        elif kind == "scan":  # from one host to all ports of many
            yield _datagram(A, 40000, _address(0x0C000000 + at // 65535), 1 + at % 65535, at, b"")
        elif kind == "stream":  # one direction, and reports of the other
            forward = at % 20
            ends = (A, 4000, B, 5004) if forward else (B, 5004, A, 4000)
            yield _datagram(*ends, at, bytes(160 if forward else 20 + at % 7))
        elif kind == "questions":  # each from a port of its own
            client, port = _address(0x0A100000 + pair // 60000), 1024 + pair % 60000
            ends = (B, 53, client, port) if at & 1 else (client, port, B, 53)
            yield _datagram(*ends, at, bytes(60 + pair % 200 if at & 1 else 30 + pair % 20))
        else:  # a scan that ICMP refuses
            target = _address(0x0C000000 + pair // 65535)
            asked = _datagram(A, 40000, target, 1 + pair % 65535, pair, b"")
            yield _ip(1, target, A, b"\3\3" + bytes(6) + asked[:28], at) if at & 1 else asked


KINDS = ("flood", "scan", "stream", "questions", "refused")


def write(path: Path, kind: str, count: int) -> None:
    """A pcap of ``count`` packets of this kind, always the same, ten thousand a second."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number, packet in enumerate(frames(kind, count)):
            frame = HEAD + packet
            out.write(struct.pack("<IIII", number // 10_000, number % 10_000 * 100, len(frame), len(frame)) + frame)


def measure(path: Path) -> tuple[float, int]:
    """CPU seconds and peak kilobytes of one run of the command."""
    command = [sys.executable, "-m", "tcpmodel", "check", "-q", str(path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as run:
        _, _, used = os.wait4(run.pid, 0)
        run.returncode = 0
    return used.ru_utime + used.ru_stime, used.ru_maxrss


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="packets in each capture")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind; may be given several times")
    args = parser.parse_args()
    print(f"{args.count:,} packets each, {time.strftime('%Y-%m-%d')}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in args.kind or KINDS:
            path = Path(folder) / f"{kind}.pcap"
            write(path, kind, args.count)
            seconds, kilobytes = measure(path)
            print(
                f"{kind:10} {seconds:7.1f} s CPU {seconds / args.count * 1e6:6.1f} us a packet {kilobytes // 1024:5} MB"
            )


if __name__ == "__main__":
    main()
