"""What is known of a value: an interval, or nothing.

Owns: intervals with three-valued comparison, and the arithmetic of sequence numbers modulo 2^32. A known number is the
interval of one element, so the interpreter of single steps and the checker of observations share every operation.
Must never hold: a variable, a message or a rule.
"""

from __future__ import annotations

Interval = tuple[int, int]
"""Lowest and highest possible value, both included."""

INFINITY = 1 << 62
"""Stands for "no bound": far outside of every number that a trace can hold."""

_FAR = INFINITY // 2
"""What lies beyond came from a missing bound, and is one."""

ANY: Interval = (-INFINITY, INFINITY)
AMOUNT: Interval = (0, INFINITY)
NO: Interval = (0, 0)
YES: Interval = (1, 1)
MAYBE: Interval = (0, 1)

TRUE = 1
FALSE = 0
OPEN = -1
"""The three answers of a guard: it holds, it does not, it may or may not under what is known."""

MODULUS = 1 << 32
HALF = 1 << 31


def distance(start: int, end: int) -> int:
    """How far ``end`` lies after ``start`` on the circle of 2^32 numbers; negative if it lies before (RFC 9293, 3.4).

    The result is in -2^31 .. 2^31-1.
    """
    return ((end - start + HALF) % MODULUS) - HALF


def unwrap(number: int, near: int) -> int:
    """The one integer that equals ``number`` modulo 2^32 and lies within 2^31 of ``near``."""
    return near + distance(near, number)


def join(a: Interval | None, b: Interval | None) -> Interval | None:
    """The smallest interval that holds both; of a set and an unset value nothing is known."""
    if a is None or b is None:
        return a if a == b else ANY
    if a is b:
        return a
    # Of equal bounds the first: whether two are equal is not asked, since numbers that are recorded note the answer.
    return (a[0] if a[0] <= b[0] else b[0], a[1] if a[1] >= b[1] else b[1])


def meet(a: Interval, b: Interval) -> Interval | None:
    """What both allow; None when that is nothing."""
    low = a[0] if a[0] > b[0] else b[0]
    high = a[1] if a[1] < b[1] else b[1]
    return (low, high) if low <= high else None


def apart(a: Interval | None, b: Interval) -> bool:
    """Whether the two have no value in common; what is unset has none."""
    return a is None or a[1] < b[0] or b[1] < a[0]


def add(a: Interval, b: Interval) -> Interval:
    """Sum; a bound that leaves the range becomes no bound."""
    low, high = a[0] + b[0], a[1] + b[1]
    return (low if low > -_FAR else -INFINITY, high if high < _FAR else INFINITY)


def subtract(a: Interval, b: Interval) -> Interval:
    """Difference; a bound that leaves the range becomes no bound."""
    low, high = a[0] - b[1], a[1] - b[0]
    return (low if low > -_FAR else -INFINITY, high if high < _FAR else INFINITY)


def lowered(high: int, gap: int) -> int:
    """A highest value less ``gap``; what has no bound has none below it either."""
    return high - gap if high < _FAR else INFINITY


def raised(low: int, gap: int) -> int:
    """A lowest value and ``gap``; what has no bound has none above it either."""
    return low + gap if low > -_FAR else -INFINITY


def multiply(a: Interval, b: Interval) -> Interval:
    """Product."""
    corners = [x * y for x in a for y in b]
    return (max(min(corners), -INFINITY), min(max(corners), INFINITY))


def divide(a: Interval, b: Interval) -> Interval:
    """Quotient rounded down; nothing is known when the divisor may be zero."""
    if b[0] <= 0 <= b[1]:
        return ANY
    corners = [x // y for x in a for y in b]
    return (min(corners), max(corners))


def modulo(a: Interval, b: Interval) -> Interval:
    """Remainder of a division by a positive number."""
    if b[0] <= 0:
        return ANY
    if a[0] == a[1] and b[0] == b[1]:
        return (a[0] % b[0], a[0] % b[0])
    return (0, b[1] - 1)


def shifted(a: Interval, bits: Interval) -> Interval:
    """An amount moved to the left; nothing is known of the result when the number of bits is out of bounds."""
    if bits[0] < 0 or bits[1] > 32 or a[0] < 0:
        return AMOUNT
    return (a[0] << bits[0], min(a[1] << bits[1], INFINITY))


def less(a: Interval, b: Interval, circular: bool) -> int:
    """Is ``a < b``? ``circular`` compares modulo 2^32 when both are known exactly."""
    # Whether something is known exactly is asked last, and only where that matters: numbers that are recorded note it.
    if a[1] < b[0]:
        return TRUE if not circular or b[1] - a[0] < HALF or not _exact(a, b) else _around(a, b, 1)
    if a[0] >= b[1]:
        return FALSE if not circular or a[1] - b[0] <= HALF or not _exact(a, b) else _around(a, b, 1)
    return OPEN


def less_or_equal(a: Interval, b: Interval, circular: bool) -> int:
    """Is ``a =< b``?"""
    if a[1] <= b[0]:
        return TRUE if not circular or b[1] - a[0] < HALF or not _exact(a, b) else _around(a, b, 0)
    if a[0] > b[1]:
        return FALSE if not circular or a[1] - b[0] <= HALF or not _exact(a, b) else _around(a, b, 0)
    return OPEN


def equal(a: Interval, b: Interval, circular: bool) -> int:
    """Is ``a = b``?"""
    if a[1] < b[0]:
        far = circular and b[1] - a[0] >= MODULUS
    elif b[1] < a[0]:
        far = circular and a[1] - b[0] >= MODULUS
    else:
        return TRUE if _exact(a, b) else OPEN
    return TRUE if far and _exact(a, b) and (a[0] - b[0]) % MODULUS == 0 else FALSE


def _exact(a: Interval, b: Interval) -> bool:
    """Are both known exactly?"""
    return a[0] == a[1] and b[0] == b[1]


def _around(a: Interval, b: Interval, least: int) -> int:
    """Does the one exact number lie at least so far behind the other on the circle?"""
    return TRUE if distance(a[0], b[0]) >= least else FALSE
