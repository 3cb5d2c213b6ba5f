"""What an observer of messages sees and keeps: the declarations that rules over them rest on.

Owns: the data classes of ``seen``, ``note``, ``observe`` and ``need``.
Must never hold: how an observer works (see ``semantics.watching`` and ``checking.ends.observer``).
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.language.span import Span
from tcpmodel.model.expr import Citation, Expr
from tcpmodel.model.types import Type

FACTS = ("segment", "lossless", "sender", "receiver", "between", "clock", "nothing")
"""What an observer knows of the capture itself: what one message shows; that nothing is missing; at whose host it was
made, or between the hosts; that its times can be trusted; and what no capture shows."""

PEER = "peer."
"""Before the name of a note: that of the other direction."""


@dataclass(frozen=True, slots=True)
class SeenField:
    """``seen SEG.MSS : optional octets from mss``: a field of a message at which only observers look.

    ``source`` is the key that trace readers use. ``optional``: a message can be without it. ``typical``: what it is in
    examples that say nothing of it.
    """

    message: str
    name: str
    type: Type
    optional: bool
    source: str
    title: str
    span: Span
    typical: int | None = None


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """``seen ERROR "..." from icmp``: a message of another protocol that tells something about a packet of this one.

    ``source`` is the protocol name that trace readers give to it.
    """

    name: str
    source: str
    title: str
    span: Span


@dataclass(frozen=True, slots=True)
class Note:
    """``note TOP : optional seq(local)``: what is kept of each direction of a connection.

    ``initial`` None: unset if it is optional, else unknown. ``inherits``: the note whose last value in the connection
    before, between the same addresses and ports, it has at first; "" for none.
    """

    name: str
    type: Type
    optional: bool
    initial: Expr | None
    title: str
    cites: tuple[Citation, ...]
    doc: str
    span: Span
    inherits: str = ""


@dataclass(frozen=True, slots=True)
class Jotting:
    """``note <- value``; value None with ``unset`` clears it, without it nothing is known afterwards."""

    note: str
    value: Expr | None
    unset: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Observation:
    """``observe SEG with SYN when condition``: what a message of a direction changes in the notes of that direction.

    ``notices``: events of this kind that its sender may have had because of the message.
    """

    message: str
    when: Expr | None
    jottings: tuple[Jotting, ...]
    doc: str
    span: Span
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """``need D "..." when condition``, or ``from`` one of FACTS: what a rule needs before it may report anything."""

    name: str
    title: str
    when: Expr | None
    fact: str
    doc: str
    span: Span
