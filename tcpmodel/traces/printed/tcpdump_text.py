"""The text that tcpdump prints: from lines to packets.

Owns: the forms of a line (-v, -e, -q, -#, -x, names or numbers, any interface) and what to leave out.
Must never hold: rules of a protocol; relative numbers and clocks have modules of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tcpmodel.traces.addresses import endpoint_text, is_multicast, packed
from tcpmodel.traces.captures.transport import told_checksum
from tcpmodel.traces.printed.tcpdump_clock import STAMP, Clock
from tcpmodel.traces.printed.tcpdump_numbers import Numbers
from tcpmodel.traces.reader import UNREADABLE, LineReader
from tcpmodel.traces.records import ABOUT, ERRORS, FLAG_BITS, FLAG_LETTERS, Packet, Record, TraceError
from tcpmodel.traces.source import Source

_PAIR = re.compile(r"(?:^|(?<=\s))(\S+) > (\S+):(?:\s+|$)(.*)")
_INNER_PORTS = re.compile(r"\s(?:\S+\.)?([\w-]+) > (?:\S+\.)?([\w-]+): (.*)")
_TCP = re.compile(
    r"Flags \[([^\]]*)\](?:, cksum 0x([0-9a-f]{1,4}) \(([^)]*)\))?(?:, seq (\d+)(?::(\d+))?)?(?:, ack (\d+))?"
    r"(?:, win (\d+))?(?:, urg (\d+))?(?:, options \[(.*?)\](?=, length|:|$))?(?:, length (\d+))?"
)
_QUIET = re.compile(r"tcp (\d+)(?:\s|$)")
_TIMESTAMPS = re.compile(r"TS val (\d+) ecr (\d+)")
_MSS = re.compile(r"\bmss (\d+)")
_SCALE = re.compile(r"\bwscale (\d+)")
_BLOCKS = re.compile(r"\bsack (\d)\b")
_SIZES = {"nop": 1, "eol": 1, "mss": 4, "wscale": 3, "sackOK": 2, "TS": 10}
_FAST_OPEN = re.compile(r"(?:^|[,-])tfo\b")
_UDP_SUM = re.compile(r"\[(udp sum ok|no cksum|bad udp cksum 0x([0-9a-f]{1,4})[^\]]*)\] ")
_UDP = re.compile(r"UDP, (?:bad )?length (\d+)(?: > (\d+))?")
_UDP_WORDS = ("UDP, ", "[udp sum", "[bad udp", "[no cksum")
_UDP_SHORT = re.compile(r"truncated-udplength (\d+)")
_NOBODY = re.compile(
    r"ICMP(?:6, destination unreachable, unreachable port,)? (\S+) (tcp|udp) port ([\w-]+)(?: unreachable)?,"
)
_VERBOSE4 = re.compile(
    r"\(tos 0x[0-9a-f]+.*? ttl (\d+), id (\d+), offset (\d+), flags \[([^\]]*)\], proto \S+ \((\d+)\), length (\d+)(.*)"
)
_VERBOSE6 = re.compile(r"hlim (\d+), next-header \S+ \((\d+)\) payload length: (\d+)\)")
_DOTTED = re.compile(r"\d+\.\d+\.\d+\.\d+")
_HEX = re.compile(r"\s+0x[0-9a-f]{4,}:")
_NETWORK = re.compile(r"(?:^|\s)(IP6?|(?:ethertype |AF )?IPv[46]|ip6?:)(?=[\s,:]|$)")
_PROSE = re.compile(
    r"reading from file |tcpdump: |listening on |dropped privs |Warning: |"
    r"\d+ packets? (captured|received|dropped|seen)|\^C"
)
OTHER = re.compile(
    r"(?:^|.*?(?:\s|ethertype ))(ARP|RARP|STP|LLDP|LACP|EAPOL|CDP|LLC|MPLS|PPPoE|Loopback|IS-IS|IPX|CDPv2)\b"
)

_FLAG_LETTERS = {**FLAG_LETTERS, "e": FLAG_BITS["AE"]}

_CARRIERS = ("VXLAN", "Geneve", "OTV")
_EXTENSION_WORDS = ("HBH", "DSTOPT", "RT6", "srcrt", "AH(", "rtalert")
_REASONS = (
    ("ICMP6", "ICMPv6"),
    ("ICMP", "ICMP"),
    ("igmp", "IGMP"),
    ("frag", "IPv6 fragment"),
    ("tcp", "IPv4 fragment"),
    ("udp", "IPv4 fragment"),
    ("ip-proto-6", "IPv4 fragment"),
    ("ip-proto-17", "IPv4 fragment"),
    ("IP6", "IPv6 in IP"),
    ("IP", "IPv4 in IP"),
    ("GRE", "GRE"),
    ("ESP", "ESP"),
    ("OSPF", "OSPF"),
    ("PIM", "PIM"),
    ("VRRP", "VRRP"),
    ("EIGRP", "EIGRP"),
    ("sctp", "SCTP"),
    ("DCCP", "DCCP"),
    ("AH(", "IPsec AH"),
)
_CUT = "cut before the end of the transport header"
_MOST_ENDPOINTS = 1 << 16


class _Outer(NamedTuple):
    """What the IP header, printed with -v, says; -1 for what it does not."""

    number: int
    time: int | None
    version: int
    ttl: int
    ip_id: int
    payload: int


class _Endpoint(NamedTuple):
    text: str
    port: int | None
    has_port: bool
    multicast: bool


def recognises(line: str) -> bool:
    """Whether this is a line that tcpdump prints for a packet."""
    pair = _PAIR.search(line)
    if pair is not None:
        if _TCP.match(pair[3]) or _QUIET.match(pair[3]) or pair[3].startswith(_UDP_WORDS):
            return True
        return _NETWORK.search(line[: pair.start()]) is not None
    if STAMP.match(line):
        return _ipv4_header(line) is not None or OTHER.match(line) is not None
    return re.match(r"(\s+\d+  )?(ARP, (Request|Reply)|IP \(tos 0x)", line) is not None


class TcpdumpTrace(LineReader):
    """One log of tcpdump. See ``tcpmodel.traces.reader.Trace``."""

    format = "tcpdump text"

    def __init__(self, source: Source, head: list[str]) -> None:
        """``head``: the first lines, which ``source`` will give again."""
        super().__init__(source)
        self._clock = Clock(head)
        self._numbers = Numbers()
        self._endpoints: dict[str, _Endpoint] = {}

    def records(self) -> Iterator[Record]:
        """All TCP and UDP packets in order; TraceError at the end if no line at all could be read."""
        readable = False
        timed: bool | None = None
        outer: _Outer | None = None
        unread: tuple[int, str] | None = None
        carrier = False  # the packet before carries another one, which the next line shows
        for number, line in self._numbered():
            if not line or line[0] == "\t" or _HEX.match(line) or line.isspace():
                if line.startswith("\tIP"):
                    outer = None
                continue
            stamp = STAMP.match(line)
            time = None
            if stamp is not None:
                time = self._clock.read(stamp)
                outer = None
                carrier = False
            pair = _PAIR.search(line)
            if pair is None:
                header = _ipv4_header(line)
                if header is not None and not carrier and (stamp is not None or timed is not True):
                    outer = self._outer4(number, time, header)
                elif header is not None:
                    carrier = False
                    self._leave_out(number, "packet within a tunnel")
                elif (other := OTHER.match(line[stamp.end() :] if stamp else line)) is not None:
                    self._leave_out(number, other[1])
                elif _PROSE.match(line) or (stamp is None and line[0] == " "):
                    continue
                else:
                    self._leave_out(number, "not TCP or UDP" if stamp else UNREADABLE)
                    if stamp is None:
                        unread = unread or (number, line)
                        continue
                readable = True
                timed = stamp is not None if timed is None else timed
                continue
            if stamp is None and outer is None and line[0] == " " and not _NETWORK.search(line[: pair.start()]):
                # The quoted part of an ICMP message, or what a tunnel carries.
                continue
            if outer is None:
                if timed is None:
                    timed = stamp is not None
                elif stamp is None and (timed or carrier):
                    known = _NETWORK.search(line[: pair.start()])
                    self._leave_out(number, "packet within a tunnel" if known else UNREADABLE)
                    carrier = False
                    continue
            found = self._packet(number, time, line, pair, outer)
            outer = None
            carrier = pair[3].startswith(_CARRIERS)
            if isinstance(found, str):
                self._leave_out(number, found)
                if found == UNREADABLE:
                    unread = unread or (number, line)
                else:
                    readable = True
            else:
                readable = True
                yield found
        if not readable:
            number, line = unread or (1, "")
            raise TraceError(
                self.path, f"line {number}", f"no line of tcpdump could be read; this one says {line[:80]!r}"
            )

    def _outer4(self, number: int, time: int | None, header: re.Match[str]) -> _Outer:
        ttl, ip_id, offset, flags, _, length, rest = header.groups()
        payload = int(length) - 20 if "options (" not in rest else -1
        version = 0 if int(offset) or "+" in flags else 4  # 0: a fragment
        return _Outer(number, time, version, int(ttl), int(ip_id), payload)

    def _packet(
        self, number: int, time: int | None, line: str, pair: re.Match[str], outer: _Outer | None
    ) -> Packet | str:
        from_text, to_text, rest = pair.groups()
        fields: dict[str, int] = {}
        before = line[: pair.start()]
        network = _NETWORK.search(before)
        if outer is not None:
            number, time = outer.number, outer.time
            if outer.version == 0:
                return "IPv4 fragment"
            fields["ip_version"] = 4
            fields["ttl"] = outer.ttl
            fields["ip_id"] = outer.ip_id
            if outer.payload >= 0:
                fields["ip_payload"] = outer.payload
        else:
            six = _VERBOSE6.search(before)
            if six is not None or ":" in from_text or (network is not None and "6" in network[1]):
                fields["ip_version"] = 6
            elif network is not None or _DOTTED.match(from_text):
                fields["ip_version"] = 4
            network = network or six
            if six is not None:
                fields["ttl"] = int(six[1])
                if six[2] in ("6", "17"):
                    fields["ip_payload"] = int(six[3])
        if rest.startswith(_EXTENSION_WORDS):
            inner = _INNER_PORTS.search(rest)
            if inner is not None:
                if inner[3].startswith("[|"):
                    return _CUT
                from_text, to_text, rest = f"{from_text}.{inner[1]}", f"{to_text}.{inner[2]}", inner[3]
            else:
                rest = re.sub(r"^(?:(?:HBH|DSTOPT|RT6|srcrt)\s+(?:\([^)]*\)\s*)*)+", "", rest)
        source, destination = self._endpoint(from_text), self._endpoint(to_text)
        if source.port is not None:
            fields["source_port"] = source.port
        if destination.port is not None:
            fields["destination_port"] = destination.port
        segment = _TCP.match(rest)
        if segment is not None:
            return self._segment(number, time, source.text, destination.text, segment, fields)
        if (quiet := _QUIET.match(rest)) is not None:
            if "[bad hdr" not in rest:
                fields["length"] = int(quiet[1])
            return Packet(number, time, "tcp", source.text, destination.text, None, fields)
        if rest.startswith("[|"):
            return _CUT
        if not rest.startswith(_UDP_WORDS):
            if outer is None and network is None:
                return UNREADABLE
            if (refused := _NOBODY.match(rest)) is not None:
                return self._refused(number, time, from_text, to_text, refused, fields)
            for word, reason in _REASONS:
                if rest.startswith(word):
                    return reason
            if not (source.has_port and destination.has_port):
                return "not TCP or UDP"
        return self._datagram(number, time, source, destination, rest, fields)

    def _segment(
        self,
        number: int,
        time: int | None,
        source: str,
        destination: str,
        segment: re.Match[str],
        fields: dict[str, int],
    ) -> Packet | str:
        letters, checksum, told, seq, end, ack, window, urgent, options, length = segment.groups()
        flags = 0
        if letters != "none":
            for letter in letters:
                bit = _FLAG_LETTERS.get(letter)
                if bit is None:
                    return "unknown flag letter"
                flags |= bit
        first, acknowledged = self._numbers.absolute(
            source,
            destination,
            flags,
            None if seq is None else int(seq[:10]) & 0xFFFFFFFF,
            None if ack is None else int(ack[:10]) & 0xFFFFFFFF,
        )
        if first is not None:
            fields["seq"] = first
        if acknowledged is not None:
            fields["ack"] = acknowledged
        if window is not None:
            fields["window"] = int(window[:10])
        if length is not None:
            fields["length"] = int(length[:10])
        elif end is not None:
            fields["length"] = (int(end[:10]) - int(seq[:10])) & 0xFFFFFFFF
        if urgent is not None:
            fields["urgent"] = int(urgent[:10])
        if checksum is not None:
            fields["checksum"] = int(checksum, 16)
            if told == "correct" or told.startswith("incorrect"):
                hosts = [end.rpartition(":")[0].strip("[]") for end in (source, destination)]
                told_checksum(told == "correct", packed(hosts[0], hosts[1]), fields.get("ip_payload"), fields)
        _options(options or "", fields)
        return Packet(number, time, "tcp", source, destination, flags, fields)

    def _datagram(
        self,
        number: int,
        time: int | None,
        source: _Endpoint,
        destination: _Endpoint,
        rest: str,
        fields: dict[str, int],
    ) -> Packet | str:
        fields["source_multicast"] = 1 if source.multicast else 0
        summed = _UDP_SUM.match(rest)
        if summed is not None:
            rest = rest[summed.end() :]
            if summed[1] == "no cksum":
                fields["checksum"] = 0
            elif summed[2] is not None:
                fields["checksum"] = int(summed[2], 16)
                fields["checksum_ok"] = 0
            else:
                fields["checksum_ok"] = 1
        if (found := _UDP.match(rest)) is not None:
            fields["length"] = int(found[1][:10]) + 8
            if found[2] is not None:
                fields["ip_payload"] = int(found[2][:10]) + 8
                fields.pop("checksum_ok", None)
        elif (found := _UDP_SHORT.match(rest)) is not None:
            fields["length"] = int(found[1][:10])
        elif (octets := _dns_length(rest)) is not None:
            fields["length"] = octets + 8
        return Packet(number, time, "udp", source.text, destination.text, 0, fields)

    def _refused(
        self, number: int, time: int | None, reporter: str, sender: str, refused: re.Match[str], fields: dict[str, int]
    ) -> Packet:
        """Port unreachable. The port of the sender is not printed."""
        host, protocol, port = refused.groups()
        kind, code = (1, 4) if fields.get("ip_version") == 6 else (3, 3)
        said = {
            "icmp_type": kind,
            "icmp_code": code,
            "ip_version": 6 if kind == 1 else 4,
            "about": next(about for about, name in ABOUT.items() if name == protocol),
            "from_destination": 1 if reporter == host else 0,
            "destination_multicast": 1 if is_multicast(host) else 0,
        }
        if port.isdecimal() and len(port) <= 5:
            said["destination_port"] = int(port)
        return Packet(number, time, ERRORS, endpoint_text(sender, "*"), endpoint_text(host, port), 0, said)

    def _endpoint(self, text: str) -> _Endpoint:
        known = self._endpoints.get(text)
        if known is None:
            known = _endpoint(text)
            if len(self._endpoints) >= _MOST_ENDPOINTS:
                self._endpoints.clear()
            self._endpoints[text] = known
        return known


def _options(text: str, fields: dict[str, int]) -> None:
    """What the options say, and their octets, if it is known of all of them how many they have."""
    if (found := _TIMESTAMPS.search(text)) is not None:
        fields["tsval"] = int(found[1][:10])
        fields["tsecr"] = int(found[2][:10])
    for name, pattern in (("mss", _MSS), ("wscale", _SCALE), ("sack_blocks", _BLOCKS)):
        if (found := pattern.search(text)) is not None:
            fields[name] = int(found[1][:10])
    if "sackOK" in text:
        fields["sackok"] = 1
    if _FAST_OPEN.search(text) is not None:
        fields["tfo"] = 1
    octets = 0
    for word in text.split(",") if text else ():
        name = word.split(" ", 1)[0]
        if name == "sack" and "sack_blocks" in fields:
            octets += 2 + 8 * fields["sack_blocks"]
        elif name in _SIZES:
            octets += _SIZES[name]
        else:
            return
    fields["option_octets"] = octets + 3 & ~3


def _dns_length(rest: str) -> int | None:
    """The octets of a DNS message, which its line begins with the number of and ends with in brackets."""
    octets = rest[rest.rfind("(") + 1 : -1]
    if rest[:1].isdecimal() and rest.endswith(")") and octets.isdecimal() and len(octets) <= 5:
        return int(octets)
    return None


def _ipv4_header(line: str) -> re.Match[str] | None:
    """The IP header that -v prints, wherever it stands in the line."""
    at = line.find("(tos 0x")
    return _VERBOSE4.match(line, at) if at >= 0 else None


def _endpoint(text: str) -> _Endpoint:
    """``10.0.0.1.80`` or ``host.domain.http`` as host and port; a numeric address alone has no port."""
    host, dot, port = text.rpartition(".")
    numeric = port.isascii() and port.isdecimal()
    dots = text.count(".")
    if not dot or (numeric and dots == 3 and text.replace(".", "").rpartition(":")[2].isdecimal()):
        return _Endpoint(text, None, False, is_multicast(text))
    known = int(port) if numeric and len(port) <= 5 and int(port) <= 0xFFFF else None
    return _Endpoint(endpoint_text(host, port), known, True, is_multicast(host))
