"""The shipped model of TCP as one text, for tests that change a line of it."""

from __future__ import annotations

import re
from pathlib import Path

_PARTS = re.compile(r'^include "(tcp/(?:vocabulary|steps)\.tcpspec)"\n', re.MULTILINE)


def tcp_text(root: Path) -> str:
    """The text of specs/tcp.tcpspec with its words and shared steps in place; the other parts stay included."""
    folder = root / "specs"
    text = (folder / "tcp.tcpspec").read_text(encoding="utf-8")
    whole, parts = _PARTS.subn(lambda found: (folder / found[1]).read_text(encoding="utf-8"), text)
    assert parts == 2, "the parts of the model have other names"
    return re.sub(r"^//!.*\n", "", whole, flags=re.MULTILINE)
