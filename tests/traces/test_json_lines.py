"""Our own format: what each key means, what is said about lines that cannot be used, and converting to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcpmodel.traces.open import open_trace, open_traces
from tcpmodel.traces.own.json_text import Real
from tcpmodel.traces.own.json_time import nanoseconds
from tcpmodel.traces.own.json_write import heading, line
from tcpmodel.traces.records import FIELD_KEYS, FLAG_BITS, PROTOCOLS, Event, Packet, StateRecord, TraceError

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "trace.schema.json").read_text(encoding="utf-8"))
SAMPLES = ROOT / "traces"
FILES = sorted(
    str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*.*") if path.suffix not in (".md", ".tsv", ".json")
)

A, B = "10.0.0.1:1000", "10.0.0.2:80"
SYN, ACK, RST = FLAG_BITS["SYN"], FLAG_BITS["ACK"], FLAG_BITS["RST"]


def lines(*items: Any) -> bytes:
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in items).encode()


# --------------------------------------------------------------------------------------------------------- what it says


def test_a_packet(read):
    event = {
        "time": 1.5,
        "event": "packet",
        "src": A,
        "dst": B,
        "segment": {
            "flags": "SYN|ACK",
            "seq": 7,
            "ack": 8,
            "len": 0,
            "win": 9,
            "urg": 0,
            "ttl": 64,
            "options": {"mss": 1460, "ts": [1, 2], "sackok": True, "tfo": False, "something": "else"},
        },
    }
    (record,) = read(lines(event)).records
    fields = {"seq": 7, "ack": 8, "length": 0, "window": 9, "urgent": 0, "ttl": 64}
    fields |= {"mss": 1460, "tsval": 1, "tsecr": 2, "sackok": 1}
    assert record == Packet(1, 1_500_000_000, "tcp", A, B, SYN | ACK, fields, "")


ENDS = [
    ({"event": "send", "src": A, "dst": B}, (A, B, A)),
    ({"event": "receive", "src": A, "dst": B}, (A, B, B)),
    ({"event": "send", "local": A, "remote": B}, (A, B, A)),
    ({"event": "receive", "local": A, "remote": B}, (B, A, A)),
    ({"event": "send", "connection": "c", "host": "h"}, ("h:c", "peer:c", "h:c")),
    ({"event": "receive", "connection": "c", "host": "h"}, ("peer:c", "h:c", "h:c")),
    ({"event": "receive", "connection": 7, "host": "h", "peer": "p"}, ("p:7", "h:7", "h:7")),
    ({"event": "send"}, ("here", "peer", "here")),
    ({"event": "send", "src": A}, (A, "peer", A)),
    ({"event": "packet", "src": A, "dst": B}, (A, B, "")),
    ({"event": "packet", "src": A, "dst": B, "host": B}, (A, B, B)),
    ({"event": "packet", "src": A, "dst": B, "host": "10.0.0.1"}, (A, B, A)),
    ({"event": "packet", "src": A, "dst": B, "host": "router"}, (A, B, "")),
    (
        {"event": "packet", "src": "10.0.0.1:1", "dst": "10.0.0.1:2", "host": "10.0.0.1"},
        ("10.0.0.1:1", "10.0.0.1:2", ""),
    ),
    ({"event": "packet", "src": "[::1]:1", "dst": "[::2]:2", "host": "::2"}, ("[::1]:1", "[::2]:2", "[::2]:2")),
]


@pytest.mark.parametrize(("event", "expected"), ENDS, ids=lambda value: str(value)[:60])
def test_ends(read, event, expected):
    (record,) = read(lines(event)).records
    assert (record.source, record.destination, record.at) == expected


def test_later_lines_of_a_connection_leave_the_addresses_out(read):
    first = {"event": "send", "connection": "c", "host": "h", "src": A, "dst": B}
    later = {"event": "receive", "connection": "c", "host": "h"}
    state = {"event": "state", "connection": "c", "host": "h", "state": "CLOSED"}
    elsewhere = {"event": "receive", "connection": "c", "host": "other"}
    one, two, three, four = read(lines(first, later, state, elsewhere)).records
    assert (one.source, one.destination) == (A, B)
    assert (two.source, two.destination, two.at) == (B, A, A)
    assert (three.local, three.remote, three.endpoint) == (A, B, "c at h")
    assert four.destination == "other:c"


def test_states_and_calls(read):
    events = [
        {"event": "state", "local": A, "remote": B, "old": "CLOSED", "state": "SYN-SENT", "time": 2},
        {"event": "state", "src": A, "dst": B, "host": "10.0.0.2", "state": "LISTEN", "source": "linux-states"},
        {"event": "call", "call": "SEND", "args": {"octets": 5, "flags": "x", "more": [1], "none": None}, "socket": 3},
        {"event": "timer", "name": "USER", "protocol": "UDP"},
        {"event": "signal", "signal": "closed", "args": ["a", 2]},
        {"event": "notice", "notice": "HARD-ERROR", "connection": "c"},
    ]
    assert read(lines(*events)).records == [
        StateRecord(1, 2_000_000_000, "tcp", f"{A} > {B}", A, B, "CLOSED", "SYN-SENT"),
        StateRecord(2, None, "tcp", f"{B} > {A}", B, A, "", "LISTEN", "linux-states"),
        Event(3, None, "tcp", "3", "here", "peer", "call", "SEND", {"octets": 5, "flags": "x", "more": "[1]"}),
        Event(4, None, "udp", "here > peer", "here", "peer", "timer", "USER", {}),
        Event(5, None, "tcp", "here > peer", "here", "peer", "signal", "closed", {"1": "a", "2": 2}),
        Event(6, None, "tcp", "c", "here:c", "peer:c", "notice", "HARD-ERROR", {}),
    ]


def test_everything_may_be_missing(read):
    (record,) = read(lines({"event": "send", "time": None, "segment": {"flags": None, "seq": None}})).records
    assert (record.time, record.flags, record.fields) == (None, None, {})
    (record,) = read(lines({"event": "packet", "protocol": "udp", "src": A})).records
    assert (record.flags, record.fields) == (0, {})
    (record,) = read(lines({"event": "send", "segment": {"flags": []}})).records
    assert record.flags == 0


def numbers(read, *segments):
    """``seq`` and ``ack`` of each of the segments; a number says who sent it: 0 or 1."""
    events = [
        {"event": "packet", "src": (A, B)[side], "dst": (B, A)[side], "segment": segment} for side, segment in segments
    ]
    return [(record.fields.get("seq"), record.fields.get("ack")) for record in read(lines(*events)).records]


def test_relative_numbers(read):
    def relative(flags, seq, ack=None):
        return {"flags": flags, "seq": seq, "ack": ack, "relative": True}

    assert numbers(read, (0, relative("SYN", 0)), (1, relative("SYN,ACK", 0, 1)), (0, relative("ACK", 1, 1))) == [
        (0, None),
        (0, 1),
        (1, 1),
    ]
    reset = (1, relative("RST,ACK", 1, 1))
    assert numbers(read, (0, relative("SYN", 0)), reset) == [(0, None), (None, 1)]
    absolute = {"flags": "ACK", "seq": 1000, "ack": 2000}
    assert numbers(read, (0, relative("SYN", 0)), (0, absolute), (1, relative("ACK", 5, 1))) == [
        (0, None),
        (None, 2000),
        (None, 1),
    ]


TIMES = [
    (1, 1_000_000_000),
    (0, 0),
    (Real("1.5"), 1_500_000_000),
    (Real("-0.25"), -250_000_000),
    (Real("1e-05"), 10_000),
    (Real("1.7E9"), 1_700_000_000_000_000_000),
    ("1700000000.123456789", 1_700_000_000_123_456_789),
    ("1700000000.1234567891", 1_700_000_000_123_456_789),
    ("1970-01-01T00:00:01Z", 1_000_000_000),
    ("1970-01-01 00:00:01.5", 1_500_000_000),
    ("1970-01-01T01:00:00.000000001+01:00", 1),
    ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
    ("2024-02-30T00:00:00Z", None),
    ("noon", None),
    (True, None),
    (10**15, None),
    (Real("1e99"), None),
    ([], None),
]


@pytest.mark.parametrize(("written", "expected"), TIMES, ids=lambda value: str(value)[:40])
def test_times(written, expected):
    assert nanoseconds(written) == expected


def test_a_number_keeps_nine_digits(read):
    (record,) = read(b'{"event": "send", "time": 1700000000.123456789}\n').records
    assert record.time == 1_700_000_000_123_456_789


# -------------------------------------------------------------------------------------------------- what is wrong

GOOD = {"event": "send"}
WRONG = {
    '{"event": "send" "x": 1}': "not JSON (the first is line 2, column 18: expecting ',' delimiter)",
    '{"event": "send", "event": "send"}': 'not JSON (the first is line 2: the key "event" stands there twice)',
    '{"event": "send", "time": NaN}': "not JSON (the first is line 2: NaN is not a number in JSON)",
    '{"time": ' + "9" * 50 + "}": "not JSON (the first is line 2: the number 999999999999... has 50 digits)",
    "[" * 5000: "not JSON (the first is line 2: lists and objects are nested too deeply)",
    "[]": "not an event (the first is line 2: an event is an object in braces, not [])",
    '"' + "x" * 70000 + '"': "a line too long (the first is line 2: more than 65536 octets)",
    "{}": 'no event (the first is line 2: "event" is missing; it is one of send, receive, packet, state, call, timer, '
    "notice, signal)",
    '{"event": "snd"}': 'unknown event (the first is line 2, column 2: "snd" is not one of send, receive, packet, '
    "state, call, timer, notice, signal)",
    '{"event": 3}': 'bad value (the first is line 2, column 2: "event" is a text, not 3)',
    '{"event": "packet"}': 'no direction (the first is line 2: "src" and "dst" are missing, so nobody knows who sent '
    "this)",
    '{"event": "state"}': 'bad value (the first is line 2, column 2: "state" is missing)',
    '{"event": "call"}': 'bad value (the first is line 2, column 2: "call" is missing: it says which call)',
    '{"event": "send", "segmnt": {}}': 'unknown key (the first is line 2, column 19: "segmnt" is no key of an event; '
    'did you mean "segment"?)',
    '{"event": "send", "segment": []}': 'bad value (the first is line 2, column 19: "segment" is an object, not [])',
    '{"event": "send", "segment": {"fags": 1}}': 'unknown key (the first is line 2, column 31: "fags" is no key of a '
    'segment; did you mean "flags"?)',
    '{"event": "send", "segment": {"seq": -1}}': 'bad value (the first is line 2, column 31: "seq" is from 0 to '
    "4294967295, not -1)",
    '{"event": "send", "segment": {"seq": 4294967296}}': 'bad value (the first is line 2, column 31: "seq" is from 0 '
    "to 4294967295, not 4294967296)",
    '{"event": "send", "segment": {"seq": 1.0}}': 'bad value (the first is line 2, column 31: "seq" is a whole number, '
    "not 1.0)",
    '{"event": "send", "segment": {"len": true}}': 'bad value (the first is line 2, column 31: "len" is a whole '
    "number, not true)",
    '{"event": "send", "segment": {"len": 1, "length": 2}}': 'bad value (the first is line 2, column 41: "length" '
    "says 2, and another key of the same meaning 1)",
    '{"event": "send", "segment": {"flags": "SIN"}}': 'bad value (the first is line 2, column 31: "SIN" is not one of '
    "the flags FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE)",
    '{"event": "send", "segment": {"flags": 2}}': 'bad value (the first is line 2, column 31: "flags" is a list of '
    "names, not 2)",
    '{"event": "send", "segment": {"options": 2}}': 'bad value (the first is line 2, column 31: "options" is an '
    "object, not 2)",
    '{"event": "send", "segment": {"options": {"ts": 2}}}': 'bad value (the first is line 2, column 43: "ts" is a '
    "list of two numbers, not 2)",
    '{"event": "send", "segment": {"relative": 1}}': 'bad value (the first is line 2, column 31: "relative" is true '
    "or false, not 1)",
    '{"event": "send", "time": "noon"}': 'bad value (the first is line 2, column 19: "time" is a number of seconds or '
    'a date as in RFC 3339, not "noon")',
    '{"event": "call", "call": "X", "args": 2}': 'bad value (the first is line 2, column 32: "args" is an object or a '
    "list, not 2)",
    '{"event": "send", "host": "' + "x" * 4097 + '"}': 'bad value (the first is line 2, column 19: "host" is longer '
    "than 4096 characters)",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:50])
def test_a_line_that_cannot_be_used(read, text):
    reading = read(lines(GOOD, text, GOOD, text))
    if text.startswith("{"):
        assert reading.error.where.startswith("line 2")
        assert reading.error.message.startswith("this event cannot be used: ")
        assert reading.error.message.endswith(" (1 more such line)")
    else:
        assert reading.error is None, "somebody else's words"
    assert len(reading.records) == 2
    assert reading.skipped == {WRONG[text]: 2}
    alone = read(lines('{"event": "what"}', text))
    assert alone.records == []
    assert alone.error.where.startswith("line 1, column 2")


def test_keys_of_ones_own(read):
    reading = read(lines({"event": "send", "pid": 3, "thread": {"a": [None]}, "comment": "x"}))
    assert len(reading.records) == 1
    assert not reading.skipped


# ----------------------------------------------------------------------------------------------------------- the schema


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether ``value`` is what ``schema`` says. Knows as much of JSON Schema as ours uses."""
    kinds = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool}
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    known = {"$schema", "$defs", "title", "description", "type", "required", "properties", "additionalProperties"}
    assert set(schema) <= known | {"enum", "items", "minimum", "maximum", "maxLength"}
    wanted = schema.get("type", [])
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    right = [
        (kind == "integer" and number and isinstance(value, int))
        or (kind == "number" and number)
        or (kind in kinds and isinstance(value, kinds[kind]))
        for kind in ([wanted] if isinstance(wanted, str) else wanted)
    ]
    if (right and not any(right)) or ("enum" in schema and value not in schema["enum"]):
        return False
    if number:
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    if isinstance(value, str):
        return len(value) <= schema.get("maxLength", len(value))
    if isinstance(value, list):
        return all(fits(item, schema.get("items", {})) for item in value)
    if isinstance(value, dict):
        rest = schema.get("additionalProperties", {})
        rest = {} if rest is True else rest
        properties = schema.get("properties", {})
        return all(key in value for key in schema.get("required", ())) and all(
            fits(item, properties.get(key, rest)) for key, item in value.items()
        )
    return True


