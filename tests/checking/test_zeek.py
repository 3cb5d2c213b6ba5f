"""Rows of Zeek's conn.log: what a row says came out has to follow from its own letters.

``Zeek`` below is a second account of what Zeek does with packets: whatever it writes must be accepted.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES
from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec
from tcpmodel.traces.own.json_write import line as written

LOGS = Path(__file__).parents[2] / "traces" / "logs" / "zeek"
COLUMNS = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "conn_state", "history"]
HEADER = "#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\t" + "\t".join(COLUMNS) + "\n"
WORDS = ["S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"]


def row(history: str, word: str, proto: str = "tcp", uid: str = "Cabc") -> str:
    return f"1500000000.5\t{uid}\t10.0.0.1\t1000\t10.0.0.2\t80\t{proto}\t{word}\t{history}\n"


@pytest.fixture(scope="module")
def spec():
    return load_spec("zeek")


@pytest.fixture
def judge(spec, tmp_path):
    def run(text):
        path = tmp_path / "conn.log"
        path.write_text(text)
        return check([str(path)], [spec])

    return run


GOOD = [
    ("ShADadFf", "SF", CONFORMS),
    ("ShADadfF", "SF", CONFORMS),
    ("^hADdFaf", "SF", CONFORMS),
    ("ShADadtTFfC", "SF", CONFORMS),
    ("Sr", "REJ", CONFORMS),
    ("ShADadR", "RSTO", CONFORMS),
    ("ShADadFr", "RSTR", CONFORMS),
    ("ShADadFfR", "SF", CONFORMS),
    ("S", "S0", INCONCLUSIVE),
    ("ShADad", "S1", INCONCLUSIVE),
    ("ShADadF", "S2", INCONCLUSIVE),
    ("ShADadf", "S3", INCONCLUSIVE),
    ("SR", "RSTOS0", INCONCLUSIVE),
    ("SAR", "OTH", INCONCLUSIVE),
    ("SF", "SH", INCONCLUSIVE),
    ("hf", "SHR", INCONCLUSIVE),
    ("hr", "RSTRH", INCONCLUSIVE),
    ("DadA", "OTH", INCONCLUSIVE),
    ("-", "OTH", INCONCLUSIVE),
    ("ShADaQ", "RSTR", INCONCLUSIVE),
]


@pytest.mark.parametrize(("history", "word", "verdict"), GOOD)
def test_words_that_fit(judge, history, word, verdict):
    (one,) = judge(HEADER + row(history, word)).connections
    assert one.diagnostics == ()
    if history != "ShADaQ":
        assert one.verdict == verdict
    assert (one.a, one.b, one.a_states) == ("10.0.0.1:1000", "10.0.0.2:80", (word,))


@pytest.mark.parametrize("history", [history for history, _, _ in GOOD[:18]])
def test_every_other_word_is_a_disagreement(judge, history):
    """One word fits, or two where the letters leave something open."""
    report = judge(HEADER + "".join(row(history, word) for word in WORDS))
    fitting = [one.a_states for one in report.connections if not one.diagnostics]
    assert 1 <= len(fitting) <= 2
    for one in report.connections:
        if one.diagnostics:
            (found,) = one.diagnostics
            assert one.verdict == VIOLATES
            assert found.code == "ZEEK-TRANSITION"
            assert found.cites == ("ZEEK",)
            assert set(found.states) <= set(WORDS)


COUNTED = [
    ("SF", "ShADadFf", 5, 10, 4, 20, True),
    ("SF", "ShADadFf", 4, 10, 3, 20, True),  # a FIN with text
    ("SF", "ShADadFf", 2, 10, 4, 20, False),
    ("SF", "ShADadFf", 5, 10, 0, 0, False),
    ("S0", "S", 1, 0, 9, 500, False),
    ("S0", "S", 1, 0, 2, 0, True),
    ("S1", "ShA", 2, 0, 0, 0, False),
    ("RSTRH", "r", 0, 0, 1, 0, True),
    ("OTH", "^dADa", 0, 10, 1, 20, True),
    ("RSTOS0", "R", 1, 0, 0, 0, True),  # as older releases write it
]


@pytest.mark.parametrize(("word", "history", "sent", "text", "answered", "answer", "fits"), COUNTED)
def test_columns_that_count_packets(judge, word, history, sent, text, answered, answer, fits):
    header = HEADER.rstrip("\n") + "\torig_pkts\torig_bytes\tresp_pkts\tresp_bytes\n"
    (one,) = judge(header + row(history, word).rstrip("\n") + f"\t{sent}\t{text}\t{answered}\t{answer}\n").connections
    assert (one.verdict != VIOLATES) == fits
    if not fits:
        assert one.diagnostics[0].states == ("CONTRADICTED",)


OTHER = [("udp", "Dd", "SF"), ("udp", "D", "S0"), ("udp", "^d", "SHR"), ("udp", "Cd", "SHR"), ("icmp", "-", "OTH")]


@pytest.mark.parametrize(("proto", "history", "word"), OTHER)
def test_other_protocols(judge, proto, history, word):
    (fits,) = judge(HEADER + row(history, word, proto)).connections
    (wrong,) = judge(HEADER + row(history, "S3", proto)).connections
    assert (fits.diagnostics, wrong.verdict) == ((), VIOLATES)


def test_the_sample(spec):
    (one,) = check([str(LOGS / "http-get.log")], [spec]).connections
    assert (one.verdict, one.a_states) == (CONFORMS, ("SF",))


def test_json_says_the_same(judge):
    for history, word, _ in GOOD:
        cells = row(history, word).rstrip("\n").split("\t")
        item = {name: cell for name, cell in zip(COLUMNS, cells, strict=True) if cell != "-"}
        item |= {"id.orig_p": 1000, "id.resp_p": 80, "ts": 1500000000.5, "local_orig": True}
        table, lines = judge(HEADER + row(history, word)), judge(json.dumps(item) + "\n")
        first, second = table.connections[0], lines.connections[0]
        assert (first.verdict, first.a_states, first.reasons) == (second.verdict, second.a_states, second.reasons)
        item = {key.replace(".", "_"): value for key, value in item.items()}
        assert judge(json.dumps(item) + "\n").connections[0].verdict == first.verdict


def test_converted_it_says_the_same(spec, tmp_path, judge):
    from tcpmodel.traces.open import open_trace

    text = HEADER + "".join(row(history, word, uid=f"C{n}") for n, (history, word, _) in enumerate(GOOD))
    text += row("ShADadFf", "S0")
    report = judge(text)
    trace = open_trace(str(tmp_path / "conn.log"))
    (tmp_path / "converted").write_text("".join(written(record, trace) + "\n" for record in trace.records()))
    again = check([str(tmp_path / "converted")], [spec])
    assert [(one.verdict, one.a_states) for one in again.connections] == [
        (one.verdict, one.a_states) for one in report.connections
    ]


def test_logs_of_other_things_and_bad_rows(judge):
    assert "dns.log" in judge(HEADER.replace("\tconn\n", "\tdns\n")).inputs[0].error
    assert "history" not in judge(HEADER.replace("\tconn_state", "\twhatever") + row("S", "S0")).inputs[0].error
    report = judge(HEADER + "1\t2\n" + row("S", "S0") + row("S", "NEW") + row("S", "-"))
    assert report.inputs[0].skipped == {
        "row with another number of columns than the heading (the first is line 5)": 1,
        "unknown state names": 1,
    }
    assert next(one.reasons for one in report.connections) == ("the end was not logged",)
    assert "it is not said what came out" in report.connections[1].reasons


class Zeek:
    """What Zeek keeps of a connection while packets pass."""

    def __init__(self) -> None:
        self.state = ["inactive", "inactive"]
        self.before = ["inactive", "inactive"]
        self.history = ""
        self.shown: set[tuple[int, str]] = set()
        self.size = 0

    def set(self, end: int, state: str) -> None:
        if self.state[end] != state:
            self.before[end], self.state[end] = self.state[end], state

    def packet(self, end: int, flags: str, size: int, again: bool) -> None:
        """``flags``: some of S, A, F, R; ``again``: with the same number as the last of its kind."""
        peer, ack = 1 - end, "A" in flags
        kind = next((flag for flag in "SFR" if flag in flags), "")
        letter = ("H" if ack else "S") if kind == "S" else kind or ("D" if size else "A" if ack else "")
        if letter and ((end, kind or letter) not in self.shown or (kind and not again)):
            self.history += letter if end == 0 else letter.lower()
        self.shown.add((end, kind or letter))
        self.size += size if kind != "R" else 0
        mine, other = self.state[end], self.state[peer]
        if mine == "inactive":
            self.first(end, kind, ack, size)
        elif mine in ("begun", "answered"):
            if kind in ("F", "R"):
                self.set(end, {"F": "closed", "R": "reset"}[kind])
        elif mine in ("open", "partial"):
            if kind == "S" and mine == "partial" and other == "inactive" and not ack:
                self.set(end, "begun")
            if kind == "F":
                self.set(end, "closed")
                if other == "reset" and self.before[peer] == "closed":
                    self.set(peer, "closed")
            if kind == "R":
                self.set(end, "reset")
        elif mine == "closed" and kind == "R" and other != "closed":
            self.set(end, "reset")

    def first(self, end: int, kind: str, ack: bool, size: int) -> None:
        peer = 1 - end
        if kind == "S" and end == 0:
            self.set(0, "answered" if ack else "begun")
        elif kind == "S":
            if self.state[0] == "begun":
                self.set(0, "open")
            self.set(1, "open")
        elif kind:
            self.set(end, {"F": "closed", "R": "reset"}[kind])
        elif end == 1 and not size and self.state[0] == "begun":
            pass
        elif ack and self.state[peer] == "open":
            self.set(end, "open")
        else:
            self.set(end, "partial")

    def word(self) -> str:
        a, b = self.state
        a_none, b_none = (state in ("inactive", "partial") for state in (a, b))
        if b == "reset":
            if a in ("begun", "answered") or (a == "reset" and not self.size):
                return "REJ"
            return "RSTRH" if a_none else "RSTR"
        if a == "reset":
            if not b_none:
                return "RSTO"
            sent = [letter for letter in self.history if letter.isupper()]
            bare = self.history.startswith("S") and not set(sent[: sent.index("R")]) & set("HAFGIQ")
            return "RSTOS0" if bare else "OTH"
        if a == b == "closed":
            return "SF"
        if a == "closed":
            return "SH" if b_none else "S2"
        if b == "closed":
            return "SHR" if a_none else "S3"
        if (a, b) == ("begun", "inactive"):
            return "S0"
        return "S1" if a == b == "open" else "OTH"


PACKETS = st.tuples(
    st.integers(0, 1),
    st.sampled_from(["S", "SA", "A", "A", "FA", "F", "R", "RA", ""]),
    st.integers(0, 2),
    st.booleans(),
)


def story(packets) -> tuple[str, str]:
    zeek = Zeek()
    for packet in packets:
        zeek.packet(*packet)
    return zeek.history, zeek.word()


def begins_backwards(history: str) -> bool:
    """Zeek turns such connections round, which this account of it does not."""
    return history.lstrip("Aa").startswith("H") and "s" in history


@settings(max_examples=300, deadline=None)
@given(st.lists(PACKETS, min_size=1, max_size=9))
def test_whatever_zeek_writes_is_accepted(spec, tmp_path_factory, packets):
    from tcpmodel.checking.logs.retold import Observers
    from tcpmodel.traces.logs.zeek import _events

    packets = [packet for packet in packets if packet[1] or packet[2]]
    history, word = story(packets)
    if not history or begins_backwards(history):
        return
    observers = Observers(spec) if not KNOWN else KNOWN[0]
    KNOWN[:] = [observers]
    events = tuple(("call", name) for name in ("TCP", *(name for name, _ in _events(history)), "END"))
    assert word in observers.ending(events).states


KNOWN: list = []


def test_letters_leave_little_open(spec):
    """Of the words that Zeek does not write for some letters, nearly all are told from those that it does."""
    from tcpmodel.checking.logs.retold import Observers
    from tcpmodel.traces.logs.zeek import _events

    rng = random.Random(4)
    observers = Observers(spec)
    sizes = []
    for _ in range(400):
        packets = [(rng.randrange(2), rng.choice(["S", "SA", "A", "A", "FA", "R"]), 0, True) for _ in range(7)]
        history, _ = story(packets)
        events = tuple(("call", name) for name in ("TCP", *(name for name, _ in _events(history)), "END"))
        sizes.append(len(observers.ending(events).states))
    assert max(sizes) <= 4
    assert sum(sizes) / len(sizes) < 1.6


def test_stories_without_end_do_not_fill_the_memory(spec, tmp_path, monkeypatch):
    from tcpmodel.checking.logs import retold
    from tcpmodel.checking.outcome.reports import ConnectionReports
    from tcpmodel.traces.records import Event, StateRecord

    monkeypatch.setattr(retold, "EVENTS_KEPT", 60)
    observers = retold.Observers(spec)
    source = spec.sources[0]
    reports = ConnectionReports()
    story = retold.Retold(observers, source, reports, 0)
    letters = list(spec.events)[:3]
    for number in range(500):
        end = f"10.0.0.{number % 50}:1000"
        letter = letters[number % 7 % 3]
        told = Event(number, None, "zeek", end, end, "10.0.1.1:80", letter.kind, letter.name, {}, source.name)
        assert story.event(told) == ""
        assert sum(len(each.events) for each in story._stories.values()) == story._told <= 60
        assert sum(len(events) for events in observers.endings) <= 120
    story.state(StateRecord(501, None, "zeek", end, end, "10.0.1.1:80", "", source.names[0][0], source.name))
    story.finish()
    assert sum(report.packets for report in reports) == 501
    assert story._told == 0


def test_a_story_that_is_too_long_says_so(judge, monkeypatch):
    from tcpmodel.checking.logs import retold

    monkeypatch.setattr(retold, "MOST_EVENTS", 4)
    (found,) = judge(HEADER + row("ShADadFf", "SF")).connections
    assert "more is told of it than is followed" in found.reasons
