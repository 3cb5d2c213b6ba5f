"""Steps of the shipped TCP, with numbers that wrap and numbers that do not, and of a small spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tcpmodel.semantics.notation import NotationError
from tcpmodel.semantics.stepping import StepError, Stepped, Stepper

Tcp = Callable[..., Stepper]


class Case(NamedTuple):
    """``{L[n]}`` and ``{P[n]}`` stand for our initial number and the peer's, plus n. Variables are those named."""

    state: str
    let: str
    event: str
    path: str
    sent: str = ""
    signals: tuple[str, ...] = ()
    after: str = ""
    profiles: tuple[str, ...] = ()
    choose: str = ""


OPENING = "ISS={L[0]} SND.UNA={L[0]} SND.NXT={L[1]} SND.WND=0 IRS={P[0]} RCV.NXT={P[1]} RCV.WND=4"
OPEN = (
    "ISS={L[0]} SND.UNA={L[1]} SND.NXT={L[1]} SND.WND=1000 SND.WL1={P[0]} SND.WL2={L[1]} SND.BUF=0 MAX.SND.WND=1000 "
    "IRS={P[0]} RCV.NXT={P[1]} RCV.WND=100 RCV.BUF=0 FIN.SEQ=unset"
)
CLOSING = OPEN.replace("SND.NXT={L[1]}", "SND.NXT={L[2]}").replace("FIN.SEQ=unset", "FIN.SEQ={L[1]}")

