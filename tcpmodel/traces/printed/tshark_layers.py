"""Layers of a packet as tshark nests them in JSON: from them to the fields of the packet that is judged.

Owns: names and nesting of layers, which of several packets within each other is judged, and the octets of a frame.
Must never hold: what a field says (``tshark_packet``), or how objects follow each other (``tshark_json``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tcpmodel.traces.captures.link import within
from tcpmodel.traces.captures.network import ip
from tcpmodel.traces.captures.tunnels import Found, Inner
from tcpmodel.traces.circumstances import TAGGED, odd
from tcpmodel.traces.own.json_stream import Members
from tcpmodel.traces.printed.tshark_icmp import error as icmp_error
from tcpmodel.traces.printed.tshark_packet import NO_ENDS, Packets, Values, fragment, number_in, number_of, time_of
from tcpmodel.traces.records import Packet

Layer = tuple[str, Members]

_NETWORK = frozenset({"ip", "ipv6"})
_TRANSPORT = frozenset({"tcp", "udp"})
_OVER_UDP = {"vxlan": "VXLAN", "geneve": "Geneve", "gtp": "GTP-U"}
_OTHER_TUNNELS = {"gre": "GRE", "mpls": "MPLS"}
_BELOW = frozenset({"frame", "eth", "sll", "null", "loop", "raw", "vlan", "ethertype", "ppp", "pppoes", "pktap"})
_NAMES = {"icmpv6": "ICMPv6"}
_HOPS = 8  # as deep as tshark nests what is of use


class Chosen:
    """What a frame holds: the packet or why there is none, the tunnels around it, and the frame's own fields.

    ``pieces``: what the pieces have in common that IP cut the packet into, if the layers told of them.
    """

    __slots__ = ("found", "frame", "pieces", "tunnels")

    def __init__(self, found: Found, frame: Values, tunnels: str = "", pieces: tuple[str, ...] = ()) -> None:
        self.found = found
        self.frame = frame
        self.tunnels = tunnels
        self.pieces = pieces


def chosen(layers: Members, packets: Packets, count: int) -> Chosen:
    """The packet within the layers of a frame. ``count``: its number if the frame names none."""
    chain = list(_chain(layers))
    if not chain and not any(_is_raw(key, value) for key, value in layers):
        values = _columns(layers)
        return Chosen(packets.packet(values, count) if values else NO_ENDS, values)
    frame = next((_fields([layer]) for layer in chain if layer[0] == "frame"), {})
    octets = _octets(layers, "frame_raw")
    if octets is not None:
        choice = _of_octets(octets, layers, chain, frame, count)
    else:
        choice = _of_layers(_in_order(layers, chain, frame), packets, frame, count)
    if isinstance(choice.found, Packet) and not choice.tunnels and not choice.pieces:
        _direct(choice.found, chain)
    return choice


def _direct(packet: Packet, chain: list[Layer]) -> None:
    """A cooked frame says whether it was for this host or sent by it; a tag says of which VLAN a frame is."""
    for layer in chain:
        if layer[0] == "vlan" and (tag := number_in(_fields([layer]), "vlan_id", 0xFFF)) is not None:
            odd(packet, tag << 3 | TAGGED)
            break
    kind = next((number_in(_fields([layer]), "sll_pkttype", 4) for layer in chain if layer[0] == "sll"), None)
    if kind in (0, 4):
        packet.fields["outgoing"] = kind >> 2


def _of_layers(chain: list[Layer], packets: Packets, frame: Values, count: int) -> Chosen:
    network: Layer | None = None
    tunnels: list[str] = []
    outer: list[Layer] = []
    inner = ""
    rest = chain
    header: dict[str, list[str]] = {}
    pieces: tuple[str, ...] = ()
    for place, layer in enumerate(chain):
        name = layer[0]
        if name in _NETWORK:
            if network is not None and chain[place - 1][0] in _NETWORK:
                inner = "IP in IP"
            if inner:
                tunnels.append(inner)
            network, inner = layer, ""
            header = _fields([layer])
            reason = fragment(header)
            if reason:
                pieces = _piece_of(header)
                if not _put_together(header) or not any(after[0] in _TRANSPORT for after in chain[place + 1 :]):
                    return Chosen(_within(reason, tunnels), frame, ", ".join(tunnels), pieces)
        elif name in ("icmp", "icmpv6"):
            number, time = number_of(frame) or count, time_of(frame)
            error = icmp_error(name, _fields([layer]), header, _quoted(layer[1]), number, time)
            return Chosen(_within(error, tunnels) if isinstance(error, str) else error, frame, ", ".join(tunnels))
        elif name in _TRANSPORT and network is not None:
            outer = [layer]
            following = chain[place + 1][0] if place + 1 < len(chain) else ""
            if (
                name == "udp"
                and following in _OVER_UDP
                and any(after[0] not in _OVER_UDP for after in chain[place + 1 :])
            ):
                inner, network, outer, rest = _OVER_UDP[following], None, [], chain[place + 2 :]
                continue
            break
        elif name in _OTHER_TUNNELS:
            inner, network, rest = _OTHER_TUNNELS[name], None, chain[place + 1 :]
    if not outer:
        tunnels += [inner] if inner else []
        return Chosen(_within(_what_else(rest), tunnels), frame, ", ".join(tunnels))
    found = packets.judged(dict(frame) | header | _fields(outer), count)
    if pieces and isinstance(found, Packet):
        found.fields["fragments"] = number_in(header, "ip_fragment_count", 1 << 16) or len(pieces)
    return Chosen(_within(found, tunnels) if isinstance(found, str) else found, frame, ", ".join(tunnels), pieces)


def _piece_of(header: Values) -> tuple[str, ...]:
    """What the pieces of one packet have in common."""
    names = ("ip_src", "ip_dst", "ip_id", "ip_proto", "ipv6_src", "ipv6_dst", "ipv6_fraghdr_ident")
    return tuple(header[name][0] for name in names if name in header)


def _put_together(header: dict[str, list[str]]) -> bool:
    """Make ``header`` that of the whole packet, if tshark put it together from this piece and those before."""
    size = number_in(header, "ip_reassembled_length", 0xFFFF)
    if size is not None:
        header["ip_len"] = [str(size + (number_in(header, "ip_hdr_len", 60) or 20))]
        header["ip_frag_offset"], header["ip_flags_mf"] = ["0"], ["0"]
        return True
    size = number_in(header, "ipv6_reassembled_length", 0xFFFF)
    if size is None:
        return False
    for name in [name for name in header if name.startswith("ipv6_fraghdr") or name.endswith("_len_oct")]:
        del header[name]
    header["ipv6_plen"] = [str(size)]
    header["ipv6_nxt"] = header["ipv6_nxt"][-1:] if "ipv6_nxt" in header else ["44"]
    if "ipv6_fragment_count" in header:
        header["ip_fragment_count"] = header["ipv6_fragment_count"]
    return True


def _quoted(message: Members) -> dict[str, list[str]]:
    """The fields of the IP header within an ICMP message, and of what follows it there."""
    found: list[Layer] = []
    for layer in _chain(message):
        if layer[0] in _NETWORK and not found:
            found.append(layer)
        elif layer[0] in _TRANSPORT and found:
            return _fields([*found, layer])
    return _fields(found)


def _within(reason: str, tunnels: list[str]) -> str:
    return f"{reason} in {tunnels[-1]}" if tunnels else reason


def _what_else(chain: list[Layer]) -> str:
    """The name of what a frame without TCP and UDP holds."""
    names = [name for name, _ in chain if name not in _BELOW and name not in _NETWORK and name != "data"]
    return _NAMES.get(names[0], names[0].upper()[:32]) if names else "not TCP or UDP"


# -------------------------------------------------------------------------------------------------------------- octets


def _of_octets(octets: bytes, layers: Members, chain: list[Layer], frame: Values, count: int) -> Chosen:
    """What the frame holds, read as in a capture, from where tshark saw an IP header first."""
    number, time = number_of(frame) or count, time_of(frame)
    whole = frame.get("frame_len", ["0"])[0]
    original = int(whole) if whole.isdecimal() and len(whole) < 9 else 0
    for key, value in layers:
        if key in ("ip_raw", "ipv6_raw"):
            at = _place(value, octets)
            if at is not None:
                found = ip(octets, at, len(octets), max(len(octets), original), number, time)
                if not isinstance(found, Inner):
                    return Chosen(found, frame)
                packet, tunnels = within(found, octets, number, time)
                return Chosen(packet, frame, tunnels)
    seen = chain or [(key.removesuffix("_raw"), Members()) for key, value in layers if _is_raw(key, value)]
    return Chosen(_what_else(seen), frame)


def _place(value: Any, octets: bytes) -> int | None:
    """Where in the frame the octets of a layer begin: as stated, else where they are found."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    if isinstance(value, list) and len(value) > 1 and isinstance(value[1], int):
        return value[1] if 0 <= value[1] < len(octets) else None
    header = _unpacked(value)
    at = octets.find(header) if header else -1
    return at if at >= 0 else None


