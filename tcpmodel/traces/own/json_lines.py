"""Our own trace format: one event of one endpoint or observer per line, as a JSON object.

Owns: the keys of an event, what they may hold, and what is supposed where one is missing.
Must never hold: rules of a protocol, or the limits of JSON text. Writing is done in ``json_write``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import chain
from typing import Any

from tcpmodel.traces.circumstances import MET, Circumstances
from tcpmodel.traces.own.json_text import LONGEST_LINE, JsonFault, Real, parse, shown
from tcpmodel.traces.own.json_time import nanoseconds
from tcpmodel.traces.reader import LineReader
from tcpmodel.traces.records import (
    ERRORS,
    FIELD_KEYS,
    FLAG_BITS,
    Event,
    Packet,
    Record,
    StateRecord,
    TraceError,
)
from tcpmodel.traces.relative import Relative
from tcpmodel.traces.source import Source

SOURCE = "rfc-states"
"""The observation source of states and calls whose line names none."""

SEEN = ("send", "receive", "packet")
TOLD = ("call", "timer", "notice", "signal")
KINDS = (*SEEN, "state", *TOLD)
"""What ``event`` may be, but for a heading and what is said of a trace as a whole."""

WHOLE = "circumstance"
"""The ``event`` that says something of a trace as a whole."""

SHORT = {"len": "length", "win": "window", "urg": "urgent"}
"""Keys of a segment that are shorter than the names of the fields that they stand for."""

OPTION_KEYS = ("mss", "wscale", "sackok", "tsval", "tsecr", "tfo", "bad_options")
"""Fields that are written under ``options``."""

KEYS = (
    *("time", "protocol", "event", "connection", "host", "peer", "src", "dst", "local", "remote", "socket"),
    *("segment", "relative", "state", "old", *TOLD, "name", "args", "source", "format", "frame", "line", "comment"),
    *("code", "words", "count"),
)
"""Every key of an event that means something."""

_LONGEST_TEXT = 1 << 12
_MOST_VALUES = 64
_MOST_STRANGE = 1000
_CONNECTIONS_KEPT = 1 << 16
_NUMBERS = frozenset({"seq", "ack"})


class Fault(Exception):
    """A line that cannot be used. ``kind``: what it is counted as; ``key``: the key at which it fails, or ""."""

    def __init__(self, kind: str, message: str, key: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.key = key


def recognises(line: str) -> bool:
    """Whether this may be the first line of this format; others that begin with a brace are to be asked before."""
    return line.lstrip().startswith("{")


class JsonLinesTrace(LineReader):
    """One file of events, or what stands under one heading of it. See ``tcpmodel.traces.reader.Trace``.

    ``following`` is, once all records have been read, the trace under the next heading, or None.
    """

    format = "json lines"
    longest = LONGEST_LINE + 1
    source = SOURCE
    circumstances: Circumstances
    following: JsonLinesTrace | None

    def __init__(self, source: Source, name: str = "", lines: Iterator[tuple[int, str]] | None = None) -> None:
        """``name`` and ``lines``: what a heading said that was read already, and the lines under it."""
        super().__init__(source)
        if lines is None:
            lines = self._numbered()
            first = next(lines, (1, ""))
            named = _heading(first[1])
            name, lines = named or "", lines if named is not None else chain([first], lines)
        if name:
            self.path = f"{source.path} ({name})"
        self.circumstances = Circumstances()
        self.following = None
        self._lines = lines
        self._reasons: dict[str, str] = {}
        self._reader = EventReader()

    def records(self) -> Iterator[Record]:
        """All events in order; lines that cannot be used are counted, and the first of each kind is named.

        TraceError at the end if no line at all could be used, or if one could not that begins as an object: whoever
        prints between events, as on one standard output, does not begin so.
        """
        used = False
        first: tuple[str, str] | None = None
        spoilt: tuple[str, str] | None = None
        count = 0
        for number, line in self._lines:
            if not line or line.isspace():
                continue
            try:
                item = _object(line)
                if item.get("event") == "trace":
                    self.following = JsonLinesTrace(self._source, _word(item, "name"), self._lines)
                    break
                if item.get("event") == WHOLE:
                    self.circumstances.add(*_circumstance(number, item))
                    continue
                record = self._reader.record(number, item)
            except Fault as fault:
                found = self._count(fault, number, line)
            except JsonFault as fault:
                found = self._count(Fault("not JSON", fault.message), number, line, fault.column)
            else:
                used = True
                yield record
                continue
            first = first or found
            if line.lstrip().startswith("{"):
                spoilt = spoilt or found
                count += 1
        if not used:
            where, what = first or ("", "no line holds anything")
            raise TraceError(self.path, where, f"no event could be read; {what}")
        if spoilt is not None:
            others = f" ({count - 1:,} more such line{'s' * (count > 2)})" if count > 1 else ""
            raise TraceError(self.path, spoilt[0], f"this event cannot be used: {spoilt[1]}{others}")

    def _count(self, fault: Fault, number: int, line: str, column: int = 0) -> tuple[str, str]:
        if not column and fault.key:
            column = line.find(f'"{fault.key}"') + 1
        where = f"line {number}, column {column}" if column else f"line {number}"
        reason = self._reasons.get(fault.kind)
        if reason is None:
            reason = self._reasons[fault.kind] = f"{fault.kind} (the first is {where}: {fault})"
        self.skipped.add(reason)
        return where, f"{fault.kind}: {fault}"


def _heading(line: str) -> str | None:
    """The name in a line that begins a trace; None for any other line."""
    try:
        item = _object(line) if '"trace"' in line else {}
        return _word(item, "name") if item.get("event") == "trace" else None
    except (Fault, JsonFault):
        return None


def _circumstance(number: int, item: dict[str, Any]) -> tuple[tuple[str, str], int, int]:
    """What was met in a capture, the number of this line, and how often it was met."""
    code, words, count = _word(item, "code"), _word(item, "words"), item.get("count", 1)
    if code not in MET:
        raise Fault("bad value", f'"code" is one of {", ".join(MET)}', "code")
    if not words:
        raise Fault("bad value", '"words" is missing: it says what was met', "event")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count < 1 << 48:
        raise Fault("bad value", f'"count" is a whole number from 1 on, not {shown(count)}', "count")
    return (code, words), number, count


def _object(line: str) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise Fault("a line too long", f"more than {LONGEST_LINE} octets")
    value = parse(line)
    if not isinstance(value, dict):
        raise Fault("not an event", f"an event is an object in braces, not {shown(value)}")
    return value


class EventReader:
    """Makes records of events, and remembers what later ones leave out."""

    def __init__(self) -> None:
        self._known_ends: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._relative = Relative()
        self._strange: set[str] = set()

    def record(self, number: int, item: dict[str, Any]) -> Record:
        """The record that the event ``item`` of line ``number`` says; Fault if it says none."""
        for key in item:
            if key not in _KNOWN_KEYS and key not in self._strange:
                self._ask_about(key, item)
        kind = _word(item, "event")
        if not kind:
            raise Fault("no event", f'"event" is missing; it is one of {", ".join(KINDS)}')
        if kind not in KINDS:
            raise Fault("unknown event", f"{shown(kind)} is not one of {', '.join(KINDS)}", "event")
        time = _time(item)
        protocol = _word(item, "protocol").lower() or "tcp"
        source = _word(item, "source")
        if kind in SEEN:
            return self._packet(number, time, protocol, kind, item)
        local, remote, endpoint = self._socket(item, protocol, kind)
        if kind == "state":
            new = _word(item, "state")
            if not new and item.get("state") != "":
                raise Fault("bad value", '"state" is missing', "event")
            return StateRecord(number, time, protocol, endpoint, local, remote, _word(item, "old"), new, source)
        name = _word(item, kind) or _word(item, "name")
        if not name:
            raise Fault("bad value", f'"{kind}" is missing: it says which {kind}', "event")
        return Event(number, time, protocol, endpoint, local, remote, kind, name, _arguments(item), source)

    def _ask_about(self, key: str, item: dict[str, Any]) -> None:
        """A key of somebody's own is no fault, a misspelt one is."""
        if len(self._strange) >= _MOST_STRANGE:
            return  # a file that has so many keys of its own is not worth the search
        near = difflib.get_close_matches(key[:64].lower(), KEYS, n=1, cutoff=0.8)
        if near and near[0] not in item:
            raise Fault("unknown key", f"{shown(key)} is no key of an event; did you mean {shown(near[0])}?", key)
        self._strange.add(key)

    # ----------------------------------------------------------------------------------------------------- packets

    def _packet(self, number: int, time: int | None, protocol: str, kind: str, item: dict[str, Any]) -> Packet:
        if kind == "packet":
            source, destination = self._direction(item, protocol)
            at = _at(_word(item, "host"), source, destination)
        else:
            local, remote = self._ends(item, protocol, kind)
            source, destination = (local, remote) if kind == "send" else (remote, local)
            at = local
        segment = item.get("segment")
        if segment is None:
            segment = {}
        if not isinstance(segment, dict):
            raise Fault("bad value", f'"segment" is an object, not {shown(segment)}', "segment")
        relative = _truth(segment, "relative") or _truth(item, "relative")
        flags = _flags(segment)
        fields = _fields(segment)
        options = segment.get("options")
        if options is not None:
            if not isinstance(options, dict):
                raise Fault("bad value", f'"options" is an object, not {shown(options)}', "options")
            fields |= _options(options)
        if flags is None and protocol in ("udp", ERRORS):
            flags = 0
        if protocol == "tcp":
            seq, ack = self._relative.believed(
                source, destination, flags, fields.pop("seq", None), fields.pop("ack", None), relative=relative
            )
            numbers = {"seq": seq, "ack": ack}
            fields = {key: value for key, value in numbers.items() if value is not None} | fields
        return Packet(number, time, protocol, source, destination, flags, fields, at)

    def _direction(self, item: dict[str, Any], protocol: str) -> tuple[str, str]:
        """Who sent what an observer saw."""
        source, destination = _word(item, "src"), _word(item, "dst")
        connection = _word(item, "connection")
        if not source and not destination:
            raise Fault("no direction", '"src" and "dst" are missing, so nobody knows who sent this')
        if not source or not destination:
            other = "" if not connection else f":{connection}"
            source, destination = source or f"peer{other}", destination or f"peer{other}"
        if connection:
            self._remember((protocol, connection, ""), source, destination)
        return source, destination

    # -------------------------------------------------------------------------------------------------------- ends

    def _ends(self, item: dict[str, Any], protocol: str, kind: str) -> tuple[str, str]:
        """The end that the event happened at, and the other one: as said, else as known, else by names of their own."""
        host, connection = _word(item, "host"), _word(item, "connection")
        local, remote = _word(item, "local"), _word(item, "remote")
        source, destination = _word(item, "src"), _word(item, "dst")
        turned = kind == "receive" or (kind != "send" and _at(host, source, destination) == destination != "")
        local = local or (destination if turned else source)
        remote = remote or (source if turned else destination)
        key = (protocol, connection, host)
        known = self._known_ends.get(key)
        if known is not None:
            local, remote = local or known[0], remote or known[1]
        suffix = f":{connection}" if connection else ""
        local = local or (host or "here") + suffix
        remote = remote or (_word(item, "peer") or "peer") + suffix
        if connection and known != (local, remote):
            self._remember(key, local, remote)
        return local, remote

    def _socket(self, item: dict[str, Any], protocol: str, kind: str) -> tuple[str, str, str]:
        local, remote = self._ends(item, protocol, kind)
        endpoint = _word(item, "socket")
        if not endpoint:
            connection, host = _word(item, "connection"), _word(item, "host")
            endpoint = f"{connection} at {host}" if connection and host else connection or f"{local} > {remote}"
        return local, remote, endpoint

    def _remember(self, key: tuple[str, str, str], local: str, remote: str) -> None:
        if len(self._known_ends) >= _CONNECTIONS_KEPT:
            for old in list(self._known_ends)[: _CONNECTIONS_KEPT // 2]:
                del self._known_ends[old]
        self._known_ends[key] = (local, remote)


_KNOWN_KEYS = frozenset(KEYS)
_SEGMENT_KEYS = frozenset({*FIELD_KEYS, *SHORT, "flags", "options", "relative"})


def _at(host: str, *ends: str) -> str:
    """The end that ``host`` names: by its address and port, or by its address alone if no other end has it too."""
    if not host:
        return ""
    if host in ends:
        return host
    on_it = [end for end in ends if end and end.rpartition(":")[0].strip("[]") == host.strip("[]")]
    return on_it[0] if len(on_it) == 1 else ""


# -------------------------------------------------------------------------------------------------------------- values


def _word(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and key in ("connection", "host", "socket"):
        return str(value)
    if not isinstance(value, str) or isinstance(value, Real):
        raise Fault("bad value", f'"{key}" is a text, not {shown(value)}', key)
    if len(value) > _LONGEST_TEXT:
        raise Fault("bad value", f'"{key}" is longer than {_LONGEST_TEXT} characters', key)
    return value


def _time(item: dict[str, Any]) -> int | None:
    value = item.get("time")
    if value is None:
        return None
    found = nanoseconds(value)
    if found is None:
        raise Fault("bad value", f'"time" is a number of seconds or a date as in RFC 3339, not {shown(value)}', "time")
    return found


def _truth(item: dict[str, Any], key: str) -> bool:
    value = item.get(key)
    if value is not None and not isinstance(value, bool):
        raise Fault("bad value", f'"{key}" is true or false, not {shown(value)}', key)
    return bool(value)


def _flags(segment: dict[str, Any]) -> int | None:
    """The flags as bits: from a list of names, or from a text with names between commas, bars or blanks."""
    value = segment.get("flags")
    if value is None:
        return None
    if isinstance(value, str) and not isinstance(value, Real):
        value = value.replace(",", " ").replace("|", " ").split()
    if not isinstance(value, list):
        raise Fault("bad value", f'"flags" is a list of names, not {shown(value)}', "flags")
    bits = 0
    for name in value:
        bit = FLAG_BITS.get(name.upper()) if isinstance(name, str) else None
        if bit is None:
            raise Fault("bad value", f"{shown(name)} is not one of the flags {', '.join(FLAG_BITS)}", "flags")
        bits |= bit
    return bits


def _fields(segment: dict[str, Any]) -> dict[str, int]:
    fields: dict[str, int] = {}
    for key, value in segment.items():
        if key not in _SEGMENT_KEYS:
            near = difflib.get_close_matches(key[:64].lower(), sorted(_SEGMENT_KEYS), n=1)
            hint = f"; did you mean {shown(near[0])}?" if near else ""
            raise Fault("unknown key", f"{shown(key)} is no key of a segment{hint}", key)
        if key not in ("flags", "options", "relative") and value is not None:
            _put(fields, SHORT.get(key, key), key, value)
    return fields


def _options(options: dict[str, Any]) -> dict[str, int]:
    """Fields of options; ``ts`` is the pair of both timestamps, and what only exists or not may be true."""
    fields: dict[str, int] = {}
    for key, value in options.items():
        if value is None or value is False:
            continue
        if key == "ts":
            if not isinstance(value, list) or len(value) != 2:
                raise Fault("bad value", f'"ts" is a list of two numbers, not {shown(value)}', key)
            _put(fields, "tsval", key, value[0])
            _put(fields, "tsecr", key, value[1])
        elif key in FIELD_KEYS:
            _put(fields, key, key, 1 if value is True else value)
    return fields


def _put(fields: dict[str, int], name: str, key: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Fault("bad value", f'"{key}" is a whole number, not {shown(value)}', key)
    top = 0xFFFFFFFF if name in _NUMBERS else (1 << 48) - 1
    if not 0 <= value <= top:
        raise Fault("bad value", f'"{key}" is from 0 to {top}, not {shown(value)}', key)
    if fields.get(name, value) != value:
        raise Fault("bad value", f'"{key}" says {value}, and another key of the same meaning {fields[name]}', key)
    fields[name] = value


def _arguments(item: dict[str, Any]) -> dict[str, int | str]:
    """What is told besides the name; texts are cut to a bounded length."""
    value = item.get("args")
    if value is None:
        return {}
    if isinstance(value, list):
        value = {str(place): one for place, one in enumerate(value, 1)}
    if not isinstance(value, dict):
        raise Fault("bad value", f'"args" is an object or a list, not {shown(value)}', "args")
    found: dict[str, int | str] = {}
    for name, one in list(value.items())[:_MOST_VALUES]:
        if isinstance(one, int) and not isinstance(one, bool):
            found[name[:_LONGEST_TEXT]] = one
        elif isinstance(one, str):
            found[name[:_LONGEST_TEXT]] = one[:_LONGEST_TEXT]
        elif one is not None:
            found[name[:_LONGEST_TEXT]] = shown(one)
    return found
