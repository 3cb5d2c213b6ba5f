"""Packets from the fields that tshark names, however they are written down.

Owns: which of Wireshark's fields say what, and which packets cannot be told from them.
Must never hold: the forms of tshark's output (``tshark_fields``), or what a field means to the protocol.

Names are written with ``_`` for ``.``, as one of the forms has it: ``tcp_seq_raw``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from tcpmodel.traces.addresses import endpoint_text, is_multicast, packed
from tcpmodel.traces.captures.transport import told_checksum, told_options
from tcpmodel.traces.own.json_time import nanoseconds
from tcpmodel.traces.printed.tshark_inner import innermost
from tcpmodel.traces.printed.tshark_rebuilt import datagram, octets, segment
from tcpmodel.traces.records import FLAG_BITS, Packet
from tcpmodel.traces.relative import Relative

Values = Mapping[str, list[str]]
"""What is known of a packet: the values of each field in their order, as printed; none is empty."""

COMMAND = (
    "tshark -r FILE -T fields -E header=y -e frame.number -e frame.time_epoch -e frame.protocols -e ip.src -e ip.dst "
    "-e ipv6.src -e ipv6.dst -e tcp.srcport -e tcp.dstport -e tcp.flags -e tcp.seq_raw -e tcp.ack_raw -e tcp.len "
    "-e tcp.window_size_value -e udp.srcport -e udp.dstport -e udp.length"
)
"""What to type for output that says enough."""

NO_ENDS = "addresses or ports are not shown"
"""The reason for leaving out a packet of which nobody knows between whom it went."""

_ACK = FLAG_BITS["ACK"]
_ALL_FLAGS = 0x1FF
_NUMBER = re.compile(r"(?:0x[0-9a-f]{1,16}|\d{1,19})$", re.ASCII | re.IGNORECASE)
_TRUTHS = {"true": 1, "false": 0, "set": 1, "not set": 0, "good": 1, "bad": 0}

_SINGLE_FLAGS = (
    ("tcp_flags_fin", FLAG_BITS["FIN"]),
    ("tcp_flags_syn", FLAG_BITS["SYN"]),
    ("tcp_flags_reset", FLAG_BITS["RST"]),
    ("tcp_flags_push", FLAG_BITS["PSH"]),
    ("tcp_flags_ack", FLAG_BITS["ACK"]),
    ("tcp_flags_urg", FLAG_BITS["URG"]),
)
_MORE_FLAGS = (
    ("tcp_flags_ece", FLAG_BITS["ECE"]),
    ("tcp_flags_ecn", FLAG_BITS["ECE"]),
    ("tcp_flags_cwr", FLAG_BITS["CWR"]),
    ("tcp_flags_ae", FLAG_BITS["AE"]),
    ("tcp_flags_ns", FLAG_BITS["AE"]),
)
_TCP_FIELDS = (
    ("window", "tcp_window_size_value", 0xFFFF),
    ("length", "tcp_len", 1 << 20),
    ("urgent", "tcp_urgent_pointer", 0xFFFF),
    ("offset", "tcp_hdr_len", 60),
    ("checksum", "tcp_checksum", 0xFFFF),
    ("mss", "tcp_options_mss_val", 0xFFFF),
    ("wscale", "tcp_options_wscale_shift", 0xFF),
    ("tsval", "tcp_options_timestamp_tsval", 0xFFFFFFFF),
    ("tsecr", "tcp_options_timestamp_tsecr", 0xFFFFFFFF),
)
_PRESENT = (
    ("sackok", "tcp_options_sack_perm"),
    ("tfo", "tcp_options_tfo"),
    ("tfo", "tcp_options_tfo_request"),
    ("tfo", "tcp_options_tfo_cookie"),
)


class Packets:
    """Makes packets of fields, in the order of the trace."""

    def __init__(self) -> None:
        self._relative = Relative()

    def packet(self, values: Values, count: int) -> Packet | str:
        """The packet that ``values`` tell, or why it is left out. ``count``: its number if they name none."""
        values = innermost(values)
        return _not_one_packet(values) or self.judged(values, count)

    def judged(self, values: Values, count: int) -> Packet | str:
        """The same of values that are known to be those of one IP header and what it carries."""
        piece = fragment(values)
        if piece:
            return piece
        protocol = "tcp" if "tcp_srcport" in values else "udp"
        version = 4 if "ip_src" in values else 6
        hosts = [values.get(f"{'ip' if version == 4 else 'ipv6'}_{which}") for which in ("src", "dst")]
        ports = [number_in(values, f"{protocol}_{which}port", 0xFFFF) for which in ("src", "dst")]
        if not hosts[0] or not hosts[1] or ports[0] is None or ports[1] is None:
            return NO_ENDS
        source, destination = endpoint_text(hosts[0][0], ports[0]), endpoint_text(hosts[1][0], ports[1])
        number, time = number_of(values) or count, time_of(values)
        ends = packed(hosts[0][0], hosts[1][0])
        fields = {"source_port": ports[0], "destination_port": ports[1], "ip_version": version}
        _ip(values, version, fields)
        if protocol == "udp":
            whole = datagram(values, partial(number_in, values), ends, number, time) if ends else None
            if whole is not None:
                return whole
            _datagram(values, hosts[0][0], fields)
            return Packet(number, time, protocol, source, destination, 0, fields)
        flags = _flags(values)
        seq, ack, relative = self._numbers(values, source, destination, flags)
        whole = segment(values, partial(number_in, values), ends, number, time, relative=relative) if ends else None
        if whole is not None:
            others = whole.fields.items()
            flags, fields = whole.flags, {key: value for key, value in others if key not in ("seq", "ack")}
        else:
            for key, name, top in _TCP_FIELDS:
                if (value := number_in(values, name, top)) is not None:
                    fields[key] = value
            for key, name in _PRESENT:
                if name in values:
                    fields[key] = 1
            options = octets(values, "tcp_options")
            if options and len(options) & 3 == 0:
                told_options(options, fields)
            elif fields.get("offset") == 20:
                fields["option_octets"] = 0
            if fields.get("offset", 20) < 20:
                fields.pop("length", None)  # nobody can tell where the text begins
        status = number_in(values, "tcp_checksum_status", 9)
        if status in (0, 1) and "checksum_ok" not in fields:
            told = fields.get("offset"), fields.get("length")
            size = None if told[0] is None or told[1] is None else told[0] + told[1]
            told_checksum(status == 1, ends, size, fields)
        if seq is not None:
            fields["seq"] = seq
        if ack is not None:
            fields["ack"] = ack
        return Packet(number, time, protocol, source, destination, flags, fields)

    def _numbers(
        self, values: Values, source: str, destination: str, flags: int | None
    ) -> tuple[int | None, int | None, bool]:
        """SEQ and ACK as sent, or, where only the sums of Wireshark are shown, counted from an unknown beginning."""
        seq, ack = (number_in(values, f"tcp_{name}_raw", 0xFFFFFFFF) for name in ("seq", "ack"))
        relative = seq is None and ack is None
        if relative:
            seq, ack = (number_in(values, f"tcp_{name}", 0xFFFFFFFF) for name in ("seq", "ack"))
            seq = None if flags is None else seq
            ack = ack if flags is not None and flags & _ACK else None
            stream = number_in(values, "tcp_stream", 1 << 32)
            if self._relative.counted_anew(source, destination, flags, stream):
                seq = ack = None
        seq, ack = self._relative.believed(source, destination, flags, seq, ack, relative=relative)
        return seq, ack, relative


def number_of(values: Values) -> int | None:
    """The number of the frame; None if it is not shown."""
    return number_in(values, "frame_number", (1 << 63) - 1)


def time_of(values: Values) -> int | None:
    """When the frame was captured, in nanoseconds; None if it is not shown."""
    for name in ("frame_time_epoch", "frame_time"):
        if name in values and (time := nanoseconds(values[name][0])) is not None:
            return time
    return None


def _not_one_packet(values: Values) -> str:
    """Why these fields are not those of one segment or datagram; "" if they are."""
    carried = [*values.get("tcp_srcport", ()), *values.get("udp_srcport", ())]
    protocols = [name for text in values.get("frame_protocols", ()) for name in text.lower().split(":")]
    outer = [*values.get("ip_proto", ())[:1], *values.get("ipv6_nxt", ())[:1]]
    for name, reason, number in (("icmp", "ICMP", "1"), ("icmpv6", "ICMPv6", "58")):
        if name in protocols or f"{name}_type" in values or number in outer:
            return reason
    if not carried:
        told = {"tcp", "udp"} & set(protocols) or any(name.startswith(("tcp_", "udp_")) for name in values)
        return NO_ENDS if told else "not TCP or UDP"
    networks = sum(name in ("ip", "ipv6") for name in protocols)
    if len(carried) > 1 or networks > 1 or len([*values.get("ip_src", ()), *values.get("ipv6_src", ())]) > 1:
        return "packet within a tunnel, or quoted by ICMP"
    return ""


def fragment(values: Values) -> str:
    """Why a packet is left out that IP cut into pieces; "" if it is whole."""
    if number_in(values, "ip_frag_offset", 0xFFFF) or number_in(values, "ip_flags_mf", 1):
        return "IPv4 fragment"
    if number_in(values, "ipv6_fraghdr_offset", 0xFFFF) or number_in(values, "ipv6_fraghdr_more", 1):
        return "IPv6 fragment"
    return ""


def _ip(values: Values, version: int, fields: dict[str, int]) -> None:
    ttl = number_in(values, "ip_ttl" if version == 4 else "ipv6_hlim", 0xFF)
    if ttl is not None:
        fields["ttl"] = ttl
    if version == 6:
        carried = number_in(values, "ipv6_plen", 0xFFFF)
        if carried and number_in(values, "ipv6_nxt", 0xFF) in (6, 17):
            fields["ip_payload"] = carried
        return
    if (identification := number_in(values, "ip_id", 0xFFFF)) is not None:
        fields["ip_id"] = identification
    total, header = number_in(values, "ip_len", 0xFFFF), number_in(values, "ip_hdr_len", 60)
    whole = "ip_frag_offset" in values and "ip_flags_mf" in values  # or else this might be the end of a fragmented one
    if total and header and total >= header and whole:
        fields["ip_payload"] = total - header


def _datagram(values: Values, host: str, fields: dict[str, int]) -> None:
    fields["source_multicast"] = 1 if is_multicast(host) else 0
    for key, name in (("length", "udp_length"), ("checksum", "udp_checksum")):
        if (value := number_in(values, name, 0xFFFF)) is not None:
            fields[key] = value
    status = number_in(values, "udp_checksum_status", 9)
    if status in (0, 1) and fields.get("checksum"):
        fields["checksum_ok"] = status


def _flags(values: Values) -> int | None:
    """The flags: as one number, as the text of letters, or one by one; None unless all six old ones are shown."""
    bits = number_in(values, "tcp_flags", 0xFFFFFFFF)
    if bits is not None:
        return bits & _ALL_FLAGS
    letters = values.get("tcp_flags_str", [""])[0]
    if len(letters) == 12 and not letters.isspace():
        return sum(1 << 11 - at for at, letter in enumerate(letters) if letter not in "·*.-") & _ALL_FLAGS
    single = [(bit, number_in(values, name, 1)) for name, bit in _SINGLE_FLAGS]
    if any(value is None for _, value in single):
        return None
    single += [(bit, number_in(values, name, 1)) for name, bit in _MORE_FLAGS]
    found = 0
    for bit, value in single:
        found |= bit if value else 0
    return found


def number_in(values: Values, name: str, top: int) -> int | None:
    """The first value of a field as a number from 0 to ``top``; None if it is not there or is none."""
    texts = values.get(name)
    if not texts:
        return None
    text = texts[0].strip()
    truth = _TRUTHS.get(text.lower())
    if truth is not None:
        return truth
    if not _NUMBER.match(text):
        return None
    value = int(text, 16) if text[1:2] in "xX" and len(text) > 1 else int(text)
    return value if value <= top else None
