"""TCP and UDP headers in the bytes of a capture, as ``Packet`` records.

Owns: where the header fields are, which options are known, and the checksum of a UDP datagram.
Must never hold: what a field means to the protocol (that is the spec's), or how packets are framed.
"""

from __future__ import annotations

from struct import Struct

from tcpmodel.traces.addresses import endpoint_text, ipv4_text, ipv6_text
from tcpmodel.traces.records import Packet

CUT = "cut before the end of the transport header"
"""Reason for leaving out a packet of which the capture does not hold the whole fixed header."""

_tcp_header = Struct(">HHIIBBHHH").unpack_from
_usual = Struct(">14xBxHHHBBxx12sIIBBHHHIII").unpack_from
_udp_header = Struct(">HHHH").unpack_from
_ports = Struct(">HH").unpack_from
_three_words = Struct(">III").unpack_from
_word = Struct(">I").unpack_from
_half = Struct(">H").unpack_from
_packet = tuple.__new__  # half the time of calling Packet, once per packet

_TIMESTAMP_ONLY = 0x0101080A  # NOP, NOP, kind 8, length 10: what nearly every segment after the handshake carries
_EVERYBODY = b"\xff\xff\xff\xff"
_FAST_OPEN = b"\xf9\x89"  # the experiment identifier that Fast Open used before it had a kind of its own

Flow = tuple[str, str, int, int, int, int]
_flows: dict[bytes, Flow] = {}
_FLOWS_KEPT = 1 << 16


def _flow(key: bytes) -> Flow:
    """Printed endpoints, ports, and whether the source is a multicast address, and whether one of both is that of many
    hosts, from addresses + ports in one key."""
    if len(_flows) >= _FLOWS_KEPT:
        _flows.clear()
    if len(key) == 12:
        source, destination = ipv4_text(key[:4]), ipv4_text(key[4:8])
        multicast = 1 if 224 <= key[0] <= 239 else 0
        group = 1 if multicast or 224 <= key[4] <= 239 or _EVERYBODY in (key[:4], key[4:8]) else 0
    else:
        source, destination = ipv6_text(key[:16]), ipv6_text(key[16:32])
        multicast = 1 if key[0] == 0xFF else 0
        group = 1 if 0xFF in (key[0], key[16]) else 0
    from_port, to_port = _ports(key, len(key) - 4)
    ends = endpoint_text(source, from_port), endpoint_text(destination, to_port)
    flow = (*ends, from_port, to_port, multicast, group)
    _flows[key] = flow
    return flow


def tcp(
    buffer: bytes,
    at: int,
    end: int,
    payload: int,
    addresses: bytes,
    ttl: int,
    ip_id: int,
    number: int,
    time: int | None,
) -> Packet | str:
    """The segment at ``at``; ``end`` is where the captured octets end, ``payload`` the octets that IP carried.

    ``addresses`` are source and destination address; ``ip_id`` is -1 where IP has none.
    Returns the reason as text if the segment has to be left out.
    """
    if payload < 20:
        return "IP carries less than a TCP header"
    if end - at < 20:
        return CUT
    from_port, to_port, seq, ack, offset, flags, window, checksum, urgent = _tcp_header(buffer, at)
    key = addresses + buffer[at : at + 4]
    source, destination, from_port, to_port, _, group = _flows.get(key) or _flow(key)
    header = offset >> 2 & 0x3C
    fields = {
        "seq": seq,
        "ack": ack,
        "window": window,
        "length": payload - header,
        "urgent": urgent,
        "offset": header,
        "ip_payload": payload,
        "source_port": from_port,
        "destination_port": to_port,
        "ttl": ttl,
        "ip_version": 4,
        "checksum": checksum,
    }
    if ip_id >= 0:
        fields["ip_id"] = ip_id
    else:
        fields["ip_version"] = 6
    if offset & 0x0E:
        fields["reserved"] = offset >> 1 & 7
    if source == destination:
        fields["same_socket"] = 1
    if group:
        fields["group_address"] = 1
    if end - at >= payload:
        _checksum(addresses, buffer[at : at + payload], max(header, 20), checksum, fields)
    if header == 20:
        fields["option_octets"] = 0
    elif header > 20:
        if header > payload:
            del fields["length"]
        elif end - at >= 32 and header == 32 and (three := _three_words(buffer, at + 20))[0] == _TIMESTAMP_ONLY:
            fields["tsval"] = three[1]
            fields["tsecr"] = three[2]
            fields["option_octets"] = 12
        else:
            _options(buffer, at + 20, at + header, end, fields)
    else:
        del fields["length"]
    return _packet(Packet, (number, time, "tcp", source, destination, flags | (offset & 1) << 8, fields, ""))


