"""Messages that are taken once more by an endpoint as it was before something was assumed of it.

Owns: the plain explanations that count then, and taking messages in their order.
Must never hold: what was assumed (see ``assumed``), what follows from it (see ``connection``), or anything of a
protocol.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.checking.faults.assumed import Event
from tcpmodel.semantics.execution import Sighting


def simply(endpoint: Endpoint, sighting: Sighting) -> bool:
    """Does the endpoint send this if nothing is missing but what it sent before? Then it has."""
    after = endpoint.by_behaviour(sighting)
    if after:
        endpoint.settle(after)
        return True
    if endpoint.sent and endpoint.seen_late(sighting):
        return True
    after = endpoint.after_unseen(sighting, sent=True)
    if after:
        endpoint.settle(after)
    return bool(after)


def replayed(endpoint: Endpoint, later: Sequence[Event], side: int) -> bool:
    """Does the endpoint, which is of this side, send all that it sent later, when it receives what came in between?"""
    for event in later:
        if event.side != side:
            endpoint.receive(event.said(), event.top)
        elif not simply(endpoint, event.said()):
            return False
    return True
