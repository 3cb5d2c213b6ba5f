"""Mutated traces through every reader and the checker: no traceback, no hang, the same report however the input is cut.

Owns: the seeds, the mutations and what must hold of every input.
Must never hold: how a format is read.

    python bench/fuzz.py --count 200000 --small --check-every 1
"""

from __future__ import annotations

import argparse
import random
import resource
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tcpmodel.traces.open import recognise  # noqa: E402
from tcpmodel.traces.records import Record, TraceError  # noqa: E402
from tcpmodel.traces.source import Source  # noqa: E402

LARGEST_SEED = 20_000
SLOWEST = 10.0
"""Seconds of processor time that one input may take."""

CHECKS = 100_000
"""So many inputs are checked by one checker, which remembers what it learned."""

Outcome = tuple[list[Record], dict[str, int], str]


def seeds() -> list[bytes]:
    """The small files in ``traces/``."""
    files = sorted(path for path in (ROOT / "traces").rglob("*") if path.is_file() and path.suffix != ".md")
    return [data for path in files if len(data := path.read_bytes()) <= LARGEST_SEED]


def small_seeds() -> list[bytes]:
    """A few packets or lines at a time of every file in ``traces/``, with what its format needs before them."""
    found: dict[bytes, None] = {}
    for path in sorted(path for path in (ROOT / "traces").rglob("*") if path.is_file() and path.suffix != ".md"):
        data = path.read_bytes()
        if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"):
            order = "<" if data[0] in b"\xd4\x4d" else ">"
            head, parts, at = data[:24], [], 24
            while at + 16 <= len(data):
                size = struct.unpack_from(f"{order}I", data, at + 8)[0]
                parts.append(data[at : at + 16 + size])
                at += 16 + size
            first = 3  # so most of them show the beginning of a connection
        elif data[:2] == b"\x1f\x8b" or data[:4] == b"\x0a\x0d\x0d\x0a":
            found[data[:LARGEST_SEED]] = None
            continue
        else:
            lines = data.splitlines(keepends=True)
            head, parts, first = b"".join(lines[:10]), lines[10:], 0
            found[head] = None
        for start in range(0, min(len(parts), 60), 6):
            several = parts[:first] + parts[max(first, start) : start + 6]
            found[(head + b"".join(several))[:LARGEST_SEED]] = None
    return list(found)


def mutated(seed: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """One to four changes: bits, octets, lengths, cuts, repeats, pieces of other files."""
    data = bytearray(seed)
    for _ in range(dice.randint(1, 4)):
        size = len(data)
        if not size:
            break
        at = dice.randrange(size)
        kind = dice.randrange(7)
        if kind == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x20))
        elif kind == 2:
            data[at : at + 4] = dice.choice((0, 1, 3, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(
                4, dice.choice(("big", "little"))
            )
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            del data[at : at + dice.randint(1, 64)]
        elif kind == 5:
            other = dice.choice(others)
            start = dice.randrange(len(other)) if other else 0
            data[at:at] = other[start : start + dice.randint(1, 200)]
        else:
            data[at:at] = data[at : at + dice.randint(1, 200)]
    return bytes(data)


def outcome(data: bytes, piece: int) -> Outcome:
    """All that comes out of an input that arrives in pieces of this size."""

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(data), piece):
            yield data[at : at + piece]

    left = pieces()
    records: list[Record] = []
    skipped: dict[str, int] = {}
    error = ""
    try:
        trace = recognise(Source("fuzz", lambda size: next(left, b"")))
        skipped = trace.skipped.reasons
        records.extend(trace.records())
    except TraceError as problem:
        error = str(problem)
    return records, skipped, error


def fuzz(
    count: int, seed: int, check_every: int = 50, *, small: bool = False, keep: Path | None = None
) -> dict[str, int]:
    """Try ``count`` inputs; AssertionError, with the input in a file, for one that breaks what must hold.

    ``small``: inputs of a few records each. ``keep``: a folder for such inputs; then the others are tried all the same.
    """
    known = small_seeds() if small else seeds()
    dice = random.Random(seed)
    figures = {"inputs": 0, "with records": 0, "refused": 0, "checked": 0, "failed": 0}
    checker = _Checking()
    for number in range(count):
        data = mutated(dice.choice(known), known, dice)
        piece = dice.choice((1, 7, 100, 1000)) if len(data) < 4000 else 999
        began = time.process_time()
        try:
            whole = outcome(data, 1 << 20)
            assert outcome(data, piece) == whole, "pieces differ"
            if check_every and number % check_every == 0 and len(whole[0]) <= 60:
                figures["checked"] += 1
                said = checker.check(data, 1 << 20)
                assert checker.check(data, piece) == said, "reports differ"
            assert time.process_time() - began < SLOWEST, f"took {time.process_time() - began:.1f} s"
        except (Exception, RecursionError) as problem:
            place = Path("fuzz-failure.bin") if keep is None else keep / f"{seed}-{number}.bin"
            place.write_bytes(data)
            print(f"input {number} of seed {seed}: {type(problem).__name__} {problem}: see {place}", file=sys.stderr)
            figures["failed"] += 1
            checker = _Checking()
            if keep is None:
                raise
            continue
        figures["inputs"] += 1
        figures["with records"] += bool(whole[0])
        figures["refused"] += bool(whole[2])
        if keep is not None and number % 1000 == 999:
            (keep / f"{seed}.progress").write_text(f"{figures} {time.process_time():.0f} s {_peak():.0f} MB\n")
    return figures


def _peak() -> float:
    """Most memory so far in MB; the unit of ru_maxrss is a kilobyte on Linux, an octet on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


class _Checking:
    """The checker with the shipped specs, compiled once for some inputs."""

    def __init__(self) -> None:
        from tcpmodel.cli.check import choose_specs

        self._specs = choose_specs([])
        self._left = 0

    def check(self, data: bytes, piece: int) -> str:
        """Check one input that arrives in pieces of this size to its end, and give its report."""
        from tcpmodel.checking.checker import Checker
        from tcpmodel.report.check_json import lines

        if self._left <= 0:
            self._checker = Checker(self._specs)
            self._left = CHECKS
        self._left -= 1
        left = iter([data[at : at + piece] for at in range(0, len(data), piece)])
        try:
            trace = recognise(Source("fuzz", lambda size: next(left, b"")))
        except TraceError:
            return ""
        checker = self._checker
        checker.read(trace)
        said = "\n".join(lines(checker.report))
        del checker.report.connections[:]
        checker.report.inputs.clear()
        return said


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check-every", type=int, default=50, help="how many inputs for one that is checked too")
    parser.add_argument("--small", action="store_true", help="inputs of a few packets or lines each")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="put inputs that fail there, and go on")
    args = parser.parse_args()
    if args.keep is not None:
        args.keep.mkdir(parents=True, exist_ok=True)
    for name, number in fuzz(args.count, args.seed, args.check_every, small=args.small, keep=args.keep).items():
        print(f"{number:>9,} {name}")
    print(f"{time.process_time():>9.0f} seconds of processor")
    print(f"{_peak():>9.0f} MB at most")


if __name__ == "__main__":
    main()
