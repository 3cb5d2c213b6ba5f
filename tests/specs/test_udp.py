"""Every row of the model of UDP: what a socket does, what its user is told, and what a capture is judged by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpmodel.analysis.verify import verify
from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS, VIOLATES
from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Send, Spec
from tcpmodel.semantics.stepping import Step, Stepper
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import Packet, Skipped, StateRecord

ECONNREFUSED = "error: connection refused (ECONNREFUSED)"
EMSGSIZE = "error: the message is too long for one datagram (EMSGSIZE)"
EPIPE = "error: sending was shut down (EPIPE)"
EAGAIN = "nothing yet: wait, or come again (EAGAIN)"
WHOLE = "one whole datagram and its source"
CUT = "the first octets of one datagram and its source; the rest is lost"
SENT = "sent: the octets that were asked for"
ANSWER = "ICMP <CTL=UNREACHABLE>"

Given = dict[str, int | str | None]


@pytest.fixture(scope="module")
def udp() -> Spec:
    return load_spec("udp")


def step(spec: Spec, state: str, let: Given, event: str, profiles: str = "") -> Step:
    """The one outcome of an event."""
    stepper = Stepper(spec, profiles.split())
    (outcome,) = stepper.step(state, stepper.values(state, let), event).outcomes
    assert outcome.covered
    return outcome


# state, variables, event, profiles -> rule, state after, message sent, signal, variables after
ROWS: dict[str, tuple[str, Given, str, str, str, str, str, str, Given]] = {
    "U-01": ("CLOSED", {}, "SOCKET", "", "U-01", "UNBOUND", "", "a socket", {"QUEUE": 0, "PENDING": "none"}),
    "U-02": ("UNBOUND", {}, "BIND", "", "U-02", "BOUND", "", "the port", {"named": "yes"}),
    "U-02 taken": ("UNBOUND", {"taken": "yes"}, "BIND", "", "U-02t", "UNBOUND", "",
                   "error: the port is taken (EADDRINUSE)", {}),
    "U-02 port 0": ("UNBOUND", {"port": "zero", "taken": "yes"}, "BIND", "", "U-02z", "BOUND", "", "a free port",
                    {"named": "no"}),
    "U-03": ("UNBOUND", {"ASKED": 100}, "SENDTO", "", "U-03", "BOUND", "DGM <LENGTH=108>", SENT, {"named": "no"}),
    "U-03 port 0": ("UNBOUND", {"ASKED": 100, "port": "zero"}, "SENDTO", "", "U-09z", "UNBOUND", "",
                    "error: no such destination port (EINVAL)", {}),
    "U-04 sends nothing": ("UNBOUND", {}, "CONNECT", "", "U-04", "CONNECTED", "", "the peer is fixed", {"named": "no"}),
    "U-05 keeps the queue": ("BOUND", {"QUEUE": 3, "FRONT": 7}, "CONNECT", "", "U-05", "CONNECTED", "",
                             "the peer is fixed", {"QUEUE": 3, "FRONT": 7}),
    "U-06": ("CONNECTED", {"QUEUE": 2}, "CONNECT", "", "U-06", "CONNECTED", "", "the peer is fixed", {"QUEUE": 2}),
    "U-07": ("CONNECTED", {"named": "yes"}, "DISCONNECT", "", "U-07", "BOUND", "", "", {}),
    "U-07 port not named": ("CONNECTED", {"named": "no"}, "DISCONNECT", "", "U-07a", "UNBOUND", "", "", {}),
    "U-07 keeps the error": ("CONNECTED", {"PENDING": "refused"}, "DISCONNECT", "", "U-07", "BOUND", "", "",
                             {"PENDING": "refused"}),
    "U-08": ("UNBOUND", {}, "SEND", "", "U-08", "UNBOUND", "", "error: no destination (EDESTADDRREQ)", {}),
    "U-08 bound": ("BOUND", {}, "SEND", "", "U-08", "BOUND", "", "error: no destination (EDESTADDRREQ)", {}),
    "U-09": ("BOUND", {"ASKED": 512}, "SENDTO", "", "U-09", "BOUND", "DGM <LENGTH=520>", SENT, {}),
    "U-09 empty": ("BOUND", {"ASKED": 0}, "SENDTO", "", "U-09", "BOUND", "DGM <LENGTH=8>", SENT, {}),
    "U-09 longest": ("BOUND", {"ASKED": 65507}, "SENDTO", "", "U-09", "BOUND", "DGM <LENGTH=65515>", SENT, {}),
    "U-09 too long": ("BOUND", {"ASKED": 65508}, "SENDTO", "", "U-09m", "BOUND", "", EMSGSIZE, {}),
    "U-09 longest over IPv6": ("BOUND", {"ASKED": 65527, "family": "ipv6"}, "SENDTO", "", "U-09", "BOUND",
                               "DGM <LENGTH=65535>", SENT, {}),
    "U-09 too long over IPv6": ("BOUND", {"ASKED": 65528, "family": "ipv6"}, "SENDTO", "", "U-09m", "BOUND", "",
                                EMSGSIZE, {}),
    "U-09 jumbogram": ("BOUND", {"ASKED": 65528, "family": "ipv6"}, "SENDTO", "jumbograms", "U-09", "BOUND",
                       "DGM <LENGTH=0>", SENT, {}),
    "U-09 port 0": ("BOUND", {"port": "zero"}, "SENDTO", "", "U-09z", "BOUND", "",
                    "error: no such destination port (EINVAL)", {}),
    "U-10": ("CONNECTED", {"ASKED": 1}, "SEND", "", "U-10", "CONNECTED", "DGM <LENGTH=9>", SENT, {}),
    "U-10 to another": ("CONNECTED", {"ASKED": 1}, "SENDTO", "", "U-10t", "CONNECTED", "DGM <LENGTH=9>", SENT, {}),
    "U-10 too long": ("CONNECTED", {"ASKED": 65508}, "SEND", "", "U-10m", "CONNECTED", "", EMSGSIZE, {}),
    "U-11 send": ("CONNECTED", {"PENDING": "refused", "ASKED": 1}, "SEND", "", "U-11", "CONNECTED", "", ECONNREFUSED,
                  {"PENDING": "none"}),
    "U-11 sendto": ("CONNECTED", {"PENDING": "refused", "ASKED": 1}, "SENDTO", "", "U-11t", "CONNECTED", "",
                    ECONNREFUSED, {"PENDING": "none"}),
    "U-11 receive": ("CONNECTED", {"PENDING": "refused", "QUEUE": 1}, "RECEIVE", "", "U-11r", "CONNECTED", "",
                     ECONNREFUSED, {"PENDING": "none", "QUEUE": 1}),
    "U-11 after disconnect": ("BOUND", {"PENDING": "refused"}, "RECEIVE", "", "U-11r", "BOUND", "", ECONNREFUSED,
                              {"PENDING": "none"}),
    "U-12": ("BOUND", {}, "<LENGTH=108><ORIGIN=stranger>", "", "U-12", "BOUND", "", "", {"QUEUE": 1, "FRONT": 100}),
    "U-12 behind another": ("BOUND", {"QUEUE": 1, "FRONT": 5}, "<LENGTH=108>", "", "U-12", "BOUND", "", "",
                            {"QUEUE": 2, "FRONT": 5}),
    "U-12 no room": ("BOUND", {"QUEUE": 9, "buffer": "full"}, "<LENGTH=108>", "", "U-12f", "BOUND", "", "",
                     {"QUEUE": 9}),
    "U-13": ("CONNECTED", {}, "<LENGTH=9><ORIGIN=peer>", "", "U-13", "CONNECTED", "", "", {"QUEUE": 1, "FRONT": 1}),
    "U-13 no room": ("CONNECTED", {"buffer": "full"}, "<LENGTH=9>", "", "U-13f", "CONNECTED", "", "", {"QUEUE": 0}),
    "U-14": ("CONNECTED", {}, "<LENGTH=9><ORIGIN=stranger>", "", "U-14", "CONNECTED", ANSWER, "", {"QUEUE": 0}),
    "U-14 group": ("CONNECTED", {}, "<LENGTH=9><ORIGIN=stranger><TO-GROUP=1>", "", "U-14g", "CONNECTED", "", "",
                   {"QUEUE": 0}),
    "U-15": ("CLOSED", {}, "<LENGTH=9>", "", "U-15", "CLOSED", ANSWER, "", {}),
    "U-15 no port": ("UNBOUND", {}, "<LENGTH=9>", "", "U-15", "UNBOUND", ANSWER, "", {}),
    "U-15 group": ("CLOSED", {}, "<LENGTH=9><TO-GROUP=1>", "", "U-15g", "CLOSED", "", "", {}),
    "U-16": ("BOUND", {}, "notice PORT-UNREACHABLE", "", "U-16", "BOUND", "", "", {"PENDING": "none"}),
    "U-16 error queue": ("BOUND", {}, "notice PORT-UNREACHABLE", "error-queue", "U-16q", "BOUND", "",
                         "in the error queue: not reachable", {"PENDING": "none"}),
    "U-17": ("CONNECTED", {}, "notice PORT-UNREACHABLE", "", "U-17", "CONNECTED", "", "", {"PENDING": "refused"}),
    "U-17 foreign quote": ("CONNECTED", {"quote": "other"}, "notice PORT-UNREACHABLE", "",
                           "U-17f", "CONNECTED", "", "", {"PENDING": "none"}),
    "U-18": ("CONNECTED", {}, "notice SOFT-ERROR", "", "U-18", "CONNECTED", "", "", {"PENDING": "none"}),
    "U-19 whole": ("BOUND", {"QUEUE": 2, "FRONT": 100, "SPACE": 100}, "RECEIVE", "", "U-19", "BOUND", "", WHOLE,
                   {"QUEUE": 1}),
    "U-19 cut": ("CONNECTED", {"QUEUE": 2, "FRONT": 101, "SPACE": 100}, "RECEIVE", "", "U-19", "CONNECTED", "", CUT,
                 {"QUEUE": 1}),
    "U-19 empty datagram": ("BOUND", {"QUEUE": 1, "FRONT": 0, "SPACE": 0}, "RECEIVE", "", "U-19", "BOUND", "", WHOLE,
                            {"QUEUE": 0}),
    "U-20": ("BOUND", {}, "RECEIVE", "", "U-20", "BOUND", "", EAGAIN, {}),
    "U-20 no port": ("UNBOUND", {}, "RECEIVE", "", "U-20", "UNBOUND", "", EAGAIN, {}),
    "U-21": ("CONNECTED", {}, "SHUTDOWN", "", "U-21", "CONNECTED", "", "done", {"shut": "yes"}),
    "U-21 then send": ("CONNECTED", {"shut": "yes"}, "SEND", "", "U-21s", "CONNECTED", "", EPIPE, {}),
    "U-21 then sendto": ("CONNECTED", {"shut": "yes"}, "SENDTO", "", "U-21t", "CONNECTED", "", EPIPE, {}),
    "U-21 no peer": ("BOUND", {}, "SHUTDOWN", "", "U-21u", "BOUND", "", "error: not connected (ENOTCONN)", {}),
    "U-21 no port": ("UNBOUND", {}, "SHUTDOWN", "", "U-21u", "UNBOUND", "", "error: not connected (ENOTCONN)", {}),
    "U-22 unbound": ("UNBOUND", {}, "CLOSE", "", "U-22", "CLOSED", "", "", {}),
    "U-22 bound": ("BOUND", {"QUEUE": 4, "FRONT": 9}, "CLOSE", "", "U-22", "CLOSED", "", "", {"QUEUE": 0, "FRONT": 0}),
    "U-22 connected": ("CONNECTED", {"PENDING": "refused", "shut": "yes"}, "CLOSE", "", "U-22", "CLOSED", "", "",
                       {"PENDING": "none", "shut": "no"}),
    "UD-01": ("BOUND", {}, "<LENGTH=7>", "", "UD-01", "BOUND", "", "", {"QUEUE": 0}),
    "UD-01 no answer": ("CLOSED", {}, "<LENGTH=7>", "", "UD-01", "CLOSED", "", "", {}),
    "UD-02": ("BOUND", {}, "<LENGTH=20><IP-PAYLOAD=19>", "", "UD-02", "BOUND", "", "", {"QUEUE": 0}),
    "UD-03": ("BOUND", {}, "<LENGTH=20><IP-PAYLOAD=40>", "", "U-12", "BOUND", "", "", {"QUEUE": 1, "FRONT": 12}),
    "UD-04": ("BOUND", {}, "<LENGTH=0><IP=6><IP-PAYLOAD=70000>", "jumbograms", "U-12", "BOUND", "", "",
              {"QUEUE": 1, "FRONT": 69992}),
    "UD-04 elsewhere": ("BOUND", {}, "<LENGTH=0><IP=4>", "jumbograms", "UD-04", "BOUND", "", "", {"QUEUE": 0}),
    "UD-05": ("BOUND", {}, "<LENGTH=9><CHECKSUM=0><VALID=0>", "", "U-12", "BOUND", "", "", {"QUEUE": 1}),
    "UD-06": ("BOUND", {}, "<LENGTH=9><CHECKSUM=0><IP=6>", "", "UD-06", "BOUND", "", "", {"QUEUE": 0}),
    "UD-06 agreed": ("BOUND", {}, "<LENGTH=9><CHECKSUM=0><IP=6>", "zero-checksum", "U-12", "BOUND", "", "",
                     {"QUEUE": 1}),
    "UD-08": ("CONNECTED", {}, "<LENGTH=9><CHECKSUM=5><VALID=0>", "", "UD-08", "CONNECTED", "", "", {"QUEUE": 0}),
    "UD-10": ("BOUND", {}, "<LENGTH=9><FROM-PORT=0>", "", "U-12", "BOUND", "", "", {"QUEUE": 1}),
    "UD-13": ("BOUND", {}, "<LENGTH=8>", "", "U-12", "BOUND", "", "", {"QUEUE": 1, "FRONT": 0}),
    "UD-16": ("CLOSED", {}, "<LENGTH=9><FROM-GROUP=1>", "", "UD-16", "CLOSED", "", "", {}),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_row(udp: Spec, row: str) -> None:
    state, let, event, profiles, rule, after, sent, signal, variables = ROWS[row]
    outcome = step(udp, state, let, event, profiles)
    assert (outcome.rules[-1].id, outcome.next) == (rule, after)
    assert ("".join(outcome.sent), "".join(outcome.signals)) == (sent, signal)
    assert {name: outcome.variables[name] for name in variables} == variables


def test_every_row_of_the_socket_is_there() -> None:
    rows = {name.split()[0] for name in ROWS}
    assert {f"U-{number:02}" for number in range(1, 23)} <= rows


def test_every_rule_with_an_id_is_tried(udp: Spec) -> None:
    written = {rule.id for state in udp.states for rule in state.rules if rule.id.startswith("U")}
    tried = {row[4] for row in ROWS.values()}
    assert {name.partition(".")[0] for name in written} - {"UNBOUND"} == {name for name in tried if name[0] == "U"}


def test_boundaries_and_many_peers(udp: Spec) -> None:
    """Three datagrams of three lengths make three receptions; sending in between touches none of them."""
    stepper = Stepper(udp)
    state, let = "BOUND", dict[str, int | str | None](ASKED=10)
    told: list[str] = []
    for event in ["<LENGTH=8>", "<LENGTH=1480>", "SENDTO", "<LENGTH=9>", *["RECEIVE"] * 4]:
        (outcome,) = stepper.step(state, stepper.values(state, let), event).outcomes
        state, let = outcome.next, dict(outcome.variables)
        told += outcome.signals
    assert told == [SENT, WHOLE, WHOLE, WHOLE, EAGAIN]


def test_refused_is_transient(udp: Spec) -> None:
    stepper = Stepper(udp)
    state, let = "CONNECTED", dict[str, int | str | None](ASKED=10)
    seen: list[tuple[str, ...]] = []
    for event in ["SEND", "notice PORT-UNREACHABLE", "SEND", "SEND"]:
        (outcome,) = stepper.step(state, stepper.values(state, let), event).outcomes
        state, let = outcome.next, dict(outcome.variables)
        seen.append(outcome.sent + outcome.signals)
    assert seen == [("DGM <LENGTH=18>", SENT), (), (ECONNREFUSED,), ("DGM <LENGTH=18>", SENT)]


def test_only_calls_send_datagrams(udp: Spec) -> None:
    """No datagram comes from bind, connect or close, none from an arrival; each sending call sends exactly one."""
    for state in udp.states:
        for rule in state.rules:
            messages = [action.message for action in rule.actions if isinstance(action, Send)]
            if rule.event.name in {"SEND", "SENDTO"}:
                assert messages in ([], ["DGM"]), rule.id
            else:
                assert messages in ([], ["ICMP"]) and (not messages or rule.event.name == "DGM"), rule.id


@pytest.mark.parametrize("name", ["udp-echo", "udp-unreach"])
def test_captures_conform(root: Path, udp: Spec, name: str) -> None:
    report = check([str(root / "traces" / "lab" / f"{name}.client.pcap")], [udp])
    assert [each.verdict for each in report.connections] == [CONFORMS]
    found = [[each.code for each in one.diagnostics] for one in report.connections]
    assert found == [["UDP-018"] if name == "udp-unreach" else ["UDP-009", "UDP-009"]]


# What differs from an ordinary datagram -> what is found, and the verdict.
DATAGRAMS: dict[str, tuple[dict[str, int], list[str], str]] = {
    "ordinary": ({}, [], CONFORMS),
    "UD-01": ({"length": 7}, ["UDP-001"], VIOLATES),
    "UD-02": ({"length": 109}, ["UDP-002"], VIOLATES),
    "UD-03": ({"length": 100}, ["UDP-003"], CONFORMS),
    "UD-04": ({"length": 0, "ip_version": 6, "ip_payload": 70000}, [], CONFORMS),
    "UD-05": ({"checksum": 0}, ["UDP-004"], CONFORMS),
    "UD-06": ({"checksum": 0, "ip_version": 6}, ["UDP-005"], VIOLATES),
    "UD-06 of a tunnel": ({"checksum": 0, "ip_version": 6, "destination_port": 4789}, [], CONFORMS),
    "UD-08 alone": ({"checksum_ok": 0}, ["CAP-001"], CONFORMS),
    "UD-10": ({"source_port": 0}, ["UDP-007"], CONFORMS),
    "UD-11": ({"destination_port": 0}, ["UDP-008"], CONFORMS),
    "UD-13": ({"length": 8, "ip_payload": 8}, [], CONFORMS),
    "UD-16": ({"source_multicast": 1}, ["UDP-019"], VIOLATES),
    "longest over IPv6": ({"length": 65535, "ip_payload": 65535, "ip_version": 6}, [], CONFORMS),
}  # fmt: skip


@pytest.mark.parametrize("row", DATAGRAMS)
def test_datagram(udp: Spec, row: str) -> None:
    differs, codes, verdict = DATAGRAMS[row]
    ordinary = {"length": 108, "ip_payload": 108, "checksum": 4711, "checksum_ok": 1, "ip_version": 4}
    ports = {"source_port": 49152, "destination_port": 53, "source_multicast": 0}
    packet = Packet(1, 0, "udp", "10.0.0.1:49152", "10.0.0.2:53", 0, ordinary | ports | differs)
    checker = Checker([udp])
    checker.read(Records([packet]))
    (connection,) = checker.report.connections
    assert [finding.code for finding in connection.diagnostics] == codes
    assert connection.verdict == verdict


class Records(Trace):
    """Records as a trace."""

    path = "records"
    format = "records"

    def __init__(self, records: list[Packet | StateRecord]) -> None:
        self.skipped = Skipped()
        self._records = records

    def records(self) -> Iterator[Packet | StateRecord]:
        return iter(self._records)


def test_everything_is_proved(udp: Spec) -> None:
    result = verify(udp)
    assert [(s.name, c.name) for s in result.sections for c in s.checks if not c.holds] == []