def _octets(layers: Members, name: str) -> bytes | None:
    for key, value in layers:
        if key == name:
            return _unpacked(value)
    return None


def _unpacked(value: Any) -> bytes | None:
    """Octets in hexadecimal; in one of the forms they are the first of a list that says besides where they stand."""
    for _ in range(2):
        if isinstance(value, list) and value and not isinstance(value, Members):
            value = value[0]
    try:
        return bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_raw(key: str, value: Any) -> bool:
    return key.endswith("_raw") and _unpacked(value) is not None


# -------------------------------------------------------------------------------------------------------------- layers


def _chain(layers: Members) -> Iterator[Layer]:
    """The layers as they stand there; one that stands there several times may be a list."""
    for key, value in layers:
        if isinstance(value, Members):
            yield key, value
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, Members):
                    yield key, one


def _in_order(layers: Members, chain: list[Layer], frame: Values) -> list[Layer]:
    """The layers as they follow each other in the frame: a list of equal ones has lost what stands between them."""
    if all(isinstance(value, Members) for _, value in layers):
        return chain
    named: dict[str, list[Layer]] = {}
    for layer in chain:
        named.setdefault(layer[0], []).append(layer)
    ordered: list[Layer] = []
    for name in frame.get("frame_protocols", [""])[0].lower().split(":"):
        if named.get(name):
            ordered.append(named[name].pop(0))
    return ordered or chain


