"""Numbers that remember which comparisons a computation made of them.

Owns: running a computation once with recorded numbers, and what of its inputs decided its course: for each sum or
difference of inputs that was compared, the bounds within which every comparison has the same answer. Within these
bounds the same computation gives the same result, as an expression over its inputs.
Must never hold: what is computed.
"""

from __future__ import annotations

from typing import Any, Self

from tcpmodel.semantics.values import INFINITY

_FAR = INFINITY // 2
_LARGEST = 1 << 56
"""Inputs lie within this of zero; so a number with a constant beyond ``_FAR`` is larger than any other."""

Base = tuple[tuple[int, int], ...]
"""A sum of inputs: pairs of the index of an input and its factor, in the order of the indexes."""


class Unrecordable(Exception):
    """The computation used a number in a way that is not followed."""


class Recorder:
    """The inputs of one computation, and the bounds that its comparisons gave to sums of them."""

    def __init__(self, inputs: list[int]) -> None:
        if any(abs(number) > _LARGEST for number in inputs):
            raise Unrecordable
        self.inputs = inputs
        # Behind each sum stands its opposite, so that of both only the highest value is kept.
        self.bases: list[Base] = [(), ()]
        self.values: list[int] = [0, 0]
        self.highest: list[int] = [0, 0]
        self.differences: dict[int, int] = {}
        """The index of ``a - b`` under ``a << 32 | b``."""
        self.shown: list[int] | None = None
        """If it is a list: the sums that became text, in which marks stand for them (see ``Number.__str__``)."""
        self._known: dict[Base, int] = {(): 0}
        self._sums: dict[tuple[int, int, int], int] = {}

    def number(self, index: int) -> Number:
        """The input with that index."""
        return Number(self, self._base(((index, 1),), self.inputs[index]), 0)

    def _base(self, base: Base, value: int) -> int:
        known = self._known.get(base)
        if known is None:
            known = self._known[base] = len(self.bases)
            opposite = tuple([(index, -factor) for index, factor in base])
            self._known[opposite] = known + 1
            self.bases += (base, opposite)
            self.values += (value, -value)
            self.highest += (INFINITY, INFINITY)
        return known

    def combine(self, a: int, b: int, factor: int) -> int:
        """The base of ``a + factor * b``."""
        key = (a, b, factor)
        known = self._sums.get(key)
        if known is None:
            one, other = self.bases[a], self.bases[b]
            if len(one) == len(other) == 1 and one[0][0] != other[0][0]:
                second = (other[0][0], factor * other[0][1])
                base: Base = (one[0], second) if one[0][0] < second[0] else (second, one[0])
            else:
                total = dict(one)
                for index, each in other:
                    total[index] = total.get(index, 0) + factor * each
                base = tuple(sorted([(index, each) for index, each in total.items() if each]))
            known = self._sums[key] = self._base(base, self.values[a] + factor * self.values[b])
            if factor == -1:
                self.differences[a << 32 | b] = known
        return known

    def at_most(self, base: int, limit: int) -> bool:
        """Is the sum at most ``limit``? The answer becomes a bound, unless the bounds give it already."""
        highest = self.highest
        if highest[base] <= limit:
            return True
        if highest[base ^ 1] < -limit:
            return False
        if limit >= _FAR:
            return True
        if limit <= -_FAR:
            return False
        if self.values[base] <= limit:
            highest[base] = limit
            return True
        highest[base ^ 1] = -limit - 1
        return False

    def equals(self, base: int, number: int) -> bool:
        """Is the sum this number? If it is not, the bound says on which side it lies."""
        if self.values[base] == number:
            return self.at_most(base, number) and not self.at_most(base, number - 1)
        if self.values[base] < number:
            return not self.at_most(base, number - 1)
        return self.at_most(base, number)

    def conditions(self) -> list[tuple[Base, int, int]]:
        """The sums with bounds, each once: what must hold of the inputs for the computation to go the same way."""
        found: list[tuple[Base, int, int]] = []
        highest = self.highest
        for index in range(2, len(highest), 2):
            high, low = highest[index], highest[index + 1]
            if high < INFINITY or low < INFINITY:
                base = self.bases[index]
                if base[0][1] > 0:
                    found.append((base, -low, high))
                else:
                    found.append((self.bases[index + 1], -high, low))
        return found