# What no schema of ours says: JSON itself, the names of flags, dates, misspelt keys, and which keys an event needs.
BEYOND = ("not JSON", "too long", "unknown key", "no direction", "is missing", "flags FIN", "RFC 3339", "same meaning")


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:50])
def test_the_schema_refuses_it_too(text):
    if not any(word in WRONG[text] for word in BEYOND) or text == "{}":
        assert not fits(json.loads(text), SCHEMA)


def test_the_schema_takes_what_the_reader_takes(read):
    for event, _ in ENDS:
        assert fits(event, SCHEMA)
    example = (ROOT / "docs" / "json-lines.md").read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    assert len(read(example.encode()).records) == 4
    assert all(fits(json.loads(text), SCHEMA) for text in example.splitlines())


# ----------------------------------------------------------------------------------------------------------- converting


def converted(path: Path) -> tuple[list[Any], bytes]:
    """The records of a file, numbered as lines, and the file as JSON Lines."""
    trace = open_trace(str(path))
    records: list[Any] = []
    text: list[str] = []
    try:
        for record in trace.records():
            text.append(line(record, trace))
            if not isinstance(record, Packet) and not record.source:
                record = record._replace(source="" if trace.source == "rfc-states" else trace.source)
            records.append(record._replace(number=len(text)))
    except TraceError:
        pass
    return records, lines(*text)


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_is_read_again(read, name):
    try:
        records, data = converted(SAMPLES / name)
    except TraceError:
        pytest.skip("not a trace")
    if not records:
        pytest.skip("no records")
    assert read(data).records == records
    for text in data.decode().splitlines()[:300]:
        assert fits(json.loads(text), SCHEMA)


