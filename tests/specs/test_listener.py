"""A listener and its queues: each rule of its spec, the bounds of the queues, and what a flood of SYNs does to it."""

from __future__ import annotations

import random

import pytest
from rows import SPECS, Machine, Row, holds, written

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
