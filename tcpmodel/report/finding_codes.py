"""What findings mean whose codes no spec declares: faults of a capture, views that disagree, what nothing explains.

Owns: the title and the explanation of each of these codes.
Must never hold: a rule of a protocol (those stand in the specs), or when such a finding is made.
"""

from __future__ import annotations

from typing import NamedTuple

WIDTH = 100
"""Most characters in a line of an explanation."""


class General(NamedTuple):
    """``shown``: what is seen of it. ``verdict``: what it means for verdicts. ``remedy``: what somebody can do."""

    title: str
    text: str
    shown: str = ""
    verdict: str = ""
    remedy: str = ""


GENERAL = {
    "CAP-001": General(
        "checksums are worked out after the capture",
        "A host leaves checksums to its network card, and a capture on that host shows its packets before.",
        "All checksums of one end are wrong; often they are the sum of the pseudo header.",
        "None: checksums of that end are not judged.",
        "Capture on another machine, or turn it off: ethtool -K DEVICE tx off.",
    ),
    "CAP-002": General(
        "segments that the network card has yet to cut",
        "Hosts hand large segments to the network card, which cuts them (TSO). A capture at the sender shows them "
        "whole.",
        "The header of IP has the length 0 (that of the frame is taken), or there is more text than the MSS of the "
        "peer allows, and no checksum of the sender is right yet.",
        "None: no rule looks at the size of segments.",
        "Capture on another machine, or turn it off: ethtool -K DEVICE tso off gso off.",
    ),
    "CAP-003": General(
        "segments that the network card has put together",
        "A network card or its driver joins what arrives together (GRO, LRO), and a capture at the receiver shows "
        "the sum. Where checksums cannot be checked, it may as well be a sender's card that has yet to cut.",
        "There is more text in a segment than the MSS of the peer allows, although checksums are right or unknown.",
        "None: no rule looks at the size of segments, or at how many one acknowledgment covers.",
        "Capture on another machine, or turn it off: ethtool -K DEVICE gro off lro off.",
    ),
    "CAP-004": General(
        "IP fragments",
        "Packets that IP cut into pieces. They are put together where all pieces were captured. What is incomplete, "
        "or contradicts itself, is left out and counted: a fragment alone shows no header.",
        "Packets with an offset, or with more fragments to come.",
        "None for packets that are whole again. What is left out counts as packets that are missing.",
        "Have the filter of the capture let fragments pass: later ones have no ports ('host X', not 'port Y').",
    ),
    "CAP-005": General(
        "packets cut by the capture",
        "The capture kept the beginnings of packets only (snap length).",
        "Fewer octets are there than the packet had.",
        "None for what the headers show. Checksums and contents of such packets are not judged.",
        "Capture whole packets: tcpdump -s 0.",
    ),
    "CAP-006": General(
        "packets or records are missing from the capture or log",
        "The capture lost packets that an end sent or received.",
        "The capture itself counts packets that it dropped, numbers were skipped, or an end answers what was never "
        "seen. Lost packets that nobody answers leave no trace.",
        "Inconclusive at best; rules that need everything are silent from then on. What cannot be explained by any "
        "loss is a violation all the same.",
        "Give the capture a larger buffer (tcpdump -B), fewer packets (a filter) or a faster disk.",
    ),
    "CAP-007": General(
        "the capture begins in the middle",
        "A connection whose SYNs were not captured may be in any state. It is followed from its first packet on.",
        "The first packet of an end is none with which an end begins.",
        "Inconclusive at best. What was agreed in the SYNs is unknown, and rules that need it are silent.",
        "Begin the capture before the connection.",
    ),
    "CAP-008": General(
        "one direction only",
        "Without the packets of one end, the other may have received anything.",
        "Nothing was captured from one end, although the other answers it.",
        "Inconclusive at best; rules over both directions are silent.",
        "Mirror both directions; on a route that differs by direction, capture at an end.",
    ),
    "CAP-009": General(
        "packets were captured in another order than they were sent or received",
        "The network, or several queues of a card, changed the order of packets.",
        "A packet has an explanation only if one that was captured later had arrived before; or its identification is "
        "one that its sender had left out before.",
        "None: a packet that is late is explained by the time at which it may have been sent.",
        "Nothing, if the network did it. Else have the card use one queue, or sort by time: reordercap.",
    ),
    "CAP-010": General(
        "packets that are there twice",
        "The network, a mirror port or a capture of several interfaces doubled packets; what was forwarded in between "
        "has another TTL and other hardware addresses.",
        "Two packets have the same source, flags, number and identification of IP, and no more than a second between.",
        "None: a copy is one more packet that came late.",
        "Mirror one port, or one direction; capture on one interface; editcap -d takes copies out.",
    ),
    "CAP-011": General(
        "a box between the ends changes packets",
        "It may take options away, lower the MSS, shift numbers or answer in the name of an end. One capture cannot "
        "tell it from the end, except where it gives itself away; rules that it could break say so among their "
        "exceptions.",
        "A reset has a TTL far from that of all other packets of its end; SACK blocks lie far from what the peer sent, "
        "since only the numbers outside of them were shifted. Two captures of one connection show options, windows or "
        "timestamps differently. In a capture that was merged of both sides, packets come twice, and the numbers of "
        "copies differ by the same amounts.",
        "None by itself. What a box does in the name of an end is held against that end. Where two numberings stand "
        "side by side, inconclusive.",
        "Capture on both sides of the box, and give both captures at once.",
    ),
    "CAP-012": General(
        "a capture within one host",
        "On a loopback interface, packets are larger than on any wire, and their checksums are never worked out.",
        "Both ends have the same address, or one that never leaves its host.",
        "None: no rule looks at sizes, and checksums are not judged (CAP-001).",
        "Nothing.",
    ),
    "CAP-013": General(
        "packets within tunnels or VLANs",
        "The packet inside is judged; the headers around it only say how it came.",
        "Headers of a tunnel, or the tag of a VLAN; also, that only one direction of a connection has them.",
        "None.",
        "Nothing. If one direction is missing, the filter of the capture may not know the tag or tunnel: "
        "'vlan and ...'.",
    ),
    "CAP-014": General(
        "the capture ends",
        "What has not happened by then may happen later: nothing that is missing at the end is a violation.",
        "An end is certainly not done when the last packet was read.",
        "Inconclusive at best.",
        "Capture until the connections are closed, or lost packets of the close (CAP-006) stay unknown.",
    ),
    "CAP-015": General(
        "addresses and ports are used again",
        "A new SYN between the addresses and ports of an earlier connection begins a connection of its own.",
        "A SYN with a number that the connection before cannot have sent.",
        "None: each connection is judged for itself; a packet that is late is looked for in the one before.",
        "Nothing.",
    ),
    "CAP-016": General(
        "clocks",
        "The clock of the capture was set, or two captures whose clocks differ were merged.",
        "A time is earlier than the one before; minutes go by in which the timestamps of the sender hardly change (it "
        "may also have slept); or a good part of all packets comes again later.",
        "None: rules that need a clock compare times of one direction, and allow for much.",
        "Give the two captures instead of merging them. Let the clock be adjusted slowly.",
    ),
    "CAP-017": General(
        "resets of the capturing host",
        "Tools that send packets past their kernel make it answer connections that it does not know.",
        "An end resets a connection, as hosts do that know nothing of it, and goes on as if it had not. A box that "
        "wants to end the connection does the same.",
        "None: any reset has an explanation.",
        "Drop what the kernel sends: iptables -A OUTPUT -p tcp --tcp-flags RST RST -j DROP.",
    ),
    "CAP-018": General(
        "several interfaces in one capture",
        "A packet may be there once for each interface (CAP-010), and each interface has a clock of its own.",
        "Packets of more than one interface of pcapng.",
        "None: copies change nothing.",
        "Nothing, or capture on one interface.",
    ),
    "CAP-019": General(
        "octets behind the packet",
        "Ethernet has no frame of less than 60 octets: what is shorter is filled up. Some devices append octets of "
        "their own.",
        "The frame is longer than the header of IP says that the packet is.",
        "None: the length in the header of IP counts, so that these octets are no text.",
        "Nothing.",
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
        "two views do not show the same packets",
        "Two captures of one connection were given together, and a packet that both show (it has the same "
        "identification, or the same timestamp of its sender) has other numbers or flags in one than in the other. "
        "One of the two was changed, or a box on the way changed the packet. Or an observer on the way, as Zeek, tells "
        "nothing of a kind of packet that the capture shows, or counted other octets of text. Each may be legal "
        "alone, so the verdict is at best inconclusive.",
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

    parts = [found.text]
    for label, text in (("Shown by", found.shown), ("For the verdict", found.verdict), ("To do", found.remedy)):
        if text:
            parts.append(f"{label}: {text}")
    return "\n\n".join([f"{code}: {found.title}", *(fill(part, WIDTH) for part in parts)])
