"""ICMP errors as tshark nests them in JSON: what they say, and about which packet.

Owns: the fields of ICMP and ICMPv6, and of the packet that is quoted within them.
Must never hold: names and nesting of other layers (``tshark_layers``), or what an error means to a protocol.
"""

from __future__ import annotations

from collections.abc import Mapping

from tcpmodel.traces.addresses import endpoint_text, is_multicast
from tcpmodel.traces.captures.icmp import ERRORS_4, ERRORS_6
from tcpmodel.traces.captures.tunnels import PORTS
from tcpmodel.traces.printed.tshark_packet import number_in
from tcpmodel.traces.records import ABOUT, ERRORS, Packet

Values = Mapping[str, list[str]]

_BROADCAST = "255.255.255.255"


def error(
    name: str,
    message: Values,
    outer: Values,
    quoted: Values,
    number: int,
    time: int | None,
) -> Packet | str:
    """The error in a layer ``name`` (``icmp`` or ``icmpv6``), or why it is left out.

    ``message``: its own fields; ``outer``: those of the IP header before it; ``quoted``: those of the IP header within
    it and what follows.
    """
    version = 4 if name == "icmp" else 6
    title = "ICMP" if version == 4 else "ICMPv6"
    kind, code = number_in(message, f"{name}_type", 0xFF), number_in(message, f"{name}_code", 0xFF)
    if kind not in (ERRORS_4 if version == 4 else ERRORS_6) or kind is None or code is None:
        return title
    fields = {"icmp_type": kind, "icmp_code": code, "ip_version": version}
    mtu = number_in(message, f"{name}_mtu", 0xFFFFFFFF)
    if mtu is not None:
        fields["mtu"] = mtu
    network = "ip" if version == 4 else "ipv6"
    protocol = next((each for each in ABOUT.values() if f"{each}_srcport" in quoted), "")
    hosts = [quoted.get(f"{network}_{which}") for which in ("src", "dst")]
    if not hosts[0] or not hosts[1]:
        return f"{title} error that quotes too little"
    if not protocol:
        return f"{title} error about something that is not TCP or UDP"
    ports = [number_in(quoted, f"{protocol}_{which}port", 0xFFFF) for which in ("src", "dst")]
    if ports[0] is None or ports[1] is None:
        return f"{title} error that quotes too little"
    if protocol == "udp" and ports[1] in PORTS:
        return f"{title} error about a tunnel"
    fields["about"] = next(number for number, each in ABOUT.items() if each == protocol)
    fields["source_port"], fields["destination_port"] = ports[0], ports[1]
    target = hosts[1][0]
    fields["from_destination"] = 1 if outer.get(f"{network}_src", [""])[0] == target else 0
    fields["destination_multicast"] = 1 if is_multicast(target) or target == _BROADCAST else 0
    known = [("ip_id", "ip_id", 0xFFFF)]
    known += [("length", "udp_length", 0xFFFF), ("checksum", "udp_checksum", 0xFFFF)] if protocol == "udp" else []
    if protocol == "tcp":
        # Within ICMP for IPv4, Wireshark shows the number as it was sent under the name of the one that it works out.
        shown = "tcp_seq_raw" if "tcp_seq_raw" in quoted or version == 6 else "tcp_seq"
        known.append(("seq", shown, 0xFFFFFFFF))
    for key, field, top in known:
        value = number_in(quoted, field, top)
        if value is not None:
            fields[key] = value
    return Packet(
        number, time, ERRORS, endpoint_text(hosts[0][0], ports[0]), endpoint_text(target, ports[1]), 0, fields
    )
