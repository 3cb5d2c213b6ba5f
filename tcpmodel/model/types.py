"""The types of the language.

Owns: what a type is, when two types are the same, how a type is written.
Must never hold: the name of a protocol, its states or its fields.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Type:
    """Base of all types; compare with ``==``."""


@dataclass(frozen=True, slots=True)
class Seq(Type):
    """A number modulo 2^32 in the numbering of one end.

    ``space`` is ``local`` or ``peer`` (seen from the endpoint that the rule belongs to). A message field is declared
    with ``sender`` or ``receiver`` and gets its space where it is used: in a message that arrived, ``sender`` is the
    peer; in a message that is sent, ``sender`` is this end.
    """

    space: str

    def __str__(self) -> str:
        return f"seq({self.space})"


@dataclass(frozen=True, slots=True)
class Octets(Type):
    """An amount: a whole number, usually of octets. Never wraps."""

    def __str__(self) -> str:
        return "octets"


@dataclass(frozen=True, slots=True)
class Range(Type):
    """A whole number from ``low`` to ``high``, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low}..{self.high}"


@dataclass(frozen=True, slots=True)
class Duration(Type):
    """A time span in microseconds."""

    def __str__(self) -> str:
        return "duration"


@dataclass(frozen=True, slots=True)
class Enum(Type):
    """One of a few words."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return " | ".join(self.words)


@dataclass(frozen=True, slots=True)
class Bool(Type):
    """True or false; the type of a guard."""

    def __str__(self) -> str:
        return "condition"


OCTETS = Octets()
BOOL = Bool()
DURATION = Duration()
LOCAL = Seq("local")
PEER = Seq("peer")
