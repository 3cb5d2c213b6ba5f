"""Console blocks of the pages give what they show; and the reading of such blocks itself."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PAGE = """\
Text.

```console
$ tcpmodel one
a
...
b
$ tcpmodel two \\
    --more < file
# exit code 2
```

<!-- run: tcpmodel three -->
```console
$ tcpmodel three
```

<!-- not run -->

```console
$ tcpmodel four
```

```sh
$ tcpmodel five
```
```console
$ tcpmodel six
```
"""


def test_step(console: SimpleNamespace, step: Any) -> None:
    status, printed = console.run(step)
    shown = "\n".join(printed)
    assert console.matches(step.expected, printed), f"{step.page}:{step.line}: {step.command}\nprinted:\n{shown}"
    assert status == step.status, f"{step.page}:{step.line}: {step.command}\nended with {status}:\n{shown}"


def test_blocks_are_read(console: SimpleNamespace) -> None:
    found = [tuple(step)[1:] for step in console.steps(PAGE, Path("page.md"))]
    assert found == [
        (4, "tcpmodel one", ("a", "...", "b"), 0),
        (8, "tcpmodel two --more < file", (), 2),
        (28, "tcpmodel six", (), 0),
    ]


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ([], [], True),
        ([], ["a"], False),
        (["a"], ["a"], True),
        (["a"], ["a", "b"], False),
        (["..."], [], True),
        (["..."], ["a", "b"], True),
        (["a", "..."], ["a"], True),
        (["a", "...", "c"], ["a", "b", "b", "c"], True),
        (["a", "...", "c"], ["a", "b"], False),
        (["took ... s (a)"], ["took 0.1 s (a)"], True),
        (["took ... s (a)"], ["took 0.1 s", "(a)"], False),
        (["a.c"], ["abc"], False),
    ],
)
def test_lines_match(console: SimpleNamespace, expected: list[str], printed: list[str], same: bool) -> None:
    assert console.matches(tuple(expected), printed) is same


def test_exit_status_is_seen(console: SimpleNamespace) -> None:
    (step,) = console.steps("```console\n$ tcpmodel bogus\n...\n# exit code 2\n```\n", Path("page.md"))
    assert console.run(step)[0] == step.status == 2


def test_out_of_date_blocks_are_written_anew(console: SimpleNamespace) -> None:
    page = """\
```console
$ tcpmodel check \\
    no-such.pcap
old
$ tcpmodel check -q - < traces/zeek/http-get.pcap
1 connection: ...
$ tcpmodel check -q - < traces/zeek/http-get.pcap
# exit code 1
```
"""
    assert (
        console.updated(page, Path("page.md"))
        == """\
```console
$ tcpmodel check \\
    no-such.pcap
tcpmodel: error: no-such.pcap: cannot be opened: No such file or directory
# exit code 2
$ tcpmodel check -q - < traces/zeek/http-get.pcap
1 connection: ...
$ tcpmodel check -q - < traces/zeek/http-get.pcap
1 connection: 1 conforms, 0 violate, 0 inconclusive
```
"""
    )
