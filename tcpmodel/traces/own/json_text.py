"""JSON from strangers: one value from one text, with bounds that hold whatever it says.

Owns: the limits on nesting, numbers and repeated keys, and where in the text an error stands.
Must never hold: what a key means.
"""

from __future__ import annotations

import json
from typing import Any

LONGEST_LINE = 1 << 16
"""Octets of a line of JSON; a longer one is not read."""

_LONGEST_NUMBER = 40


class Real(str):
    """A number with a fraction or an exponent, as it was written: a float would lose digits."""


class JsonFault(Exception):
    """Text that is no JSON, or more of it than anybody needs. ``column`` counts from 1; 0 when it is not known."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


def parse(text: str) -> Any:
    """The value that ``text`` holds: whole numbers as int, others as ``Real``. Raises JsonFault."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonFault(error.msg[:1].lower() + error.msg[1:], error.colno) from None
    except RecursionError:
        raise JsonFault("lists and objects are nested too deeply") from None


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object from its keys and values; JsonFault for a key that stands there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonFault(f"the key {shown(key)} stands there twice")
            seen.add(key)
    return found


def shown(value: object) -> str:
    """A value for a message: as JSON, cut to a readable length."""
    text = json.dumps(value, check_circular=False) if not isinstance(value, Real) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def whole_number(text: str) -> int:
    """A whole number as written; JsonFault for one of absurd length."""
    if len(text) > _LONGEST_NUMBER:
        raise JsonFault(f"the number {text[:12]}... has {len(text)} digits")
    return int(text)


def real_number(text: str) -> Real:
    """A number that is not whole; JsonFault for one of absurd length."""
    if len(text) > 4 * _LONGEST_NUMBER:
        raise JsonFault(f"the number {text[:12]}... has {len(text)} digits")
    return Real(text)


def no_number(text: str) -> Any:
    """Refuses what Python would take for a number and JSON does not."""
    raise JsonFault(f"{text} is not a number in JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=members, parse_int=whole_number, parse_float=real_number, parse_constant=no_number
)
