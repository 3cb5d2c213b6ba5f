"""Endpoints that obey the spec are never accused, whatever the network and the capture do; and those that do not, are.

Connections are simulated by the reference interpreter, which shares nothing with the checker but the spec.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from simulate import ADDRESSES, Simulation, make, spoil

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.connection import Connection, NewConnection
from tcpmodel.checking.outcome.findings import VIOLATES
from tcpmodel.model.spec import Spec
from tcpmodel.traces.records import FLAG_BITS, Packet

Judge = Callable[..., Checker]
MODULUS = 2**32


def told(simulation: Simulation, packets: list[Packet], checker: Checker) -> str:
    """Everything that is needed to understand a wrong verdict."""
    lines = [f"captured at {simulation.capture_at}, {simulation.network}"]
    for connection in checker.report.connections:
        lines.append(f"{connection.id}: {connection.verdict} {connection.a_states} {connection.b_states}")
        for item in connection.diagnostics:
            lines.append(f"  {item.code} {item.endpoint} packet {item.place} {item.observed} {item.states}")
    for number, packet in enumerate(packets, 1):
        names = ",".join(name for name, bit in FLAG_BITS.items() if (packet.flags or 0) & bit)
        who = "AB"[packet.source == ADDRESSES[1]]
        shown = {key: packet.fields[key] for key in ("seq", "ack", "length")}
        lines.append(f"  {number} {who} {names} {shown}")
    return "\n".join([*lines, *simulation.story])


def accused(checker: Checker) -> bool:
    return any(connection.verdict == VIOLATES for connection in checker.report.connections)


def seeds(name: str, count: int) -> list[str]:
    return [f"{name}/{number}" for number in range(count)]


@pytest.mark.parametrize("block", range(5))
def test_nobody_is_accused(tcp: Spec, judge: Judge, block: int) -> None:
    """Loss on both sides of the capture point, copies, hidden calls and timers, ports used again with any numbers."""
    packets_seen = 0
    for seed in seeds(f"good {block}", 70):
        rng = Random(seed)
        again = {"lives": 3, "above": rng.random() < 0.5, "sees_all": True} if rng.random() < 0.3 else {}
        simulation = make(tcp, rng, **again)
        packets = simulation.run()
        packets_seen += len(packets)
        checker = judge(packets)
        assert not accused(checker), f"seed {seed}: {told(simulation, packets, checker)}"
    assert packets_seen > 300


@pytest.mark.parametrize("block", range(5))
def test_a_bad_capture_is_nobodys_fault(tcp: Spec, judge: Judge, block: int) -> None:
    """Packets dropped, doubled, swapped, moved; a late start, an early end, one direction: one or two of these."""
    spoiled = 0
    for seed in seeds(f"spoiled {block}", 60):
        rng = Random(seed)
        simulation = make(tcp, rng, crossing=False)
        packets, faults = spoil(rng, simulation.run(), rng.choice((1, 1, 1, 2)))
        spoiled += bool(faults)
        checker = judge(packets)
        assert not accused(checker), f"seed {seed}, {faults}: {told(simulation, packets, checker)}"
    assert spoiled > 30


def end(checker: Checker, packets: list[Packet], side: int) -> tuple[Connection, int]:
    """The last connection of the addresses, and which of its ends the simulated side is."""
    judge = checker._judges["tcp"]
    connection: Connection | None = None
    for number, packet in enumerate(packets, 1):
        for again in (False, True):
            if connection is None or again:
                ends = (packet.source, packet.destination)
                connection = Connection(
                    number, judge.abilities, judge.interpreter, judge.rules, *ends, False, connection
                )
            try:
                connection.observe(
                    packet._replace(number=number), [item.address for item in connection.ends].index(packet.source)
                )
            except NewConnection:
                continue
            break
    assert connection is not None
    return connection, [item.address for item in connection.ends].index(ADDRESSES[side])


RESTING = {"CLOSED", "LISTEN", "TIME-WAIT"}
"""Where an endpoint goes from one of these to another, nobody can see it."""


def among(state: str, states: set[str]) -> bool:
    return state in states or (state in RESTING and bool(states & RESTING))


@pytest.mark.parametrize("block", range(3))
def test_the_true_state_is_among_the_possible_ones(tcp: Spec, judge: Judge, block: int) -> None:
    """When everything that was sent is seen, the set that explains what was seen holds the truth at the end."""
    compared = 0
    for seed in seeds(f"truth {block}", 50):
        rng = Random(seed)
        simulation = make(tcp, rng, sees_all=True)
        packets = simulation.run()
        if not simulation.drained or len({packet.source for packet in packets}) < 2:
            continue
        checker = judge(packets)
        for side in (0, 1):
            connection, index = end(checker, packets, side)
            closed = connection.ends[index].closed()
            states = {connection.abilities.program.states[item.state] for item in closed.values()}
            compared += 1
            state = simulation.hosts[side].state
            assert among(state, states), f"seed {seed}: {state} not in {states}: {told(simulation, packets, checker)}"
    assert compared > 40


@pytest.mark.parametrize("block", range(3))
def test_the_report_names_the_true_state(tcp: Spec, judge: Judge, block: int) -> None:
    """When also nothing happens that leaves no trace, the few likely states that a report names hold the truth."""
    compared = named = 0
    for seed in seeds(f"plain {block}", 50):
        rng = Random(seed)
        simulation = make(tcp, rng, sees_all=True, plain=True)
        packets = simulation.run()
        if not simulation.drained or len({packet.source for packet in packets}) < 2:
            continue
        checker = judge(packets)
        (report,) = checker.report.connections
        for side in (0, 1):
            states = set(report.a_states if report.a == ADDRESSES[side] else report.b_states)
            compared += 1
            named += len(states)
            state = simulation.hosts[side].state
            assert among(state, states), f"seed {seed}: {state} not in {states}: {told(simulation, packets, checker)}"
    assert compared > 40
    assert named < 2.5 * compared, "naming every state would be no answer"


# ------------------------------------------------------------------------------------------------------------ planted


def established(tcp: Spec, seed: str) -> tuple[list[Packet], Simulation] | None:
    """A simulated conversation captured at A, without loss and resets; None if it came to nothing."""
    rng = Random(seed)
    simulation = make(tcp, rng, sees_all=True, plain=True, crossing=False, capture_at=0.0, steps=40)
    simulation.network.doubled = simulation.network.lost_behind = 0.0
    packets = simulation.run()
    usable = simulation.drained and not any(packet.flags and packet.flags & FLAG_BITS["RST"] for packet in packets)
    return (packets, simulation) if usable and len(packets) > 8 else None


def last_of(packets: list[Packet], side: int, before: int) -> Packet:
    return next(packet for packet in reversed(packets[:before]) if packet.source == ADDRESSES[side])


def ack_beyond(rng: Random, packets: list[Packet]) -> tuple[list[Packet], int, set[str]] | None:
    """A acknowledges a million octets more than B has sent."""
    at = rng.randrange(5, len(packets))
    packet = last_of(packets, 0, at)
    new = any(later.source == packet.source and later.fields["length"] for later in packets[at:])
    if packet.flags != FLAG_BITS["ACK"] or not new:
        return None
    fields = packet.fields | {"ack": (packet.fields["ack"] + 1_000_000) % MODULUS, "length": 0}
    return [*packets[:at], packet._replace(fields=fields), *packets[at:]], at + 1, {"TCP-ACK-001"}


def text_after_fin(rng: Random, packets: list[Packet]) -> tuple[list[Packet], int, set[str]] | None:
    """A sends ten octets more after its FIN."""
    for index, packet in enumerate(packets):
        if packet.source == ADDRESSES[0] and packet.flags == FLAG_BITS["FIN"] | FLAG_BITS["ACK"]:
            number = (packet.fields["seq"] + packet.fields["length"] + 1) % MODULUS
            fields = packet.fields | {"seq": number, "length": 10}
            late = packet._replace(flags=FLAG_BITS["ACK"], fields=fields)
            return [*packets[: index + 1], late, *packets[index + 1 :]], index + 2, {"TCP-FIN-001"}
    return None


def rubbish_flags(rng: Random, packets: list[Packet]) -> tuple[list[Packet], int, set[str]] | None:
    """A sends a segment with a set of flags that makes no sense."""
    at = rng.randrange(5, len(packets))
    packet = last_of(packets, 0, at)
    names, codes = rng.choice(
        (
            ((), {"TCP-FLG-001", "TCP-FLG-007"}),
            (("SYN", "RST"), {"TCP-FLG-004", "TCP-FIN-001"}),
            (("RST", "FIN"), {"TCP-FLG-005", "TCP-FIN-002"}),
            # Without a checksum nobody knows whether it was damaged, so it may have no name of its own.
            (("FIN",), {"TCP-FLG-006", "TCP-FLG-007", "TCP-FIN-002", "TCP-UNEXPLAINED"}),
        )
    )
    flags = sum(FLAG_BITS[name] for name in names)
    return [*packets[:at], packet._replace(flags=flags), *packets[at:]], at + 1, codes


@pytest.mark.parametrize("plant", [ack_beyond, text_after_fin, rubbish_flags], ids=lambda plant: plant.__name__)
def test_what_is_planted_is_found_where_it_is(
    tcp: Spec,
    judge: Judge,
    plant: Callable[[Random, list[Packet]], tuple[list[Packet], int, set[str]] | None],
) -> None:
    found = missed = 0
    for seed in seeds(f"plant {plant.__name__}", 60):
        rng = Random(seed)
        good = established(tcp, seed)
        planted = plant(rng, good[0]) if good is not None else None
        if good is None or planted is None:
            continue
        packets, place, wanted = planted
        checker = judge(packets)
        seen = [
            (item.code, item.place)
            for connection in checker.report.connections
            for item in connection.diagnostics
            if item.severity == "violation"
        ]
        assert {at for _, at in seen} <= {place}, f"seed {seed}, packet {place}: {told(good[1], packets, checker)}"
        assert {code for code, _ in seen} <= wanted, f"seed {seed}, packet {place}: {told(good[1], packets, checker)}"
        found += bool(seen)
        missed += not seen
        if found == 10:
            break
    # A capture that may have lost or swapped packets can excuse one now and then: endpoints of the simulation are odd.
    assert found >= 4 and missed <= found / 2, (found, missed)


def test_simulations_are_worth_something(tcp: Spec) -> None:
    """They reach every state, and every kind of segment is captured."""
    states: set[str] = set()
    kinds: set[int] = set()
    for seed in seeds("worth", 250):
        simulation = make(tcp, Random(seed))
        kinds.update(packet.flags or 0 for packet in simulation.run())
        for line in simulation.story:
            states.update(line.split()[1].split("->"))
    assert states == {state.name for state in tcp.states}
    assert len(kinds) >= 6
