"""The list of packets that tshark prints by default, and that Wireshark exports as plain text or as CSV.

Owns: its columns, and what the last of them says of a segment or datagram.
Must never hold: any other output of tshark, or what a field means to the protocol.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from tcpmodel.traces.addresses import endpoint_text, is_multicast
from tcpmodel.traces.own.json_time import nanoseconds
from tcpmodel.traces.reader import UNREADABLE, LineReader
from tcpmodel.traces.records import FLAG_BITS, Packet, Record, TraceError
from tcpmodel.traces.relative import Relative
from tcpmodel.traces.source import Source

NO_PORTS = "packet whose ports are not shown, but what it carries"
"""The reason for leaving out packets of TCP and UDP that are listed by what a higher protocol says in them."""

_LINE = re.compile(
    r"\s*(?P<number>\d{1,15})\s+(?P<time>(?:\d{4}-\d\d-\d\d )?[\d:.,]{1,30})\s+(?P<source>\S{1,64})\s+(?:(?:→|->)\s+)?"
    r"(?P<destination>\S{1,64})\s+(?P<protocol>[A-Za-z][\w./-]{0,30})\s+(?P<length>\d{1,9})\s+(?P<info>\S.*)$"
)
_COLUMNS = ("No.", "Time", "Source", "Destination", "Protocol", "Length", "Info")
_HEADING = re.compile(r"\s*No\.\s+Time\s+Source\s+Destination\s+Protocol\s+Length\s+Info\s*$")
_CSV = re.compile(r'"No\.","Time",')
_ARROW = re.compile(r"\s*\d+\s+(?:\d{4}-\d\d-\d\d )?[\d:.,]+\s+\S+\s+(?:→|->)\s+\S+\s+\S+\s+\d+\s")
_PORT = r"(?:[\w.+-]{1,40}\()?(\d{1,5})\)?"
_SEGMENT = re.compile(
    rf"(?:\[[^\]]{{1,80}}\](?:\s*,)?\s*)*{_PORT}\s+(?:→|->|>)\s+{_PORT}\s+\[([^\]]{{1,60}})\]\s+Seq=(\d{{1,10}})(.*)$"
)
_DATAGRAM = re.compile(rf"(?:\[[^\]]{{1,80}}\](?:\s*,)?\s*)*{_PORT}\s+(?:→|->|>)\s+{_PORT}\s+Len=(\d{{1,5}})\b")
_SAID = re.compile(r"\b([A-Za-z]{2,6})(?:_PERM)?=(\d{1,10})\b")
_FLAGS = FLAG_BITS | {"ECN": FLAG_BITS["ECE"], "NS": FLAG_BITS["AE"]}
_ACK, _SYN = FLAG_BITS["ACK"], FLAG_BITS["SYN"]
_NAMES = {"MSS": ("mss", 0xFFFF), "TSval": ("tsval", 0xFFFFFFFF), "TSecr": ("tsecr", 0xFFFFFFFF)}


def recognises(line: str) -> bool:
    """Whether this is the heading of such a list, or a line of one that tshark printed."""
    return bool(_HEADING.match(line) or _CSV.match(line) or _ARROW.match(line))


class SummaryTrace(LineReader):
    """The packets of one list. See ``tcpmodel.traces.reader.Trace``. They bear the numbers of their frames."""

    format = "tshark summary"
    counts_lines = False

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._relative = Relative()

    def records(self) -> Iterator[Record]:
        """All segments and datagrams whose ports are shown, in order."""
        columns: list[str] = []
        some = False
        for number, line in self._written():
            if _HEADING.match(line):
                continue
            if _CSV.match(line):
                columns = _cells(line)
                missing = [name for name in _COLUMNS[:5] if name not in columns]
                if missing or "Info" not in columns:
                    what = ", ".join(missing or ["Info"])
                    raise TraceError(
                        self.path, f"line {number}", f"the columns {what} are missing; export all of the usual ones"
                    )
                continue
            row = _row(line, columns)
            if row is None:
                self._leave_out(number, UNREADABLE)
                continue
            some = True
            found = self._packet(row)
            if isinstance(found, str):
                self._leave_out(number, found)
            else:
                yield found
        if not some:
            raise TraceError(self.path, "", "no line lists a packet")

    def _packet(self, row: dict[str, str]) -> Packet | str:
        number, time, info = int(row["number"]), nanoseconds(row["time"].replace(",", ".")), row["info"]
        if row["protocol"].upper() in ("ICMP", "ICMPV6", "ARP"):
            return row["protocol"]
        ends = row["source"], row["destination"]
        segment = _SEGMENT.match(info)
        if segment is not None:
            ports = [int(segment[1]), int(segment[2])]
            if max(ports) > 0xFFFF:
                return UNREADABLE
            source, destination = (endpoint_text(host, port) for host, port in zip(ends, ports, strict=True))
            return self._segment(number, time, source, destination, segment)
        datagram = _DATAGRAM.match(info)
        if datagram is not None:
            ports = [int(datagram[1]), int(datagram[2])]
            size = int(datagram[3]) + 8
            if max(ports) > 0xFFFF or size > 0xFFFF:
                return UNREADABLE
            source, destination = (endpoint_text(host, port) for host, port in zip(ends, ports, strict=True))
            fields = {"length": size, "source_multicast": 1 if is_multicast(ends[0]) else 0}
            return Packet(number, time, "udp", source, destination, 0, fields)
        return NO_PORTS

    def _segment(self, number: int, time: int | None, source: str, destination: str, found: re.Match[str]) -> Packet:
        names = [name.strip() for name in found[3].split(",")]
        flags: int | None = 0
        for name in names:
            if name in ("<None>", "Reserved"):
                continue
            bit = _FLAGS.get(name)
            flags = None if bit is None or flags is None else flags | bit
        said = dict(_SAID.findall(found[5]))
        fields: dict[str, int] = {}
        if "Len" in said:
            fields["length"] = int(said["Len"])
        if flags is not None and flags & _SYN and "Win" in said and int(said["Win"]) <= 0xFFFF:
            fields["window"] = int(said["Win"])  # any other is a product
        for word, (name, top) in _NAMES.items():
            if word in said and int(said[word]) <= top:
                fields[name] = int(said[word])
        scale = int(said.get("WS", "0"))
        if scale and scale & (scale - 1) == 0:
            fields["wscale"] = scale.bit_length() - 1
        if "SACK_PERM" in found[5]:
            fields["sackok"] = 1
        seq = int(found[4]) if int(found[4]) <= 0xFFFFFFFF else None
        ack = int(said["Ack"]) if "Ack" in said and flags is not None and flags & _ACK else None
        if self._relative.counted_anew(source, destination, flags, None):
            seq = ack = None
        seq, ack = self._relative.believed(source, destination, flags, seq, ack, relative=True)
        numbers = {"seq": seq, "ack": ack}
        known = {key: value for key, value in numbers.items() if value is not None}
        return Packet(number, time, "tcp", source, destination, flags, known | fields)


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _row(line: str, columns: list[str]) -> dict[str, str] | None:
    """The cells of a line by the names that the pattern of a printed line gives them; None if it is none."""
    if not columns:
        found = _LINE.match(line)
        return None if found is None else found.groupdict()
    cells = _cells(line)
    if len(cells) != len(columns):
        return None
    values = dict(zip(columns, cells, strict=True))
    if not (values["No."].isascii() and values["No."].isdecimal()) or len(values["No."]) > 15:
        return None
    return {
        "number": values["No."],
        "time": values["Time"],
        "source": values["Source"],
        "destination": values["Destination"],
        "protocol": values["Protocol"],
        "info": values["Info"],
    }