NAME = st.text(min_size=1, max_size=20)
TIME = st.one_of(st.none(), st.integers(-(10**20), 10**20))
PACKETS = st.builds(
    lambda time, protocol, ends, flags, fields, at: Packet(
        1, time, protocol, *ends, (flags or 0) if protocol == "udp" else flags, fields, ("", *ends)[at]
    ),
    TIME,
    st.sampled_from(["tcp", "udp"]),
    st.tuples(NAME, NAME).filter(lambda pair: pair[0] != pair[1]),
    st.one_of(st.none(), st.integers(0, sum(FLAG_BITS.values()))),
    st.dictionaries(st.sampled_from(sorted(FIELD_KEYS)), st.integers(0, 0xFFFFFFFF)),
    st.sampled_from([0, 1, 2]),
)
STATES = st.builds(StateRecord, st.just(1), TIME, NAME.map(str.lower), NAME, NAME, NAME, st.just("") | NAME, NAME, NAME)
EVENTS = st.builds(
    Event,
    *(st.just(1), TIME, st.sampled_from(PROTOCOLS), NAME, NAME, NAME),
    st.sampled_from(["call", "timer", "notice", "signal"]),
    *(NAME, st.dictionaries(NAME, st.integers(-5, 2**63) | NAME, max_size=5), st.just("") | NAME),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=st.one_of(PACKETS, STATES, EVENTS))
