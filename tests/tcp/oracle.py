"""What one TCP endpoint answers to one segment: a second reading of RFC 9293, section 3.10.7, in plain Python.

Owns: the arrival of a segment in each state, step by step as the standard orders it, with the challenge
acknowledgments of RFC 5961. Written without the spec, so that the two can be held against each other.
Must never hold: anything imported from the package under test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MODULUS = 1 << 32

AFTER_FIN = {
    "SYN-RECEIVED": "CLOSE-WAIT",
    "ESTABLISHED": "CLOSE-WAIT",
    "FIN-WAIT-1": "CLOSING",
    "FIN-WAIT-2": "TIME-WAIT",
}


def before(a: int, b: int) -> bool:
    """a < b for numbers that wrap."""
    return 0 < (b - a) % MODULUS < MODULUS >> 1


def upto(a: int, b: int) -> bool:
    """a =< b for numbers that wrap."""
    return a % MODULUS == b % MODULUS or before(a, b)


@dataclass(slots=True)
class Tcb:
    """The variables of an endpoint that a segment can touch; numbers need not be reduced modulo 2^32."""

    iss: int
    una: int
    nxt: int
    irs: int
    rcv: int
    rcv_wnd: int
    fin: int | None = None
    passive: bool = True
    max_wnd: int = 65535


@dataclass(frozen=True, slots=True)
class Segment:
    seq: int
    flags: frozenset[str]
    ack: int = 0
    data: int = 0

    @property
    def length(self) -> int:
        return self.data + ("SYN" in self.flags) + ("FIN" in self.flags)


@dataclass(frozen=True, slots=True)
class Host:
    """Choices of an implementation: challenge acknowledgments, resets ignored in TIME-WAIT, the letter of the text."""

    challenges: bool = True
    deaf_in_time_wait: bool = False
    literal: bool = False


class Endpoint:
    """One endpoint while it processes one segment."""

    def __init__(self, state: str, tcb: Tcb, host: Host) -> None:
        self.state = state
        self.tcb = replace(tcb)
        self.host = host
        self.owes_ack = False
        self.out: list[str] = []

    # ------------------------------------------------------------------------------------------------------ output

    def reset_for(self, segment: Segment) -> None:
        """A reset that the sender of ``segment`` will believe."""
        if "ACK" in segment.flags:
            self.out.append(_write(segment.ack, None, "RST"))
        else:
            self.out.append(_write(0, segment.seq + segment.length, "RST,ACK"))

    def sent(self) -> list[str]:
        """All segments sent; whatever had to be acknowledged is acknowledged once, at the end."""
        if self.owes_ack:
            return [*self.out, _write(self.tcb.nxt, self.tcb.rcv, "ACK")]
        return self.out

    # ----------------------------------------------------------------------------------------------------- arrival

    def arrive(self, segment: Segment) -> None:
        if self.state == "CLOSED":
            if "RST" not in segment.flags:
                self.reset_for(segment)
        elif self.state == "LISTEN":
            self._listening(segment)
        elif self.state == "SYN-SENT":
            self._opening(segment)
        else:
            self._connected(segment)

    def _listening(self, segment: Segment) -> None:
        if "RST" in segment.flags:
            return
        if "ACK" in segment.flags:
            self.reset_for(segment)
        elif "SYN" in segment.flags:
            self._take_syn(segment)
            self.tcb.una, self.tcb.nxt = self.tcb.iss, self.tcb.iss + 1
            self.out.append(_write(self.tcb.iss, self.tcb.rcv, "SYN,ACK"))
            self.state = "SYN-RECEIVED"

    def _take_syn(self, segment: Segment) -> None:
        self.tcb.irs = segment.seq
        self.tcb.rcv = segment.seq + 1

    def _opening(self, segment: Segment) -> None:
        acked = "ACK" in segment.flags
        if acked and not (before(self.tcb.iss, segment.ack) and upto(segment.ack, self.tcb.nxt)):
            if "RST" not in segment.flags:
                self.reset_for(segment)
            return
        if "RST" in segment.flags:
            if acked:
                self.state = "CLOSED"
            return
        if "SYN" not in segment.flags:
            return
        self._take_syn(segment)
        if not acked:
            self.out.append(_write(self.tcb.iss, self.tcb.rcv, "SYN,ACK"))
            self.state = "SYN-RECEIVED"
            return
        self.tcb.una = segment.ack
        self.state = "ESTABLISHED"
        self.owes_ack = True
        self._text_and_fin(segment)

    def _touches_window(self, segment: Segment) -> bool:
        left, room = self.tcb.rcv, self.tcb.rcv_wnd
        if segment.length == 0:
            return (segment.seq - left) % MODULUS < max(room, 1)
        last = segment.seq + segment.length - 1
        return any((number - left) % MODULUS < room for number in (segment.seq, last))

    def _connected(self, segment: Segment) -> None:
        exact = (segment.seq - self.tcb.rcv) % MODULUS == 0
        text_counts = True
        if not self._touches_window(segment):
            # A closed window refuses text, but the acknowledgment and the reset of what comes next are looked at.
            shut = self.tcb.rcv_wnd == 0 and exact and not self.host.literal
            if "RST" in segment.flags:
                if not shut:
                    return
            else:
                shut = shut and "SYN" not in segment.flags
                self.owes_ack = True
                lowest = self.tcb.una + (self.state == "SYN-RECEIVED")
                valid = upto(lowest, segment.ack) and upto(segment.ack, self.tcb.nxt)
                if not (shut and "ACK" in segment.flags and valid):
                    return
                text_counts = False
        if "RST" in segment.flags:
            self._reset_arrives(segment, exact)
        elif "SYN" in segment.flags and self._syn_arrives(segment):
            return
        elif "ACK" in segment.flags and self._acknowledgment_counts(segment):
            self._text_and_fin(segment, text_counts)

    def _reset_arrives(self, segment: Segment, exact: bool) -> None:
        if self.state == "TIME-WAIT" and self.host.deaf_in_time_wait:
            return
        if not exact and self.host.challenges:
            self.owes_ack = before(self.tcb.rcv, segment.seq)
            return
        self.state = "LISTEN" if self.state == "SYN-RECEIVED" and self.tcb.passive else "CLOSED"

    def _syn_arrives(self, segment: Segment) -> bool:
        """Fourth step; True when the segment ends here. A SYN before the window was cut off by the first step."""
        inside = upto(self.tcb.rcv, segment.seq)
        if self.state == "SYN-RECEIVED" and not inside:
            return self._without_syn(segment)
        if self.state == "SYN-RECEIVED" and self.tcb.passive:
            self.state = "LISTEN"
        elif self.host.challenges:
            self.owes_ack = True
        elif inside:
            self.reset_for(segment)
            self.state = "CLOSED"
        else:
            return self._without_syn(segment)
        return True

    def _without_syn(self, segment: Segment) -> bool:
        rest = Segment(segment.seq + 1, segment.flags - {"SYN"}, segment.ack, segment.data)
        if "ACK" in rest.flags and self._acknowledgment_counts(rest):
            self._text_and_fin(rest)
        return True

    def _acknowledgment_counts(self, segment: Segment) -> bool:
        """Fifth step; False when the segment ends here."""
        tcb = self.tcb
        if self.host.literal and before(tcb.rcv, segment.seq):
            return False
        new = before(tcb.una, segment.ack) and upto(segment.ack, tcb.nxt)
        if self.state == "SYN-RECEIVED":
            if not new:
                self.reset_for(segment)
                return self.host.literal
            tcb.una = segment.ack
            self.state = "ESTABLISHED"
            return True
        if self.host.challenges and before(segment.ack, tcb.una - tcb.max_wnd):
            self.owes_ack = True
            return False
        if before(tcb.nxt, segment.ack):
            self.owes_ack = True
            return False
        if new:
            tcb.una = segment.ack
        done = tcb.fin is not None and before(tcb.fin, tcb.una)
        if self.state == "FIN-WAIT-1" and done:
            self.state = "FIN-WAIT-2"
        elif self.state == "CLOSING":
            if not done:
                return False
            self.state = "TIME-WAIT"
        elif self.state == "LAST-ACK" and done:
            self.state = "CLOSED"
            return False
        elif self.state == "TIME-WAIT" and (segment.length or self.host.literal):
            self.owes_ack = True
        return True

    def _text_and_fin(self, segment: Segment, text_counts: bool = True) -> None:
        """Steps six to eight."""
        if not text_counts:
            return
        tcb = self.tcb
        first = segment.seq + ("SYN" in segment.flags)
        behind = first + segment.data
        open_ = self.state in ("ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2")
        edge = tcb.rcv + tcb.rcv_wnd
        if open_:
            if before(tcb.rcv, first):
                self.owes_ack |= segment.length > 0
                return
            if segment.data and before(tcb.rcv, behind):
                tcb.rcv = edge if before(edge, behind) else behind
                self.owes_ack = True
        if "FIN" not in segment.flags or (behind - tcb.rcv) % MODULUS or not before(behind, edge):
            return
        tcb.rcv += 1
        self.owes_ack = True
        self.state = AFTER_FIN.get(self.state, self.state)


def _write(seq: int, ack: int | None, control: str) -> str:
    middle = "" if ack is None else f"<ACK={ack % MODULUS}>"
    return f"<SEQ={seq % MODULUS}>{middle}<CTL={control}>"


def answer(state: str, tcb: Tcb, segment: Segment, host: Host | None = None) -> tuple[str, list[str], Tcb]:
    """The state after ``segment``, what was sent, and the variables."""
    endpoint = Endpoint(state, tcb, host or Host())
    endpoint.arrive(segment)
    return endpoint.state, endpoint.sent(), endpoint.tcb
