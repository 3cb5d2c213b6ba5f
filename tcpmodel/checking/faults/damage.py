"""Packets that were damaged on the way.

Owns: when what a packet says is not what its sender said.
Must never hold: what a wrong checksum is a finding of (a rule of the spec says so).
"""

from __future__ import annotations

from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.semantics.execution import Sighting
from tcpmodel.traces.records import Packet


def damaged(packet: Packet) -> bool:
    """Is the checksum wrong, and not one that was left to the network card?"""
    fields = packet.fields
    return fields.get("checksum_ok") == 0 and not fields.get("checksum_partial")


def is_rubbish(packet: Packet, sighting: Sighting, sender: Endpoint) -> bool:
    """Was it damaged, and says what its sender would not say now? Then nothing of it is believed.

    Some captures have wrong checksums throughout, of packets that are right, so one that the sender may send counts.
    """
    if not damaged(packet) or sender.by_behaviour(sighting):
        return False
    return not (sender.sent and sender.seen_late(sighting))
