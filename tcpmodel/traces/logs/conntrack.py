"""Entries of Linux's connection tracking: ``conntrack -E``, ``conntrack -L`` and ``/proc/net/nf_conntrack``.

Owns: the lines of these, with any of the options for time, id and addresses, as XML, and as the options to add them.
Must never hold: which states there are, or which follow each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.reader import LineReader
from tcpmodel.traces.records import Record, StateRecord
from tcpmodel.traces.source import Source

_LINE = re.compile(
    r"\s*(?:\[(\d{1,12})\.(\d{1,9}) *\]\s*)?(?:\[(NEW|UPDATE|DESTROY)\]\s+)?"
    r"(?:ipv[46]\s+\d+\s+)?([a-z][a-z0-9]*)\s+(\d{1,3})\s+"
    r"(?:(\d{1,10})\s+)?(?:([A-Z][A-Z0-9_]*)\s+)?src=(\S{1,64}) dst=(\S{1,64})"
    r"(?: sport=(\d{1,5}) dport=(\d{1,5}))?(.*)$",
    re.ASCII,
)
_LONGEST_LINE = 1 << 16
MOST_TRANSLATED = 1 << 14
"""So many translations are kept, the latest."""
_HEAD = 1 << 16
_REPLY = re.compile(r"src=(\S{1,64}) dst=(\S{1,64}) sport=(\d{1,5}) dport=(\d{1,5})", re.ASCII)
_REPLY_XML = re.compile(
    r'<meta direction="reply">.*?<src>([^<]{1,64})</src>\s*<dst>([^<]{1,64})</dst>.*?'
    r"<sport>(\d{1,5})</sport>\s*<dport>(\d{1,5})</dport>"
)
_ID = re.compile(r"\bid=(\d{1,12})\b", re.ASCII)


_FRAME = ("<?xml", "<conntrack", "</conntrack")
_FLOW = re.compile(r'<flow(?: type="(new|update|destroy)")?>(.*?)</flow>')
_LAYERS = re.compile(
    r'<meta direction="original">.*?<src>([^<]{1,64})</src>\s*<dst>([^<]{1,64})</dst>.*?'
    r'protoname="([a-z0-9-]{1,20})"(?:\s*>\s*<sport>(\d{1,5})</sport>\s*<dport>(\d{1,5})</dport>)?'
)
_TAGS = {name: re.compile(rf"<{name}>([A-Z0-9_]{{1,20}})</{name}>") for name in ("state", "id")}
_SAVED = re.compile(
    r"\s*(?:\[(\d{1,12})\.(\d{1,9}) *\]\s*)?-([AUID]) (?:-[a-rt-z] \S{1,64} )*-s (\S{1,64}) -d (\S{1,64}) .*?"
    r"-p ([a-z][a-z0-9]*)(?: --sport (\d{1,5}) --dport (\d{1,5}))?(.*)$",
    re.ASCII,
)
_SAVED_STATE = re.compile(r"--state ([A-Z][A-Z0-9_]*)")
_SAVED_LATER = re.compile(rb"^(?:\s*\[[\d. ]{3,24}\])?\s*-[UD] (?:-[a-z] \S+ )*-s ", re.MULTILINE)
"""A line that only events have: in a list, every entry is one to add."""
_SAVED_EVENTS = {"A": "", "I": "NEW", "U": "UPDATE", "D": "DESTROY"}


class _Entry(NamedTuple):
    time: int | None
    event: str
    protocol: str
    state: str
    ends: tuple[str, str] | None
    mark: str
    reply: tuple[str, str] | None = None


def recognises(line: str) -> bool:
    """Whether this is a line about an entry."""
    if "src=" in line:
        return _LINE.match(line) is not None
    if "<flow" in line:
        return _FLOW.search(line) is not None
    return "-p " in line and _SAVED.match(line) is not None


class ConntrackTrace(LineReader):
    """The entries of TCP connections in one log. See ``tcpmodel.traces.reader.Trace``.

    Each line gives a sample of the state that it prints. Before a new entry, a sample says that there was none; after
    a destroyed one, a sample of ``DESTROY`` says that there is none any more. ``translated``: for the two addresses
    behind a translation, those before it, each with that of the end that began first.
    """

    format = "conntrack"
    longest = _LONGEST_LINE
    source = "conntrack"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.translated: dict[tuple[str, str], tuple[str, str]] = {}
        self._added = "NEW" if _SAVED_LATER.search(source.peek()[:_HEAD]) else ""

    def records(self) -> Iterator[Record]:
        """The states of all entries in order."""
        for number, line in self._numbered():
            entries = list(_entries(line, self._added))
            if (
                not entries
                and line
                and not line.isspace()
                and not line.startswith(("<?xml", "<conntrack", "</conntrack"))
            ):
                self._leave_out(number, "not a line about an entry")
            for entry in entries:
                yield from self._records(number, entry)

    def _records(self, number: int, entry: _Entry) -> Iterator[StateRecord]:
        if entry.protocol != "tcp":
            self._leave_out(number, "an entry of another protocol than TCP")
        elif entry.ends is None or not (entry.state or entry.event == "DESTROY"):
            self._leave_out(number, "an entry whose state or addresses are not printed")
        else:
            local, remote = entry.ends
            if entry.reply is not None and entry.reply != (remote, local):
                self.translated[entry.reply[1], entry.reply[0]] = local, remote
                if len(self.translated) > MOST_TRANSLATED:
                    del self.translated[next(iter(self.translated))]
            name = f"entry {entry.mark}" if entry.mark else f"{local} > {remote}"
            states = [""] if entry.event == "NEW" else []
            states += [entry.state] if entry.state else []
            states += ["DESTROY"] if entry.event == "DESTROY" else []
            for state in states:
                yield StateRecord(number, entry.time, "conntrack", name, local, remote, "", state)


def _entries(line: str, added: str) -> Iterator[_Entry]:
    """What one line tells: one entry, or several in XML that is not broken into lines. ``added``: what ``-A`` means."""
    found = _LINE.match(line) if "src=" in line else None
    if found is not None:
        seconds, fraction, event, protocol, _, _, state, src, dst, sport, dport, rest = found.groups()
        mark = _ID.search(rest)
        yield _Entry(
            _time(seconds, fraction),
            event or "",
            protocol,
            state or "",
            _both(src, dst, sport, dport),
            mark[1] if mark else "",
            _both(*reply.groups()) if (reply := _REPLY.search(rest)) else None,
        )
        return
    for kind, text in _FLOW.findall(line) if "<flow" in line else ():
        layers = _LAYERS.search(text)
        if layers is None:
            continue
        src, dst, protocol, sport, dport = layers.groups()
        told = {name: found[1] if (found := tag.search(text)) else "" for name, tag in _TAGS.items()}
        answer = _REPLY_XML.search(text)
        behind = _both(*answer.groups()) if answer else None
        yield _Entry(None, kind.upper(), protocol, told["state"], _both(src, dst, sport, dport), told["id"], behind)
    saved = _SAVED.match(line) if "-p " in line else None
    if saved is not None:
        seconds, fraction, letter, src, dst, protocol, sport, dport, rest = saved.groups()
        state = _SAVED_STATE.search(rest)
        ends = _both(src, dst, sport, dport)
        yield _Entry(
            _time(seconds, fraction), _SAVED_EVENTS[letter] or added, protocol, state[1] if state else "", ends, ""
        )


def _time(seconds: str | None, fraction: str | None) -> int | None:
    """The time in nanoseconds. Behind the dot stand microseconds, which older releases write without leading zeros."""
    if not seconds:
        return None
    fraction = (fraction or "").rjust(6, "0")
    return int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0"))


def _both(src: str, dst: str, sport: str | None, dport: str | None) -> tuple[str, str] | None:
    if sport is None or dport is None:
        return None
    return endpoint_text(unmapped(src), sport), endpoint_text(unmapped(dst), dport)