def _fields(layers: list[Layer]) -> dict[str, list[str]]:
    """The values of all fields in some layers, by their names with ``_`` for ``.``."""
    values: dict[str, list[str]] = {}
    for name, members in layers:
        _collect(name, members, values, 0)
    return values


def _collect(prefix: str, members: Members, values: dict[str, list[str]], depth: int) -> None:
    doubled = f"{prefix}_"
    for key, value in members:
        if isinstance(value, Members):
            if depth < _HOPS and key not in _NETWORK and key not in _TRANSPORT:
                _collect(key, value, values, depth + 1)
            continue
        name = key.replace(".", "_").lower()
        if "." not in key:
            name = name.removeprefix(doubled)
        _put(values, name, value)


def _put(values: dict[str, list[str]], name: str, value: Any) -> None:
    for one in value if isinstance(value, list) else (value,):
        if isinstance(one, str):
            values.setdefault(name, []).append(one)
        elif isinstance(one, (bool, int)):
            values.setdefault(name, []).append(str(one).lower())


def _columns(layers: Members) -> dict[str, list[str]]:
    """Fields that were asked for by name: they stand in no layers."""
    values: dict[str, list[str]] = {}
    for key, value in layers:
        if not isinstance(value, Members):
            _put(values, key.replace(".", "_").lower(), value)
    return {name: texts for name, texts in values.items() if any(texts)}
