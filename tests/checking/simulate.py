"""Two endpoints that obey a spec, a bad network between them, and a capture of what passed.

Owns: the course of a simulated connection (user calls, timers, own accord), the network, where packets are captured,
and what a bad capture makes of them. Everything is drawn from one random source.
Must never hold: what an endpoint does on an event: that is the reference interpreter's.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from reference import MODULUS, Message, Reference, Rejected, Values, profile_choices

from tcpmodel.model.spec import Spec, Variable
from tcpmodel.model.types import Enum
from tcpmodel.traces.records import FLAG_BITS, Packet

ADDRESSES = ("10.0.0.1:4000", "10.0.0.2:80")
MOST_PACKETS = 60

CALLS = {
    ("call", "OPEN passive"): 2.0,
    ("call", "OPEN active"): 3.0,
    ("call", "SEND"): 3.0,
    ("call", "CLOSE"): 1.5,
    ("call", "ABORT"): 0.15,
    ("timer", "RETRANSMISSION"): 1.0,
    ("timer", "PROBE"): 0.5,
    ("timer", "KEEPALIVE"): 0.4,
    ("timer", "TIME-WAIT"): 0.3,
    ("timer", "USER"): 0.04,
    ("timer", "R2"): 0.04,
    ("notice", "HARD-ERROR"): 0.03,
}
"""Hidden events and how often each is tried."""


@dataclass
class Network:
    """``before`` and ``behind`` the capture point; delays in any unit, losses and copies as probabilities."""

    delay: float = 1.0
    jitter: float = 0.0
    lost_before: float = 0.0
    lost_behind: float = 0.0
    doubled: float = 0.0


@dataclass
class Host:
    state: str
    values: Values
    lives: int = 0


class Numbering(Reference):
    """A reference endpoint that begins each new connection ``above`` the numbers of the last one, or anywhere."""

    above = True

    def any(self, variable: Variable, values: Values, rng: Random) -> int:
        old = values["SND.NXT"]
        if not old or not self.above:
            return super().any(variable, values, rng)
        return (old + rng.choice((1, 2, 1000, 1 << 20, 1 << 30))) % MODULUS


@dataclass
class Simulation:
    """``capture_at``: 0 or 1 for an endpoint, 0.5 for the middle of the path.

    ``plain``: no hidden event happens that leaves no trace, except that the listener opens. ``lives``: how often each
    endpoint may open. After ``run``, ``packets`` holds the capture, and ``drained`` tells whether everything sent has
    passed it. ``above``: each new
    connection begins above the numbers of the last one, otherwise anywhere. ``crossing``: both may open
    at once.
    """

    spec: Spec
    rng: Random
    network: Network = field(default_factory=Network)
    capture_at: float = 0.5
    steps: int = 30
    plain: bool = False
    lives: int = 1
    above: bool = True
    crossing: bool = True
    profiles: tuple[str, ...] = ()
    packets: list[Packet] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reference = Numbering(self.spec, profile_choices(self.spec, self.profiles))
        self.reference.above = self.above
        self.hosts = [Host(self.spec.initial.name, self.reference.fresh()) for _ in ADDRESSES]
        # Words in a message are what the receiver makes of it, not what the sender draws: the first word is the usual.
        self._usual = {item.name: 0 for item in self.spec.messages[0].fields if isinstance(item.type, Enum)}
        self.clock = 0.0
        self.sent = 0
        self._count = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self.drained = False

    def run(self) -> list[Packet]:
        """The packets as captured."""
        if self.rng.random() < 0.9:
            self._hidden(1, ("call", "OPEN passive"))
        self._hidden(0, ("call", "OPEN active"))
        for _ in range(self.steps):
            if self._queue and self.rng.random() < 0.6:
                self._next()
            else:
                self.clock += self.rng.random()
                self._act(self.rng.randrange(2))
        while self._queue and self.sent < MOST_PACKETS:
            self._next()
        self.drained = not self._queue
        return self.packets

    # ----------------------------------------------------------------------------------------------------- network

    def _at(self, time: float, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (time, self._count, action))

    def _next(self) -> None:
        time, _, action = heapq.heappop(self._queue)
        self.clock = max(self.clock, time)
        action()

    def _emit(self, side: int, message: Message) -> None:
        self.sent += 1
        rng, network = self.rng, self.network
        copies = 2 if rng.random() < network.doubled else 1
        for _ in range(copies):
            if rng.random() < network.lost_before:
                continue
            whole = network.delay + rng.random() * network.jitter
            first = whole * (self.capture_at if side == 0 else 1 - self.capture_at)
            lost = rng.random() < network.lost_behind
            if first:
                self._at(
                    self.clock + first, lambda rest=whole - first, lost=lost: self._pass(side, message, rest, lost)
                )  # type: ignore[misc]
            else:
                self._pass(side, message, whole, lost)

    def _pass(self, side: int, message: Message, rest: float, lost: bool) -> None:
        flags = sum(FLAG_BITS[name] for name in message.flags)
        fields = {
            "seq": message.fields["SEQ"],
            "ack": message.fields["ACK"] if "ACK" in message.flags else 0,
            "length": message.fields["DATA"],
            "urgent": message.fields["UP"],
        }
        time = int(self.clock * 1e9)
        number = len(self.packets) + 1
        self.packets.append(Packet(number, time, "tcp", ADDRESSES[side], ADDRESSES[1 - side], flags, fields))
        if lost:
            return
        if rest:
            self._at(self.clock + rest, lambda: self._arrive(1 - side, message))
        else:
            self._arrive(1 - side, message)

    def _arrive(self, side: int, message: Message) -> None:
        self._step(side, ("message", message.name), message)

    # ---------------------------------------------------------------------------------------------------- endpoints

    def _act(self, side: int) -> None:
        """Something that the endpoint does without being asked by the network."""
        host, rng = self.hosts[side], self.rng
        if rng.random() < 0.1:
            host.values["RCV.WND"] = rng.choice((0, 1, 100, 65535, 65535, 1 << 20))
        own = self.reference.own(host.state)
        if own and rng.random() < 0.4:
            self._hidden(side, ("own", str(rng.choice(own))))
        else:
            self._hidden(side, rng.choices(list(CALLS), list(CALLS.values()))[0])

    def _hidden(self, side: int, event: tuple[str, str]) -> None:
        host = self.hosts[side]
        if host.state == self.spec.initial.name:
            if not event[1].startswith("OPEN") or host.lives >= self.lives:
                return
            if host.lives and self.rng.random() < 0.7:
                return
        self._step(side, event, None)

    def _step(self, side: int, event: tuple[str, str], message: Message | None) -> None:
        host = self.hosts[side]
        if self.sent >= MOST_PACKETS:
            return
        for _ in range(12):
            try:
                result = self.reference.step(host.state, host.values, event, message, self.rng)
            except Rejected:
                continue
            break
        else:
            return
        silent = message is None and not result.sent
        if silent and self.plain and event != ("call", "OPEN passive"):
            return
        if side == 1 and not self.crossing and any("SYN" in m.flags and "ACK" not in m.flags for m, _ in result.sent):
            return
        if result.rules:
            rules = ",".join(rule.id for rule in result.rules)
            self.story.append(f"{'AB'[side]} {host.state}->{result.state} {event[1]} {rules}")
        if host.state == self.spec.initial.name != result.state:
            host.lives += 1
        host.state, host.values = result.state, result.values
        for sent, _ in result.sent:
            self._emit(side, Message(sent.name, sent.flags, sent.fields | self._usual))


def make(spec: Spec, rng: Random, *, reorders: bool = False, sees_all: bool = False, **settings: object) -> Simulation:
    """A simulation drawn at random. ``reorders``: packets overtake each other; ``sees_all``: none is lost unseen."""
    network = Network(
        delay=rng.choice((0.1, 1.0, 4.0)),
        jitter=rng.choice((0.0, 0.5, 5.0)) if reorders else 0.0,
        lost_before=0.0 if sees_all else rng.choice((0.0, 0.0, 0.05, 0.2)),
        lost_behind=rng.choice((0.0, 0.0, 0.1, 0.3)),
        doubled=rng.choice((0.0, 0.0, 0.1)),
    )
    drawn = {"capture_at": rng.choice((0.0, 0.5, 1.0)), "steps": rng.choice((8, 20, 40, 70))}
    return Simulation(spec, rng, network, **(drawn | settings))  # type: ignore[arg-type]


FAULTS = ("drop", "drop many", "double", "double late", "swap", "move", "start late", "end early", "one direction")


def spoil(rng: Random, packets: list[Packet], faults: int = 1) -> tuple[list[Packet], list[str]]:
    """What a bad capture makes of a good one, and how."""
    packets = list(packets)
    done: list[str] = []
    for _ in range(faults):
        size = len(packets)
        if size < 3:
            break
        fault = rng.choice(FAULTS)
        done.append(fault)
        at = rng.randrange(size)
        if fault == "drop":
            del packets[at]
        elif fault == "drop many":
            share = rng.choice((0.1, 0.3, 0.5))
            packets = [packet for packet in packets if rng.random() > share]
        elif fault == "double":
            packets.insert(at, packets[at])
        elif fault == "double late":
            packets.insert(min(size, at + rng.randint(1, 8)), packets[at])
        elif fault == "swap" and at + 1 < size:
            packets[at], packets[at + 1] = packets[at + 1], packets[at]
        elif fault == "move":
            packet = packets.pop(at)
            packets.insert(min(len(packets), at + rng.randint(1, 5)), packet)
        elif fault == "start late":
            packets = packets[at:]
        elif fault == "end early":
            packets = packets[: at + 1]
        elif fault == "one direction":
            packets = [packet for packet in packets if packet.source == packets[0].source]
    return packets, done
