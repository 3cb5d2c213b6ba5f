"""Every row of the smaller specs around TCP and UDP: one event, and what becomes of it."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest

from tcpmodel.analysis.verify import verify
from tcpmodel.model.load import load, load_spec
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.notation import read_event
from tcpmodel.semantics.stepping import StepError, Stepper

NAMES = ("request-response", "listener", "isn", "options")
SPECS = {name: load_spec(name) for name in NAMES}
TOP = 1 << 32

Values = dict[str, int | str | None]


class Row(NamedTuple):
    """``rule``: the last one that fires. ``told``: what is sent, then what the user hears."""

    state: str
    let: Values
    event: str
    rule: str
    after: str
    told: tuple[str, ...]
    variables: Values
    profiles: str = ""


class Machine:
    """One endpoint that goes on from where the last event left it."""

    def __init__(self, name: str, profiles: str = "", state: str = "", let: Values | None = None) -> None:
        self.stepper = Stepper(SPECS[name], profiles.split())
        self.state = state or SPECS[name].initial.name
        self.let: Values = dict(let or {})

    def __call__(self, event: str, **picks: int) -> tuple[str, ...]:
        """What is sent and told in answer to the event."""
        before = self.stepper.values(self.state, self.let)
        (outcome,) = self.stepper.step(self.state, before, event, picks).outcomes
        self.state, self.let = outcome.next, dict(outcome.variables)
        return outcome.sent + outcome.signals


def holds(spec: Spec, row: Row) -> None:
    stepper = Stepper(spec, row.profiles.split())
    (outcome,) = stepper.step(row.state, stepper.values(row.state, row.let), row.event).outcomes
    assert outcome.covered
    assert (outcome.rules[-1].id, outcome.next) == (row.rule, row.after)
    assert outcome.sent + outcome.signals == row.told
    assert {name: outcome.variables[name] for name in row.variables} == row.variables


def written(spec: Spec, prefix: str) -> set[str]:
    return {rule.id for state in spec.states for rule in state.rules if rule.id.startswith(prefix)}


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_proved(name: str) -> None:
    result = verify(SPECS[name])
    assert [(s.name, c.name) for s in result.sections for c in s.checks if not c.holds] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_warnings(name: str) -> None:
    assert load(name).warnings == ()


# -------------------------------------------------------------------------------------------------- request, response

W: Values = {"KEY": 7, "TRIES": 1, "WAIT": 1000}
RESPONSES: dict[str, Row] = {
    "RR-01": Row("WAITING", W, "<KEY=7><CTL=RESPONSE>", "RR-01", "ANSWERED", ("answered",), {"ANSWERS": 1}),
    "RR-02 guess": Row("WAITING", W, "<KEY=8><CTL=RESPONSE>", "RR-02w", "WAITING",
                       ("unusual: an answer with a key that was not asked",), {"KEY": 7}),
    "RR-02 late": Row("GIVEN-UP", W, "<KEY=7><CTL=RESPONSE>", "RR-02", "GIVEN-UP", ("unusual: a late answer",), {}),
    "RR-02 after a refusal": Row("REFUSED", W, "<KEY=9><CTL=RESPONSE>", "RR-02u", "REFUSED",
                                 ("unusual: an answer to no question",), {}),
    "RR-02 never asked": Row("IDLE", {}, "<KEY=0><CTL=RESPONSE>", "RR-02i", "IDLE",
                             ("unusual: an answer to no question",), {}),
    "RR-02 another key later": Row("ANSWERED", W, "<KEY=9><CTL=RESPONSE>", "RR-02a", "ANSWERED",
                                   ("unusual: an answer to no question",), {}),
    "RR-03": Row("ANSWERED", {**W, "ANSWERS": 1}, "<KEY=7><CTL=RESPONSE>", "RR-03", "ANSWERED",
                 ("unusual: the same answer again",), {"ANSWERS": 2}),
    "RR-04": Row("WAITING", W, "timeout AGAIN", "RR-04", "WAITING", ("<KEY=7><CTL=REQUEST>",),
                 {"TRIES": 2, "WAIT": 2000}),
    "RR-04 longest wait": Row("WAITING", {**W, "WAIT": 40000}, "timeout AGAIN", "RR-04", "WAITING",
                              ("<KEY=7><CTL=REQUEST>",), {"WAIT": 64000}),
    "RR-05": Row("WAITING", {**W, "TRIES": 4}, "timeout AGAIN", "RR-05", "GIVEN-UP", ("unusual: no answer",), {}),
    "RR-05 dns": Row("WAITING", {**W, "TRIES": 3}, "timeout AGAIN", "RR-05", "GIVEN-UP", ("unusual: no answer",), {},
                     "dns"),
    "RR-05 not yet for tftp": Row("WAITING", {**W, "TRIES": 5}, "timeout AGAIN", "RR-04", "WAITING",
                                  ("<KEY=7><CTL=REQUEST>",), {"TRIES": 6}, "tftp"),
    "RR-06": Row("WAITING", W, "notice PORT-UNREACHABLE", "RR-06", "REFUSED",
                 ("error: connection refused (ECONNREFUSED)",), {}),
    "RR-06 broadcast": Row("WAITING", W, "notice PORT-UNREACHABLE", "RR-06b", "WAITING", (), {}, "dhcp"),
    "RR-07": Row("WAITING", W, "<KEY=7><SOURCE=other-port><CTL=RESPONSE>", "RR-07", "WAITING",
                 ("unusual: an answer from somebody who was not asked",), {}),
    "RR-07 stranger": Row("WAITING", W, "<KEY=7><SOURCE=stranger><CTL=RESPONSE>", "RR-07", "WAITING",
                          ("unusual: an answer from somebody who was not asked",), {}),
    "RR-07 tftp": Row("WAITING", W, "<KEY=7><SOURCE=other-port><CTL=RESPONSE>", "RR-07t", "ANSWERED", ("answered",),
                      {"partner": "chosen"}, "tftp"),
    "RR-07 tftp, another host": Row("WAITING", W, "<KEY=7><SOURCE=stranger><CTL=RESPONSE>", "RR-07", "WAITING",
                                    ("unusual: an answer from somebody who was not asked",), {}, "tftp"),
    "RR-07 tftp, third port": Row("ANSWERED", {**W, "partner": "chosen"}, "<KEY=7><SOURCE=other-port><CTL=RESPONSE>",
                                  "RR-07e", "ANSWERED", ("<KEY=7><CTL=ERROR>",), {"partner": "chosen"}, "tftp"),
    "RR-03 tftp": Row("ANSWERED", {**W, "partner": "chosen"}, "<KEY=7><SOURCE=chosen><CTL=RESPONSE>", "RR-03",
                      "ANSWERED", ("unusual: the same answer again",), {}, "tftp"),
    "RR-08": Row("WAITING", W, "<KEY=7><SOURCE=stranger><CTL=RESPONSE>", "RR-08", "ANSWERED", ("answered",),
                 {"ANSWERS": 1}, "dhcp"),
    "RR-08 more": Row("ANSWERED", {**W, "ANSWERS": 1}, "<KEY=7><SOURCE=stranger><CTL=RESPONSE>", "RR-08a", "ANSWERED",
                      ("another answer",), {"ANSWERS": 2}, "dhcp"),
    "RR-10 idle": Row("IDLE", {}, "<CTL=RESPONSE>", "RR-10i", "IDLE", ("routes",), {}, "rip"),
    "RR-10 waiting": Row("WAITING", W, "<KEY=9><CTL=RESPONSE>", "RR-10w", "WAITING", ("routes",), {}, "rip"),
    "RR-10 answered": Row("ANSWERED", W, "<KEY=7><CTL=RESPONSE>", "RR-10a", "ANSWERED", ("routes",), {}, "rip"),
    "RR-10 given up": Row("GIVEN-UP", W, "<KEY=7><CTL=RESPONSE>", "RR-10", "GIVEN-UP", ("routes",), {}, "rip"),
    "RR-11": Row("WAITING", W, "<KEY=7><TEXT=truncated><CTL=RESPONSE>", "RR-11", "ANSWERED",
                 ("truncated: TCP has the whole answer",), {}, "dns"),
    "no answer at all": Row("WAITING", W, "<KEY=7><CTL=REQUEST>", "WAITING.DGM.1", "WAITING", (), {}),
    "one question": Row("WAITING", W, "ASK", "WAITING.ASK.1", "WAITING",
                        ("error: this transaction has a question already",), W),
    "forget": Row("GIVEN-UP", W, "FORGET", "GIVEN-UP.FORGET.1", "IDLE", (), {}),
}  # fmt: skip


@pytest.mark.parametrize("row", RESPONSES)
def test_response(row: str) -> None:
    holds(SPECS["request-response"], RESPONSES[row])


@pytest.mark.parametrize(
    ("profile", "highest", "first_wait"),
    [("", 65535, 1000), ("dns", 65535, 5000), ("tftp", 65535, 1000), ("dhcp", TOP - 1, 4000), ("snmp", TOP - 1, 1000)],
)
def test_key_width(profile: str, highest: int, first_wait: int) -> None:
    """RR-09: the key has as many bits as the protocol gives it."""
    asked = Machine("request-response", profile)
    assert asked("ASK", k=highest) == (f"<KEY={highest}><CTL=REQUEST>",)
    assert (asked.let["KEY"], asked.let["WAIT"], asked.state) == (highest, first_wait, "WAITING")
    with pytest.raises(StepError):
        Machine("request-response", profile)("ASK", k=highest + 1)


@pytest.mark.parametrize(("profile", "tries"), [("", 4), ("dns", 3), ("tftp", 6), ("dhcp", 5), ("rip", 4)])
def test_waits_never_shrink_and_end(profile: str, tries: int) -> None:
    asked = Machine("request-response", profile)
    sent, waits = list(asked("ASK", k=1)), [asked.let["WAIT"]]
    while asked.state == "WAITING":
        sent += [text for text in asked("timeout AGAIN") if text.startswith("<")]
        waits.append(asked.let["WAIT"])
    assert (asked.state, sent) == ("GIVEN-UP", ["<KEY=1><CTL=REQUEST>"] * tries)
    assert waits == sorted(waits, key=lambda wait: int(str(wait)))


def test_every_response_rule_is_tried() -> None:
    assert written(SPECS["request-response"], "RR-") == {row.rule for row in RESPONSES.values() if "RR" in row.rule} | {
        "RR-09"
    }


# ----------------------------------------------------------------------------------------------------------- listener

HALF = "<CHILD=half-open>"
LISTENER: dict[str, Row] = {
    "LSN-00": Row("CLOSED", {}, "LISTEN", "LSN-00", "LISTEN", (), {"HALF-OPEN": 0, "COMPLETE": 0}),
    "closed, SYN": Row("CLOSED", {}, "<CTL=SYN>", "CLOSED.SEG.2", "CLOSED", ("<CTL=RST>",), {}),
    "closed, RST": Row("CLOSED", {}, "<CTL=RST>", "CLOSED.SEG.1", "CLOSED", (), {}),
    "LSN-01": Row("LISTEN", {"HALF-OPEN": 3}, "<CTL=SYN>", "LSN-01", "LISTEN", ("<CTL=SYN,ACK>",), {"HALF-OPEN": 4}),
    "LSN-01 again": Row("LISTEN", {"HALF-OPEN": 3}, f"{HALF}<CTL=SYN>", "LSN-01r", "LISTEN", ("<CTL=SYN,ACK>",),
                        {"HALF-OPEN": 3}),
    "LSN-01 again, full": Row("FULL", {}, f"{HALF}<CTL=SYN>", "LSN-01r", "FULL", ("<CTL=SYN,ACK>",),
                              {"HALF-OPEN": 256}),
    "LSN-02 last place": Row("LISTEN", {"HALF-OPEN": 255}, "<CTL=SYN>", "LSN-02", "FULL", ("<CTL=SYN,ACK>",),
                             {"HALF-OPEN": 256}),
    "LSN-01 last but one": Row("LISTEN", {"HALF-OPEN": 254}, "<CTL=SYN>", "LSN-01", "LISTEN", ("<CTL=SYN,ACK>",),
                               {"HALF-OPEN": 255}),
    "LSN-02 full": Row("FULL", {}, "<CTL=SYN>", "LSN-02d", "FULL", (), {"HALF-OPEN": 256}),
    "LSN-02 cookies": Row("FULL", {}, "<CTL=SYN>", "LSN-02c", "FULL", ("<CTL=SYN,ACK>",), {"HALF-OPEN": 256},
                          "cookies"),
    "LSN-03": Row("LISTEN", {"HALF-OPEN": 2}, f"{HALF}<CTL=ACK>", "LSN-03", "LISTEN", (),
                  {"HALF-OPEN": 1, "COMPLETE": 1}),
    "LSN-03 gives the place back": Row("FULL", {}, f"{HALF}<CTL=ACK>", "LSN-03", "LISTEN", (),
                                       {"HALF-OPEN": 255, "COMPLETE": 1}),
    "LSN-03 last place": Row("LISTEN", {"HALF-OPEN": 2, "COMPLETE": 127}, f"{HALF}<CTL=ACK>", "LSN-03", "LISTEN", (),
                             {"COMPLETE": 128}),
    "LSN-04": Row("LISTEN", {"HALF-OPEN": 2, "COMPLETE": 128}, f"{HALF}<CTL=ACK>", "LSN-04", "LISTEN", (),
                  {"HALF-OPEN": 2, "COMPLETE": 128}),
    "LSN-05": Row("LISTEN", {"HALF-OPEN": 2, "COMPLETE": 128}, f"{HALF}<CTL=ACK>", "LSN-05", "LISTEN", ("<CTL=RST>",),
                  {"HALF-OPEN": 1, "COMPLETE": 128}, "abort-on-overflow"),
    "LSN-05 full": Row("FULL", {"COMPLETE": 128}, f"{HALF}<CTL=ACK>", "LSN-05", "LISTEN", ("<CTL=RST>",),
                       {"HALF-OPEN": 255}, "abort-on-overflow"),
    "LSN-03 wrong numbers": Row("LISTEN", {"HALF-OPEN": 2}, f"{HALF}<NUMBERS=wrong><CTL=ACK>", "LSN-15",
                                "LISTEN", ("<CTL=ACK>",), {"HALF-OPEN": 2, "COMPLETE": 0}),
    "LSN-06": Row("FULL", {}, "<COOKIE=valid><CTL=ACK>", "LSN-06", "FULL", (), {"HALF-OPEN": 256, "COMPLETE": 1},
                  "cookies"),
    "LSN-06 overflow": Row("FULL", {"COMPLETE": 128}, "<COOKIE=valid><CTL=ACK>", "LSN-06f", "FULL", (),
                           {"COMPLETE": 128}, "cookies"),
    "LSN-06 overflow, abort": Row("FULL", {"COMPLETE": 128}, "<COOKIE=valid><CTL=ACK>", "LSN-06r", "FULL",
                                  ("<CTL=RST>",), {"COMPLETE": 128}, "cookies abort-on-overflow"),
    "LSN-16": Row("LISTEN", {"COMPLETE": 2}, "<CHILD=complete><CTL=ACK>", "LSN-16", "LISTEN", (), {"COMPLETE": 2}),
    "LSN-07": Row("LISTEN", {"HALF-OPEN": 2}, f"{HALF}<CTL=RST>", "LSN-07", "LISTEN", (), {"HALF-OPEN": 1}),
    "LSN-07 full": Row("FULL", {}, f"{HALF}<CTL=RST,ACK>", "LSN-07", "LISTEN", (), {"HALF-OPEN": 255}),
    "LSN-07 blind": Row("FULL", {}, f"{HALF}<NUMBERS=wrong><CTL=RST>", "LSN-07w", "FULL", ("<CTL=ACK>",),
                        {"HALF-OPEN": 256}),
    "LSN-07 complete": Row("LISTEN", {"COMPLETE": 2}, "<CHILD=complete><CTL=RST>", "LSN-07c", "LISTEN", (),
                           {"COMPLETE": 2}),
    "LSN-07 nobody": Row("LISTEN", {"HALF-OPEN": 2}, "<CTL=RST>", "LSN-07n", "LISTEN", (), {"HALF-OPEN": 2}),
    "LSN-08": Row("LISTEN", {"HALF-OPEN": 1, "SENT": 5}, "timeout ANSWER", "LSN-08", "LISTEN", ("<CTL=SYN,ACK>",),
                  {"HALF-OPEN": 1}),
    "LSN-09": Row("LISTEN", {"HALF-OPEN": 1, "SENT": 6}, "timeout ANSWER", "LSN-09", "LISTEN", (), {"HALF-OPEN": 0}),
    "LSN-09 full": Row("FULL", {"SENT": 6}, "timeout ANSWER", "LSN-09", "LISTEN", (), {"HALF-OPEN": 255}),
    "LSN-10": Row("FULL", {"COMPLETE": 1}, "ACCEPT", "LSN-10", "FULL", ("a connection",), {"COMPLETE": 0}),
    "LSN-11": Row("LISTEN", {}, "ACCEPT", "LSN-11", "LISTEN", ("nothing yet: wait, or come again (EAGAIN)",), {}),
    "LSN-12": Row("LISTEN", {"HALF-OPEN": 1}, "CLOSE", "LSN-12", "CLOSED", (), {"HALF-OPEN": 0, "COMPLETE": 0}),
    "LSN-12 complete ones": Row("FULL", {"COMPLETE": 3}, "CLOSE", "LSN-12", "CLOSED", ("<CTL=RST>",),
                                {"HALF-OPEN": 0, "COMPLETE": 0}),
    "LSN-13": Row("LISTEN", {}, "<CTL=ACK>", "LSN-13", "LISTEN", ("<CTL=RST>",), {}),
    "LSN-13 SYN,ACK": Row("FULL", {}, "<CTL=SYN,ACK>", "LSN-13", "FULL", ("<CTL=RST>",), {}),
    "LSN-14": Row("LISTEN", {}, "<CTL=FIN>", "LSN-14", "LISTEN", (), {}),
}  # fmt: skip


@pytest.mark.parametrize("row", LISTENER)
def test_listener(row: str) -> None:
    holds(SPECS["listener"], LISTENER[row])


def test_every_listener_rule_is_tried() -> None:
    assert written(SPECS["listener"], "LSN-") == {row.rule for row in LISTENER.values() if row.rule[:3] == "LSN"}


@pytest.mark.parametrize("profiles", ["", "cookies", "abort-on-overflow", "cookies abort-on-overflow"])
def test_queues_keep_their_bounds(profiles: str) -> None:
    """P-80: whatever comes, in whatever order, the counters stay within the queues, and FULL means what it says."""
    chance = random.Random(793)
    server = Machine("listener", profiles)
    server("LISTEN")
    seen: set[tuple[str, bool]] = set()
    for turn in range(4000):
        half, complete = server.let["HALF-OPEN"], server.let["COMPLETE"]
        assert isinstance(half, int) and isinstance(complete, int)
        assert 0 <= half <= 256 and 0 <= complete <= 128
        assert (server.state == "FULL") == (half == 256)
        seen.add((server.state, complete == 128))
        events = ["<CTL=SYN>"] * (6 if turn % 1200 < 700 else 1)
        if half:
            server.let["SENT"] = chance.choice([1, 6])
            events += ["<CHILD=half-open><CTL=ACK>", "<CHILD=half-open><CTL=RST>", "timeout ANSWER"]
        if "cookies" in profiles and server.state == "FULL":
            events += ["<COOKIE=valid><CTL=ACK>"] * 2
        if turn % 2000 > 1000:
            events += ["ACCEPT"] * 3
        server(chance.choice(events))
    assert {state for state, _ in seen} == {"LISTEN", "FULL"} and any(full for _, full in seen)


def test_flood_keeps_honest_clients_out_but_not_with_cookies() -> None:
    """P-81, P-82."""
    for profiles, answer in (("", ()), ("cookies", ("<CTL=SYN,ACK>",))):
        server = Machine("listener", profiles)
        server("LISTEN")
        answers = [server("<CTL=SYN>") for _ in range(256)]
        assert answers == [("<CTL=SYN,ACK>",)] * 256
        assert server("<CTL=SYN>") == answer


def test_one_syn_costs_six_answers_at_most() -> None:
    """P-84: five repetitions, then the place is free."""
    server = Machine("listener")
    server("LISTEN")
    answers = list(server("<CTL=SYN>"))
    while server.let["HALF-OPEN"]:
        server.let["SENT"] = len(answers)
        answers += server("timeout ANSWER")
    assert answers == ["<CTL=SYN,ACK>"] * 6


# ---------------------------------------------------------------------------------------------------- initial numbers

R: Values = {"M": 1000, "F.HERE": 500, "F.ELSEWHERE": 70}
NUMBERS: dict[str, Row] = {
    "ISN-01": Row("RUNNING", R, "timeout CLOCK", "ISN-01", "RUNNING", (), {"M": 1001, "F.HERE": 500}),
    "ISN-01 wraps": Row("RUNNING", {"M": TOP - 1}, "timeout CLOCK", "ISN-01", "RUNNING", (), {"M": 0}),
    "ISN-01 quiet": Row("QUIET", R, "timeout CLOCK", "ISN-01", "QUIET", (), {"M": 1001}),
    "ISN-02": Row("OFF", {}, "START rested", "ISN-02", "RUNNING", (), {"ISS": None}),
    "ISN-03": Row("OFF", {}, "START crashed", "ISN-03", "QUIET", (), {"ISS": None}),
    "ISN-03 nothing is sent": Row("QUIET", R, "NEW-CONNECTION here", "QUIET.NEW-CONNECTION-here.1", "QUIET",
                                  ("error: wait until the quiet time is over",), {"ISS": None}),
    "ISN-04": Row("QUIET", R, "timeout QUIET", "ISN-04", "RUNNING", (), R),
    "ISN-05": Row("RUNNING", R, "NEW-CONNECTION here", "ISN-05", "RUNNING", ("<SEQ=1500><CTL=SYN>",), {"ISS": 1500}),
    "ISN-05 wraps": Row("RUNNING", {"M": TOP - 2, "F.HERE": 5}, "NEW-CONNECTION here", "ISN-05", "RUNNING",
                        ("<SEQ=3><CTL=SYN>",), {"ISS": 3}),
    "ISN-05 largest": Row("RUNNING", {"M": TOP - 1, "F.HERE": TOP - 1}, "NEW-CONNECTION here", "ISN-05", "RUNNING",
                          (f"<SEQ={TOP - 2}><CTL=SYN>",), {"ISS": TOP - 2}),
    "ISN-05 elsewhere": Row("RUNNING", R, "NEW-CONNECTION elsewhere", "ISN-05e", "RUNNING", ("<SEQ=1070><CTL=SYN>",),
                            {"ISS": None, "SEEN": 1070}),
    "ISN-06": Row("RUNNING", R, "NEW-CONNECTION here", "ISN-06", "RUNNING", ("<SEQ=1000><CTL=SYN>",), {"ISS": 1000},
                  "counter-only"),
    "ISN-06 elsewhere": Row("RUNNING", R, "NEW-CONNECTION elsewhere", "ISN-06e", "RUNNING", ("<SEQ=1000><CTL=SYN>",),
                            {"SEEN": 1000}, "counter-only"),
    "ISN-08": Row("RUNNING", {**R, "ISS": 4}, "STOP", "ISN-08", "OFF", (), {"F.HERE": 0, "ISS": None}),
}  # fmt: skip


@pytest.mark.parametrize("row", NUMBERS)
def test_number(row: str) -> None:
    holds(SPECS["isn"], NUMBERS[row])


def test_random_numbers() -> None:
    host = Machine("isn", "random", "RUNNING", {"M": 1000})
    assert host("NEW-CONNECTION here", ISS=77) == ("<SEQ=77><CTL=SYN>",)
    assert host("NEW-CONNECTION elsewhere", SEEN=78) == ("<SEQ=78><CTL=SYN>",)
    assert (host.let["ISS"], host.let["M"]) == (77, 1000)


@pytest.mark.parametrize("start", [0, 1 << 31, TOP - 2])
def test_numbers_of_a_pair_move_on_with_the_clock(start: int) -> None:
    """Two connections of the same pair are as many numbers apart as ticks have passed, also round the end."""
    host = Machine("isn")
    host("START rested", **{"M": start, "F.HERE": 4_000_000_000, "F.ELSEWHERE": 3})
    first = host("NEW-CONNECTION here") and host.let["ISS"]
    for _ in range(5):
        host("timeout CLOCK")
    host("NEW-CONNECTION here")
    assert isinstance(first, int) and host.let["ISS"] == (first + 5) % TOP == (start + 4_000_000_005) % TOP


@pytest.mark.parametrize(("profile", "told"), [("", False), ("counter-only", True)])
def test_what_the_neighbour_learns(profile: str, told: bool) -> None:
    """With the clock alone, a connection elsewhere shows the number that the next one here begins with."""
    host = Machine("isn", profile, "RUNNING", R)
    host("NEW-CONNECTION elsewhere")
    host("NEW-CONNECTION here")
    assert (host.let["SEEN"] == host.let["ISS"]) is told


def test_clock_of_four_microseconds() -> None:
    spec = SPECS["isn"]
    clock = next(event for event in spec.events if event.name == "CLOCK")
    tick = next(constant for constant in spec.constants if constant.name == "TICK")
    assert clock.duration is not None and [getattr(value, "value", None) for _, value in tick.values] == [4]


def test_every_number_rule_is_tried() -> None:
    tried = {row.rule for row in NUMBERS.values()} | {"ISN-07", "ISN-07e"}
    assert written(SPECS["isn"], "ISN-") == {name for name in tried if name[:3] == "ISN"}


# ------------------------------------------------------------------------------------------------------------ options

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
