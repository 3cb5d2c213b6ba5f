"""What Get-NetTCPConnection prints as a list (``| Format-List``): a line for each property.

Owns: which lines are one connection.
Must never hold: what a row of a listing means (see ``socket_rows``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PROPERTY = re.compile(r"([A-Z][A-Za-z]{2,40})\s*: ?(.{0,100}?)\s*$", re.ASCII)
_WANTED = ("LocalAddress", "LocalPort", "RemoteAddress", "RemotePort", "State")


def recognises(line: str) -> bool:
    """Whether this is the line with an address or a port of a connection."""
    found = _PROPERTY.match(line)
    return found is not None and found[1] in _WANTED[:4] and found[2] != ""


def rows(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines, with each such list as one row with the number of its first line; others as they are."""
    values: dict[str, str] = {}
    begun = 0
    for number, line in lines:
        found = _PROPERTY.match(line)
        known = found is not None and (found[1] in _WANTED or values)
        if values and (not known or (found is not None and found[1] in values)):
            yield from _row(begun, values)
            values = {}
        if found is None or not known:
            yield number, line
            continue
        if not values:
            begun = number
        values[found[1]] = found[2]
    yield from _row(begun, values)


def _row(number: int, values: dict[str, str]) -> Iterator[tuple[int, str]]:
    if all(values.get(name) for name in _WANTED):
        yield number, " ".join(values[name] for name in _WANTED)
