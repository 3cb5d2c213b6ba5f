"""Logs by regular expression: what each group becomes, and patterns that cannot be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.traces.logs import pattern as module
from tcpmodel.traces.logs.named_groups import GROUPS, flag_bits
from tcpmodel.traces.logs.pattern import PatternError, Patterns, PatternTrace
from tcpmodel.traces.open import open_trace, recognise
from tcpmodel.traces.records import Event, Packet, StateRecord, TraceError
from tcpmodel.traces.source import Source


def read(text, *patterns, states=None, piece=1 << 20):
    data = text.encode()
    left = iter([data[at : at + piece] for at in range(0, len(data), piece)])
    trace = recognise(Source("test", lambda size: next(left, b"")), Patterns(patterns, states))
    return list(trace.records()), trace.skipped.reasons


CHANGE = r"(?P<local>\S+)>(?P<remote>\S+) (?P<old>\w+)=(?P<new>\w+)"
SEGMENT = r"(?P<src>\S+)>(?P<dst>\S+) (?P<flags>[A-Z.]+) (?P<seq>\w+) (?P<ack>\w+) (?P<len>\d+) (?P<win>\d+)"


def test_a_change():
    (record,), skipped = read("1.1.1.1:1>2.2.2.2:2 A=B\nhello\n\n", CHANGE)
    assert record == StateRecord(
        1, None, "tcp", "1.1.1.1:1 > 2.2.2.2:2", "1.1.1.1:1", "2.2.2.2:2", "A", "B", "stack-states"
    )
    assert skipped == {"a line that the pattern does not match (the first is line 2)": 1}


def test_words_for_states():
    (record,), _ = read("1.1.1.1:1>2.2.2.2:2 0=7", CHANGE, states={"0": "CLOSED", "7": "LISTEN"})
    assert (record.old, record.new) == ("CLOSED", "LISTEN")


def test_a_sample():
    (record,), _ = read("c4 is X", r"(?P<connection>\w+) is (?P<state>\w+)")
    assert (record.endpoint, record.old, record.new, record.source) == ("c4", "", "X", "stack-samples")


def test_a_segment():
    (record,), _ = read("1.1.1.1:1>2.2.2.2:2 SA 5 0x6 7 8", SEGMENT)
    fields = {"seq": 5, "ack": 6, "length": 7, "window": 8}
    assert record == Packet(1, None, "tcp", "1.1.1.1:1", "2.2.2.2:2", 18, fields, "")


def test_without_the_flag_there_is_no_acknowledgment():
    (record,), _ = read("1.1.1.1:1>2.2.2.2:2 S 5 6 7 8", SEGMENT)
    assert "ack" not in record.fields


def test_numbers_that_no_header_holds_are_unknown():
    (record,), _ = read("1.1.1.1:1>2.2.2.2:2 A 4294967296 99999999999999999999999 7 8", SEGMENT)
    assert record.fields == {"length": 7, "window": 8}


@pytest.mark.parametrize("way", ["send", "OUT", "tx", ">"])
@pytest.mark.parametrize("ends", [r"(?P<local>\S+) (?P<remote>\S+)", r"(?P<src>\S+) (?P<dst>\S+)"])
def test_what_is_sent(way, ends):
    (record,), _ = read(f"{way} 1.1.1.1:1 2.2.2.2:2 A", rf"(?P<direction>\S+) {ends} (?P<flags>\S+)")
    assert (record.source, record.destination, record.at) == ("1.1.1.1:1", "2.2.2.2:2", "1.1.1.1:1")


@pytest.mark.parametrize("way", ["recv", "In", "rx", "<"])
def test_what_is_received(way):
    (record,), _ = read(
        f"{way} 1.1.1.1:1 2.2.2.2:2 A", r"(?P<direction>\S+) (?P<local>\S+) (?P<remote>\S+) (?P<flags>\S+)"
    )
    assert (record.source, record.destination, record.at) == ("2.2.2.2:2", "1.1.1.1:1", "1.1.1.1:1")


def test_ports_apart_from_addresses():
    pattern = r"(?P<src>\S+) (?P<src_port>\d+) (?P<dst>\S+) (?P<dst_port>\d+) (?P<seq>\d+)"
    (one, six), _ = read("1.1.1.1 1 ::ffff:2.2.2.2 2 7\n2001:db8::1 1 [2001:db8::2] 2 7\n", pattern)
    assert (one.source, one.destination) == ("1.1.1.1:1", "2.2.2.2:2")
    assert (six.source, six.destination) == ("[2001:db8::1]:1", "[2001:db8::2]:2")


def test_what_one_line_tells_of_a_connection_is_known_later():
    patterns = [
        r"(?P<connection>\w+) at (?P<local>\S+) (?P<remote>\S+) (?P<old>\w+)=(?P<new>\w+)",
        r"(?P<connection>\w+) (?P<direction>in|out) (?P<flags>\w+)",
        r"(?P<connection>\w+) (?P<old>\w+)=(?P<new>\w+)",
        r"(?P<connection>\w+) (?P<call>[A-Z]+)",
    ]
    text = "c at 1.1.1.1:1 2.2.2.2:2 A=B\nc out S\nc in SA\nc B=C\nc SEND\nd out S\nd SEND\n"
    records, _ = read(text, *patterns)
    assert [(item.source, item.destination) for item in records if isinstance(item, Packet)] == [
        ("1.1.1.1:1", "2.2.2.2:2"),
        ("2.2.2.2:2", "1.1.1.1:1"),
        ("d", "peer of d"),
    ]
    others = [item for item in records if not isinstance(item, Packet)]
    assert [(item.endpoint, item.local, item.remote) for item in others] == [
        *[("c", "1.1.1.1:1", "2.2.2.2:2")] * 3,
        ("d", "d", "peer"),
    ]


@pytest.mark.parametrize("kind", ["call", "timer", "signal", "notice", "event"])
def test_events(kind):
    (record,), _ = read("c SEND 5 = -1", rf"(?P<connection>c) (?P<{kind}>\w+) (?P<len>\d+) = (?P<result>\S+)")
    assert isinstance(record, Event)
    assert (record.kind, record.name) == ("call" if kind == "event" else kind, "SEND")
    assert record.values == {"length": 5, "result": -1}


TIMES = {
    r"(?P<time>[\d.]+)": ("1.5", 1_500_000_000),
    r"(?P<time>\S+ \S+)": ("2024-03-05 10:11:12,5", 1709633472_500_000_000),
    r"(?P<time>[\d:,]+)": ("00:00:01.004".replace(".", ","), 1_004_000_000),
    r"(?P<ms>\d+)": ("1500", 1_500_000_000),
    r"(?P<us>\d+)": ("1500", 1_500_000),
    r"(?P<ns>\d+)": ("1500", 1500),
    r"(?P<time>\w+)": ("never", None),
}


@pytest.mark.parametrize("pattern", TIMES)
def test_times(pattern):
    text, time = TIMES[pattern]
    (record,), _ = read(f"{text} is X", rf"^{pattern} is (?P<state>\w+)")
    assert record.time == time


def test_times_of_day_go_on_over_midnight():
    records, _ = read("23:59:59 X\n00:00:01 X\n", r"(?P<time>\S+) (?P<state>X)")
    assert [record.time for record in records] == [86_399 * 10**9, 86_401 * 10**9]


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        *(("SYN", 2), ("SYN,ACK", 18), ("[SYN|ACK]", 18), ("fin ack", 17), ("S", 2), ("SA", 18), ("S.", 18), (".", 16)),
        *(("[P.]", 24), ("0x12", 18), ("18", 18), ("uAPrsf", 24), ("sa", 18), ("S.E", 82), ("Q", None), ("SYNC", None)),
        ("-", 0),
    ],
)
def test_flags(text, bits):
    assert flag_bits(text) == bits


@pytest.mark.parametrize(
    ("text", "words", "column"),
    [
        ("(?P<state>x", "missing )", 1),
        ("x(?P<stat>x)", "did you mean state?", 2),
        ("(?P<zebra>x)", "there are time,", 1),
        ("abc", "no named group", 0),
        ("(?P<time>x)", "tell of no state", 0),
        ("(?P<old>x)(?P<seq>1)", "new is needed", 0),
        ("(?P<state>x)" + "y" * 5000, "longer than", 0),
        ("(?P<state>x{99999999999999999999})", "repeats too often", 0),
    ],
)
def test_patterns_that_cannot_be_used(text, words, column):
    with pytest.raises(PatternError, match=words.replace("?", r"\?").replace(")", r"\)")) as problem:
        Patterns([text])
    assert problem.value.column == column


@pytest.mark.parametrize("threads", [False, True])
def test_a_pattern_that_takes_too_long_is_given_up(monkeypatch, threads):
    monkeypatch.setattr(module, "SECONDS", 0.05)
    if threads:
        monkeypatch.setattr(module.threading, "main_thread", lambda: None)
    with pytest.raises(TraceError, match="line 2: the pattern needs more"):
        read("aab\n" + "a" * 22 + "b\n", r"(?P<state>(a+)+)$|(?P<new>aab)")


def test_lines_without_what_is_needed_are_counted():
    _, skipped = read("S\n", r"(?P<flags>\w+)")
    assert skipped == {"a segment without both ends": 1}
    _, skipped = read("c S\n", r"(?P<connection>c) (?P<flags>\w+)")
    assert skipped == {"a segment without a direction": 1}
    _, skipped = read("1.1.1.1:1>2.2.2.2:2 XX 1 2 3 4\n", SEGMENT)
    assert skipped == {"a segment with unknown flags": 1}


def test_captures_and_our_own_format_stay_what_they_are(samples):
    def of(name):
        data = iter([(samples / name).read_bytes()])
        return recognise(Source("test", lambda size: next(data, b"")), Patterns([CHANGE]))

    assert of("lab/refused.client.pcap").format == "pcap"
    assert isinstance(of("logs/lab/refused/ftrace.txt"), PatternTrace)
    event = iter([b'{"event":"state","local":"a","state":"CLOSED"}\n'])
    assert recognise(Source("test", lambda size: next(event, b"")), Patterns([CHANGE])).format == "json lines"


ANY = r"(?P<time>\S*) ?" + "".join(
    rf"(?:{name}:(?P<{name}>\S*) ?)?" for name in GROUPS if name not in ("time", "ms", "us", "ns", "event")
)


@given(st.lists(st.sampled_from([*(f"{name}:" for name in GROUPS), "1", "x", ":", "[", "::1", "\n", " ", "SA"])))
def test_any_groups(words):
    text = "".join(words)
    assert read(text + "\n", ANY) == read(text + "\n", ANY, piece=3)


def test_no_line_matches(tmp_path):
    path = tmp_path / "log"
    path.write_text("\nhello\nworld\n")
    trace = open_trace(str(path), patterns=Patterns(["(?P<old>A+)>(?P<new>B+)"]))
    with pytest.raises(TraceError, match="line 2: no line of this text matches the pattern; this one says 'hello'"):
        list(trace.records())