class Number:
    """``recorder``'s sum of inputs number ``base``, plus ``constant``."""

    __slots__ = ("base", "constant", "recorder")

    def __init__(self, recorder: Recorder, base: int, constant: int) -> None:
        self.recorder = recorder
        self.base = base
        self.constant = constant

    @property
    def value(self) -> int:
        """What it is worth."""
        return self.recorder.values[self.base] + self.constant

    def _plus(self, constant: int) -> Number | int:
        total = self.constant + constant
        if -_FAR < total < _FAR:
            return Number(self.recorder, self.base, total)
        return INFINITY if total > 0 else -INFINITY

    def _joined(self, other: Number, factor: int) -> Number | int:
        base = self.recorder.combine(self.base, other.base, factor)
        constant = self.constant + factor * other.constant
        if not base:
            return constant
        return Number(self.recorder, base, constant)

    def __add__(self, other: Number | int) -> Number | int:
        return self._joined(other, 1) if isinstance(other, Number) else self._plus(other)

    __radd__ = __add__

    def __sub__(self, other: Number | int) -> Number | int:
        return self._joined(other, -1) if isinstance(other, Number) else self._plus(-other)

    def __neg__(self) -> Number:
        base = self.recorder.combine(0, self.base, -1)
        return Number(self.recorder, base, -self.constant)

    def __rsub__(self, other: int) -> Number | int:
        return (-self)._plus(other)

    def __mul__(self, other: Number | int) -> Number | int:
        factor = other.exact() if isinstance(other, Number) else other
        if not factor:
            return 0
        if abs(factor) >= _FAR:
            # A product without bound: on which side is all that matters.
            if self == 0:
                return 0
            return INFINITY if (self > 0) == (factor > 0) else -INFINITY
        base = self.recorder.combine(0, self.base, factor)
        return Number(self.recorder, base, self.constant * factor)

    __rmul__ = __mul__

    def __floordiv__(self, other: Number | int) -> int:
        divisor = other.exact() if isinstance(other, Number) else other
        quotient = self.value // divisor
        if divisor > 0:
            self.__ge__(quotient * divisor)
            self.__lt__((quotient + 1) * divisor)
            return quotient
        return self.exact() // divisor

    def __rfloordiv__(self, other: int) -> int:
        return other // self.exact()

    def __mod__(self, other: Number | int) -> Number | int:
        divisor = other.exact() if isinstance(other, Number) else other
        if divisor <= 0:
            return self.exact() % divisor
        return self._plus(-(self // divisor) * divisor)

    def __lshift__(self, other: Number | int) -> Number | int:
        return self * (1 << (other.exact() if isinstance(other, Number) else other))

    def __rlshift__(self, other: int) -> int:
        return other << self.exact()

    def _refuse(self, *_: object) -> Any:
        raise Unrecordable

    __rshift__ = __rrshift__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _refuse
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __rmod__ = __divmod__ = __rdivmod__ = __float__ = _refuse

    def exact(self) -> int:
        """The value, which thereby becomes a condition."""
        self.recorder.equals(self.base, self.value - self.constant)
        return self.value

    def _less(self, other: Number | int, gap: int) -> bool:
        """Is it less than ``other`` by at least ``gap``?"""
        recorder = self.recorder
        base = self.base
        if isinstance(other, Number):
            limit = other.constant - self.constant - gap
            if base == other.base:
                return limit >= 0
            key = base << 32 | other.base
            base = recorder.differences.get(key) or recorder.combine(base, other.base, -1)
        else:
            limit = other - self.constant - gap
        # As ``at_most``, of which this is most of the work.
        highest = recorder.highest
        if highest[base] <= limit:
            return True
        if highest[base ^ 1] < -limit:
            return False
        return recorder.at_most(base, limit)

    def __lt__(self, other: Number | int) -> bool:
        return self._less(other, 1)

    def __le__(self, other: Number | int) -> bool:
        return self._less(other, 0)

    def __gt__(self, other: Number | int) -> bool:
        return not self._less(other, 0)

    def __ge__(self, other: Number | int) -> bool:
        return not self._less(other, 1)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Number):
            if self.base == other.base:
                return self.constant == other.constant
            base = self.recorder.combine(self.base, other.base, -1)
            number = other.constant - self.constant
            return self.recorder.equals(base, number) if base else number == 0
        if isinstance(other, int):
            return self.recorder.equals(self.base, other - self.constant)
        return NotImplemented

    def __bool__(self) -> bool:
        return self != 0

    def __abs__(self) -> Number | Self:
        return -self if self < 0 else self

    def __hash__(self) -> int:
        raise Unrecordable

    def __index__(self) -> int:
        return self.exact()

    def __repr__(self) -> str:
        return f"{self.value}"

    def __str__(self) -> str:
        """Its value; where sums that become text are ``shown``, the place of its sum among them and its constant."""
        shown = self.recorder.shown
        if shown is None:
            return f"{self.value}"
        if self.base not in shown:
            shown.append(self.base)
        return f"\x03{shown.index(self.base)}:{self.constant}\x03"
