"""Records from what a pattern found in a line: named groups, each of which says one thing about an event.

Owns: the names of the groups, what they mean, and what is supposed where one is missing.
Must never hold: which patterns there are, or names of states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.own.json_time import nanoseconds
from tcpmodel.traces.records import FLAG_BITS, Event, Packet, Record, StateRecord

CHANGES = "stack-states"
"""The observation source of states that are told as they change."""

SAMPLES = "stack-samples"
"""The observation source of states that are told without the one before."""

GROUPS: dict[str, str] = {
    "time": "seconds, a time of day, or a date",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "connection": "what tells one connection, or socket, from another",
    "host": "whose log this is",
    "local": "address of this end",
    "local_port": "port of this end",
    "remote": "address of the other end",
    "remote_port": "port of the other end",
    "src": "address of the sender",
    "src_port": "port of the sender",
    "dst": "address of the receiver",
    "dst_port": "port of the receiver",
    "direction": "send, sent, out, tx or >; receive, recv, in, rx or <",
    "old": "the state before",
    "new": "the state after",
    "state": "the state at this moment",
    "flags": "flags of a segment: SYN,ACK or SA or S. or 0x12",
    "seq": "sequence number",
    "ack": "acknowledgment number",
    "len": "octets of text",
    "win": "window",
    "call": "a call of the user",
    "timer": "a timer that fired",
    "signal": "what the user was told",
    "notice": "what came from elsewhere, such as from ICMP",
    "event": "one of these four, when the log does not tell which",
    "result": "what a call returned",
}
"""Every group that means something, and what."""

_SEGMENT = ("flags", "seq", "ack", "len", "win")
_TOLD = ("call", "timer", "signal", "notice", "event")
_FIELDS = {"seq": "seq", "ack": "ack", "len": "length", "win": "window"}
_LETTERS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, ".": 16, "U": 32, "E": 64, "C": 128, "W": 128}
_OUT = frozenset({"send", "sending", "sent", "snd", "out", "output", "outgoing", "tx", "xmit", "transmit", ">", "->"})
_IN = frozenset({"receive", "received", "recv", "rcv", "rcvd", "in", "input", "incoming", "rx", "got", "<", "<-"})
_OF_DAY = re.compile(r"(?:^|\s)(\d{1,3}):(\d\d):(\d\d)(?:[.,]([\d,_]{1,30}))?$", re.ASCII)
_HEX_NUMBER = re.compile(r"0[xX]([0-9a-fA-F]{1,16})$")
_DAY = 86_400
_KEPT = 1 << 16


def about_segments(names: Iterable[str]) -> bool:
    """Whether groups of these names tell of segments."""
    return not set(names).isdisjoint(_SEGMENT)


def about_states(names: Iterable[str]) -> bool:
    """Whether groups of these names tell of states."""
    return not set(names).isdisjoint(("new", "state"))


def about_events(names: Iterable[str]) -> bool:
    """Whether groups of these names tell of calls and the like."""
    return not set(names).isdisjoint(_TOLD)


class Clock:
    """Times as logs write them, in nanoseconds; times of day go on over midnight."""

    def __init__(self) -> None:
        self._days = 0
        self._last = 0

    def read(self, text: str) -> int | None:
        """The time that ``text`` says; None for what is no time."""
        text = text.strip()
        if text[-1:] == "s":
            text = text[:-1].rstrip()
        of_day = _OF_DAY.search(text)
        if of_day is None:
            return nanoseconds(text)
        if text[:1].isdigit() and "-" in text:
            date = nanoseconds(text.replace(",", "."))
            if date is not None:
                return date
        hours, minutes, seconds, fraction = of_day.groups()
        fraction = (fraction or "").replace(",", "").replace("_", "")[:9].ljust(9, "0")
        whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
        if int(hours) < 24 and whole + self._days * _DAY < self._last - _DAY // 2:
            self._days += 1
        self._last = whole + self._days * _DAY
        return self._last * 1_000_000_000 + int(fraction)


class Grouped:
    """Makes a record of the groups of each line, and remembers what later lines leave out."""

    def __init__(self, states: Mapping[str, str] | None = None, changes: str = CHANGES, samples: str = SAMPLES) -> None:
        """``states``: other words for the log's words for states. ``changes``, ``samples``: the observation sources."""
        self._states = dict(states or {})
        self._sources = (changes, samples)
        self._clock = Clock()
        self._ends: dict[str, tuple[str, str]] = {}
        self._nameless = _Nameless()

    def record(self, number: int, found: Mapping[str, str | None]) -> Record | str:
        """The record of line ``number``; the reason in words if there is none."""
        groups = {name: text.strip() for name, text in found.items() if text is not None and text.strip()}
        time = self._time(groups)
        if "new" in groups or "state" in groups:
            return self._state(number, time, groups)
        for kind in _TOLD:
            if kind in groups:
                local, remote, endpoint = self._socket(groups)
                values: dict[str, int | str] = {}
                for name, key in (("len", "length"), ("result", "result")):
                    if name in groups:
                        values[key] = int(groups[name]) if _is_number(groups[name]) else groups[name]
                endpoint = endpoint or "the connection"
                told = "call" if kind == "event" else kind
                return Event(number, time, "tcp", endpoint, local, remote, told, groups[kind], values, self._sources[0])
        if about_segments(groups):
            return self._packet(number, time, groups)
        return "a line that tells of no state, segment or call"

    def _time(self, groups: Mapping[str, str]) -> int | None:
        if "time" in groups:
            return self._clock.read(groups["time"])
        for name, factor in (("ms", 1_000_000), ("us", 1_000), ("ns", 1)):
            if name in groups:
                seconds = nanoseconds(groups[name])
                return None if seconds is None else seconds * factor // 1_000_000_000
        return None

    # --------------------------------------------------------------------------------------------------------- ends

    def _address(self, groups: Mapping[str, str], name: str) -> str:
        host, port = groups.get(name, ""), groups.get(f"{name}_port", "")
        if not host and not port:
            return ""
        host = unmapped(host.strip("[]")) if port else host
        if port:
            return endpoint_text(host or name, port)
        address, colon, last = host.rpartition(":")
        if colon and last in ("0", "*", ""):
            return f"{address}:0"
        return host

    def _socket(self, groups: Mapping[str, str]) -> tuple[str, str, str]:
        """This end, the other one, and the name of the socket, which is empty if nothing tells."""
        local, remote = self._address(groups, "local"), self._address(groups, "remote")
        inward = groups.get("direction", "").lower() in _IN
        one, other = self._address(groups, "src"), self._address(groups, "dst")
        if inward:
            one, other = other, one
        local, remote = local or one, remote or other
        name = groups.get("connection", "")
        if name:
            if "host" in groups:
                name = f"{name} at {groups['host']}"
            known = self._ends.get(name, ("", ""))
            local, remote = local or known[0] or name, remote or known[1]
            if (local, remote) != known:
                if len(self._ends) >= _KEPT:
                    for old in list(self._ends)[: _KEPT // 2]:
                        del self._ends[old]
                self._ends[name] = (local, remote)
        elif local or remote:
            name = f"{local} > {remote}"
        return local or "here", remote or "peer", name

    # ------------------------------------------------------------------------------------------------------ records

    def _state(self, number: int, time: int | None, groups: Mapping[str, str]) -> StateRecord:
        local, remote, endpoint = self._socket(groups)
        old = self._states.get(groups.get("old", ""), groups.get("old", ""))
        new = groups.get("new") or groups["state"]
        new = self._states.get(new, new)
        if not endpoint:
            endpoint = self._nameless.name(number, old, new) if old else "the connection"
            local = endpoint
        return StateRecord(number, time, "tcp", endpoint, local, remote, old, new, self._sources[0 if old else 1])

    def _packet(self, number: int, time: int | None, groups: Mapping[str, str]) -> Packet | str:
        way = groups.get("direction", "").lower()
        local, remote = self._address(groups, "local"), self._address(groups, "remote")
        name = groups.get("connection", "")
        if name and not local and not remote and not ("src" in groups or "dst" in groups):
            local, remote, _ = self._socket(groups)
            remote = f"peer of {name}" if remote == "peer" else remote
        at = ""
        if local or remote:
            if way not in _OUT and way not in _IN:
                return "a segment without a direction"
            local, remote = local or "here", remote or "peer"
            source, destination = (local, remote) if way in _OUT else (remote, local)
            at = local
        else:
            source, destination = self._address(groups, "src"), self._address(groups, "dst")
            if not source or not destination:
                return "a segment without both ends"
            if way in _OUT or way in _IN:
                at = source if way in _OUT else destination
        flags = None
        if "flags" in groups:
            flags = flag_bits(groups["flags"])
            if flags is None:
                return "a segment with unknown flags"
        fields: dict[str, int] = {}
        for group, key in _FIELDS.items():
            value = _number(groups.get(group, ""))
            if value is not None and value >> 32 == 0:
                fields[key] = value
        if flags is not None and not flags & FLAG_BITS["ACK"]:
            fields.pop("ack", None)
        return Packet(number, time, "tcp", source, destination, flags, fields, at)


def flag_bits(text: str) -> int | None:
    """The flags that ``text`` says: names between any signs, letters, or a number; None for anything else."""
    number = _number(text)
    if number is not None:
        return number & 0x1FF
    words = re.findall(r"[A-Za-z]+", text)
    bits = 0
    for word in words:
        bit = FLAG_BITS.get(word.upper())
        if bit is None:
            break
        bits |= bit
    else:
        if words:
            return bits
    bits = 0
    for letter in text:
        if letter in " -_|,[]()":
            continue
        if letter.islower() and text.lower() != text:
            continue  # uaPrsf: the capital ones are set
        bit = _LETTERS.get(letter.upper())
        if bit is None:
            return None
        bits |= bit
    return bits


def _is_number(text: str) -> bool:
    return text.lstrip("-").isascii() and text.lstrip("-").isdecimal() and len(text) < 20


def _number(text: str) -> int | None:
    """A number in decimal or hexadecimal; None for anything else."""
    if text.isascii() and text.isdecimal() and len(text) < 20:
        return int(text)
    found = _HEX_NUMBER.match(text)
    return int(found[1], 16) if found else None


class _Nameless:
    """Which changes belong together when a log does not say of which connection it tells.

    A change goes on from the only connection that is in the state before. Where several are, or none is, it is taken
    to be one of its own whose beginning is not known.
    """

    def __init__(self) -> None:
        self._in: dict[str, list[str]] = {}  # state -> names of those that are in it
        self._count = 0

    def name(self, number: int, old: str, new: str) -> str:
        """The name of the connection that goes from ``old`` to ``new``."""
        there = self._in.get(old, [])
        if len(there) == 1:
            name = there.pop()
            self._count -= 1
        else:
            name = f"line {number}"
        if self._count > _KEPT:
            self._in.clear()
            self._count = 0
        self._in.setdefault(new, []).append(name)
        self._count += 1
        return name
