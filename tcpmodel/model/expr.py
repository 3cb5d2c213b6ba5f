"""What the declarations of a spec are made of: citations, expressions, events.

Owns: their data classes, after all names are resolved and all types are checked.
Must never hold: declarations (see ``spec``).
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.language.span import Span
from tcpmodel.model.types import Type


@dataclass(frozen=True, slots=True)
class Citation:
    """One reference: ``document`` such as ``RFC9293``, ``place`` such as ``§3.10.7.4 fifth``, or a requirement id.

    For a requirement (``MUST-11``) ``place`` is the id and ``requirement`` is true.
    """

    document: str
    place: str
    requirement: bool = False

    def __str__(self) -> str:
        return f"{self.document} {self.place}".strip()


# ---------------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Expr:
    """Base of all expressions. ``text`` is the source as written, with single spaces."""

    type: Type
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Literal(Expr):
    """A number, a duration in microseconds, ``true``/``false`` as 1/0, or the index of an enum word."""

    value: int


@dataclass(frozen=True, slots=True)
class VarRef(Expr):
    """A variable of the endpoint."""

    name: str


@dataclass(frozen=True, slots=True)
class LocalRef(Expr):
    """A value that the rule chose (``choose n``)."""

    name: str


@dataclass(frozen=True, slots=True)
class FieldRef(Expr):
    """A field of the message at hand: the one that arrived, or in ``where``, ``rule`` and ``fault`` the one sent."""

    message: str
    name: str


@dataclass(frozen=True, slots=True)
class DefinitionRef(Expr):
    """A ``define``d name or a named constant; its meaning is ``Spec.definitions[name]`` or ``Spec.constants[name]``."""

    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic(Expr):
    """``left op right`` with op one of ``+ - * / mod``; or ``max``/``min`` of the two."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Compare(Expr):
    """``left op right`` with op one of ``< =< = !=`` (``>`` and ``>=`` are turned round)."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Not(Expr):
    """``not A``."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class And(Expr):
    """``A and B ...``, from left to right."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or(Expr):
    """``A or B ...``, from left to right."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class HasFlags(Expr):
    """``SEG with A,B`` (all set) and ``SEG without A,B`` (none set)."""

    message: str
    present: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IsSet(Expr):
    """``V is set`` of an optional variable."""

    name: str


@dataclass(frozen=True, slots=True)
class After(Expr):
    """``V'``: the operand with the values after one event; only in properties of the kinds about steps."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Cases(Expr):
    """``| guard => value`` lines in order; the last guard is always true."""

    cases: tuple[tuple[Expr, Expr], ...]


# ------------------------------------------------------------------------------------------------------------ events


@dataclass(frozen=True, slots=True)
class Event:
    """``kind``: ``message``, ``call``, ``timer``, ``notice`` (from a lower layer) or ``own`` (own accord: ``may``).

    ``name`` is the message name, the words of the call (``OPEN passive``) or of the timer. ``observed`` is true for
    messages only: no capture shows the others. ``duration`` is the time after which a timer expires, if fixed.
    """

    kind: str
    name: str
    observed: bool
    duration: Expr | None
    title: str
    cites: tuple[Citation, ...]
    doc: str
    span: Span

    def __str__(self) -> str:
        if self.kind == "timer":
            return f"timeout {self.name}"
        if self.kind == "notice":
            return f"notice {self.name}"
        return "own accord" if self.kind == "own" else self.name
