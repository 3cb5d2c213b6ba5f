"""What waits for an answer: each rule of its spec, how often it asks, and how wide its key is."""

from __future__ import annotations

import pytest
from rows import SPECS, TOP, Machine, Row, Values, holds, written

from tcpmodel.semantics.stepping import StepError

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