def test_any_record_is_read_again(read, record):
    trace = read(lines(GOOD)).trace
    if not isinstance(record, Packet) and record.source == "rfc-states":
        return
    assert read(lines(line(record, trace))).records == [record]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "ts", "mss"]), inner, max_size=3),
    max_leaves=6,
)
ANY_EVENTS = st.dictionaries(
    st.sampled_from([*SCHEMA["properties"], "segmnt", "own"]),
    JSON_VALUES | st.sampled_from(SCHEMA["properties"]["event"]["enum"]),
    max_size=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(ANY_EVENTS, min_size=1, max_size=4), cut=st.integers(0, 400), piece=st.integers(1, 90))
def test_any_events(read, events, cut, piece):
    data = lines(*events)[cut:] or b"{"
    whole, pieces = read(data), read(data, piece=piece)
    assert (whole.records, str(whole.error)) == (pieces.records, str(pieces.error))


def test_headings(tmp_path, read):
    first, second = open_trace(str(SAMPLES / FILES[0])), read(lines(GOOD)).trace
    path = tmp_path / "x.jsonl"
    nothing = {"event": "trace", "name": "nothing"}
    path.write_bytes(lines(heading(first), GOOD, GOOD, nothing, heading(second), {"event": "receive"}))
    found = []
    for trace in open_traces(str(path)):
        try:
            found.append((trace.path, [record.number for record in trace.records()]))
        except TraceError as error:
            found.append((trace.path, str(error)))
    assert found == [
        (f"{path} ({first.path})", [2, 3]),
        (f"{path} (nothing)", f"{path} (nothing): no event could be read; no line holds anything"),
        (f"{path} (test)", [6]),
    ]