def usual_tcp(buffer: bytes, at: int, end: int, number: int, time: int | None) -> Packet | None:
    """The segment in the Ethernet frame with IPv4 at ``at``, of which 66 octets are there, if it is of the commonest
    form: no options of IP, no fragment, no option but time stamps. None if it is not; ``tcp`` says the same of it.
    """
    (
        version,
        total,
        ip_id,
        fragment,
        ttl,
        protocol,
        key,
        seq,
        ack,
        offset,
        flags,
        window,
        checksum,
        urgent,
        kind,
        tsval,
        tsecr,
    ) = _usual(buffer, at)
    if version != 0x45 or protocol != 6 or offset != 0x80 or kind != _TIMESTAMP_ONLY or fragment & 0x3FFF or total < 52:
        return None
    source, destination, from_port, to_port, _, group = _flows.get(key) or _flow(key)
    if group or source == destination:
        return None
    payload = total - 20
    fields = {
        "seq": seq,
        "ack": ack,
        "window": window,
        "length": payload - 32,
        "urgent": urgent,
        "offset": 32,
        "ip_payload": payload,
        "source_port": from_port,
        "destination_port": to_port,
        "ttl": ttl,
        "ip_version": 4,
        "checksum": checksum,
        "ip_id": ip_id,
    }
    at += 34
    if end - at >= payload:
        _checksum(key[:8], buffer[at : at + payload], 32, checksum, fields)
    fields["tsval"] = tsval
    fields["tsecr"] = tsecr
    fields["option_octets"] = 12
    return _packet(Packet, (number, time, "tcp", source, destination, flags, fields, ""))


def told_options(octets: bytes, fields: dict[str, int]) -> None:
    """What all ``octets`` of a list of options say, into ``fields``."""
    _options(octets, 0, len(octets), len(octets), fields)


def _options(buffer: bytes, at: int, header_end: int, end: int, fields: dict[str, int]) -> None:
    """Known options into ``fields``; ``bad_options`` = 1 when the list breaks its own form. A cut list is no fault.

    ``options`` says how many octets they have once all were looked at: an option that is not there is then missing.
    """
    start, kinds = at, 0
    while at < header_end:
        if at >= end:
            return
        kind = buffer[at]
        if kind == 0:
            if end < header_end:
                return
            if any(buffer[at:header_end]):
                fields["after_end"] = 1
            break
        if kind == 1:
            at += 1
            continue
        if at + 1 >= header_end:
            fields["bad_options"] = 1
            return
        if at + 1 >= end:
            return
        length = buffer[at + 1]
        if length < 2 or at + length > header_end:
            fields["bad_options"] = 1
            return
        if at + length > end:
            return
        if kinds >> kind & 1:
            fields["twice"] = kind
        kinds |= 1 << kind
        if kind == 2 and length == 4:
            fields["mss"] = _half(buffer, at + 2)[0]
        elif kind == 3 and length == 3:
            fields["wscale"] = buffer[at + 2]
        elif kind == 4 and length == 2:
            fields["sackok"] = 1
        elif kind == 8 and length == 10:
            fields["tsval"] = _word(buffer, at + 2)[0]
            fields["tsecr"] = _word(buffer, at + 6)[0]
        elif kind == 5:
            _blocks(buffer, at + 2, at + length, fields)
        elif kind == 34:
            fields["tfo"] = 1
            fields["cookie"] = length - 2
        elif kind == 254 and length >= 4 and buffer[at + 2 : at + 4] == _FAST_OPEN:
            fields["tfo"] = 1
            fields["cookie"] = length - 4
        elif kind == 19 or kind == 29:
            fields["signed"] = 1
        at += length
    fields["option_octets"] = header_end - start


