"""The packet within a tunnel, in a row of tshark that has the fields of all layers side by side.

Owns: which values of a row belong to the innermost headers.
Must never hold: what a field says (``tshark_packet``).
"""

from __future__ import annotations

from collections.abc import Mapping

Values = Mapping[str, list[str]]

NETWORKS, TRANSPORTS = ("ip", "ipv6"), ("tcp", "udp")


def innermost(values: Values) -> Values:
    """The values of the innermost IP header and what it carries; all as they are if there is but one such header, or if
    it is not certain which value belongs to which.

    ``frame.protocols`` tells the layers in their order, and each layer has one value of each of its fields.
    """
    shown = values.get("frame_protocols", ())
    protocols = shown[0].lower().split(":") if len(shown) == 1 else []
    layers = [name for name in protocols if name in NETWORKS or name in TRANSPORTS]
    if sum(name in NETWORKS for name in layers) < 2 or {"icmp", "icmpv6"} & set(protocols):
        return values
    if len(layers) < 2 or layers[-2] not in NETWORKS or layers[-1] not in TRANSPORTS:
        return values
    inner = {layers[-2]: layers.count(layers[-2]), layers[-1]: layers.count(layers[-1])}
    for name, port in ((layers[-2], "src"), (layers[-1], "srcport")):
        if len(values.get(f"{name}_{port}", ())) != inner[name]:
            return values
    found: dict[str, list[str]] = {}
    for name, texts in values.items():
        layer = name.partition("_")[0]
        if layer in inner:
            if inner[layer] == 1:
                found[name] = texts
            elif len(texts) == inner[layer]:
                found[name] = texts[-1:]
        elif layer not in NETWORKS and layer not in TRANSPORTS:
            found[name] = texts
    found["frame_protocols"] = [":".join(layers[-2:])]
    return found
