"""Scenarios: what one or two ends do, line by line, as the spec says that they should (or should not).

Owns: the data classes of a scenario, after all names are resolved.
Must never hold: how a scenario is written (see ``language``) or how it is run.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.language.span import Span
from tcpmodel.model.expr import Citation, Event

Value = int | str | None
"""A number (durations in microseconds), a word of an enum, or None for ``unset``."""

Values = tuple[tuple[str, Value], ...]
"""Names and values in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class SaidMessage:
    """A message with exact numbers. ``fields``: those that are written; ``flags``: the exact set; ``marks``: those
    written. ``text``: as ``tcpmodel step`` takes it."""

    message: str
    fields: tuple[tuple[str, int], ...]
    flags: tuple[str, ...]
    marks: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """Base of all lines. ``label``: the number before it (``"2"``) or ""; ``text``: as written, single-spaced.

    ``refused``: why the model must refuse this line, or "" if it must accept it.
    """

    span: Span
    label: str
    text: str
    refused: str


@dataclass(frozen=True, slots=True)
class StatesLine(Line):
    """``CLOSED  LISTEN``: the states of both ends now."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class MessageLine(Line):
    """A message between two ends. ``sender`` is ``A`` (left) or ``B`` (right).

    ``sent``: it leaves the sender in this line; otherwise it is one that left before. ``arrives``: it reaches the other
    end in this line; otherwise it is under way. ``left`` and ``right``: the states after the line, "" if not written.
    """

    sender: str
    sent: bool
    arrives: bool
    left: str
    right: str
    message: SaidMessage


@dataclass(frozen=True, slots=True)
class EventLine(Line):
    """Something happens to one end: a message arrives (one end only), a call, a timer, a notice, or its own accord.

    ``end``: ``A``, ``B``, or "" in a scenario of one end. ``event.kind`` is ``own`` for ``may``; ``rule`` is then the
    id of the rule, or "". ``said``: the event as ``tcpmodel step`` takes it. ``state``: the state afterwards, "" if not
    written; ``values``: variables afterwards.
    """

    end: str
    event: Event
    said: str
    message: SaidMessage | None
    rule: str
    state: str
    values: Values


@dataclass(frozen=True, slots=True)
class SentLine(Line):
    """``> <SEQ=..>..``: the last event made the end send this; several such lines in a row: in this order.

    ``message`` None: ``> nothing``, it sent nothing at all. ``end`` as in EventLine.
    """

    end: str
    message: SaidMessage | None


@dataclass(frozen=True, slots=True)
class SignalLine(Line):
    """``signal "words"``: the user was told by the last event; ``words`` None: ``signal nothing``."""

    end: str
    words: str | None


@dataclass(frozen=True, slots=True)
class ChooseLine(Line):
    """``choose ISS = 500``: what the spec leaves open, fixed for the next event of this end."""

    end: str
    values: Values


@dataclass(frozen=True, slots=True)
class CheckLine(Line):
    """``=> STATE (VAR = value)``: where an end is now. ``state`` "" if only values are written."""

    end: str
    state: str
    values: Values


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A message of an example as an observer sees it: ``sender`` A (left) or B; its fields may be of those ``seen``.

    ``wrong``: what is wrong about it, or "". ``wait``: microseconds since the message before.
    """

    span: Span
    sender: str
    message: SaidMessage
    wrong: str
    wait: int


@dataclass(frozen=True, slots=True)
class Example:
    """Messages that break the rule ``name`` in the lines that are ``wrong``, or that do not break it.

    ``after``: the example that comes before, or "". ``end``: A or B, if it is seen at that end's host, or "".
    One that is no rule's name is only the beginning of others.
    """

    name: str
    title: str
    after: str
    end: str
    lines: tuple[ShownLine, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario.

    ``start``: the state of the one end, or of A and B. ``rejects``: exactly the last line has ``refused``; all before
    it must be accepted. ``profiles``: as ``choose_profiles`` takes them (``no-NAME`` turns one off). ``lets``: (end,
    variable, value) that the ends start with, over what is typical of their states; end is "" with one end.
    """

    title: str
    rejects: bool
    profiles: tuple[str, ...]
    start: tuple[str, ...]
    lets: tuple[tuple[str, str, Value], ...]
    lines: tuple[Line, ...]
    cites: tuple[Citation, ...]
    doc: str
    span: Span

    @property
    def kind(self) -> str:
        """``one-ended`` or ``two-ended``."""
        return "one-ended" if len(self.start) == 1 else "two-ended"