def command(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tcpmodel", *arguments], capture_output=True, text=True, check=False, **more
    )


def verdicts(*paths: Path) -> list[tuple[Any, ...]]:
    done = command("check", "--output-format", "json", *map(str, paths))
    document = json.loads(done.stdout)
    return [
        (
            *(one[key] for key in ("a", "b", "verdict", "reasons", "a_states", "b_states", "packets")),
            *((item["code"], words(item["message"]), item["states"], item["timestamp"]) for item in one["diagnostics"]),
        )
        for one in document["connections"]
    ]


def words(message: str) -> list[str]:
    """What a message says without the numbers of packets, which are lines in another file."""
    return ["some" if word.isdigit() else {"line": "packet"}.get(word, word) for word in message.split()]


def test_the_command(tmp_path):
    paths = [
        SAMPLES / "planted/m04-data-after-fin.pcap",
        SAMPLES / "logs/lab/rst-abort-client/ftrace.txt",
        SAMPLES / "lab/udp-unreach.client.pcap",
        SAMPLES / "logs/lab/rst-abort-client/tcpdump_text_server.txt",
    ]
    out = tmp_path / "all.jsonl"
    done = command("convert", *map(str, paths), "-o", str(out))
    assert (done.returncode, done.stdout) == (0, "")
    assert "udp-unreach.client.pcap: 9 left out (7 ICMPv6, 2 ARP)" in done.stderr
    expected = verdicts(*paths)
    assert [one[2] for one in expected] == ["violates", *["conforms"] * 3]
    assert verdicts(out) == expected


def test_the_command_and_inputs_that_cannot_be_read(tmp_path):
    good, cut = SAMPLES / "lab/udp-unreach.client.pcap", tmp_path / "cut.pcap"
    cut.write_bytes(good.read_bytes()[:-3])
    done = command("convert", "-q", str(tmp_path / "none"), str(cut), str(good))
    assert done.returncode == 2
    assert "cannot be opened" in done.stderr
    assert "cut.pcap: byte offset" in done.stderr
    assert done.stdout.count('"event":"trace"') == 2
    assert done.stdout.count('"event":"packet"') == 7
    same = tmp_path / "same.pcap"
    same.write_bytes(good.read_bytes())
    done = command("convert", str(same), "-o", str(same))
    assert (done.returncode, same.read_bytes()) == (2, good.read_bytes())
    assert "is one of the inputs" in done.stderr


def test_what_is_said_of_a_capture_as_a_whole(read):
    told = '{"event": "circumstance", "code": "CAP-013", "words": "packets within GRE", "count": 3}'
    again = '{"event": "circumstance", "code": "CAP-013", "words": "packets within GRE"}'
    reading = read(lines('{"event": "packet", "src": "a:1"}', told, again))
    assert len(reading.records) == 1 and not reading.skipped
    assert reading.trace.circumstances.met == {("CAP-013", "packets within GRE"): (4, 2)}


@pytest.mark.parametrize("keys", ['"words": "x"', '"code": "CAP-001", "words": "x"', '"code": "CAP-013"', '"count": 0'])
def test_what_says_nothing_of_a_capture(read, keys):
    full = "" if "code" in keys or "words" in keys else '"code": "CAP-013", "words": "x", '
    reading = read(lines('{"event": "packet", "src": "a:1"}', '{"event": "circumstance", ' + full + keys + "}"))
    assert not reading.trace.circumstances.met and len(reading.skipped) == 1
