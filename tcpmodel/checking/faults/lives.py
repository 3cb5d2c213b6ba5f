"""Whether a message belongs to another connection than the one between the same addresses that is followed.

Owns: how far apart numbers are that no connection has together.
Must never hold: how a packet is explained (see ``connection``), or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Callable

from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.values import Interval

CLOSE = 1 << 15
"""A number that lies farther behind those that an end has used was not sent by it, if it has finished."""

NEXT = 1 << 12
"""So far at most a message that came late goes beyond those that were seen before a new connection began."""

FAR = 1 << 22
"""Numbers that differ by more than this do not belong to one connection that both ends have finished."""

APART = 1 << 19
"""The same for numbers of one end alone, when the end of the connection was seen."""


def of_another_life(
    interpreter: Interpreter, sender: Endpoint, peer: Endpoint, sighting: Sighting, unfinished: Callable[[], bool]
) -> bool | None:
    """Do the numbers belong to another connection, whose beginning the capture lost? None if what follows may show it.

    Numbers of both ends that lie nowhere near say so by themselves. When both ends have finished it is enough that
    one lies nowhere near, or that both were never used; less is enough when the end was seen. Where one of the
    numbers was used before, what the other end sends later has to say so, too. How far the other end came may be open:
    what an end begins with names what it received, which then lies apart from what it received before.
    """
    own = sender.apart(sighting, interpreter.number_slot)
    # Of a peer that was never seen, only what the sender acknowledged is known.
    other = (peer if peer.sent else sender).apart(sighting, interpreter.answer_slot, peer=not peer.sent)
    if min(own, other) > FAR:
        return True
    doubtful = max(own, other) > APART and not unfinished()
    if doubtful and min(own, other):
        return True
    if own > CLOSE and sender.begins_anew(sighting):
        other = max(other, sender.apart(sighting, interpreter.answer_slot, peer=True))
    if (own > FAR or min(own, other) > CLOSE) and all(end.may_rest() or not end.sent for end in (sender, peer)):
        return True
    return None if doubtful else False


def of_the_one_before(interpreter: Interpreter, before: Endpoint, sighting: Sighting, reach: Interval) -> bool:
    """Did the sender, as the connection ``before`` left it, send this there, if others are missing or come later yet?

    ``reach``: the numbers that its peer may have used there. Both numbers have to lie next to those that were used.
    """
    own = before.apart(sighting, interpreter.number_slot)
    other = before.apart(sighting, interpreter.answer_slot, peer=True)
    if not before.sent or max(own, other) > NEXT:
        return False
    return any(before.after_unseen(sighting, sent=sent, received=reach) for sent in (True, False))
