"""What a reader hands on: packets and state records, and what it could not read.

Owns: the record classes that every reader produces and the checker consumes.
Must never hold: how a format is read, or any rule of a protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Packet(NamedTuple):
    """One packet of a transport protocol, as one capture point saw it.

    ``number`` is the 1-based number of the packet in its file (``frame``) or of the line in its log (``line``).
    ``time`` is in nanoseconds since the epoch, or since the log's own start; None when the log has no clock.
    ``source`` and ``destination`` are printable: ``10.0.0.1:80``, ``[2001:db8::1]:80``.
    ``flags`` is the set of header flags as bits (see ``FLAG_BITS``), or None when the log does not show them.
    ``fields`` holds the header numbers that are known: a missing key is unknown, never zero.
    ``at`` is the address of the end at whose host the packet was seen, so that the order of what this end sent and
    received is the order of the records; "" when that is not known.
    """

    number: int
    time: int | None
    protocol: str
    source: str
    destination: str
    flags: int | None
    fields: dict[str, int]
    at: str = ""


FLAG_BITS: dict[str, int] = {
    "FIN": 0x01,
    "SYN": 0x02,
    "RST": 0x04,
    "PSH": 0x08,
    "ACK": 0x10,
    "URG": 0x20,
    "ECE": 0x40,
    "CWR": 0x80,
    "AE": 0x100,
}
"""The names and bits of the flags in the header of ``tcp`` packets, as RFC 9293 section 3.1 places them."""

FLAG_LETTERS: dict[str, int] = {
    "F": FLAG_BITS["FIN"],
    "S": FLAG_BITS["SYN"],
    "R": FLAG_BITS["RST"],
    "P": FLAG_BITS["PSH"],
    ".": FLAG_BITS["ACK"],
    "U": FLAG_BITS["URG"],
    "E": FLAG_BITS["ECE"],
    "W": FLAG_BITS["CWR"],
}
"""The letters of flags on which tcpdump and packetdrill agree; each has its own for AE."""


DOUBTFUL = "doubt"
"""Among the values of an event: it may have happened before others that were logged earlier, or elsewhere."""

SENDER, WITH, WITHOUT = "sender", "with", "without"
"""Among the values of an event that stands for a packet which an observer saw: 0 if ``local`` sent it, else 1; the
flags that it has, and those that it does not have (see ``FLAG_BITS``)."""

TOLD, PACKETS, OCTETS = "told", "packets_", "octets_"
"""Among the values of an event: the flags of which an observer tells whenever it sees one; and with the number of the
sender behind, how many packets and octets of text it counted."""

SPECS = ("sockets",)
"""Specs beside those of the protocols, for logs that say more than what a protocol is about."""

PROTOCOLS = ("tcp", "udp", "conntrack", "zeek")
"""Every protocol name that a reader gives to packets and records, besides those about other packets."""

ERRORS = "icmp"
"""The protocol name of errors about packets: ``source`` and ``destination`` are those of the packet that is quoted, and
the field ``about`` says of which protocol that one is."""

ABOUT = {6: "tcp", 17: "udp"}
"""The protocol numbers that ``about`` gives, and the names of the protocols."""

OTHER_TEXT = "other_text"
"""The key under which a checker tells that the same numbers bore other text: the time, in microseconds, since when the
texts of that direction were there without a gap."""

WORKED_OUT = frozenset(("checksum_ok", "checksum_partial", "ip_id", OTHER_TEXT))
"""Keys of what no packet holds and a reader or checker works out, and of what only some packets and logs show: where
one is missing, there is nothing to be known."""

FIELD_KEYS = frozenset(
    {
        *("seq", "ack", "window", "length", "urgent", "offset"),
        *("mss", "wscale", "sackok", "tsval", "tsecr", "tfo", "cookie", "signed"),
        *("sack_blocks", "sack_high", "bad_sack", "option_octets", "bad_options", "after_end", "twice", "reserved"),
        *("checksum", "checksum_ok", "checksum_partial", "payload_sum", OTHER_TEXT),
        *("ip_payload", "ip_version", "ip_id", "ttl", "same_socket", "group_address", "outgoing"),
        *("source_port", "destination_port", "source_multicast", "destination_multicast"),
        *(
            "icmp_type",
            "icmp_code",
            "about",
            "mtu",
            "from_destination",
            "quoted",
            "fragments",
            "text_0",
            "text_2",
            "checksum_wrong",
        ),
    }
)
"""Every key that a reader puts into ``Packet.fields``."""


ODD = "odd"
"""The key under which what decodes a frame tells its reader how it is odd (see ``circumstances``); no packet that a
reader hands on has it."""


class StateRecord(NamedTuple):
    """One line of a state log: an endpoint went from ``old`` to ``new`` (names as the log spells them).

    ``endpoint`` identifies the socket within the log (an address of a kernel object or, failing that, its addresses).
    ``local`` and ``remote`` are printable addresses; a part that is not known yet is ``0``.
    ``old`` is "" in a sample: the endpoint was seen in ``new``, and what came before is not told. ``source`` names the
    observation source; "" is that of the trace.
    """

    number: int
    time: int | None
    protocol: str
    endpoint: str
    local: str
    remote: str
    old: str
    new: str
    source: str = ""


class Event(NamedTuple):
    """Something that an endpoint did or was told and that is no message: one line of a log of calls or of a stack.

    ``kind`` is ``call``, ``timer``, ``notice`` or ``signal``. ``name`` is spelled as the log spells it; what it means
    is said by the observation source in the spec. ``values``: what the log tells besides (``length``, ``result``).
    ``endpoint``, ``local``, ``remote`` and ``source`` as in ``StateRecord``.
    """

    number: int
    time: int | None
    protocol: str
    endpoint: str
    local: str
    remote: str
    kind: str
    name: str
    values: dict[str, int | str]
    source: str = ""


Record = Packet | StateRecord | Event
"""What a trace yields."""


class Skipped:
    """What was left out and why: ``reasons`` counts per reason, in the reader's words."""

    def __init__(self) -> None:
        self.reasons: dict[str, int] = {}

    def add(self, reason: str) -> None:
        """Count one more packet or line left out for ``reason``."""
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    @property
    def total(self) -> int:
        """How many packets or lines were left out."""
        return sum(self.reasons.values())


class Framing(NamedTuple):
    """How records lie in a buffer: their byte order (``<`` or ``>``), how many nanoseconds a tick of their clock is and
    by how many it is behind, how long one may be, and whether they are ``blocks`` of pcapng or records of pcap."""

    order: str
    unit: int
    offset: int
    limit: int
    blocks: bool


class Taken(NamedTuple):
    """``at`` is behind what was taken; ``number`` and ``last`` are number and time (ns) of the last packet. Of those
    that were taken so many were cut and padded, with the first of each."""

    at: int
    number: int
    last: int
    cut: int
    first_cut: int
    padded: int
    first_padded: int


Take = Callable[[bytes, int, int, int, int, Framing], Taken]
"""Takes Ethernet frames out of a buffer before they are read: its arguments are the buffer, the place of the first
record and the end in it, number and time of the packet before, and how the records lie."""


class TraceError(Exception):
    """Input that cannot be read (any further). ``where`` says the byte offset or line, in words."""

    def __init__(self, path: str, where: str, message: str) -> None:
        super().__init__(f"{path}: {where}: {message}" if where else f"{path}: {message}")
        self.path = path
        self.where = where
        self.message = message
