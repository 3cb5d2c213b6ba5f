"""Options of TCP: what two ends agree upon, and what follows from it later."""

from __future__ import annotations

import pytest
from rows import SPECS, Machine, Row, Values

from tcpmodel.semantics.notation import read_event
from tcpmodel.semantics.stepping import StepError, Stepper

FULL = "<MSS=1400><SCALED=yes><SHIFT=9><SACKOK=yes><TS=yes>"
ALL: Values = {"SND.MSS": 1400, "SCALED": "yes", "SND.SHIFT": 9, "RCV.SHIFT": 7, "SACK": "yes", "TIMESTAMPS": "yes"}
NONE: Values = {"SND.MSS": 536, "SCALED": "no", "SND.SHIFT": 0, "RCV.SHIFT": 0, "SACK": "no", "TIMESTAMPS": "no"}
NO_SCALE: Values = {"SCALED": "no", "SND.SHIFT": 0, "RCV.SHIFT": 0}

# What is offered, what is removed on the way, and profiles -> what is in force afterwards, at the opener and at the
# responder alike.
AGREED: dict[str, tuple[Values, str, str, Values]] = {
    "everything": ({}, FULL, "", ALL),
    "nothing offered by the peer": ({}, "", "", NONE),
    "MSS default": ({}, "<SCALED=yes><SHIFT=9><SACKOK=yes><TS=yes>", "", ALL | {"SND.MSS": 536}),
    "MSS default over IPv6": ({}, "", "ipv6", NONE | {"SND.MSS": 1220}),
    "MSS of each direction": ({"our-mss": 1000}, "<MSS=9000>", "", NONE | {"SND.MSS": 9000}),
    "scale not offered by us": ({"scale": "no"}, FULL, "", ALL | NO_SCALE),
    "scale not offered by the peer": ({}, "<MSS=1400><SACKOK=yes><TS=yes>", "", ALL | NO_SCALE),
    "shift 0 is a scale": ({"our-shift": 3}, "<SCALED=yes><SHIFT=0>", "",
                           NONE | {"SCALED": "yes", "SND.SHIFT": 0, "RCV.SHIFT": 3}),
    "shift 14": ({}, "<SCALED=yes><SHIFT=14>", "", NONE | {"SCALED": "yes", "SND.SHIFT": 14, "RCV.SHIFT": 7}),
    "shift 15 counts as 14": ({}, "<SCALED=yes><SHIFT=15>", "",
                              NONE | {"SCALED": "yes", "SND.SHIFT": 14, "RCV.SHIFT": 7}),
    "shift 255 counts as 14": ({}, "<SCALED=yes><SHIFT=255>", "",
                               NONE | {"SCALED": "yes", "SND.SHIFT": 14, "RCV.SHIFT": 7}),
    "SACK alone": ({}, "<SACKOK=yes>", "", NONE | {"SACK": "yes"}),
    "SACK is what the peer takes": ({"sack": "no"}, FULL, "", ALL),
    "SACK not offered by the peer": ({}, "<MSS=1400><SCALED=yes><SHIFT=9><TS=yes>", "", ALL | {"SACK": "no"}),
    "timestamps not offered by us": ({"timestamps": "no"}, FULL, "", ALL | {"TIMESTAMPS": "no"}),
    "timestamps not offered by the peer": ({}, "<MSS=1400><SCALED=yes><SHIFT=9><SACKOK=yes>", "",
                                           ALL | {"TIMESTAMPS": "no"}),
    "a box takes MSS": ({"strips": "mss"}, FULL, "", ALL | {"SND.MSS": 536}),
    "a box takes window scale": ({"strips": "window-scale"}, FULL, "", ALL | NO_SCALE),
    "a box takes SACK-permitted": ({"strips": "sack-permitted"}, FULL, "", ALL | {"SACK": "no"}),
    "a box takes timestamps": ({"strips": "timestamp-option"}, FULL, "", ALL | {"TIMESTAMPS": "no"}),
}  # fmt: skip


