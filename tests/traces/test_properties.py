"""Any bytes at all: only TraceError comes out, and how the bytes arrive makes no difference."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcpmodel.traces.addresses import ipv6_text
from tcpmodel.traces.printed.tcpdump_numbers import Numbers

COMMON = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SEEDS = [
    "zeek/tcp-syn-then-rst.pcap",
    "planted/m13-mss-option-in-data.pcap",
    "tcpdump/tcp-handshake-nano.pcap",
    "lab/udp-unreach.client.pcap",
    "tcpdump/tcp-handshake-nano-tttt.out",
    "logs/lab/refused/tcpdump_text_client.txt",
    "logs/lab/refused/ftrace.txt",
    "logs/lab/refused/tcpstates.txt",
]

PREFIXES = [
    b"",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1" + bytes(16) + b"\1\0\0\0",
    b"\x0a\x0d\x0d\x0a",
    b"\x1f\x8b\x08",
    b"IP 1.1.1.1.1 > 2.2.2.2.2: Flags [",
    b"# tracer: nop\n",
    b"  x-1 [0] ... 1.0: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP ",
    b"SKADDR OLDSTATE NEWSTATE\n",
]


def outcome(reading):
    trace = reading.trace
    error = str(reading.error) if reading.error else None
    return reading.records, error, dict(trace.skipped.reasons) if trace else None


@COMMON
@given(prefix=st.sampled_from(PREFIXES), data=st.binary(max_size=400))
def test_arbitrary_bytes(read, prefix, data):
    read(prefix + data)


@COMMON
@given(
    frames=st.lists(st.binary(max_size=120), max_size=5), link=st.sampled_from([0, 1, 9, 12, 108, 113, 228, 229, 276])
)
def test_arbitrary_frames(read, build, frames, link):
    reading = read(build.pcap(frames, link=link))
    assert reading.error is None
    assert len(reading.records) + sum(reading.skipped.values()) == len(frames)
    blocks = build.section() + build.interface(link) + b"".join(build.enhanced(frame) for frame in frames)
    again = read(blocks)
    assert again.error is None
    assert [record[2:] for record in again.records] == [record[2:] for record in reading.records]


@COMMON
@given(data=st.data())
def test_mutated_samples(read, samples, data):
    seed = bytearray((samples / data.draw(st.sampled_from(SEEDS))).read_bytes()[:3000])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(seed) - 1))
        how = data.draw(st.sampled_from(["change", "cut", "double", "insert"]))
        if how == "change":
            seed[at] = data.draw(st.integers(0, 255))
        elif how == "cut":
            del seed[at : at + data.draw(st.integers(1, 40))]
        elif how == "double":
            seed[at:at] = seed[at : at + 64]
        else:
            seed[at:at] = data.draw(st.binary(min_size=1, max_size=20))
        if not seed:
            return
    whole = read(bytes(seed))
    assert outcome(read(bytes(seed), piece=data.draw(st.integers(1, 500)))) == outcome(whole)


@pytest.mark.parametrize("name", SEEDS)
@pytest.mark.parametrize("piece", [1, 2, 3, 17, 100])
def test_pieces_give_the_same_as_the_whole(read, samples, name, piece):
    data = (samples / name).read_bytes()
    assert outcome(read(data, piece=piece)) == outcome(read(data))


@COMMON
@given(lines=st.lists(st.text(alphabet="IP6 >.:,[]()0159aFS-+\t|xtcpudlengthaskqwin", max_size=90), max_size=6))
def test_lines_that_look_a_little_like_tcpdump(read, lines):
    read(("IP 1.1.1.1.1 > 2.2.2.2.2: UDP, length 5\n" + "\n".join(lines)).encode())


@pytest.mark.parametrize(
    "line",
    [
        " " * 60_000 + "x",
        "(tos 0x0" * 8_000,
        "10:00:00.0 " + "a > b" * 12_000,
        "IP a.1 > b.2: " + "0(" * 30_000 + ")",
        "IP a > b: HBH " + "a." * 30_000,
        "IP a > b: HBH " + "(" * 30_000,
        "IP a.1 > b.2: Flags [S], options [" + "]" * 30_000,
        "x-1 [0] " * 8_000,
        "inet_sock_set_state " + " 1: " * 15_000,
        "1 a " * 15_000 + " -> x 1",
        "9" * 60_000 + "." + "9" * 100,
    ],
)
@pytest.mark.parametrize(
    "first", ["IP 1.1.1.1.1 > 2.2.2.2.2: UDP, length 5", "# tracer: nop", "SKADDR OLDSTATE NEWSTATE"]
)
def test_no_line_takes_long(read, first, line):
    begin = time.process_time()
    read(f"{first}\n{line}\n{line}\n".encode())
    assert time.process_time() - begin < 2


@given(
    address=st.one_of(
        st.binary(min_size=16, max_size=16), st.lists(st.sampled_from([0, 1]), min_size=16, max_size=16).map(bytes)
    )
)
def test_ipv6_text_is_canonical(address):
    import ipaddress

    expected = ipaddress.IPv6Address(address)
    if expected.ipv4_mapped is not None:
        assert ipv6_text(address) == f"::ffff:{expected.ipv4_mapped}"
    else:
        assert ipv6_text(address) == str(expected)


SEGMENT = st.tuples(
    st.booleans(), st.integers(0, 3000), st.integers(0, 3000), st.sampled_from([0x10, 0x18, 0x11, 0x04])
)


@given(
    bases=st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF)),
    segments=st.lists(SEGMENT, max_size=20),
    whole=st.booleans(),
)
def test_relative_numbers_are_undone(bases, segments, whole):
    """A model of the printing side: after SYN and SYN,ACK all numbers come back, printed as differences or not."""
    one, two = bases
    mask = 0xFFFFFFFF
    numbers = Numbers()
    assert numbers.absolute("a", "b", 0x02, one, None) == (one, None)
    assert numbers.absolute("b", "a", 0x12, two, one + 1 & mask) == (two, one + 1 & mask)
    # The first segment tells the two ways of printing apart: it acknowledges the SYN.
    for forth, seq, ack, flags in [(True, 1, 1, 0x10), *segments]:
        own, other = (one, two) if forth else (two, one)
        true = (own + seq & mask, other + ack & mask if flags & 0x10 else None)
        printed = (seq, ack) if not whole and flags & 0x10 else true
        assert numbers.absolute(*("ab" if forth else "ba"), flags, *printed) == true


def test_a_record_of_nothing(read, build):
    assert read(build.pcap([b""])).skipped == {"cut before the end of the link header": 1}
    assert read(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1)).records == []
