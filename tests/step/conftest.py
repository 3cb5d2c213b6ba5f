"""Steppers of the shipped specs and of small ones, and numbers that wrap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tcpmodel.model.load import load
from tcpmodel.semantics.stepping import Stepper

MODULUS = 1 << 32

LINK = """\
spec link "a link with typical values"

profile fast "sends at once"

var NXT  : seq(local)          "next number to send"
var OLD  : optional seq(local) "oldest number not acknowledged"
var GOT  : seq(peer)           "next number expected"
var ROOM : octets = 10         "how much fits"
var mood : calm | busy = calm  "how it feels"

message DATA "numbered data"
  flag  LAST
  mark  HURRY
  field SEQ  : seq(sender)            "number"
  field BACK : seq(receiver) with LAST "acknowledgment"
  field SIZE : octets = 0             "octets"
  field WIN  : octets typical 500     "window"
  field KIND : plain | secret         "kind"

message PING "are you there"
  field ID : 0..9 "which"

call GO, GO slow "begin"
timer T = 1 s "time"
notice BROKEN "the link is broken"

initial state IDLE "nothing to do"
  on GO -> BUSY
    NXT <- any
    GOT <- any
    mood <- busy
  on GO slow stay
    choose n : octets where n > 2
    choose m : octets
    ROOM <- n + m
  on timeout T drop
  on notice BROKEN drop
  on DATA drop
  on PING stay
    send PING <ID=PING.ID>

/// Work is done here.
state BUSY "working"
  typical NXT = 1000, GOT = 5, OLD = NXT - 1, mood = busy
  HELLO: may -> IDLE when mood = busy
    signal "done"
  REPEAT: may stay when OLD is set
    choose s : seq(local)
    send DATA <SEQ=s><SIZE=1> where OLD =< s and s < NXT
  on GO, GO slow stay
  on timeout T -> IDLE
  on notice BROKEN drop
  @fast QUICK: on DATA with HURRY drop
  BIG: on DATA when ROOM < DATA.SIZE stay
  TAKE: on DATA when DATA.SEQ = GOT stay
    GOT <- GOT + DATA.SIZE
    ROOM <- DATA.WIN
  on DATA drop
  on PING drop
"""


class Numbers:
    """Numbers counted from a base, modulo 2^32: ``{L[1]}`` in a text that is formatted with these."""

    def __init__(self, base: int) -> None:
        self._base = base

    def __getitem__(self, offset: int | str) -> int:
        return (self._base + int(offset)) % MODULUS


@pytest.fixture(
    params=[
        (100, 300),
        (MODULUS - 2, 300),
        (100, MODULUS - 2),
        (MODULUS - 2, MODULUS - 2),
        (MODULUS - 1, MODULUS - 1),
        (2**31 - 2, 2**31 - 1),
    ],
    ids=["low", "ours wrap", "theirs wrap", "both wrap", "both wrap at once", "half"],
)
def numbers(request: pytest.FixtureRequest) -> dict[str, Numbers]:
    """Initial numbers of this end (``L``) and of the peer (``P``)."""
    local, peer = request.param
    return {"L": Numbers(local), "P": Numbers(peer)}


@pytest.fixture(scope="session")
def tcp() -> Callable[..., Stepper]:
    """Steppers of the shipped TCP, by profiles."""
    spec = load("tcp").spec
    kept: dict[tuple[str, ...], Stepper] = {}

    def make(*profiles: str) -> Stepper:
        if profiles not in kept:
            kept[profiles] = Stepper(spec, profiles)
        return kept[profiles]

    return make


@pytest.fixture(scope="session")
def link_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small spec with two messages, typical values and rules of its own accord."""
    path = tmp_path_factory.mktemp("specs") / "link.tcpspec"
    path.write_text(LINK, encoding="utf-8")
    yield path


@pytest.fixture(scope="session")
def link(link_file: Path) -> Stepper:
    """A stepper of the small spec."""
    return Stepper(load(str(link_file)).spec)