CASES = {
    "third segment": Case(
        "SYN-RECEIVED",
        OPENING + " opened=passive",
        "<SEQ={P[1]}><ACK={L[1]}><CTL=ACK>",
        "SYN-RECEIVED ESTABLISHED",
        after="SND.UNA={L[1]} SND.WL1={P[1]} SND.WL2={L[1]} RCV.NXT={P[1]}",
    ),
    "third segment with data": Case(
        "SYN-RECEIVED",
        OPENING + " opened=passive",
        "<SEQ={P[1]}><ACK={L[1]}><CTL=ACK><DATA=3><WND=50>",
        "SYN-RECEIVED ESTABLISHED",
        "<SEQ={L[1]}><ACK={P[4]}><CTL=ACK>",
        after="SND.WND=50 RCV.NXT={P[4]} RCV.WND=1 RCV.BUF=3",
    ),
    "third segment with FIN": Case(
        "SYN-RECEIVED",
        OPENING + " opened=passive",
        "<SEQ={P[1]}><ACK={L[1]}><CTL=FIN,ACK>",
        "SYN-RECEIVED ESTABLISHED CLOSE-WAIT",
        "<SEQ={L[1]}><ACK={P[2]}><CTL=ACK>",
        ("connection closing",),
        "RCV.NXT={P[2]}",
    ),
    "wrong acknowledgment": Case(
        "SYN-RECEIVED",
        OPENING + " opened=passive",
        "<SEQ={P[1]}><ACK={L[2]}><CTL=ACK>",
        "SYN-RECEIVED",
        "<SEQ={L[2]}><CTL=RST>",
    ),
    "reset of a listener's child": Case(
        "SYN-RECEIVED", OPENING + " opened=passive", "<SEQ={P[1]}><CTL=RST>", "SYN-RECEIVED LISTEN"
    ),
    "reset of an opener": Case(
        "SYN-RECEIVED",
        OPENING + " opened=active",
        "<SEQ={P[1]}><CTL=RST>",
        "SYN-RECEIVED CLOSED",
        signals=("error: connection refused",),
    ),
    "active open": Case(
        "CLOSED",
        "",
        "OPEN active",
        "CLOSED SYN-SENT",
        "<SEQ={L[0]}><CTL=SYN>",
        after="ISS={L[0]} SND.UNA={L[0]} SND.NXT={L[1]} opened=active",
        choose="ISS={L[0]}",
    ),
    "connection request": Case(
        "LISTEN",
        "",
        "<SEQ={P[0]}><CTL=SYN>",
        "LISTEN SYN-RECEIVED",
        "<SEQ={L[0]}><ACK={P[1]}><CTL=SYN,ACK>",
        after="IRS={P[0]} RCV.NXT={P[1]} SND.NXT={L[1]}",
        choose="iss={L[0]}",
    ),
    "nobody is here, with ACK": Case(
        "CLOSED", "", "<SEQ={P[0]}><ACK={L[9]}><CTL=SYN,ACK>", "CLOSED", "<SEQ={L[9]}><CTL=RST>"
    ),
    "nobody is here, without ACK": Case(
        "CLOSED", "", "<SEQ={P[0]}><CTL=SYN,FIN><DATA=3>", "CLOSED", "<SEQ=0><ACK={P[5]}><CTL=RST,ACK>"
    ),
    "old number": Case(
        "ESTABLISHED",
        OPEN,
        "<SEQ={P[-5]}><ACK={L[1]}><CTL=ACK><DATA=3>",
        "ESTABLISHED",
        "<SEQ={L[1]}><ACK={P[1]}><CTL=ACK>",
        after="RCV.NXT={P[1]}",
    ),
    "half old, half new": Case(
        "ESTABLISHED",
        OPEN,
        "<SEQ={P[-2]}><ACK={L[1]}><CTL=ACK><DATA=8>",
        "ESTABLISHED",
        "<SEQ={L[1]}><ACK={P[6]}><CTL=ACK>",
        after="RCV.NXT={P[6]} RCV.WND=95",
    ),
    "a hole": Case(
        "ESTABLISHED",
        OPEN,
        "<SEQ={P[5]}><ACK={L[1]}><CTL=FIN,ACK><DATA=8>",
        "ESTABLISHED",
        "<SEQ={L[1]}><ACK={P[1]}><CTL=ACK>",
        after="RCV.NXT={P[1]}",
    ),
    "acknowledges too much": Case(
        "ESTABLISHED", OPEN, "<SEQ={P[1]}><ACK={L[2]}><CTL=ACK>", "ESTABLISHED", "<SEQ={L[1]}><ACK={P[1]}><CTL=ACK>"
    ),
    "blind reset": Case(
        "ESTABLISHED", OPEN, "<SEQ={P[50]}><CTL=RST>", "ESTABLISHED", "<SEQ={L[1]}><ACK={P[1]}><CTL=ACK>"
    ),
    "blind reset, before RFC 5961": Case(
        "ESTABLISHED",
        OPEN,
        "<SEQ={P[50]}><CTL=RST>",
        "ESTABLISHED CLOSED",
        signals=("error: connection reset",),
        profiles=("rfc793",),
    ),
    "sending": Case(
        "ESTABLISHED",
        OPEN,
        "SEND",
        "ESTABLISHED",
        "<SEQ={L[1]}><ACK={P[1]}><CTL=ACK><DATA=9>",
        after="SND.NXT={L[10]}",
        choose="n=9",
    ),
    "closing": Case(
        "ESTABLISHED",
        OPEN,
        "CLOSE",
        "ESTABLISHED FIN-WAIT-1",
        "<SEQ={L[1]}><ACK={P[1]}><CTL=FIN,ACK>",
        after="FIN.SEQ={L[1]} SND.NXT={L[2]}",
    ),
    "both close at once": Case(
        "FIN-WAIT-1",
        CLOSING,
        "<SEQ={P[1]}><ACK={L[1]}><CTL=FIN,ACK>",
        "FIN-WAIT-1 CLOSING",
        "<SEQ={L[2]}><ACK={P[2]}><CTL=ACK>",
        ("connection closing",),
    ),
    "FIN and acknowledgment in one": Case(
        "FIN-WAIT-1",
        CLOSING,
        "<SEQ={P[1]}><ACK={L[2]}><CTL=FIN,ACK>",
        "FIN-WAIT-1 TIME-WAIT",
        "<SEQ={L[2]}><ACK={P[2]}><CTL=ACK>",
        ("connection closing",),
    ),
    "our FIN is acknowledged": Case(
        "LAST-ACK", CLOSING, "<SEQ={P[1]}><ACK={L[2]}><CTL=ACK>", "LAST-ACK CLOSED", after="SND.UNA={L[2]}"
    ),
    "retransmission": Case(
        "LAST-ACK", CLOSING, "timeout RETRANSMISSION", "LAST-ACK", "<SEQ={L[1]}><ACK={P[1]}><CTL=FIN,ACK>"
    ),
    "reopening": Case(
        "TIME-WAIT",
        CLOSING,
        "<SEQ={P[900]}><CTL=SYN>",
        "TIME-WAIT SYN-RECEIVED",
        "<SEQ={L[70]}><ACK={P[901]}><CTL=SYN,ACK>",
        after="ISS={L[70]} SND.NXT={L[71]} FIN.SEQ=unset opened=passive",
        profiles=("time-wait-reopen",),
        choose="new={L[70]}",
    ),
    "a soft error": Case(
        "ESTABLISHED", OPEN, "notice SOFT-ERROR", "ESTABLISHED", signals=("destination unreachable for now",)
    ),
}


def assigned(text: str, numbers: dict[str, Any]) -> dict[str, int | str | None]:
    return dict(pair.split("=", 1) for pair in text.format(**numbers).split())


