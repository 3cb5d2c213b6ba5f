"""Mutated traces through every reader and the checker: no traceback, no hang, the same report however the input is cut.

Owns: the seeds, the mutations and what must hold of every input.
Must never hold: how a format is read.

    python bench/fuzz.py --count 200000
"""

from __future__ import annotations

import argparse
import random
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

Outcome = tuple[list[Record], dict[str, int], str]


def seeds() -> list[bytes]:
    """The small files in ``traces/``."""
    files = sorted(path for path in (ROOT / "traces").rglob("*") if path.is_file() and path.suffix != ".md")
    return [data for path in files if len(data := path.read_bytes()) <= LARGEST_SEED]


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


def fuzz(count: int, seed: int, check_every: int = 50) -> dict[str, int]:
    """Try ``count`` inputs; AssertionError, with the input in a file, for one that breaks what must hold."""
    known = seeds()
    dice = random.Random(seed)
    figures = {"inputs": 0, "with records": 0, "refused": 0, "checked": 0}
    checker = _Checking()
    for number in range(count):
        data = mutated(dice.choice(known), known, dice)
        began = time.process_time()
        try:
            whole = outcome(data, 1 << 20)
            assert outcome(data, dice.choice((1, 7, 100, 1000)) if len(data) < 4000 else 999) == whole, "pieces differ"
            if check_every and number % check_every == 0 and len(whole[0]) <= 60:
                checker.check(data)
                figures["checked"] += 1
            assert time.process_time() - began < SLOWEST, "too slow"
        except BaseException:
            Path("fuzz-failure.bin").write_bytes(data)
            print(f"input {number} of seed {seed}: see fuzz-failure.bin", file=sys.stderr)
            raise
        figures["inputs"] += 1
        figures["with records"] += bool(whole[0])
        figures["refused"] += bool(whole[2])
    return figures


class _Checking:
    """The checker with the shipped specs, compiled once."""

    def __init__(self) -> None:
        from tcpmodel.checking.checker import Checker
        from tcpmodel.cli.check import choose_specs

        self._checker = Checker(choose_specs([]))

    def check(self, data: bytes) -> None:
        """Check one input to its end."""
        left = [data]
        try:
            trace = recognise(Source("fuzz", lambda size: left.pop() if left else b""))
        except TraceError:
            return
        self._checker.read(trace)
        del self._checker.report.connections[:]
        self._checker.report.inputs.clear()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check-every", type=int, default=50, help="how many inputs for one that is checked too")
    args = parser.parse_args()
    began = time.perf_counter()
    for name, number in fuzz(args.count, args.seed, args.check_every).items():
        print(f"{number:>9,} {name}")
    print(f"{time.perf_counter() - began:>9.0f} seconds")


if __name__ == "__main__":
    main()