def _blocks(buffer: bytes, at: int, end: int, fields: dict[str, int]) -> None:
    """Selective acknowledgments: how many blocks, the highest right edge, and whether one of them is none."""
    if (end - at) & 7 or end - at == 0:
        fields["bad_sack"] = 1
        return
    fields["sack_blocks"] = (end - at) >> 3
    highest = None
    for place in range(at, end, 8):
        left, right = _word(buffer, place)[0], _word(buffer, place + 4)[0]
        if not 0 < (right - left) & 0xFFFFFFFF < 1 << 31:
            fields["bad_sack"] = 1
        elif highest is None or 0 < (right - highest) & 0xFFFFFFFF < 1 << 31:
            highest = right
    if highest is not None:
        fields["sack_high"] = highest


def _checksum(addresses: bytes, segment: bytes, header: int, checksum: int, fields: dict[str, int]) -> None:
    """Whether the checksum fits; a wrong one that is the sum of the pseudo header was left to the network card.

    ``payload_sum`` is the part of the sum that comes from the payload: where it differs, the payload does.
    """
    # Modulo 65535 the ones' complement sum of 16-bit words is the number itself.
    total = (int.from_bytes(segment, "big") << (8 if len(segment) & 1 else 0)) % 0xFFFF
    if len(segment) > header:
        fields["payload_sum"] = (total - int.from_bytes(segment[:header], "big")) % 0xFFFF
    pseudo = int.from_bytes(addresses, "big") + 6
    if (pseudo + len(segment) + total) % 0xFFFF == 0:
        fields["checksum_ok"] = 1
        return
    fields["checksum_ok"] = 0
    if _left_to_card(pseudo, len(segment), checksum):
        fields["checksum_partial"] = 1


def _left_to_card(pseudo: int, length: int, checksum: int) -> bool:
    """Whether a wrong checksum is the sum of the pseudo header, to which the network card adds the rest."""
    return checksum != 0 and (pseudo - checksum) % 0xFFFF in (0, -length % 0xFFFF)


def told_checksum(right: bool, addresses: bytes | None, length: int | None, fields: dict[str, int]) -> None:
    """Take from others whether the ``checksum`` in ``fields`` fits the segment, of ``length`` octets with its header.

    ``addresses`` are those of the header. Where nobody can tell whether a wrong one was left to the network card,
    nothing is taken.
    """
    if right:
        fields["checksum_ok"] = 1
    elif addresses is not None and length is not None and "checksum" in fields:
        fields["checksum_ok"] = 0
        if _left_to_card(int.from_bytes(addresses, "big") + 6, length, fields["checksum"]):
            fields["checksum_partial"] = 1


def udp(
    buffer: bytes,
    at: int,
    end: int,
    payload: int,
    addresses: bytes,
    ttl: int,
    ip_id: int,
    number: int,
    time: int | None,
) -> Packet | str:
    """The datagram at ``at``; arguments and result as for ``tcp``."""
    if payload < 8:
        return "IP carries less than a UDP header"
    if end - at < 8:
        return CUT
    from_port, to_port, length, checksum = _udp_header(buffer, at)
    key = addresses + buffer[at : at + 4]
    source, destination, from_port, to_port, multicast, _ = _flows.get(key) or _flow(key)
    fields = {
        "length": length,
        "ip_payload": payload,
        "checksum": checksum,
        "source_port": from_port,
        "destination_port": to_port,
        "source_multicast": multicast,
        "ttl": ttl,
        "ip_version": 4,
    }
    if ip_id >= 0:
        fields["ip_id"] = ip_id
    else:
        fields["ip_version"] = 6
    if checksum and 8 <= length <= payload and at + length <= end:
        if checksum_holds(addresses, 17, buffer[at : at + length]):
            fields["checksum_ok"] = 1
        else:
            fields["checksum_ok"] = 0
            left = _left_to_card(int.from_bytes(addresses, "big") + 17, length, checksum)
            fields["checksum_partial" if left else "checksum_wrong"] = 1
    if end - at >= 12 <= payload:
        fields["text_0"], fields["text_2"] = _ports(buffer, at + 8)
    return Packet(number, time, "udp", source, destination, 0, fields)


def checksum_holds(addresses: bytes, protocol: int, segment: bytes) -> bool:
    """Whether the ones' complement sum over pseudo header and ``segment`` (its checksum included) comes out right."""
    # Modulo 65535 the ones' complement sum of 16-bit words is the number itself.
    total = int.from_bytes(addresses, "big") + protocol + len(segment)
    total += int.from_bytes(segment, "big") << (8 if len(segment) & 1 else 0)
    return total % 0xFFFF == 0