def told(value: int | str | None) -> str:
    return "unset" if value is None else str(value)


@pytest.mark.parametrize("name", CASES)
def test_tcp(tcp: Tcp, numbers: dict[str, Any], name: str) -> None:
    case = CASES[name]
    stepper = tcp(*case.profiles)
    done = stepper.apply(
        case.state, assigned(case.let, numbers), case.event.format(**numbers), assigned(case.choose, numbers)
    )
    (step,) = done.outcomes
    assert " ".join(step.path) == case.path
    assert step.next == case.path.split()[-1]
    assert " ".join(step.sent) == case.sent.format(**numbers)
    assert step.signals == case.signals
    assert step.covered
    for variable, value in assigned(case.after, numbers).items():
        assert told(step.variables[variable]) == value, variable


def test_the_rules_tried_are_told_with_what_settled_them(tcp: Tcp) -> None:
    let = {"ISS": 100, "SND.UNA": 100, "SND.NXT": 101, "RCV.NXT": 301, "RCV.WND": 4, "opened": "passive"}
    done = tcp().apply("SYN-RECEIVED", let, "<SEQ=301><ACK=101><CTL=ACK><DATA=1>", explain=True)
    tried = {each.rule.id: (each.answer, dict(each.values)) for each in done.tried}
    assert tried["SYR-10"] == (False, {"CTL": "ACK"})
    assert tried["SYR-11"][0] is False
    assert tried["SYR-11"][1]["acceptable"] == "yes"
    assert tried["SYR-21"] == (True, {"SND.UNA": "100", "SEG.ACK": "101", "SND.NXT": "101"})
    assert tried["SYN-16"][1]["SEG.TEXT-END"] == "302"
    assert [each.rule.id for each in done.tried if each.answer] == [rule.id for rule in done.outcomes[0].rules]
    assert not tcp().apply("SYN-RECEIVED", let, "<SEQ=301><ACK=101><CTL=ACK>").tried


def test_every_event_in_every_state_has_one_outcome(tcp: Tcp) -> None:
    """With typical values nothing is left open: each event gives exactly one answer, and never a fault of ours."""
    events = [str(event) for event in tcp().spec.events if event.kind not in {"message", "own"}]
    for flags in ("none", "SYN", "ACK", "RST", "SYN,ACK", "FIN,ACK", "RST,ACK", "SYN,FIN", "URG,ACK,PSH"):
        events += [f"<SEQ={seq}><ACK={ack}><CTL={flags}><DATA={n}>" for seq in (0, 5) for ack in (0, 1) for n in (0, 2)]
    for profiles in ((), ("rfc793",), ("literal",), ("linux",), ("half-duplex-close", "mls", "rfc6191")):
        for state in tcp().program.states:
            for event in events:
                try:
                    done = tcp(*profiles).apply(state, {}, event, explain=True)
                except StepError as error:
                    assert "matches, but no value" in str(error) or "does not hold" in str(error)  # cannot happen there
                    continue
                assert len(done.outcomes) == 1, f"{state} {event}"
                step = done.outcomes[0]
                assert step.path[0] == state and all(a != b for a, b in zip(step.path, step.path[1:], strict=False))
                assert [each.rule for each in done.tried if each.answer] == list(step.rules)


# ------------------------------------------------------------------------------------------------------- a small spec


def test_typical_values_fit_those_given(link: Stepper) -> None:
    def values(state: str, **given: int | str) -> dict[str, int | str | None]:
        return link.told_values(link.values(state, given))

    assert values("IDLE") == {"NXT": 0, "OLD": None, "GOT": 0, "ROOM": 10, "mood": "calm"}
    assert values("BUSY") == {"NXT": 1000, "OLD": 999, "GOT": 5, "ROOM": 10, "mood": "busy"}
    assert values("busy", nxt=7, MOOD="CALM") == {"NXT": 7, "OLD": 6, "GOT": 5, "ROOM": 10, "mood": "calm"}
    assert values("BUSY", NXT=0)["OLD"] == 2**32 - 1
    assert values("BUSY", OLD="unset")["OLD"] is None


def test_typical_fields(link: Stepper) -> None:
    (step,) = link.apply("BUSY", {"GOT": 7}, "DATA <SEQ=7><SIZE=3>").outcomes
    assert (step.variables["GOT"], step.variables["ROOM"]) == (10, 500)


