"""Mutated specs through every command that reads one: no traceback, no hang, and errors that name a place.

Owns: the seeds, the mutations and what must hold of every run.
Must never hold: anything of the spec language.

    python bench/fuzz_specs.py --count 2000
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tcpmodel.cli.main import main as command  # noqa: E402

LONGEST = 20
"""Seconds of processor time that one command may take."""

_WORD = re.compile(r'"[^"\n]*"|[A-Za-z][A-Za-z0-9.\-_]*|\d+|[^\sA-Za-z0-9]+')
_PLACE = re.compile(r":\d+:\d+: error\[TS\d+\]")
_NUMBERS = (
    "0",
    "1",
    "2",
    "7",
    "255",
    "65535",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "99999999999999999999",
)

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("verify", "{}"),
    ("render", "{}"),
    ("render", "{}", "--view", "full", "--to", "svg"),
    ("render", "{}", "--view", "full", "--to", "mermaid"),
    ("render", "{}", "--to", "table"),
    ("step", "--spec", "{}", "--event", "OPEN"),
    ("step", "--spec", "{}", "--event", "<CTL=ACK>"),
)


class TooSlow(BaseException):
    """A command went on for too long."""


def seeds() -> list[str]:
    """The small specs, and the larger ones that stand in one file."""
    paths = [ROOT / "docs" / "lamp.tcpspec", *sorted((ROOT / "specs").glob("*.tcpspec"))]
    paths += sorted((ROOT / "specs" / "examples").glob("*.tcpspec"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return [text for text in texts if len(text) < 40_000 and not re.search(r"(?m)^include", text)]


def _class(word: str) -> tuple[bool, ...]:
    return (word.isupper(), word.islower(), word.isdigit(), word[0] == '"')


def mutated(text: str, others: list[str], dice: random.Random) -> str:
    """One to three changes of lines, words and characters."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        kind = dice.randrange(8)
        if kind < 3:
            lines = text.split("\n")
            at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
            if kind == 0:
                del lines[at]
            elif kind == 1:
                lines.insert(other, lines[at])
            else:
                lines[at], lines[other] = lines[other], lines[at]
            text = "\n".join(lines)
            continue
        if kind == 7:
            at = dice.randrange(len(text) + 1)
            text = text[:at] + dice.choice(("", "\0", '"', "(", "\t", "\n", "é", "//", "->", "<-")) + text[at + 1 :]
            continue
        words = list(_WORD.finditer(text))
        if not words:
            break
        word = dice.choice(words)
        if kind == 3:
            new = dice.choice([each[0] for each in words if _class(each[0]) == _class(word[0])])
        elif kind == 4:
            new = dice.choice(_WORD.findall(dice.choice(others)) or [""])
        elif kind == 5:
            new = ""
        else:
            numbers = [each for each in words if each[0].isdigit()]
            word = dice.choice(numbers) if numbers else word
            new = dice.choice(_NUMBERS)
        text = text[: word.start()] + new + text[word.end() :]
    return text


def outcome(arguments: list[str]) -> tuple[int, str]:
    """Exit status and error output of one command."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = command(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return status, err.getvalue()


def problem(status: int, errors: str) -> str:
    """What is wrong with an outcome, "" if nothing is."""
    if "internal error" in errors or "Traceback" in errors:
        return "internal error"
    if status not in (0, 1, 2):
        return f"exit status {status}"
    if status == 2 and not errors.strip():
        return "exit status 2 without a word"
    if "error[TS" in errors and (status != 2 or not _PLACE.search(errors) or "^" not in errors):
        return "an error of the spec without its place, or without exit status 2"
    return ""


def fuzz(count: int, seed: int, keep: Path) -> dict[str, int]:
    """Try so many mutants, each with one command; those that fail are put into ``keep``."""
    dice = random.Random(seed)
    known = seeds()
    figures = {"specs": 0, "accepted": 0, "with errors": 0, "failed": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.tcpspec"
        for number in range(count):
            text = mutated(dice.choice(known), known, dice)
            path.write_text(text, encoding="utf-8")
            arguments = [each.format(path) for each in dice.choice(COMMANDS)]
            began = time.process_time()
            try:
                status, errors = outcome(arguments)
                said = problem(status, errors)
            except TooSlow:
                status, said = -1, f"more than {LONGEST} s"
            except BaseException as error:  # all of them are what is looked for
                status, said = -1, f"{type(error).__name__}: {error}"
            figures["specs"] += 1
            figures["accepted"] += status in (0, 1)
            figures["with errors"] += status == 2
            if said:
                figures["failed"] += 1
                keep.mkdir(parents=True, exist_ok=True)
                kept = keep / f"{seed}-{number}.tcpspec"
                kept.write_text(text, encoding="utf-8")
                words = " ".join(arguments).replace(str(path), str(kept))
                print(f"{words}: {said} ({time.process_time() - began:.1f} s)", file=sys.stderr, flush=True)
    return figures


def main() -> int:
    """The command; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-specs"), help="where mutants go that fail")
    args = parser.parse_args()
    os.environ["TCPMODEL_CACHE"] = "off"
    figures = fuzz(args.count, args.seed, args.keep)
    for name, number in figures.items():
        print(f"{number:>9,} {name}")
    print(f"{time.process_time():>9.0f} seconds of processor")
    return int(figures["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
