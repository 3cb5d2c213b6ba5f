"""Times as JSON tools write them, in nanoseconds.

Owns: seconds as numbers or texts, and dates.
Must never hold: clocks of other logs.
"""

from __future__ import annotations

import re
from typing import Any

from tcpmodel.traces.own.json_text import Real

_SECONDS = re.compile(r"-?\d{1,15}(\.\d{1,40})?([eE][+-]?\d{1,2})?$", re.ASCII)
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,30}))? ?(?:[Zz]|UTC|([+-])(\d\d):?(\d\d))?$", re.ASCII
)
_FARTHEST = 10**21


def nanoseconds(value: Any) -> int | None:
    """The time that ``value`` says: seconds as a number or as text, or a date of RFC 3339; None for anything else.

    A date without a zone is one of UTC. Digits after the ninth are dropped.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        found = value * 1_000_000_000
        return found if abs(found) < _FARTHEST else None
    if not isinstance(value, str):
        return None
    if _SECONDS.match(value):
        return _from_seconds(value)
    date = None if isinstance(value, Real) else _DATE.match(value)
    return None if date is None else _from_date(date)


def _from_seconds(text: str) -> int | None:
    whole, _, fraction = text.partition(".")
    if "e" not in text and "E" not in text:
        found = int(whole.lstrip("-")) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
        return -found if text.startswith("-") else found
    from decimal import Decimal

    exact = Decimal(text)
    if abs(exact) >= _FARTHEST // 1_000_000_000:
        return None
    return int(exact * 1_000_000_000)


def _from_date(date: re.Match[str]) -> int | None:
    import calendar
    import datetime

    *parts, fraction, sign, hours, minutes = date.groups()
    year, month, day, hour, minute, second = (int(part) for part in parts)
    try:
        datetime.datetime(year, month, day, hour, minute, min(second, 59))
    except ValueError:
        return None
    if second > 60:
        return None
    whole = calendar.timegm((year, month, day, hour, minute, second))
    if sign is not None:
        offset = int(hours) * 3600 + int(minutes) * 60
        whole += offset if sign == "-" else -offset
    return whole * 1_000_000_000 + int((fraction or "")[:9].ljust(9, "0"))
