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
        self.bases: list[Base] = [()]
        self.values: list[int] = [0]
        self.bounds: list[list[int]] = [[0, 0]]
        self._opposite: list[int] = [0]
        self._known: dict[Base, int] = {(): 0}
        self._sums: dict[tuple[int, int, int], int] = {}

    def number(self, index: int) -> Number:
        """The input with that index."""
        return Number(self, self._base(((index, 1),), self.inputs[index]), 0, self.inputs[index])

    def _base(self, base: Base, value: int) -> int:
        known = self._known.get(base)
        if known is None:
            known = self._known[base] = len(self.bases)
            opposite = tuple([(index, -factor) for index, factor in base])
            self._known[opposite] = known + 1
            self.bases += (base, opposite)
            self.values += (value, -value)
            self.bounds += ([-INFINITY, INFINITY], [-INFINITY, INFINITY])
            self._opposite += (known + 1, known)
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
        return known

    def at_most(self, base: int, limit: int) -> bool:
        """Is the sum at most ``limit``? The answer becomes a bound, unless the bounds give it already."""
        if limit >= _FAR:
            return True
        if limit <= -_FAR:
            return False
        low, high = self.bounds[base]
        if high <= limit:
            return True
        if low > limit:
            return False
        other = self.bounds[self._opposite[base]]
        if self.values[base] <= limit:
            self.bounds[base][1] = limit
            other[0] = -limit
            return True
        self.bounds[base][0] = limit + 1
        other[1] = -limit - 1
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
        for base, (low, high) in zip(self.bases, self.bounds, strict=True):
            if base and base[0][1] > 0 and (low > -INFINITY or high < INFINITY):
                found.append((base, low, high))
        return found


class Number:
    """``recorder``'s sum of inputs number ``base``, plus ``constant``; ``value`` is what it is worth."""

    __slots__ = ("base", "constant", "recorder", "value")

    def __init__(self, recorder: Recorder, base: int, constant: int, value: int) -> None:
        self.recorder = recorder
        self.base = base
        self.constant = constant
        self.value = value

    def _plus(self, constant: int) -> Number | int:
        total = self.constant + constant
        if -_FAR < total < _FAR:
            return Number(self.recorder, self.base, total, self.value + constant)
        return INFINITY if total > 0 else -INFINITY

    def _joined(self, other: Number, factor: int) -> Number | int:
        base = self.recorder.combine(self.base, other.base, factor)
        constant = self.constant + factor * other.constant
        if not base:
            return constant
        return Number(self.recorder, base, constant, self.value + factor * other.value)

    def __add__(self, other: Number | int) -> Number | int:
        return self._joined(other, 1) if isinstance(other, Number) else self._plus(other)

    __radd__ = __add__

    def __sub__(self, other: Number | int) -> Number | int:
        return self._joined(other, -1) if isinstance(other, Number) else self._plus(-other)

    def __neg__(self) -> Number:
        base = self.recorder.combine(0, self.base, -1)
        return Number(self.recorder, base, -self.constant, -self.value)

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
        return Number(self.recorder, base, self.constant * factor, self.value * factor)

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

    def __lt__(self, other: Number | int) -> bool:
        if isinstance(other, Number):
            if self.base == other.base:
                return self.constant < other.constant
            base = self.recorder.combine(self.base, other.base, -1)
            limit = other.constant - self.constant - 1
            return self.recorder.at_most(base, limit) if base else limit >= 0
        return self.recorder.at_most(self.base, other - self.constant - 1)

    def __le__(self, other: Number | int) -> bool:
        if isinstance(other, Number):
            if self.base == other.base:
                return self.constant <= other.constant
            base = self.recorder.combine(self.base, other.base, -1)
            limit = other.constant - self.constant
            return self.recorder.at_most(base, limit) if base else limit >= 0
        return self.recorder.at_most(self.base, other - self.constant)

    def __gt__(self, other: Number | int) -> bool:
        return not self <= other

    def __ge__(self, other: Number | int) -> bool:
        return not self < other

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