@pytest.mark.parametrize("end", ["opener", "responder", "both open"])
@pytest.mark.parametrize("row", AGREED)
def test_agreed(row: str, end: str) -> None:
    let, options, profiles, force = AGREED[row]
    state = "LISTEN" if end == "responder" else "SYN-SENT"
    here = Machine("options", profiles, state, let)
    here(f"<WINDOW=1000>{options}<CTL={'SYN,ACK' if end == 'opener' else 'SYN'}>")
    assert here.state == ("ESTABLISHED" if end == "opener" else "SYN-RECEIVED")
    assert {name: here.let[name] for name in force} == force
    assert here.let["SND.WND"] == 1000, "the window of a SYN is never scaled"


def test_offers() -> None:
    offer = "<WINDOW=65535><MSS=1460><SCALED=yes><SHIFT=7><SACKOK=yes><TS=yes>"
    assert Machine("options", let={"RCV.WND": 1_000_000})("OPEN active") == (said(offer, "SYN"),)
    less: Values = {"scale": "no", "sack": "no", "timestamps": "no", "our-mss": 536, "our-shift": 0}
    (text,) = Machine("options", let=less)("OPEN active")
    assert "<SCALED=yes>" not in text and "<SACKOK=yes>" not in text and "<TS=yes>" not in text and "<MSS=536>" in text


def said(offer: str, flags: str) -> str:
    """The message as the notation orders it."""
    return str(read_event(SPECS["options"], f"{offer}<CTL={flags}>"))


def test_only_what_was_offered_is_answered() -> None:
    """Window scale and timestamps stand on the SYN,ACK only if they stood on the SYN."""
    (text,) = Machine("options", state="LISTEN")("<MSS=1400><CTL=SYN>")
    assert "<SCALED=yes>" not in text and "<TS=yes>" not in text and "SYN,ACK" in text and "<MSS=1460>" in text
    (text,) = Machine("options", state="LISTEN")(f"{FULL}<CTL=SYN>")
    assert all(part in text for part in ("<SCALED=yes>", "<SHIFT=7>", "<SACKOK=yes>", "<TS=yes>"))


@pytest.mark.parametrize("shift", range(15))
def test_window_after_the_handshake(shift: int) -> None:
    let: Values = {"SND.SHIFT": shift, "RCV.SHIFT": shift, "RCV.WND": 65535 << shift}
    here = Machine("options", "", "ESTABLISHED", let)
    here("<WINDOW=500><CTL=ACK>")
    assert here.let["SND.WND"] == 500 << shift
    assert "<WINDOW=65535>" in here("SEND", n=1)[0]


@pytest.mark.parametrize(
    ("let", "most"),
    [
        ({"SND.MSS": 536}, 536),
        ({"SND.MSS": 9000}, 1460),
        ({"SND.MSS": 1460, "TIMESTAMPS": "yes"}, 1448),
        ({"SND.MSS": 9000, "path-mss": 1400, "TIMESTAMPS": "yes"}, 1388),
    ],
)
def test_text_fits(let: Values, most: int) -> None:
    """MUST-16: no more than the peer takes and a packet carries, options included."""
    stepper = Stepper(SPECS["options"])
    before = stepper.values("ESTABLISHED", let)
    assert len(stepper.step("ESTABLISHED", before, "SEND", {"n": most}).outcomes) == 1
    with pytest.raises(StepError, match=f"text-limit={most} "):
        stepper.step("ESTABLISHED", before, "SEND", {"n": most + 1})


