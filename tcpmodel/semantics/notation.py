"""Messages and events as people write them: ``<SEQ=100><CTL=SYN>``, ``OPEN passive``, ``timeout USER``.

Owns: reading and writing this notation by the names that a spec declares.
Must never hold: what a message or an event does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum

PART = re.compile(r"<\s*([A-Za-z][\w.\-]*)\s*=\s*([^<>]*?)\s*>")
NONE = "none"


class NotationError(ValueError):
    """What was written is not an event of the spec; the message says what would be."""


@dataclass(slots=True)
class MessageText:
    """A message as written: exact numbers by field name, flags and marks by name."""

    message: m.Message
    fields: dict[str, int] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()


@dataclass(slots=True)
class EventText:
    """An event as written; ``message`` only for one that arrives."""

    event: m.Event
    message: MessageText | None = None


def read_event(spec: m.Spec, text: str) -> EventText:
    """Read an event; NotationError when the spec has no such event."""
    text = " ".join(text.split())
    if text.startswith("<"):
        return _read_arrival(spec, text)
    named, _, rest = text.partition(" ")
    for message in spec.messages:
        if named == message.name and rest.startswith("<"):
            return _read_arrival(spec, rest, message)
    wanted = {"timeout": "timer", "notice": "notice"}.get(named)
    for event in spec.events:
        if wanted is not None:
            if event.kind == wanted and event.name.upper() == rest.upper():
                return EventText(event)
        elif event.kind == "call" and event.name.upper() == text.upper():
            return EventText(event)
    known = [str(event) for event in spec.events if event.kind != "message"]
    raise NotationError(f"{spec.name} has no event {text!r}; it has messages such as <...> and: {', '.join(known)}")


def _read_arrival(spec: m.Spec, text: str, message: m.Message | None = None) -> EventText:
    read = read_message(spec, text, message)
    event = next(e for e in spec.events if e.kind == "message" and e.name == read.message.name)
    return EventText(event, read)


def read_message(spec: m.Spec, text: str, message: m.Message | None = None) -> MessageText:
    """Read ``<FIELD=n>...<CTL=A,B>``; NotationError with what is wrong."""
    if not spec.messages:
        raise NotationError(f"{spec.name} declares no message")
    rest = PART.sub("", text).strip()
    if rest:
        raise NotationError(f"not a message: {rest!r}; write it as <FIELD=number>...<CTL=FLAG,FLAG>")
    parts = PART.findall(text)
    if message is None:
        names = {name for name, _ in parts if name != "CTL"}
        fitting = [each for each in spec.messages if names <= {item.name for item in each.fields}]
        message = fitting[0] if fitting else spec.messages[0]
    read = MessageText(message)
    for name, value in parts:
        if name == "CTL":
            read.flags, read.marks = _read_flags(message, value)
            continue
        declared = next((item for item in message.fields if item.name == name), None)
        if declared is None:
            known = ", ".join(item.name for item in message.fields)
            raise NotationError(f"{message.name} has no field {name}; it has {known} and CTL")
        if name in read.fields:
            raise NotationError(f"<{name}=...> is given twice")
        read.fields[name] = _read_number(declared, value)
    return read


def _read_flags(message: m.Message, text: str) -> tuple[frozenset[str], frozenset[str]]:
    names = {part.strip().upper() for part in text.split(",") if part.strip()} - {NONE.upper()}
    unknown = names - {*message.flags, *message.marks}
    if unknown:
        raise NotationError(f"{message.name} has no flag {sorted(unknown)[0]}; it has {', '.join(message.flags)}")
    return frozenset(names & set(message.flags)), frozenset(names & set(message.marks))


def _read_number(item: m.Field, text: str) -> int:
    if isinstance(item.type, Enum) and text in item.type.words:
        return item.type.words.index(text)
    try:
        number = int(text, 0)
    except ValueError:
        words = f" or one of {', '.join(item.type.words)}" if isinstance(item.type, Enum) else ""
        raise NotationError(f"<{item.name}={text}>: {text!r} is not a number{words}") from None
    if not 0 <= number < 1 << 32:
        raise NotationError(f"<{item.name}={text}>: a number from 0 to 4294967295 is needed")
    return number


def write_message(message: m.Message, fields: dict[str, int], flags: tuple[str, ...]) -> str:
    """Write a message: numbered fields first, then CTL, then what it carries."""
    before = [
        f"<{item.name}={fields[item.name]}>" for item in message.fields if item.name in fields and item.default is None
    ]
    after = [
        f"<{item.name}={fields[item.name]}>"
        for item in message.fields
        if item.default is not None and fields.get(item.name, item.default) != item.default
    ]
    control = [f"<CTL={','.join(flags)}>"] if flags else []
    return "".join([*before, *control, *after])
