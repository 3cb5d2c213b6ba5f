"""Zeek's conn.log, as its table with header lines or as JSON: one row for each connection.

Owns: the columns, the letters of a history and their cases, and the rows of other logs.
Must never hold: which letters lead to which word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.own.json_text import LONGEST_LINE, JsonFault, Real, parse
from tcpmodel.traces.own.json_time import nanoseconds
from tcpmodel.traces.reader import OTHER_COLUMNS, Damaged, LineReader
from tcpmodel.traces.records import (
    FLAG_BITS,
    OCTETS,
    PACKETS,
    SENDER,
    TOLD,
    WITH,
    WITHOUT,
    Event,
    Record,
    StateRecord,
    TraceError,
)

LETTERS = {
    "s": "SYN",
    "h": "SYN-ACK",
    "a": "ACK",
    "d": "DATA",
    "f": "FIN",
    "r": "RST",
    "g": "GAP",
}
"""Letters of a history, in lower case, and the event that each stands for."""

_SYN, _ACK, _FIN, _RST = (FLAG_BITS[name] for name in ("SYN", "ACK", "FIN", "RST"))
_FLAGS = {
    "s": (_SYN, _ACK | _FIN | _RST),
    "h": (_SYN | _ACK, _FIN | _RST),
    "a": (_ACK, _SYN | _FIN | _RST),
    "f": (_FIN, _SYN | _RST),
    "r": (_RST, 0),
}
"""Which flags a packet has that gets this letter, and which it does not have."""

SILENT = frozenset("ctw")
"""Letters for what Zeek counts and does not go by: bad checksums, text sent again, closed windows."""

_PROTOCOLS = {"tcp": "TCP", "udp": "UDP"}
_LONGEST_HISTORY = 512
_JSON = re.compile(r'\s*\{(?=.{0,4000}"id[._]orig_h"\s*:)(?=.{0,4000}"(?:conn_state|history)"\s*:)')
_NEEDED = ("id.orig_h", "id.resp_h", "proto")


def recognises(lines: list[str]) -> bool:
    """Whether these are the first lines of a log of Zeek with its header."""
    comments = takewhile(lambda line: line.startswith("#") or not line, lines)
    return any(line.startswith(("#separator ", "#fields\t")) for line in comments)


def recognises_json(line: str) -> bool:
    """Whether this is a row of a conn.log as JSON."""
    return _JSON.match(line) is not None


class ZeekTrace(LineReader):
    """The rows of one conn.log. See ``tcpmodel.traces.reader.Trace``.

    Each row gives the events of its history in their order, and then what the row says came out.
    """

    format = "zeek conn.log"
    longest = LONGEST_LINE + 1
    source = "zeek"

    def records(self) -> Iterator[Record]:
        """All rows in order; TraceError for a log of Zeek that is not about connections."""
        table = _Table()
        for number, line in self._written():
            if line.startswith("#"):
                wrong = table.header(line)
                if wrong:
                    raise TraceError(self.path, f"line {number}", wrong)
                continue
            row = _object(line) if line.lstrip().startswith("{") else table.row(line)
            if isinstance(row, str):
                self._leave_out(number, row)
                continue
            found = _story(number, row)
            if isinstance(found, str):
                self._leave_out(number, found)
                continue
            yield from found


class _Table:
    """The header lines of a table, and rows by them."""

    def __init__(self) -> None:
        self._separator = "\t"
        self._unset = "-"
        self._empty = "(empty)"
        self._fields: list[str] = []

    def header(self, line: str) -> str:
        """Take one header line; what is wrong with it, or ""."""
        if line.startswith("#separator "):
            found = re.fullmatch(r"#separator \\x([0-9a-fA-F]{2})\s*", line)
            self._separator = chr(int(found[1], 16)) if found is not None else line[11:12] or "\t"
            return ""
        name, _, value = line[1:].partition(self._separator)
        if name == "unset_field":
            self._unset = value
        elif name == "empty_field":
            self._empty = value
        elif name == "path" and not value.startswith("conn"):
            return f"this is Zeek's {value[:40]}.log; of its logs only conn.log is read"
        elif name == "fields":
            self._fields = value.split(self._separator)
            missing = [field for field in (*_NEEDED, "conn_state") if field not in self._fields]
            if missing:
                return f"the columns {', '.join(missing)} are missing; write the log with all of its usual columns"
        return ""

    def row(self, line: str) -> dict[str, str] | str:
        """The cells that are set, by their names; why there are none, in words."""
        if not self._fields:
            return Damaged("row before the names of the columns")
        cells = line.split(self._separator)
        if len(cells) != len(self._fields):
            return OTHER_COLUMNS
        nothing = (self._unset, self._empty)
        return {name: cell for name, cell in zip(self._fields, cells, strict=True) if cell not in nothing}


def _object(line: str) -> dict[str, str] | str:
    try:
        value = parse(line)
    except JsonFault:
        return Damaged("not JSON")
    if not isinstance(value, dict):
        return Damaged("not a row")
    return {
        (f"id.{name[3:]}" if name.startswith("id_") else name): str(one)
        for name, one in value.items()
        if isinstance(one, (str, int, Real)) and not isinstance(one, bool)
    }


def _story(number: int, row: dict[str, str]) -> list[Record] | str:
    """The events of a row, and what it says came out; in words why it says nothing."""
    if any(name not in row for name in _NEEDED):
        return Damaged("row without addresses or protocol")
    ends = []
    for name in ("orig", "resp"):
        port = row.get(f"id.{name}_p", "0")
        if not (port.isdecimal() and len(port) < 6):
            return Damaged("row without ports")
        ends.append(endpoint_text(unmapped(row[f"id.{name}_h"]), port))
    local, remote = ends
    time = nanoseconds(row["ts"]) if "ts" in row else None
    endpoint = f"{row.get('uid', 'row')} in line {number}"
    history = row.get("history", "")[:_LONGEST_HISTORY]
    protocol = _PROTOCOLS.get(row["proto"].lower(), "OTHER-PROTOCOL")
    words = _events(history)
    clear = all(name != "UNCLEAR" for name, _ in words)
    if not words and protocol != "OTHER-PROTOCOL":
        words = [("UNCLEAR", {})]  # there was a packet, and no letter for it
    words += [(name, {}) for name in _counted(row, history)]
    if not clear:
        words = [(name, {}) for name, _ in words]
    every = [(protocol, {}), *words, ("END", _counts(row, history) if clear else {})]
    found: list[Record] = [
        Event(number, time, "zeek", endpoint, local, remote, "call", name, {**values}) for name, values in every
    ]
    word = row.get("conn_state", "")
    found.append(StateRecord(number, time, "zeek", endpoint, local, remote, "", word))
    return found


def _events(history: str) -> list[tuple[str, dict[str, int]]]:
    """The events that the letters stand for, with the packets that got them. Where both ends changed places, letters
    before that are turned round."""
    before, turned, after = history.rpartition("^")
    letters = before.swapcase() + after if turned else history
    words: list[tuple[str, dict[str, int]]] = []
    for letter in letters:
        small = letter.lower()
        if small in LETTERS:
            values: dict[str, int] = {}
            if small in _FLAGS:
                values = {SENDER: int(letter.islower()), WITH: _FLAGS[small][0], WITHOUT: _FLAGS[small][1]}
            words.append((f"{LETTERS[small]} {'originator' if letter.isupper() else 'responder'}", values))
        elif letter != "^" and small not in SILENT:
            words.append(("UNCLEAR", {}))
    if before.strip("^"):
        words.append(("UNCLEAR", {}))  # what Zeek made of the letters before the turn is not known
    return words


def _counts(row: dict[str, str], history: str) -> dict[str, int]:
    """What the columns count, where it can be held against packets; nothing where Zeek itself passed some over.

    It works octets out from numbers, which the number of a reset and what is missing spoil.
    """
    letters = set(history.lower())
    values: dict[str, int] = {}
    if "c" in letters:
        return values
    tcp = row["proto"].lower() == "tcp"
    values[TOLD] = _SYN | _FIN | _RST if tcp else 0
    whole = not letters & set("rg") and not (tcp and "f" not in letters) and row.get("missed_bytes", "0") == "0"
    for side, end in enumerate(("orig", "resp")):
        for column, name in (("pkts", PACKETS), ("bytes", OCTETS)):
            number = row.get(f"{end}_{column}", "")
            if number.isdecimal() and len(number) < 16 and (whole or name == PACKETS):
                values[f"{name}{side}"] = int(number)
    return values


def _counted(row: dict[str, str], history: str) -> list[str]:
    """What the numbers of packets say beside the letters; nothing where the ends changed places."""
    if "^" in history:
        return []
    words: list[str] = []
    for column, end in (("orig", "originator"), ("resp", "responder")):
        letters = {one.lower() for one in history if one.isupper() == (column == "orig")}
        packets, octets = row.get(f"{column}_pkts", ""), row.get(f"{column}_bytes", "0")
        if not packets.isdecimal() or not octets.isdecimal():
            continue
        alone = letters & set("shafr")
        if int(packets[:18]) < len(alone) + ("d" in letters and not alone - {"a"}):
            words.append(f"TOO-FEW-PACKETS {end}")
        if not letters and int(packets[:18]) and int(octets[:18]):
            words.append(f"NO-LETTERS {end}")
    return words
