"""Headers of packets put together again from the fields that tshark shows, so that they are read as in a capture.

Owns: which fields make up a whole header, and what is lost where tshark shows sums instead of numbers as sent.
Must never hold: where in a header a field stands (``transport``) once it is read, or the forms of tshark's output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import pack

from tcpmodel.traces.captures.transport import tcp, udp
from tcpmodel.traces.records import Packet

Number = Callable[[str, int], int | None]
"""Name of a field and its highest value -> the number that tshark shows, or None."""

_MADE_OF_NUMBERS = ("seq", "ack", "checksum_ok", "checksum_partial", "sack_high")


def segment(
    values: Mapping[str, list[str]], shown: Number, ends: bytes, count: int, time: int | None, *, relative: bool
) -> Packet | None:
    """The TCP segment with all that its header says; None unless every part of the header is shown.

    ``relative``: the numbers as sent are not shown, so what is worked out from them is left out.
    """
    header = shown("tcp_hdr_len", 60)
    length = shown("tcp_len", 1 << 20)
    if header is None or length is None or header < 20 or header & 3:
        return None
    numbers = [0, 0] if relative else [shown("tcp_seq_raw", 0xFFFFFFFF), shown("tcp_ack_raw", 0xFFFFFFFF)]
    words = [shown("tcp_srcport", 0xFFFF), shown("tcp_dstport", 0xFFFF), *numbers]
    words += [shown("tcp_flags", 0xFFF), shown("tcp_window_size_value", 0xFFFF), shown("tcp_checksum", 0xFFFF)]
    words.append(shown("tcp_urgent_pointer", 0xFFFF))
    options = octets(values, "tcp_options") if header > 20 else b""
    outside = _outside(shown, ends)
    known = [word for word in words if word is not None]
    if len(known) < len(words) or options is None or len(options) != header - 20 or outside is None:
        return None
    *first, flags, window, checksum, urgent = known
    packet = pack(">HHIIHHHH", *first, header << 10 | flags, window, checksum, urgent) + options
    packet += (octets(values, "tcp_payload") or b"")[:length]
    found = tcp(packet, 0, len(packet), header + length, ends, *outside, count, time)
    if not isinstance(found, Packet):
        return None
    if relative:
        return found._replace(
            fields={name: value for name, value in found.fields.items() if name not in _MADE_OF_NUMBERS}
        )
    return found


def datagram(
    values: Mapping[str, list[str]], shown: Number, ends: bytes, count: int, time: int | None
) -> Packet | None:
    """The UDP datagram with all that its header says; None unless that and what IP carried are shown."""
    words = [shown("udp_srcport", 0xFFFF), shown("udp_dstport", 0xFFFF), shown("udp_length", 0xFFFF)]
    words.append(shown("udp_checksum", 0xFFFF))
    known = [word for word in words if word is not None]
    outside = _outside(shown, ends)
    carried = _carried(values, shown, len(ends) == 8)
    if len(known) < len(words) or outside is None or carried is None or carried < 8:
        return None
    packet = pack(">HHHH", *known) + (octets(values, "udp_payload") or b"")[: carried - 8]
    found = udp(packet, 0, len(packet), carried, ends, *outside, count, time)
    return found if isinstance(found, Packet) else None


def _outside(shown: Number, ends: bytes) -> tuple[int, int] | None:
    """Time to live and identification, -1 where IP has none."""
    if len(ends) != 8:
        hops = shown("ipv6_hlim", 0xFF)
        return None if hops is None else (hops, -1)
    ttl, identification = shown("ip_ttl", 0xFF), shown("ip_id", 0xFFFF)
    return None if ttl is None or identification is None else (ttl, identification)


def _carried(values: Mapping[str, list[str]], shown: Number, version4: bool) -> int | None:
    """How many octets IP carries behind all headers of its own; None where one of these does not show its length."""
    if version4:
        total, header = shown("ip_len", 0xFFFF), shown("ip_hdr_len", 60)
        return total - header if total and header and total >= header else None
    carried = shown("ipv6_plen", 0xFFFF)
    following = [
        text for name, texts in values.items() if name.startswith("ipv6_") and name.endswith("nxt") for text in texts
    ]
    lengths = [
        text
        for name, texts in values.items()
        if name.startswith("ipv6_") and name.endswith("_len_oct")
        for text in texts
    ]
    if not carried or len(following) != len(lengths) + 1 or "51" in following or "44" in following:
        return None
    if not all(text.isdecimal() and len(text) < 6 for text in lengths):
        return None
    return carried - sum(int(text) for text in lengths)


def octets(values: Mapping[str, list[str]], name: str) -> bytes | None:
    """What tshark shows as hexadecimal octets, with or without colons."""
    texts = values.get(name)
    if not texts:
        return None
    try:
        return bytes.fromhex(texts[0].replace(":", ""))
    except ValueError:
        return None
