"""Any segment in any state: the spec against a second, independent reading of the standard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from oracle import Host, Segment, Tcb, answer

from tcpmodel.model.load import load_spec
from tcpmodel.semantics.stepping import Stepper

MODULUS = 1 << 32
ORDINARY, BEFORE_WRAP = (1000, 500_000), (MODULUS - 2, MODULUS - 2)

COMBINATIONS = """none ACK SYN SYN,ACK FIN FIN,ACK RST RST,ACK SYN,FIN SYN,FIN,ACK SYN,RST SYN,RST,ACK
FIN,RST FIN,RST,ACK URG URG,ACK FIN,PSH,URG"""
FLAGS = [frozenset(flags.split(",")) - {"none"} for flags in COMBINATIONS.split()]


def endpoints(iss: int, irs: int, window: int) -> Iterator[tuple[str, Tcb]]:
    """An endpoint in each state, some in more than one way."""
    yield "CLOSED", Tcb(iss, iss, iss, irs, irs, window)
    yield "LISTEN", Tcb(iss, iss, iss, irs, irs, window)
    yield "SYN-SENT", Tcb(iss, iss, iss + 1, irs, irs, window, passive=False)
    yield "SYN-SENT", Tcb(iss, iss, iss + 4, irs, irs, window, passive=False)
    yield "SYN-RECEIVED", Tcb(iss, iss, iss + 1, irs, irs + 1, window)
    yield "SYN-RECEIVED", Tcb(iss, iss, iss + 1, irs, irs + 1, window, passive=False)
    yield "ESTABLISHED", Tcb(iss, iss + 1, iss + 3, irs, irs + 2, window)
    yield "CLOSE-WAIT", Tcb(iss, iss + 1, iss + 3, irs, irs + 3, window)
    yield "FIN-WAIT-1", Tcb(iss, iss, iss + 2, irs, irs + 1, window, fin=iss + 1)
    for state in ("FIN-WAIT-1", "CLOSING", "LAST-ACK"):
        yield state, Tcb(iss, iss + 1, iss + 4, irs, irs + 3, window, fin=iss + 3)
        yield state, Tcb(iss, iss + 2, iss + 3, irs, irs + 3, window, fin=iss + 2)
    for state in ("FIN-WAIT-2", "TIME-WAIT"):
        yield state, Tcb(iss, iss + 4, iss + 4, irs, irs + 3, window, fin=iss + 3)


def segments(tcb: Tcb) -> Iterator[Segment]:
    """Every class: left of the window, at each of its edges, inside, beyond; acknowledging nothing to everything."""
    edge = tcb.rcv + tcb.rcv_wnd
    numbers = {tcb.irs, tcb.rcv - 2, tcb.rcv - 1, tcb.rcv, tcb.rcv + 1, edge - 1, edge, edge + 9, tcb.rcv - 100_000}
    acknowledged = {tcb.iss, tcb.una - 1, tcb.una, tcb.una + 1, tcb.nxt - 1, tcb.nxt, tcb.nxt + 1}
    acknowledged |= {tcb.una - 70_000, tcb.nxt + 100_000}
    for flags, seq, data in itertools.product(FLAGS, sorted(numbers), (0, 2, 7)):
        for ack in sorted(acknowledged) if "ACK" in flags else [0]:
            yield Segment(seq, flags, ack, data)


def written(segment: Segment) -> str:
    ack = f"<ACK={segment.ack % MODULUS}>" if "ACK" in segment.flags else ""
    flags = ",".join(sorted(segment.flags)) or "none"
    return f"<SEQ={segment.seq % MODULUS}>{ack}<CTL={flags}><DATA={segment.data}>"


def values(tcb: Tcb) -> dict[str, int | str | None]:
    return {
        "ISS": tcb.iss % MODULUS,
        "SND.UNA": tcb.una % MODULUS,
        "SND.NXT": tcb.nxt % MODULUS,
        "FIN.SEQ": None if tcb.fin is None else tcb.fin % MODULUS,
        "IRS": tcb.irs % MODULUS,
        "RCV.NXT": tcb.rcv % MODULUS,
        "RCV.WND": tcb.rcv_wnd,
        "opened": "passive" if tcb.passive else "active",
    }


@pytest.mark.parametrize(
    ("profiles", "host", "numbers", "share"),
    [
        ((), Host(), ORDINARY, 4),
        ((), Host(), BEFORE_WRAP, 4),
        (("rfc793",), Host(challenges=False), BEFORE_WRAP, 9),
        (("rfc1337",), Host(deaf_in_time_wait=True), BEFORE_WRAP, 9),
        (("literal",), Host(literal=True), BEFORE_WRAP, 9),
    ],
    ids=["default", "default, wrapping", "rfc793", "rfc1337", "literal"],
)
def test_answers_agree(profiles: tuple[str, ...], host: Host, numbers: tuple[int, int], share: int) -> None:
    """One of every ``share`` combinations is tried, others each time the profiles differ."""
    stepper = Stepper(load_spec("tcp"), profiles)
    count = len(profiles)
    for window in (5, 1, 0):
        for state, tcb in endpoints(*numbers, window):
            given = values(tcb)
            choose = {"ISS": tcb.iss % MODULUS} if state == "LISTEN" else {}
            before = stepper.values(state, given)
            picks = stepper.picks(choose, before)
            for segment in segments(tcb):
                count += 1
                if count % share:
                    continue
                text = written(segment)
                (outcome,) = stepper.step(state, list(before), text, picks, explain=False).outcomes
                expected, sent, after = answer(state, tcb, segment, host)
                fired = [rule.id for rule in outcome.rules]
                assert (outcome.next, list(outcome.sent)) == (expected, sent), (state, tcb, text, fired)
                if expected not in ("CLOSED", "LISTEN"):
                    seen = outcome.variables["RCV.NXT"], outcome.variables["SND.UNA"]
                    assert seen == (after.rcv % MODULUS, after.una % MODULUS), (state, tcb, text, fired)
