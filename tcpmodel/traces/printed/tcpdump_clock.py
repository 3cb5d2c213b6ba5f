"""The clocks that tcpdump prints, as nanoseconds.

Owns: the forms of -t, -tt, -ttt, -tttt, -ttttt and of no option, and telling elapsed times from
differences.
Must never hold: anything of a line behind its time.
"""

from __future__ import annotations

import re
from itertools import pairwise

_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND

STAMP = re.compile(
    r"(\s*+)(?:(\d+)\s\s)?(\s*+)"
    r"(?:(?:(\d{4})-(\d\d)-(\d\d) )?(-?)(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?|(\d+)\.(\d{1,9}))(?=\s)"
)
"""Matches the beginning of a line: packet number (``-#``) and time."""


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar."""
    year -= month <= 2
    shifted = (month + 9) % 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * shifted + 2) // 5 + day - 719_469


class Clock:
    """Turns the printed times of one log into nanoseconds.

    Dates and seconds give nanoseconds since the epoch (a printed date is taken as UTC), times of day count on over
    midnight, elapsed times and differences count from the first line.
    """

    def __init__(self, head: list[str]) -> None:
        """``head``: the first lines of the log, from which the kind of HH:MM:SS times is told."""
        self._kind = _kind(head)
        self._days = 0
        self._last = 0

    def read(self, stamp: re.Match[str]) -> int:
        """The time of a line whose beginning matched ``STAMP``."""
        _, _, _, year, month, day, sign, hours, minutes, seconds, fraction, epoch, epoch_fraction = stamp.groups()
        if epoch is not None:
            return int(epoch[-18:]) * _SECOND + int(epoch_fraction.ljust(9, "0"))
        time = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * _SECOND
        if fraction:
            time += int(fraction.ljust(9, "0"))
        if year is not None:
            return _days(int(year), int(month), int(day)) * _DAY + time
        if sign:
            time = -time
        if self._kind == "difference":
            self._last += time
            return self._last
        if self._kind == "day":
            if time + self._days * _DAY < self._last - _DAY // 2:
                self._days += 1
            self._last = time = time + self._days * _DAY
        return time


def _kind(head: list[str]) -> str:
    """``day``, ``elapsed`` or ``difference``: how HH:MM:SS without a date is meant in this log.

    Elapsed times and differences have one blank more in front, and begin with zero; differences also go back.
    """
    times: list[float] = []
    leading = False
    for line in head:
        stamp = STAMP.match(line)
        if stamp is None or stamp[8] is None or stamp[4] is not None:
            continue
        time = int(stamp[8]) * 3600 + int(stamp[9]) * 60 + int(stamp[10]) + int((stamp[11] or "0").ljust(9, "0")) / 1e9
        if not times:
            leading = bool(stamp[3] if stamp[2] is not None else stamp[1])
        times.append(-time if stamp[7] else time)
    if not times or not (leading or times[0] == 0):
        return "day"
    return "difference" if any(later < earlier for earlier, later in pairwise(times)) else "elapsed"
