"""What findings mean whose codes no spec declares: faults of a capture, views that disagree, what nothing explains.

Owns: the title and the explanation of each of these codes.
Must never hold: a rule of a protocol (those stand in the specs), or when such a finding is made.
"""

from __future__ import annotations

from typing import NamedTuple

WIDTH = 100
"""Most characters in a line of an explanation."""


class General(NamedTuple):
    """``told``: whether findings have this code; otherwise the text says what is done instead."""

    title: str
    text: str
    told: bool = True


GENERAL = {
    "CAP-002": General(
        "segments that the network card has yet to cut",
        "Hosts hand large segments to the network card, which cuts them. A capture at the sender shows them "
        "whole. Their size proves nothing, so no rule looks at it; a total length of 0 in the header of IP is "
        "taken for the size of the frame.",
        False,
    ),
    "CAP-003": General(
        "segments that the network card has put together",
        "A capture at the receiver shows segments that were joined after they arrived. What one acknowledgment "
        "covers, and how large a segment is, then proves nothing, and no rule looks at it.",
        False,
    ),
    "CAP-004": General(
        "IP fragments",
        "Fragments are put together where all of them were captured. What is incomplete, or contradicts itself, "
        "is left out and counted: a fragment alone shows no header, and its absence counts as packets that are "
        "missing.",
    ),
    "CAP-005": General(
        "packets cut by the capture",
        "The capture kept the beginnings of packets only (snap length). Headers are judged, checksums and "
        "contents are not.",
    ),
    "CAP-006": General(
        "packets or records are missing from the capture or log",
        "The capture itself counts packets that it dropped, or numbers were skipped, or an end answers what was "
        "never seen. Rules that need everything are silent from then on, and the verdict is at best inconclusive.",
    ),
    "CAP-007": General(
        "the capture begins in the middle",
        "A connection whose SYNs were not captured may be in any state. It is followed from its first packet on, "
        "what was agreed in the SYNs stays unknown, and the verdict says that the beginning was not captured.",
        False,
    ),
    "CAP-008": General(
        "one direction only",
        "Without the packets of one end, the other may have received anything. Rules over both directions are "
        "silent; the verdict says from which end nothing was captured.",
        False,
    ),
    "CAP-009": General(
        "packets were captured in another order than they were received",
        "A packet has an explanation only if one that was captured later had arrived before. That is no fault of "
        "an end.",
    ),
    "CAP-010": General(
        "packets that are there twice",
        "The network, a mirror port or a capture of several interfaces doubled packets. Copies change nothing of "
        "the verdict.",
    ),
    "CAP-011": General(
        "a box between the ends changes packets",
        "It may take options away, lower the MSS, shift numbers or answer in the name of an end. One capture "
        "cannot tell it from the end; rules that it could break say so among their exceptions. Two captures of "
        "one connection can: options, windows and timestamps that they show differently are named.",
    ),
    "CAP-012": General(
        "a capture of the loopback interface",
        "Packets are larger than on any wire, and their checksums are never worked out (CAP-001). No rule looks "
        "at sizes.",
        False,
    ),
    "CAP-013": General(
        "packets within tunnels",
        "The packet inside is judged; the headers around it only say how it came.",
    ),
    "CAP-014": General(
        "the capture ends",
        "What has not happened by then may happen later: nothing that is missing at the end is a violation. The "
        "verdict says that the end was not captured.",
        False,
    ),
    "CAP-015": General(
        "addresses and ports are used again",
        "A new SYN between the addresses and ports of an earlier connection begins a connection of its own in the "
        "report.",
    ),
    "CAP-016": General(
        "clocks",
        "Times go back, or packets come again later, as in merged captures of both ends. Rules that need a clock "
        "compare times of one capture alone.",
    ),
    "CAP-017": General(
        "resets of the capturing host",
        "Tools that send packets past their kernel make it answer connections that it does not know. Such resets "
        "look like any other, and any reset has an explanation.",
        False,
    ),
    "CAP-018": General(
        "several interfaces in one capture",
        "A packet may be there once for each interface. Copies change nothing of the verdict.",
    ),
    "VIEW-001": General(
        "two views of one connection cannot both be true",
        "A capture and a log were given together, or one file tells of segments and of states, calls or timers of "
        "the same end. The packets can be explained without the log, but no behaviour of the end that is named "
        "sends them on the way that the log tells. One of the two is wrong, or comes from another connection "
        "between the same addresses and ports. Packets that a capture may have lost do not excuse it. Between two "
        "files, the order of packets and lines among each other plays no part in it; within one file it does. "
        "docs/views.md says what is compared.",
    ),
    "VIEW-002": General(
        "two captures show one packet differently",
        "Two captures of one connection were given together, and a packet that both show (it has the same "
        "identification, or the same timestamp of its sender) has other numbers or flags in one than in the other. "
        "One of the two was changed, or a box on the way changed the packet. Each may be legal alone, so the "
        "verdict is at best inconclusive.",
    ),
}
"""By code."""

OF_SPECS = {
    "UNEXPLAINED": General(
        "no rule explains it",
        "No behaviour of the spec leads to this message, whatever was not captured, and no fault of the spec "
        "names it. The report says which states were possible, what each of their rules would have sent instead, "
        "and where it differs.",
    ),
    "TRANSITION": General(
        "a log tells of a state that cannot follow",
        "A log of states, or a summary, says where an end or an observer is, and no rule of the spec leads there "
        "from what the same log told before. The report names the states that were possible and what the spec "
        "allows there. Lines that are missing are no excuse where the log is known to show everything in between; "
        "where it is not, CAP-006 is reported.",
    ),
    "SIGNAL": General(
        "a log tells of a signal that cannot be",
        "Nothing that was logged, sent or received before makes an end tell its user this.",
    ),
    "CALL": General(
        "a log tells of a call that cannot be",
        "Nothing that was logged, sent or received before leads to a state in which this call ends as the log says.",
    ),
    "TIMER": General(
        "a log tells of a timer that cannot run",
        "Nothing that was logged, sent or received before leads to a state in which this timer runs.",
    ),
    "NOTICE": General(
        "a log tells of a notice that changes nothing here",
        "Nothing that was logged, sent or received before leads to a state in which this notice has the effect "
        "that is told.",
    ),
}
"""By the word after the name of a spec."""


def explain(code: str, names: tuple[str, ...]) -> str | None:
    """The explanation of a code in capitals, or None; ``names`` of specs may begin it."""
    begun = code.partition("-")
    found = GENERAL.get(code)
    if found is None and begun[0].lower() in names:
        found = OF_SPECS.get(begun[2])
    if found is None:
        return None
    from textwrap import fill

    told = "" if found.told else "\n\nNo finding has this code: it is here to say what is done about it."
    return f"{code}: {found.title}\n\n{fill(found.text, WIDTH)}{told}"
