"""Output and pictures in the documentation are what the commands give; links and paths lead somewhere.

In a Markdown file, a line ``<!-- run: tcpmodel ... -->`` is followed by a fenced block that holds the standard output
of that command (standard error if that is empty), or by an image line whose file does. It ends ``(exit 1) -->`` if that
is the right status. A line ``$ tcpmodel ...`` at the top of the block is kept. Of a picture, the words are compared:
where they stand may change with the version of the layout program.

``python tests/project/test_docs.py --update`` writes all blocks and pictures anew.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

import tcpmodel
from tcpmodel.cli.main import COMMANDS, build_parser

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(tcpmodel.__file__).resolve().parent.parent
PAGES = sorted(
    page for page in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/**/*.md")] if page.is_file()
)
PAGES = sorted(
    {page for page in PAGES if not page.relative_to(ROOT).parts[0].startswith((".", "dist", "build", "venv"))}
)

RUN = re.compile(
    r"^<!-- run: (?P<command>tcpmodel .*?)(?: \(exit (?P<exit>\d)\))? -->\n+"
    r"(?:(?P<open>```\w*\n(?:\$ .*\n)?)(?P<text>.*?)^```$|!\[[^\]]*\]\((?P<image>[^)]+)\))",
    re.MULTILINE | re.DOTALL,
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Example:
    """A command in a page and where its output stands."""

    page: Path
    line: int
    command: str
    status: int
    text: str | None
    image: Path | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def examples(page: Path) -> list[Example]:
    """All examples of ``page`` whose output is to be tested."""
    text = page.read_text(encoding="utf-8")
    return [
        Example(
            page,
            text.count("\n", 0, match.start()) + 1,
            match["command"],
            int(match["exit"] or 0),
            match["text"],
            page.parent / match["image"] if match["image"] else None,
        )
        for match in RUN.finditer(text)
    ]


def output(example: Example) -> bytes:
    """What the command prints, run at the top of the checkout; AssertionError if its status is another."""
    arguments = shlex.split(example.command)[1:]
    environment = os.environ | {
        "PYTHONPATH": str(PACKAGE),
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
        "COLUMNS": "80",
    }
    command = [sys.executable, "-P", "-m", "tcpmodel", *arguments]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=120)
    assert result.returncode == example.status, f"exit {result.returncode}: {result.stderr.decode()}"
    return result.stdout if example.image else (result.stdout or result.stderr)


def words_in(svg: bytes) -> list[str]:
    """All texts in a picture, sorted."""
    return sorted(text.strip() for text in ElementTree.fromstring(svg).itertext() if text.strip())


EXAMPLES = [example for page in PAGES for example in examples(page)]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_output_is_up_to_date(example: Example) -> None:
    again = "out of date: run 'python tests/project/test_docs.py --update'"
    if example.image is not None:
        assert example.image.is_file(), again
        if example.image.suffix == ".svg":
            assert words_in(example.image.read_bytes()) == words_in(output(example)), again
    else:
        assert example.text == output(example).decode(), again


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_mark_has_its_block(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    assert len(re.findall(r"^<!-- run:", text, re.MULTILINE)) == len(examples(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    missing = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    """Each command in a shell block is accepted by the parser, and the project's files that it names are there."""
    for command in shell_commands(page.read_text(encoding="utf-8")):
        words = shlex.split(command, comments=True)
        words = words[
            : next((place for place, word in enumerate(words) if word in {"|", ">", ">>", "&&", "||", ";"}), None)
        ]
        if words[:1] == ["tcpmodel"] and len(words) > 1:
            if words[1] in COMMANDS and not {"-h", "--help"} & set(words):
                build_parser(words[1]).parse_args(words[1:])
            else:
                assert words[1] in {*COMMANDS, "--help", "--version", "-h"}, command
        for word in words[1:]:
            if word.startswith(("traces/", "specs/", "bench/", "tests/", ".ci/")) and "*" not in word:
                assert (ROOT / word).exists(), f"{command}: {word} does not exist"


def shell_commands(text: str) -> list[str]:
    """The commands in the shell blocks of a page; in a block with prompts, the lines that have one."""
    commands = []
    for language, block in FENCE.findall(text):
        if language in {"sh", "bash", "shell", "console"}:
            lines = block.replace("\\\n", "").splitlines()
            prompted = [line[2:] for line in lines if line.startswith("$ ")]
            commands += prompted or [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return commands


def test_readme_has_the_test_command() -> None:
    readme = ROOT / "README.md"
    if not readme.is_file():
        pytest.skip("no README.md")
    commands = shell_commands(readme.read_text(encoding="utf-8"))
    assert any(re.search(r"(^|/)pytest$", command) for command in commands)
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^TEST_COMMAND=\(pytest\)( |$)", ci, re.MULTILINE), "automatic runs use the command of the README"


def update() -> None:
    """Write every block and picture anew."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match, example in reversed(list(zip(RUN.finditer(text), examples(page), strict=True))):
            data = output(example)
            if example.image is not None:
                example.image.parent.mkdir(parents=True, exist_ok=True)
                example.image.write_bytes(data)
            else:
                text = text[: match.start("text")] + data.decode() + text[match.end("text") :]
        page.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    update()