def test_own_accord(link: Stepper) -> None:
    done = link.apply("BUSY", {}, "may")
    assert [(step.next, step.sent, step.signals) for step in done.outcomes] == [
        ("IDLE", (), ("done",)),
        ("BUSY", ("DATA <SEQ=999><SIZE=1>",), ()),
    ]
    assert [step.next for step in link.apply("BUSY", {}, "may HELLO").outcomes] == ["IDLE"]
    assert link.apply("IDLE", {}, "may").outcomes == []
    assert [step.open for step in done.outcomes] == [(), ("s",)]


def test_own_accord_that_no_value_allows(link: Stepper) -> None:
    done = link.apply("BUSY", {"NXT": 5, "OLD": 5, "mood": "calm"}, "may")
    assert done.outcomes == []
    assert done.impossible == ["REPEAT matches, but no value that it may choose fits these variables"]


@pytest.mark.parametrize(
    ("choose", "room"), [({}, 3), ({"n": 8}, 8), ({"n": "8", "m": 1}, 9), ({"m": 4}, 7), ({"N": 5}, 5)]
)
def test_choices(link: Stepper, choose: dict[str, int | str | None], room: int) -> None:
    (step,) = link.apply("IDLE", {}, "GO slow", choose).outcomes
    assert step.variables["ROOM"] == room
    assert step.open == ("n", "m")


def test_choices_that_wrap(link: Stepper) -> None:
    let = {"OLD": 2**32 - 3, "NXT": 4}
    (step,) = link.apply("BUSY", let, "may REPEAT", {"s": 2}).outcomes
    assert step.sent == ("DATA <SEQ=2><SIZE=1>",)
    with pytest.raises(StepError, match=r"REPEAT chooses s where OLD =< s and s < NXT; with s=4, NXT=4 that does not"):
        link.apply("BUSY", let, "may REPEAT", {"s": 4})
    with pytest.raises(StepError, match=r"with OLD=4294967293, s=4294967292 that"):
        link.apply("BUSY", let, "may REPEAT", {"s": 2**32 - 4})


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (("BUSSY", {}, "GO"), "link has no state 'BUSSY'; did you mean BUSY?"),
        (("IDLE", {"NEXT": 1}, "GO"), "link has no variable 'NEXT'; did you mean NXT?"),
        (("IDLE", {"NXT": "x"}, "GO"), "NXT=x: 'x' is not a number"),
        (("IDLE", {"NXT": 2**32}, "GO"), "NXT=4294967296: a number from 0 to 4294967295 is needed"),
        (("IDLE", {"NXT": "unset"}, "GO"), "NXT cannot be unset: it is always a number"),
        (("IDLE", {"mood": None}, "GO"), "mood cannot be unset: it is always calm | busy"),
        (("IDLE", {"mood": "sad"}, "GO"), "mood=sad: one of calm, busy is needed"),
        (("IDLE", {}, "GO slow", {"n": 2}), "IDLE.GO-slow.1 chooses n where n > 2; with n=2 that does not hold"),
        (("IDLE", {}, "GO slow", {"k": 2}), "link has no free choice 'k'"),
        (("IDLE", {}, "GO slow", {"ROOM": 2}), "link never chooses ROOM freely; it chooses NXT, GOT, n, m, s"),
        (("IDLE", {}, "GO slow", {"n": "many"}), "n=many: 'many' is not a number"),
        (("IDLE", {}, "may HELLO"), "HELLO is no rule of IDLE under these profiles; those of its own accord are: none"),
        (("IDLE", {}, "PING <ID=12>"), "<ID=12>: a number from 0 to 9 is needed"),
        (("IDLE", {}, "DATA <SIZE=1>"), "<SEQ=...> is missing: number"),
        (("IDLE", {}, "DATA <SEQ=1><CTL=LAST>"), "<BACK=...> is missing: acknowledgment"),
    ],
)
def test_errors(link: Stepper, ask: tuple[Any, ...], said: str) -> None:
    with pytest.raises((StepError, NotationError)) as raised:
        link.apply(*ask)
    assert said in str(raised.value)


def test_numbers_far_from_the_first_one(tcp: Tcp) -> None:
    """After more than 2^31 octets the initial number lies on the other side of the circle."""
    far = 2**31 + 1000
    let = {"ISS": 100, "SND.UNA": far, "SND.NXT": far + 10, "SND.WL2": far, "SND.WL1": 5, "IRS": 4, "RCV.NXT": 5}
    (step,) = tcp().apply("ESTABLISHED", let, f"<SEQ=5><ACK={far + 4}><CTL=ACK>").outcomes
    assert step.variables["SND.UNA"] == far + 4
    assert step.sent == ()


def test_an_event_that_no_rule_is_about(link: Stepper) -> None:
    done: Stepped = link.apply("BUSY", {}, "PING")
    assert done.outcomes[0].rules and done.outcomes[0].covered
