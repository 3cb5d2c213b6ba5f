"""A flood of openings that nobody answers: how much memory and time one run takes.

Owns: writing the capture, and measuring one run of the command on it.
Must never hold: what the command does.

    python bench/flood.py --count 1000000
"""

from __future__ import annotations

import argparse
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def write(path: Path, count: int, seed: int = 1) -> None:
    """A pcap of ``count`` SYNs from forged addresses to one listener, always the same for one seed."""
    dice = random.Random(seed)
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number in range(count):
            source = 0x0B000000 + number * 7919 % (1 << 24)
            port = 1024 + (number >> 24) * 64 + dice.getrandbits(5)
            ip = struct.pack(">BBHHHBBHII", 0x45, 0, 40, number & 0xFFFF, 0, 64, 6, 0, source, 0xC0000201)
            tcp = struct.pack(">HHIIBBHHH", port, 80, dice.getrandbits(32), 0, 0x50, 2, 512, 0, 0)
            frame = bytes(12) + b"\x08\x00" + ip + tcp
            out.write(struct.pack("<IIII", number // 100_000, number % 100_000 * 10, len(frame), len(frame)) + frame)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flood.pcap"
        write(path, args.count)
        began = time.perf_counter()
        command = [sys.executable, "-m", "tcpmodel", "check", str(path)]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
        wall = time.perf_counter() - began
    # The unit of ru_maxrss is a kilobyte on Linux, an octet on macOS.
    peak = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    processor = used.ru_utime + used.ru_stime
    print(f"\n{args.count:,} connections: {peak:,.0f} MB at most, {processor:.1f} s of processor, {wall:.1f} s")


if __name__ == "__main__":
    main()
