"""What tshark writes as JSON: the packets are those of the capture, whatever the form, and what is broken is named."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpmodel.traces.open import open_trace
from tcpmodel.traces.own.json_stream import Broken, Unfinished, objects
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import ERRORS, Packet

OF_OCTETS = ["mixed.json-x.gz", "mixed.ek-x.gz", "mixed.jsonraw.gz"]
OF_FIELDS = ["mixed.json.gz", "mixed.json-merged.gz", "mixed.ek.gz"]
NOT_WHOLE = 19, 20, 21  # the length of the header or of the packet is wrong: tshark does not judge, or show, all of it


def packets(path) -> dict[int, Packet]:
    return of(open_trace(str(path)))


def of(trace: Trace) -> dict[int, Packet]:
    return {each.number: each for each in trace.records() if isinstance(each, Packet)}


@pytest.mark.parametrize("name", [*OF_OCTETS, *OF_FIELDS])
def test_the_packets_are_those_of_the_capture(samples, name):
    """Tunnels, quotes of ICMP, pieces, broken headers, options: each kind once."""
    folder = samples / "tshark"
    trace, capture = open_trace(str(folder / name)), open_trace(str(folder / "mixed.pcap"))
    found, wanted = of(trace), of(capture)
    assert found.keys() == wanted.keys()
    assert len(found) == 25
    assert sum(packet.protocol == ERRORS for packet in found.values()) == 2
    assert sum("fragments" in packet.fields for packet in found.values()) == 1
    for number, packet in found.items():
        original = wanted[number]
        if name == "mixed.jsonraw.gz":
            original = original._replace(time=None)
        if name in OF_FIELDS and number in NOT_WHOLE:
            assert packet.fields.items() <= original.fields.items()
        else:
            assert packet == original
    # Fields show a length that tshark worked out, bare octets of layers no tags.
    unseen = "without a length" if name in OF_FIELDS else "VLAN tag" if name == "mixed.jsonraw.gz" else "nothing"
    met = {what: times for what, times in capture.circumstances.met.items() if unseen not in what[1]}
    assert trace.circumstances.met == met
    if name in OF_OCTETS:
        assert trace.skipped.reasons == capture.skipped.reasons


@pytest.mark.parametrize(
    ("name", "capture"),
    [
        ("m21-bad-tcp-checksum.json.gz", "planted/m21-bad-tcp-checksum.pcap"),
        ("m04-data-after-fin.ek.gz", "planted/m04-data-after-fin.pcap"),
    ],
)
def test_checksums_and_options_are_there_too(samples, name, capture):
    assert packets(samples / "tshark" / name) == packets(samples / capture)


@pytest.mark.parametrize("name", ["normal-client-close.relative.ek", "normal-client-close.relative.json.gz"])
def test_without_numbers_as_sent(samples, name):
    """Columns that were asked for by name, and layers of a Wireshark that shows only its sums."""
    found = packets(samples / "tshark" / name)
    original = packets(samples / "lab" / "normal-client-close.client.pcap")
    assert found.keys() == original.keys()
    first = {packet.source: packet.fields["seq"] for packet in reversed(original.values())}
    for number, packet in found.items():
        sent = original[number]
        assert packet.fields["seq"] == (sent.fields["seq"] - first[packet.source]) % (1 << 32)
        assert packet.flags == sent.flags
        others = {key: value for key, value in packet.fields.items() if key not in ("seq", "ack")}
        assert others.items() <= sent.fields.items()


def test_pieces_that_are_never_put_together_are_counted(read):
    piece = (
        '{"_index": "packets", "_source": {"layers": {"ip": {"ip.src": "10.0.0.1", "ip.dst": "10.0.0.2", "ip.id": "7", '
        '"ip.flags_tree": {"ip.flags.mf": "1"}, "ip.frag_offset": "0"}, "data": {"data.len": "8"}}}}'
    )
    reading = read(f"{piece}\n{piece}\n".encode())
    assert reading.records == []
    assert reading.skipped == {"IPv4 fragment": 2}
    assert sum(count for count, _ in reading.trace.circumstances.met.values()) == 2


def test_a_cooked_frame_says_who_sent_it(read):
    for kind, outgoing in (("4", 1), ("0", 0), ("1", None)):
        sent = layers().replace('"ip": {', f'"sll": {{"sll.pkttype": "{kind}"}}, "ip": {{', 1)
        assert read(sent.encode()).records[0].fields.get("outgoing") == outgoing


def layers(**more: str) -> str:
    tcp = {"tcp.srcport": "1", "tcp.dstport": "2", "tcp.flags": "0x2", "tcp.seq_raw": "5"} | more
    inner = ", ".join(f'"{key}": "{value}"' for key, value in tcp.items())
    return (
        '{"_index": "packets", "_source": {"layers": {"ip": {"ip.src": "10.0.0.1", "ip.dst": "10.0.0.2"}, '
        f'"tcp": {{{inner}}}}}}}}}'
    )


@pytest.mark.parametrize(
    "text",
    [
        f"[\n  {layers()},\n  {layers()}\n]\n",
        f"[{layers()},{layers()}]",
        f"{layers()}\n{layers()}\n",
        f"[{layers()}]\n[{layers()}]",
    ],
)
def test_lists_lines_and_files_one_behind_the_other(read, text):
    reading = read(text.encode())
    assert [record.number for record in reading.records] == [1, 2]
    assert reading.error is None
    assert reading.records[0].fields["seq"] == 5


def test_no_packets_at_all(read):
    reading = read(b"[\n\n\n]\n")
    assert reading.error is None
    assert reading.records == []


def test_an_object_that_is_broken_is_named_and_the_others_are_read(read):
    broken = layers().replace('"tcp"', 'oops "tcp"')
    reading = read(f"[\n  {layers()},\n  {broken},\n  {layers()}\n]\n".encode())
    assert len(reading.records) == 2
    (reason,) = reading.skipped
    assert reason.startswith(f"not JSON (the first is line 3, column {broken.index('oops') + 3}")


def test_nothing_but_broken_ones(read):
    error = read(b'{"_index": oops}\n').error
    assert error is not None
    assert "line 1, column 12" in str(error)


@pytest.mark.parametrize("end", [150, 100, 60])
def test_input_that_ends_early(read, end):
    reading = read(f"[\n  {layers()},\n  {layers()[:end]}".encode())
    assert len(reading.records) == 1
    assert "line 3" in str(reading.error)
    assert "ends within" in str(reading.error)


def test_a_list_without_an_end(read):
    reading = read(f"[\n  {layers()}\n".encode())
    assert len(reading.records) == 1
    assert "no end" in str(reading.error)


@pytest.mark.parametrize(
    ("object_", "reason"),
    [
        ('{"a": ' + "[" * 100_000 + "}", "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "more than 160 digits"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": "' + "x" * 3000 + '"}', "more than 2000 characters"),
        ("17", "an object in braces"),
    ],
)
def test_hostile_objects(object_, reason):
    data = f'{object_}\n{{"b": 1}}\n'.encode()
    pieces = iter([data[at : at + 50] for at in range(0, len(data), 50)])
    first, second = objects(lambda: next(pieces, b""), longest=2000 if "characters" in reason else 1 << 24)
    assert isinstance(first[1], Broken)
    assert reason in first[1].message
    assert second == (2, [("b", 1)])


def test_what_has_no_end_takes_bounded_memory():
    sizes = []

    def endless():
        sizes.append(1)
        return b"x" * 1000 if len(sizes) > 1 else b'{"a": "'

    def until_stopped():
        return endless() if len(sizes) < 100 else b""

    (found,) = objects(until_stopped, longest=5000)
    assert isinstance(found[1], Broken)
    assert len(sizes) == 100


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_is_survived_and_pieces_make_no_difference(read, samples, data):
    name = data.draw(st.sampled_from([*OF_OCTETS, *OF_FIELDS]))
    whole = gzip.decompress((samples / "tshark" / name).read_bytes())
    begin = data.draw(st.integers(0, 8000))
    whole = whole[:300] + whole[begin : begin + 9000]
    at = data.draw(st.integers(0, len(whole)))
    inserted = data.draw(
        st.one_of(st.binary(max_size=12), st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\n{", b"null"]))
    )
    spoiled = whole[:at] + inserted + whole[at + data.draw(st.integers(0, 12)) :]
    first, second = read(spoiled), read(spoiled, piece=data.draw(st.integers(20, 3000)))
    assert first.records == second.records
    assert str(first.error) == str(second.error)
    if first.trace is not None:
        assert first.skipped == second.skipped


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]",:\\ \n1aN', max_size=60), st.integers(1, 9))
def test_objects_do_not_depend_on_pieces(text, piece):
    def outcome(size: int):
        data = text.encode()
        parts = iter([data[at : at + size] for at in range(0, len(data), size)])
        found = []
        try:
            found.extend(objects(lambda: next(parts, b""), longest=40))
        except Unfinished as error:
            found.append((error.where, error.message))
        return found

    assert outcome(piece) == outcome(1000)
