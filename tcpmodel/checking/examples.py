"""Examples of a spec as packets, to be checked like any others.

Owns: what a packet of an example holds that the example does not say.
Must never hold: what the packets prove.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcpmodel.checking.ends.observer import COMPLETE
from tcpmodel.model import spec as m
from tcpmodel.model.types import Seq
from tcpmodel.traces.records import FLAG_BITS, Packet

ENDS = ("10.0.0.1:4000", "10.0.0.2:80")
"""The left end and the right end."""

APART = 1000
"""Microseconds between two messages."""

_MODULUS = 1 << 32


def whole(spec: m.Spec, example: m.Example) -> tuple[m.ShownLine, ...]:
    """The lines of an example, with those of the examples that it goes on with."""
    lines = example.lines
    while example.after:
        example = next(one for one in spec.examples if one.name == example.after)
        lines = (*example.lines, *lines)
    return lines


def packets(spec: m.Spec, example: m.Example, shifts: Sequence[int] = (0, 0)) -> Iterator[Packet]:
    """The packets of an example, numbered from 1; ``shifts`` is added to the numbers of the left and the right end.

    A number 0 stays as it is: it stands for itself, as in an answer that has no number of its own.
    """
    time = 0
    at = dict(zip("AB", ENDS, strict=True)).get(example.end, example.end)
    for number, line in enumerate(whole(spec, example), 1):
        time += APART + line.wait
        side = "AB".index(line.sender)
        said, message = line.message, next(one for one in spec.messages if one.name == line.message.message)
        written = dict(said.fields)
        fields = {COMPLETE: 0}
        seen = [one for one in spec.seen if one.message == said.message]
        items: list[m.Field | m.SeenField] = [*message.fields, *seen]
        for item in items:
            value = written.get(item.name, item.default if isinstance(item, m.Field) else None)
            if value is None:
                continue
            if isinstance(item.type, Seq) and value:
                value = (value + shifts[side if item.type.space == "sender" else 1 - side]) % _MODULUS
            fields[item.source] = value
        for one in seen:
            if one.typical is not None:
                fields.setdefault(one.source, one.typical)
        bits = sum(FLAG_BITS[name] for name in (*said.flags, *said.marks) if name in FLAG_BITS)
        protocol = spec.over or spec.name
        yield Packet(number, time * 1000, protocol, ENDS[side], ENDS[1 - side], bits, fields, at)