STAMPED: Values = {"TIMESTAMPS": "yes", "SND.WND": 9, "SCALED": "yes", "SND.SHIFT": 2, "RCV.SHIFT": 7}
LATER: dict[str, Row] = {
    "OPT-06": Row("SYN-RECEIVED", {}, "timeout RETRANSMISSION", "OPT-06", "SYN-RECEIVED", ("*",), {}),
    "OPT-09": Row("SYN-SENT", {}, "timeout RETRANSMISSION", "OPT-09", "SYN-SENT", ("*",), {}),
    "OPT-12": Row("SYN-RECEIVED", STAMPED, "<WINDOW=8><CTL=SYN>", "OPT-12", "SYN-RECEIVED", ("*",), {"SND.WND": 8}),
    "OPT-12 both": Row("SYN-RECEIVED", STAMPED, "<WINDOW=8><CTL=SYN,ACK>", "OPT-12a", "ESTABLISHED", (),
                       {"SND.WND": 8}),
    "OPT-13": Row("SYN-RECEIVED", STAMPED, "<WINDOW=8><CTL=ACK>", "OPT-13", "SYN-RECEIVED", (), {"SND.WND": 9}),
    "OPT-14": Row("SYN-RECEIVED", STAMPED, "<WINDOW=8><TS=yes><CTL=ACK>", "OPT-14", "ESTABLISHED", (),
                  {"SND.WND": 32}),
    "OPT-16": Row("ESTABLISHED", STAMPED, "<WINDOW=8><SCALED=yes><SHIFT=4><CTL=SYN>", "OPT-16", "ESTABLISHED", (),
                  STAMPED),
    "OPT-17": Row("ESTABLISHED", STAMPED, "<WINDOW=8><CTL=ACK>", "OPT-17", "ESTABLISHED", (), STAMPED),
    "OPT-18": Row("ESTABLISHED", STAMPED, "<WINDOW=8><TS=yes><CTL=ACK>", "OPT-18", "ESTABLISHED", (),
                  {"SND.WND": 32}),
    "OPT-18 without": Row("ESTABLISHED", {}, "<WINDOW=8><TS=yes><CTL=ACK>", "OPT-18", "ESTABLISHED", (),
                          {"SND.WND": 8}),
}  # fmt: skip


@pytest.mark.parametrize("row", LATER)
def test_options_later(row: str) -> None:
    wanted = LATER[row]
    stepper = Stepper(SPECS["options"])
    (outcome,) = stepper.step(wanted.state, stepper.values(wanted.state, wanted.let), wanted.event).outcomes
    assert (outcome.rules[-1].id, outcome.next) == (wanted.rule, wanted.after)
    assert len(outcome.sent) == len(wanted.told)
    assert {name: outcome.variables[name] for name in wanted.variables} == wanted.variables


def test_both_ends_agree_unless_a_box_stands_between() -> None:
    """The two ends hold the same view of every option, for all 64 sets of offers; a box makes them differ."""
    switches = ("scale", "sack", "timestamps")
    for number in range(64):
        ends: list[Values] = [{}, {}]
        for at, name in enumerate(switches):
            for end in (0, 1):
                ends[end][name] = "yes" if number >> (3 * end + at) & 1 else "no"
        opener, responder = shake(ends[0], ends[1], "nothing")
        for name in ("SCALED", "TIMESTAMPS"):
            assert opener.let[name] == responder.let[name], number
        assert (opener.let["SND.SHIFT"], opener.let["RCV.SHIFT"]) == (
            responder.let["RCV.SHIFT"],
            responder.let["SND.SHIFT"],
        )
    opener, responder = shake({}, {}, "window-scale")
    assert (opener.let["SCALED"], responder.let["SCALED"]) == ("no", "yes")


def shake(at_opener: Values, at_responder: Values, strips: str) -> tuple[Machine, Machine]:
    path: Values = {"strips": strips, "our-shift": 3}
    opener = Machine("options", let=path | at_opener)
    responder = Machine("options", let=at_responder)
    responder("OPEN passive")
    (syn,) = opener("OPEN active")
    (answer,) = responder(syn)
    (third,) = opener(answer)
    responder(third)
    assert (opener.state, responder.state) == ("ESTABLISHED", "ESTABLISHED")
    return opener, responder
