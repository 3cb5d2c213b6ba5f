"""Messages and events as people write them: ``<SEQ=100><CTL=SYN>``, ``OPEN passive``, ``timeout USER``, ``may``.

Owns: reading and writing this notation by the names that a spec declares.
Must never hold: what a message or an event does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum, Range, Seq, Type

PART = re.compile(r"<\s*([A-Za-z][\w.\-]*)\s*=\s*([^<>]*?)\s*>")
NUMBER = re.compile(r"[0-9]{1,20}|0[xX][0-9A-Fa-f]{1,16}")
NONE = "none"
OWN = "may"
MOST_TEXT = 4096
"""Longer texts are no events: nothing that a spec declares needs so many characters."""


class NotationError(ValueError):
    """What was written is not an event of the spec; the message says what would be."""


@dataclass(slots=True)
class MessageText:
    """A message as written: exact numbers by field name, flags and marks by name.

    ``control``: flags and marks in the order in which they were written. ``named``: the spec has several messages, so
    that the name has to be written.
    """

    message: m.Message
    fields: dict[str, int] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    control: tuple[str, ...] = ()
    named: bool = False

    def __str__(self) -> str:
        """The same message as the spec spells it."""
        return write_message(self.message, self.fields, self.control, named=self.named)


@dataclass(slots=True)
class EventText:
    """An event as written; ``message`` only for one that arrives.

    ``event`` None is what the endpoint does of its own accord: the rule ``rule`` alone, or any when that is empty.
    """

    event: m.Event | None
    message: MessageText | None = None
    rule: str = ""

    def __str__(self) -> str:
        """The same event as the spec spells it."""
        if self.message is not None:
            return str(self.message)
        return str(self.event) if self.event is not None else f"{OWN} {self.rule}".strip()


def missing(what: str, name: str, known: Iterable[str], where: str) -> str:
    """What to say of a name that does not exist: the nearest names, or all of them when none is near."""
    import difflib

    names = list(dict.fromkeys(known))
    folded = {candidate.upper(): candidate for candidate in names}
    shown = name if len(name) <= 60 else name[:60] + "..."
    near = [folded[match] for match in difflib.get_close_matches(name[:60].upper(), folded, n=3)]
    if near:
        return f"{where} has no {what} '{shown}'; did you mean {' or '.join(near)}?"
    return f"{where} has no {what} '{shown}'; it has {', '.join(names)}" if names else f"{where} has no {what} at all"


def matching(name: str, known: Iterable[str]) -> str | None:
    """The name as it is declared, whatever case it was written in; None when there is none, or more than one."""
    names = list(known)
    if name in names:
        return name
    found = [candidate for candidate in names if candidate.upper() == name.upper()]
    return found[0] if len(found) == 1 else None


def read_value(type_: Type, text: str, where: str) -> int:
    """A number, or the index of a word, that ``type_`` allows; NotationError, about ``where``, for anything else."""
    if isinstance(type_, Enum):
        word = matching(text, type_.words)
        if word is None:
            raise NotationError(f"{where}: one of {', '.join(type_.words)} is needed")
        return type_.words.index(word)
    if not NUMBER.fullmatch(text):
        raise NotationError(f"{where}: {text[:60]!r} is not a number")
    number = int(text, 16 if text[:2] in {"0x", "0X"} else 10)
    low, high = (type_.low, type_.high) if isinstance(type_, Range) else (0, (1 << 32) - 1)
    if not low <= number <= high:
        raise NotationError(f"{where}: a number from {low} to {high} is needed")
    return number


# -------------------------------------------------------------------------------------------------------------- reading


def read_event(spec: m.Spec, text: str) -> EventText:
    """Read an event; NotationError when the spec has no such event."""
    if len(text) > MOST_TEXT:
        raise NotationError(f"an event has at most {MOST_TEXT} characters; this one has {len(text)}")
    text = " ".join(text.split())
    if not text:
        raise NotationError(f"no event is given; {_events(spec)}")
    if text.startswith("<"):
        return _read_arrival(spec, text)
    named, _, rest = text.partition(" ")
    for message in spec.messages:
        if named.upper() == message.name.upper() and (rest.startswith("<") or not rest):
            return _read_arrival(spec, rest, message)
    for event in spec.events:
        if event.kind not in {"message", "own"} and str(event).upper() == text.upper():
            return EventText(event)
    if text.upper() == "OWN ACCORD":
        return EventText(None)
    if named.upper() == OWN.upper():
        return EventText(None, rule=_own_rule(spec, rest))
    raise NotationError(_no_event(spec, text))


def _no_event(spec: m.Spec, text: str) -> str:
    """An event that does not exist: what is near, else everything that there is."""
    begun = [name for name in _named_events(spec) if name.upper().startswith(text.upper() + " ")]
    if begun:
        return f"{spec.name} has no event '{text}'; it has {', '.join(begun)}"
    said = missing("event", text, [*_named_events(spec), OWN], spec.name)
    return said if "did you mean" in said else f"{spec.name} has no event '{text[:60]}'; {_events(spec)}"


def _named_events(spec: m.Spec) -> list[str]:
    return [str(event) for event in spec.events if event.kind not in {"message", "own"}]


def _events(spec: m.Spec) -> str:
    named = ", ".join([*_named_events(spec), OWN])
    if not spec.messages:
        return f"it has {named}"
    message = spec.messages[0]
    parts = "".join(f"<{item.name}=number>" for item in message.fields[:1]) + ("<CTL=FLAG,FLAG>" * bool(message.flags))
    return f"it has {parts or message.name} and {named}"


def _own_rule(spec: m.Spec, name: str) -> str:
    if not name:
        return ""
    known = [rule.id for state in spec.states for rule in state.rules if rule.event.kind == "own"]
    found = matching(name, dict.fromkeys(known))
    if found is None:
        raise NotationError(missing("rule of its own accord", name, known, spec.name))
    return found


def _read_arrival(spec: m.Spec, text: str, message: m.Message | None = None) -> EventText:
    read = read_message(spec, text, message)
    event = next((e for e in spec.events if e.kind == "message" and e.name == read.message.name), None)
    if event is None:
        raise NotationError(f"no rule of {spec.name} is about a {read.message.name} that arrives")
    return EventText(event, read)


def read_message(spec: m.Spec, text: str, message: m.Message | None = None) -> MessageText:
    """Read ``<FIELD=n>...<CTL=A,B>``, with or without the name of the message before it.

    Raises NotationError with what is wrong.
    """
    if not spec.messages:
        raise NotationError(f"{spec.name} declares no message")
    text = text.strip()
    for each in spec.messages if message is None else ():
        if text.upper() == each.name.upper() or re.match(rf"{re.escape(each.name)}\s*<", text, re.IGNORECASE):
            message, text = each, text[len(each.name) :]
            break
    rest = PART.sub("", text).strip()
    if rest:
        raise NotationError(f"not a message: {rest[:60]!r}; it is written as <FIELD=number>...<CTL=FLAG,FLAG>")
    parts = PART.findall(text)
    if message is None:
        names = {name.upper() for name, _ in parts} - {"CTL"}
        fitting = [each for each in spec.messages if names <= {item.name.upper() for item in each.fields}]
        message = fitting[0] if fitting else spec.messages[0]
    read = MessageText(message, named=len(spec.messages) > 1)
    control = False
    for name, value in parts:
        if name.upper() == "CTL":
            if control:
                raise NotationError("<CTL=...> is given twice")
            control = True
            read.control = _read_control(message, value)
            read.flags = frozenset(read.control) & frozenset(message.flags)
            read.marks = frozenset(read.control) & frozenset(message.marks)
            continue
        declared = _field(message, name)
        if declared.name in read.fields:
            raise NotationError(f"<{declared.name}=...> is given twice")
        read.fields[declared.name] = read_value(declared.type, value, f"<{declared.name}={value[:60]}>")
    return read


def _field(message: m.Message, name: str) -> m.Field:
    known = {item.name: item for item in message.fields}
    found = matching(name, known)
    if found is None:
        raise NotationError(missing("field", name, [*known, "CTL"], message.name))
    return known[found]


def _read_control(message: m.Message, text: str) -> tuple[str, ...]:
    names: list[str] = []
    for part in text.split(","):
        word = part.strip()
        if not word or word.lower() == NONE:
            continue
        found = matching(word, [*message.flags, *message.marks])
        if found is None:
            raise NotationError(missing("flag", word, [*message.flags, *message.marks], message.name))
        names.append(found)
    return tuple(dict.fromkeys(names))


# -------------------------------------------------------------------------------------------------------------- writing


def write_message(message: m.Message, fields: dict[str, int], flags: tuple[str, ...], *, named: bool = False) -> str:
    """Write a message: numbered fields first, then CTL, then what it carries besides.

    ``named``: with the name of the message, which a spec with several messages needs.
    """

    def part(item: m.Field) -> str:
        number = fields[item.name]
        return f"<{item.name}={item.type.words[number] if isinstance(item.type, Enum) else number}>"

    numbered = [item for item in message.fields if isinstance(item.type, Seq) or not _has_numbers(message)]
    before = [part(item) for item in numbered if item.name in fields and item.default is None]
    after = [
        part(item)
        for item in message.fields
        if item.name in fields
        and (item not in numbered or item.default is not None)
        and (item.default is None or fields[item.name] != item.default)
    ]
    control = [f"<CTL={','.join(flags)}>"] if flags else []
    written = "".join([*before, *control, *after])
    return f"{message.name} {written}".strip() if named or not written else written


def _has_numbers(message: m.Message) -> bool:
    return any(isinstance(item.type, Seq) for item in message.fields)
