"""The 110 pairs of different states, as lines of every format: legal ones conform, and all others are told.

Each pair stands in a life of its own, once as the first line of it and once after a legal way to its first state.
What a source cannot show, or shows in another way, stands in the tables below.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from test_state_logs import marked

from tcpmodel.checking.checker import Checker
from tcpmodel.traces.logs.pattern import Patterns
from tcpmodel.traces.open import open_trace

FORBIDDEN = set(marked("-", "P"))
LEGAL = set(marked("F", "T", "O", "e"))

# A legal way to each state.
WAYS = {
    "CLO": "",
    "LIS": "CLO",
    "SYS": "CLO",
    "SYR": "CLO SYS",
    "EST": "CLO SYS",
    "FW1": "CLO SYS EST",
    "FW2": "CLO SYS EST FW1",
    "CLW": "CLO SYS EST",
    "CLG": "CLO SYS EST FW1",
    "LAK": "CLO SYS EST CLW",
    "TMW": "CLO SYS EST FW1 FW2",
}
RFC = {
    "CLO": "CLOSED", "LIS": "LISTEN", "SYS": "SYN-SENT", "SYR": "SYN-RECEIVED", "EST": "ESTABLISHED",
    "FW1": "FIN-WAIT-1", "FW2": "FIN-WAIT-2", "CLW": "CLOSE-WAIT", "CLG": "CLOSING", "LAK": "LAST-ACK",
    "TMW": "TIME-WAIT",
}  # fmt: skip
LINUX = {
    "CLO": "CLOSE", "LIS": "LISTEN", "SYS": "SYN_SENT", "SYR": "SYN_RECV", "EST": "ESTABLISHED", "FW1": "FIN_WAIT1",
    "FW2": "FIN_WAIT2", "CLW": "CLOSE_WAIT", "CLG": "CLOSING", "LAK": "LAST_ACK", "TMW": "TIME_WAIT",
}  # fmt: skip
NUMBER = {
    "EST": 1,
    "SYS": 2,
    "SYR": 3,
    "FW1": 4,
    "FW2": 5,
    "TMW": 6,
    "CLO": 7,
    "CLW": 8,
    "LAK": 9,
    "LIS": 10,
    "CLG": 11,
}
WORDS = {word: name.replace("-", "_") for word, name in RFC.items()}
FREERTOS = {word: "e" + name for word, name in WORDS.items()} | {"LIS": "eTCP_LISTEN", "SYS": "eCONNECT_SYN"}
KERNEL = {
    "CLO": "Close", "LIS": "Listen", "SYS": "Syn Sent", "SYR": "Syn Recv", "EST": "Established", "FW1": "Fin Wait 1",
    "FW2": "Fin Wait 2", "CLW": "Close Wait", "CLG": "Closing", "LAK": "Last ACK", "TMW": "Time Wait",
}  # fmt: skip

# What one line of each format looks like: n is the number of the life, t of the line.
Line = Callable[[int, int, str, str], str]
HEADINGS = {
    "tcpstates": "SKADDR           C-PID C-COMM     LADDR      LPORT RADDR           RPORT OLDSTATE    -> NEWSTATE MS",
    "tcpstates -s": "SKADDR,PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS",
    "bpftrace": "LADDR                LPORT   RADDR                RPORT   OLD         -> NEW",
}
LINES: dict[str, Line] = {
    "ftrace": lambda n, t, a, b: (
        f"  curl-1 [001] ..s2. 1.{t:06d}: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport={n} dport=80 "
        f"saddr=10.0.0.1 daddr=10.0.0.2 saddrv6=::ffff:10.0.0.1 daddrv6=::ffff:10.0.0.2 oldstate=TCP_{LINUX[a]} "
        f"newstate=TCP_{LINUX[b]}"
    ),
    "perf": lambda n, t, a, b: (
        f"curl  12 [001]  1.{t:06d}: sock:inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport={n} dport=80 "
        f"saddr=10.0.0.1 daddr=10.0.0.2 saddrv6=::ffff:10.0.0.1 daddrv6=::ffff:10.0.0.2 oldstate=TCP_{LINUX[a]} "
        f"newstate=TCP_{LINUX[b]}"
    ),
    "perf trace": lambda n, t, a, b: (
        f"     {t}.106 curl/4242 sock:inet_sock_set_state(skaddr: 0xffff{n:012x}, oldstate: {NUMBER[a]}, "
        f"newstate: {NUMBER[b]}, sport: {n}, dport: 80, family: 2, protocol: 6)"
    ),
    "tcpstates": lambda n, t, a, b: (
        f"ffff{n:012x} 9     curl       10.0.0.1   {n:<5} 10.0.0.2        80    {LINUX[a]:<11} -> {LINUX[b]:<11} 0.1"
    ),
    "tcpstates -s": lambda n, t, a, b: f"ffff{n:012x},9,curl,4,10.0.0.1,{n},10.0.0.2,80,{LINUX[a]},{LINUX[b]},0.1",
    "bpftrace": lambda n, t, a, b: f"10.0.0.1    {n} 10.0.0.2    80      {LINUX[a]:<11} -> {LINUX[b]}",
    "bpftrace lines": lambda n, t, a, b: f"{t} curl 53 10.0.0.1:{n} -> 10.0.0.2:80 {NUMBER[a]} -> {NUMBER[b]}",
    "kernel": lambda n, t, a, b: f"TCP sk=c1{n:06x}, State {KERNEL[a]} -> {KERNEL[b]}",
    "smoltcp": lambda n, t, a, b: (
        f"[{t}.0s] (smoltcp::socket::tcp): 10.0.0.1:{n}:10.0.0.2:80: state={RFC[a]}=>{RFC[b]}"
    ),
    "zephyr": lambda n, t, a, b: f"[00:00:01.000] <dbg> net_tcp: tcp_in: [0x2{n:07x}] {WORDS[a]}->{WORDS[b]}",
    "freertos": lambda n, t, a, b: f"Socket {n} -> [10.0.0.2]:80 State {FREERTOS[a]}->{FREERTOS[b]}",
    "state lines": lambda n, t, a, b: f"10.0.0.1:{n} <-> 10.0.0.2:80 state changed from {RFC[a]} to {RFC[b]}",
    "pattern": lambda n, t, a, b: f"c{n} st {NUMBER[a]}>{NUMBER[b]}",
    "json lines": lambda n, t, a, b: json.dumps(
        {"event": "state", "local": f"10.0.0.1:{n}", "remote": "10.0.0.2:80", "old": RFC[a], "state": RFC[b]}
    ),
}

PATTERNS = Patterns(
    [r"(?P<connection>c\d+) st (?P<old>\d+)>(?P<new>\d+)"], {str(n): RFC[word] for word, n in NUMBER.items()}
)

# ------------------------------------------------------------------------------------------------ changes of states


def pairs(text: str) -> set[tuple[str, str]]:
    words = text.split()
    return set(zip(words[::2], words[1::2], strict=True))


# Pairs that are told although the RFC has them: the source never shows them.
NEVER_PRINTED = {
    # Linux takes no SYN with FIN, and shows no TIME-WAIT.
    **dict.fromkeys(
        ("ftrace", "perf", "perf trace", "tcpstates", "tcpstates -s", "bpftrace", "bpftrace lines", "kernel"),
        pairs("LIS CLW  TMW SYR"),
    ),
    # Neither do these take a SYN with FIN.
    "smoltcp": pairs("LIS CLW"),
    "freertos": pairs("LIS CLW"),
}
# Pairs that are not told although the RFC has no such change: one between is not shown, or a word means more.
HIDDEN = {
    "zephyr": pairs(
        "CLO CLW  CLO EST  CLO FW1  CLO SYR  LIS EST  LIS FW1  SYS FW1  TMW CLW  TMW EST  TMW FW1  TMW LIS"
    ),
    "freertos": pairs("CLG CLW  CLO SYR  EST LAK  FW1 CLW  FW2 CLW  LAK CLW  SYR LAK  SYS LAK  TMW CLW"),
}


@pytest.fixture
def told(judge: Callable[..., Checker], tmp_path: Path) -> Callable[..., dict[int, str]]:
    """What is told at which line."""

    def run(lines: list[str], patterns: Patterns | None = None) -> dict[int, str]:
        path = tmp_path / "log"
        path.write_text("\n".join(lines) + "\n")
        report = judge(open_trace(str(path), patterns=patterns)).report
        assert not report.inputs[0].skipped
        return {item.place: item.code for one in report.connections for item in one.diagnostics}

    return run


def lives(make: Line, lines: list[str], *, alone: bool) -> Iterator[tuple[int, str, str]]:
    """Writes a life for each pair, and says in which line the pair stands."""
    for number, (old, new) in enumerate(sorted(FORBIDDEN | LEGAL), 1001):
        words = [*([] if alone else WAYS[old].split()), old, new]
        for one, two in pairwise(words):
            lines.append(make(number, len(lines) + 1, one, two))
        yield len(lines), old, new


def test_the_pairs_are_all() -> None:
    assert len(FORBIDDEN | LEGAL) == len(FORBIDDEN) + len(LEGAL) == 110


@pytest.mark.parametrize(
    ("form", "alone"),
    [*((form, True) for form in LINES), *((form, False) for form in ("ftrace", "smoltcp", "pattern"))],
)
def test_changes(told: Callable[..., dict[int, str]], form: str, alone: bool) -> None:
    """``alone``: the pair is all that is logged of this life."""
    lines = [HEADINGS[form]] if form in HEADINGS else []
    where = {line: (old, new) for line, old, new in lives(LINES[form], lines, alone=alone)}
    wanted = (FORBIDDEN | NEVER_PRINTED.get(form, set())) - HIDDEN.get(form, set())
    if not alone:
        wanted.add(("SYR", "LIS"))  # only after a passive OPEN, and the way led through an active one
    found = told(lines, PATTERNS if form == "pattern" else None)
    assert set(found.values()) == {"TCP-TRANSITION"}
    assert {where[line] for line in found} == wanted, "and nothing in any other line"


# -------------------------------------------------------------------------------------------------- states at moments

SS = RFC | {"CLO": "UNCONN", "SYR": "SYN-RECV", "EST": "ESTAB"}
LISTED: dict[str, Callable[[int, str], str]] = {
    "ss": lambda n, a: f"{SS[a]:<10} 0      0      10.0.0.1:{n}  10.0.0.2:80",
    "ss -e": lambda n, a: f"{SS[a]:<10} 0      0      10.0.0.1:{n}  10.0.0.2:80  uid:0 ino:0 sk:{n:x} <->",
    "netstat": lambda n, a: f"tcp        0      0 10.0.0.1:{n}      10.0.0.2:80       {LINUX[a]}",
    "Windows": lambda n, a: f"  TCP    10.0.0.1:{n}       10.0.0.2:80     {WORDS[a].replace('LISTEN', 'LISTENING')}",
    "macOS": lambda n, a: (
        f"tcp4       0      0  10.0.0.1.{n}         10.0.0.2.80          {WORDS[a].replace('RECEIVED', 'RCVD')}"
    ),
    "json lines": lambda n, a: json.dumps(
        {"event": "state", "local": f"10.0.0.1:{n}", "remote": "10.0.0.2:80", "state": RFC[a]}
    ),
}


# What does not follow in the life of one socket, by any number of changes.
NEVER_LATER = {
    "SYR": "SYS",
    "EST": "LIS SYS SYR",
    "FW1": "LIS SYS SYR EST CLW LAK",
    "FW2": "LIS SYS SYR EST CLW LAK FW1 CLG",
    "CLG": "LIS SYS SYR EST CLW LAK FW1 FW2",
    "CLW": "LIS SYS SYR EST FW1 FW2 CLG",
    "LAK": "LIS SYS SYR EST CLW FW1 FW2 CLG TMW",
    "TMW": "SYS",
}


@pytest.mark.parametrize("form", LISTED)
def test_moments(told: Callable[..., dict[int, str]], form: str) -> None:
    """Between two listings anything may have happened: only a socket that has a name of its own proves something."""
    both = sorted(FORBIDDEN | LEGAL)
    lines = []
    where = {}
    for time in (0, 1):
        if form != "json lines":
            lines.append(f"# 179524721{time}.5")
        for number, pair in enumerate(both, 1001):
            lines.append(LISTED[form](number, pair[time]))
            where[len(lines)] = pair
    found = told(lines)
    if form != "ss -e":
        assert set(found.values()) <= {"CAP-006"}
        return
    assert set(found.values()) == {"TCP-TRANSITION"}
    assert {where[line] for line in found} == {(old, new) for old, news in NEVER_LATER.items() for new in news.split()}
