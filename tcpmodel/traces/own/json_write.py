"""Writes records as lines of our own trace format, so that ``json_lines`` reads the same records again.

Owns: which key holds which part of a record.
Must never hold: how the format is read, or any other format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tcpmodel.traces.own.json_lines import OPTION_KEYS, SHORT, SOURCE, WHOLE
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import FLAG_BITS, Packet, Record, StateRecord

_ENCODE = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
_SHORT = {name: short for short, name in SHORT.items()}
_FIRST = ("seq", "ack", "length", "window")
_LATER = frozenset({*_FIRST, *OPTION_KEYS})


def heading(trace: Trace) -> str:
    """The line that begins another trace in the same file."""
    return _ENCODE({"event": "trace", "name": trace.path, "format": trace.format})


def ending(trace: Trace) -> Iterator[str]:
    """What is said of ``trace`` as a whole, once all of its records were read: a line for each."""
    found = trace.circumstances
    for (code, words), (count, first) in found.met.items() if found is not None else ():
        where = "line" if trace.counts_lines else "frame"
        yield _ENCODE({"event": WHOLE, "code": code, "words": words, "count": count, where: first})


def line(record: Record, trace: Trace) -> str:
    """One record of ``trace`` as one line, without its end. All characters are ASCII."""
    item: dict[str, Any] = {}
    if record.time is not None:
        item["time"] = seconds(record.time)
    item["line" if trace.counts_lines else "frame"] = record.number
    if record.protocol != "tcp":
        item["protocol"] = record.protocol
    if isinstance(record, Packet):
        _packet(item, record)
        return _ENCODE(item)
    item["event"] = "state" if isinstance(record, StateRecord) else record.kind
    item["local"], item["remote"] = record.local, record.remote
    if record.endpoint:
        item["socket"] = record.endpoint
    source = record.source or trace.source
    if source and source != SOURCE:
        item["source"] = source
    if isinstance(record, StateRecord):
        if record.old:
            item["old"] = record.old
        item["state"] = record.new
    else:
        item[record.kind] = record.name
        if record.values:
            item["args"] = record.values
    return _ENCODE(item)


def _packet(item: dict[str, Any], record: Packet) -> None:
    item["event"] = "packet"
    if record.at:
        item["host"] = record.at
        if record.at in (record.source, record.destination):
            item["event"] = "send" if record.at == record.source else "receive"
    item["src"], item["dst"] = record.source, record.destination
    segment: dict[str, Any] = {}
    if record.flags is not None and (record.flags or record.protocol == "tcp"):
        segment["flags"] = ",".join(name for name, bit in FLAG_BITS.items() if record.flags & bit)
    fields = record.fields
    for name in _FIRST:
        if name in fields:
            segment[_SHORT.get(name, name)] = fields[name]
    options: dict[str, Any] = {name: fields[name] for name in OPTION_KEYS if name in fields}
    if "tsval" in options and "tsecr" in options:
        options["ts"] = [options.pop("tsval"), options.pop("tsecr")]
    if options:
        segment["options"] = options
    for name, value in fields.items():
        if name not in _LATER:
            segment[_SHORT.get(name, name)] = value
    if segment:
        item["segment"] = segment


def seconds(time: int) -> str:
    """Nanoseconds as a text of decimal seconds with nine digits after the point: no reader of JSON can round it."""
    whole, fraction = divmod(abs(time), 1_000_000_000)
    return f"{'-' if time < 0 else ''}{whole}.{fraction:09d}"
