"""Changes of state that scripts of bpftrace print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

LIFE = [("CLOSE", "SYN_SENT"), ("SYN_SENT", "ESTABLISHED"), ("ESTABLISHED", "FIN_WAIT1"), ("FIN_WAIT1", "CLOSE")]
NUMBERS = {"ESTABLISHED": 1, "SYN_SENT": 2, "FIN_WAIT1": 4, "CLOSE": 7}

LINES = {
    "numbers": ("", "4594913373901{n} curl 53 {a}:{p} -> {b}:80 {x} -> {y}"),
    "names": ("Attaching 1 probe...", "12:00:0{n} curl {a}:{p} {b}:80 TCP_{o} -> TCP_{w}"),
    "comma": ("", "{n}.500000 {a}:{p}, {b}:80 {o} => {w} 0.123 ms"),
    "table": (
        "LADDR                LPORT   RADDR                RPORT   OLD         -> NEW",
        "{a:<20} {p:<7} {b:<20} 80      {o:<11} -> {w}",
    ),
    "program": (
        "TIME     PID    COMM           SADDR SPORT DADDR DPORT OLDSTATE NEWSTATE",
        "12:00:0{n} 77     my own program {a} {p} {b} 80 {o} {w}",
    ),
}
TIMES = {"numbers": 45949133739011, "names": 43201 * 10**9, "comma": 1_500_000_000, "program": 43201 * 10**9}


def printed(form: str, a: str = "10.0.0.1", b: str = "10.0.0.2") -> bytes:
    heading, line = LINES[form]
    lines = [heading] if heading else []
    for n, (old, new) in enumerate(LIFE, 1):
        port = 0 if n == 1 else 4000
        lines.append(line.format(n=n, a=a, b=b, p=port, o=old, w=new, x=NUMBERS[old], y=NUMBERS[new]))
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("form", LINES)
def test_forms(read, form):
    reading = read(printed(form))
    assert (reading.trace.format, reading.trace.source, reading.skipped) == ("bpftrace states", "linux-states", {})
    assert [(r.old.removeprefix("TCP_"), r.new.removeprefix("TCP_")) for r in reading.records] == LIFE
    assert len({record.endpoint for record in reading.records}) == 1
    assert (reading.records[1].local, reading.records[1].remote) == ("10.0.0.1:4000", "10.0.0.2:80")
    assert reading.records[0].time == TIMES.get(form)


@pytest.mark.parametrize("form", ["numbers", "table"])
def test_version_6(read, form):
    record = read(printed(form, "2001:db8::1", "2001:db8::2")).records[1]
    assert (record.local, record.remote) == ("[2001:db8::1]:4000", "[2001:db8::2]:80")


def test_the_address_of_the_socket_tells_more(read):
    text = printed("names").decode().replace("curl", "0xffff8881ba051bc0")
    assert {record.endpoint for record in read(text.encode()).records} == {"ffff8881ba051bc0"}


def test_what_stacks_say_is_theirs(read):
    reading = read(b"10.0.0.1:40 -> 10.0.0.2:80 state ESTABLISHED -> CLOSE_WAIT\n")
    assert reading.trace.format == "state lines"


def test_other_lines_are_counted(read):
    text = printed("table") + b"hello\n\n10.0.0.1 x 10.0.0.2 80 A -> B\n"
    assert read(text).skipped == {"not a change of state": 2}


@given(st.lists(st.sampled_from([*printed("table").decode().split(), "->", "\n", " ", ":", "1"])), st.integers(1, 99))
def test_any_text(read, words, piece):
    data = printed("numbers") + " ".join(words).encode()
    whole, cut = read(data), read(data, piece)
    assert (whole.records, whole.skipped) == (cut.records, cut.skipped)
