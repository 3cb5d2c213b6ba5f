"""One endpoint as an observer follows it.

Owns: the set of configurations that explain everything seen of one endpoint, what it may have received, and the ways in
which one more message of it can be explained, from the likeliest to the most far-fetched.
Must never hold: what follows from a missing explanation (see ``connection``), or anything of a protocol.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from tcpmodel.checking.ends.configurations import Abilities, Configuration, Configurations, Key, Reception, rebase
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Run, Sighting
from tcpmodel.semantics.program import CompiledRule
from tcpmodel.semantics.values import Interval

PoolKey = tuple[str, int, bool]


class Explanation(Enum):
    """How a message was explained; each is tried only when those before it fail."""

    BEHAVIOUR = "a behaviour of the spec"
    LATE = "sent earlier and seen late, or twice"
    OVERTAKEN = "sent earlier and overtaken by the messages seen before it"
    OPENING = "a new connection between the same addresses"
    PREVIOUS = "a late packet of the connection before this one"
    EARLIER_LIFE = "the endpoint was in a connection before the capture began"
    UNSEEN_SENT = "it sent something before that was not seen"
    UNSEEN_RECEIVED = "it received something that was not seen"
    NONE = "nothing"


class Birth(Enum):
    """Whether a message can begin a life: of a new connection, or of the one that is known."""

    NONE = 0
    SAME = 1
    NEW = 2


def _exact(known: Interval | None) -> bool:
    return known is not None and known[0] == known[1]


class Endpoint:
    """``address`` is printable. ``now`` holds the configurations right after the last message seen from it.

    ``pool`` holds what it may have received, as classes of messages; ``heard`` is the highest number that they show.
    ``from_start``: it did not exist before the capture began; ``whole``: nothing that it sent before is out of view.
    """

    def __init__(self, abilities: Abilities, address: str) -> None:
        self.abilities = abilities
        self.program = abilities.program
        self.address = address
        self.now: Configurations = abilities.fresh()
        self.ever: Configurations = {}
        self.pool: dict[PoolKey, dict[int, Interval | None]] = {}
        self.heard = -v.INFINITY
        self.sent = 0
        self.from_start = self.whole = True
        self._closed: Configurations | None = None

    # ---------------------------------------------------------------------------------------------- receptions

    def receive(self, sighting: Sighting, top: int = v.INFINITY) -> None:
        """From now on the endpoint may have received this message: at once, later, twice or never.

        ``top`` is the number after the last that its sender has used.
        """
        if top > self.heard:
            self.heard = top
        key = (sighting.message, sighting.flags, self._carries(sighting))
        known = self.pool.get(key)
        if known is None:
            self.pool[key] = dict(sighting.slots)
            self._closed = None
            return
        for slot, value in sighting.slots.items():
            joined = v.join(known[slot], value)
            if joined != known[slot]:
                known[slot] = joined
                self._closed = None

    def _carries(self, sighting: Sighting) -> bool:
        """Separates messages that carry something from those that do not: fields with a default say which."""
        for message in self.program.spec.messages:
            for item in message.fields:
                if item.default is not None and message.name == sighting.message:
                    known = sighting.slots[self.program.layout.fields[message.name, item.name]]
                    if known != (item.default, item.default):
                        return True
        return False

    def receptions(self) -> list[Reception]:
        """What it may have received, as classes of messages."""
        return [Reception(("message", key[0]), key[1], list(slots.items())) for key, slots in self.pool.items()]

    def notice(self, names: list[str]) -> None:
        """An event of one of these names may have happened: from now on it costs nothing to suppose it."""
        after = dict(self.now)
        for configuration in self.closed().values():
            for name in names:
                event = ("notice", name)
                if not self.program.rules_for(configuration.state, event):
                    continue
                for outcome in Run(self.program, event).start(configuration.state, configuration.values, ()):
                    new = self.abilities.after(configuration, outcome, 0)
                    if new is not None:
                        self.abilities.add(after, new)
        if after != self.now:
            self.now = after
            for configuration in after.values():
                self.abilities.add(self.ever, configuration)
            self._closed = None

    def closed(self) -> Configurations:
        """The configurations that are possible now, with everything that may have happened unseen."""
        if self._closed is None:
            self._closed = self.abilities.close(self.now, self.receptions(), rested=False)
        return self._closed

    # --------------------------------------------------------------------------------------------- explanations

    def explain(
        self,
        base: Configurations,
        sighting: Sighting,
        receptions: list[Reception],
        *,
        anew: bool = True,
        unseen: bool = False,
    ) -> Configurations:
        """The configurations after sending the message, from each of ``base``; empty when none can send it.

        ``anew``: one of the receptions may begin a new life of the endpoint. ``unseen``: what the same event sends
        besides need not be seen.
        """
        after: Configurations = {}
        wanted = (sighting.message, sighting.flags)
        for configuration in base.values():
            for event in self.abilities.senders[configuration.state].get(wanted, ()):
                if event[0] == "message":
                    for reception in receptions:
                        if reception.event == event:
                            self._collect(configuration, reception, sighting, after, anew, unseen)
                else:
                    self._collect(configuration, Reception(event, None, ()), sighting, after, False, unseen)
        return after

    def _collect(
        self,
        configuration: Configuration,
        what: Reception,
        sighting: Sighting,
        after: Configurations,
        anew: bool,
        unseen: bool,
    ) -> None:
        run = Run(self.program, what.event, sighting, unseen, flags=what.flags, matched=True)
        for outcome in run.start(configuration.state, configuration.values, what.slots):
            if outcome.matched:
                new = self.abilities.after(configuration, outcome, 0, anew=anew)
                if new is not None:
                    self.abilities.add(after, new)

    def settle(self, after: Configurations) -> None:
        """Take a set as what is possible now."""
        rebase(after)
        self.sent += 1
        if after == self.now:
            return
        self.now = after
        for configuration in after.values():
            self.abilities.add(self.ever, configuration)
        self._closed = None

    def by_behaviour(self, sighting: Sighting) -> Configurations:
        """Explained by the spec, with hidden calls, timers and receptions in between."""
        receptions = self.receptions()
        after = self._as_heard(self.explain(self.closed(), sighting, receptions))
        if not after and any(configuration.ended for configuration in self.closed().values()):
            after = self._as_heard(self.explain(self.abilities.close(self.now, receptions), sighting, receptions))
        return after

    def _as_heard(self, after: Configurations) -> Configurations:
        """Those configurations that expect nothing beyond what was seen of the peer, or was assumed before.

        Classes of messages hold more than what was seen: their numbers and what they carry no longer belong together.
        """
        limit = self.heard
        kept: Configurations = {}
        beyond: list[tuple[Key, int]] = []
        for key, configuration in after.items():
            numbers = [known[0] for slot in self.program.peer_numbers if (known := configuration.values[slot])]
            highest = max(numbers, default=-v.INFINITY)
            if highest <= limit:
                kept[key] = configuration
            else:
                beyond.append((key, highest))
        if beyond:
            assumed = [
                known[1]
                for configuration in self.now.values()
                for slot in self.program.peer_numbers
                if (known := configuration.values[slot])
            ]
            most = max(assumed, default=-v.INFINITY)
            kept.update((key, after[key]) for key, highest in beyond if highest <= most)
        return kept

    def limits(self) -> list[int]:
        """The highest value of each of its own numbers."""
        now = self.now.values()
        return [max((c.values[slot] or (0, 0))[1] for c in now) for slot in self.program.local_numbers]

    def top(self) -> int:
        """The number after the last that it is seen to have used."""
        return max(self._highest(), default=v.INFINITY)

    def seen_late(self, sighting: Sighting, reach: tuple[int, int] | None = None) -> bool:
        """Was this sent earlier? Then some earlier configuration sends it, and it adds nothing to what was sent.

        With ``reach``, the numbers that the peer may have used, it may have received what was not seen. A life that
        begins with this message is another matter: see ``birth``.
        """
        receptions = self.receptions() if reach is None else self.abilities.anything(reach)
        base = {key: replace(c, ended=c.ended or self.abilities.resting[c.state]) for key, c in self.ever.items()}
        if self.abilities.paired:
            base = {**base, **self.abilities.fresh()}  # of what its first event sent, only a part was seen
        highest = self._highest()
        for unseen in (False, True) if self.whole else (True,):
            # Of an endpoint with an unseen past everything was possible, so there is nothing to close.
            possible = self.abilities.close(base, receptions, unseen=unseen, anew=False) if self.whole else base
            possible = self._capped(possible, highest)
            earlier = self.explain(possible, sighting, receptions, anew=False, unseen=unseen)
            earlier = self._as_heard(earlier) if reach is None else self.within(earlier, reach)
            found = {key: c for key, c in earlier.items() if self._adds_nothing(c, highest)}
            if found and self._settles(found):
                led = self._led_on(found)
                if not led:
                    continue
                self.now, self._closed = led, None
            for configuration in found.values():
                self.abilities.add(self.ever, configuration)
            if found:
                self._prefer(sighting, receptions)
                return True
        return False

    def _settles(self, found: Configurations) -> bool:
        """Do these say of an optional number of their own what the configurations of now do not all say?"""
        optional = [slot for slot in self.program.local_numbers if slot in self.program.optional]
        for slot in optional:
            said = [c.values[slot] for c in found.values()]
            if None not in said and any(c.values[slot] not in said for c in self.now.values()):
                return True
        return False

    def _led_on(self, found: Configurations) -> Configurations:
        """The configurations of now to which those lead on, whatever was received in between."""
        later = self.abilities.close(found, self.abilities.anything(), unseen=True, anew=False).values()
        return {
            key: configuration
            for key, configuration in self.now.items()
            if any(self._agree(configuration, other) for other in later)
        }

    def _agree(self, one: Configuration, other: Configuration) -> bool:
        """Can both be true at once?"""
        return one.state == other.state and all(
            a is b or (a is not None and b is not None and a[0] <= b[1] and b[0] <= a[1])
            for a, b in zip(one.values, other.values, strict=True)
        )

    def _highest(self) -> list[int]:
        """The highest value that each own number may have now.

        Of one without a bound, what is certain of it and of others; of one that is not set, the limit of the others.
        """
        known = [
            [value for c in self.now.values() if (value := c.values[slot]) is not None]
            for slot in self.program.local_numbers
        ]
        limits = [max((high for _, high in each if high < v.INFINITY), default=-v.INFINITY) for each in known]
        certain = [max((low for low, _ in each), default=-v.INFINITY) for each in known]
        farthest = max((*limits, *certain), default=-v.INFINITY)
        if farthest == -v.INFINITY:
            return [v.INFINITY for _ in known]
        return [
            max(limit, low) if each and all(high < v.INFINITY for _, high in each) else farthest
            for each, limit, low in zip(known, limits, certain, strict=True)
        ]

    def _capped(self, configurations: Configurations, highest: list[int]) -> Configurations:
        """The configurations that have sent nothing above ``highest``, and what is known of them under that."""
        kept: Configurations = {}
        for key, configuration in configurations.items():
            values = list(configuration.values)
            for slot, limit in zip(self.program.local_numbers, highest, strict=True):
                known = values[slot]
                if known is None:
                    continue
                if known[0] > limit:
                    break
                values[slot] = (known[0], min(known[1], limit))
            else:
                kept[key] = replace(configuration, values=values)
        return kept

    def _adds_nothing(self, configuration: Configuration, highest: list[int]) -> bool:
        for slot, limit in zip(self.program.local_numbers, highest, strict=True):
            known = configuration.values[slot]
            if known is not None and known[0] > limit:
                return False
        return True

    def _as_before(self, configuration: Configuration) -> Configuration:
        """A configuration that may have received less: what it expects may lie as low as it ever did."""
        values = list(configuration.values)
        for slot in self.program.peer_numbers:
            mine = values[slot]
            lows = [known[0] for earlier in self.ever.values() if (known := earlier.values[slot]) is not None]
            bounded = [low for low in lows if low > -v.INFINITY]
            if mine is not None and bounded:
                values[slot] = (min(mine[0], *bounded), mine[1])
        return replace(configuration, values=values)

    def _prefer(self, sighting: Sighting, receptions: list[Reception]) -> None:
        """Make configurations that could not have sent this message before less likely than those that could."""
        weighed: Configurations = {}
        for key, configuration in self.now.items():
            able = self.explain({key: self._as_before(configuration)}, sighting, receptions, anew=False)
            weighed[key] = replace(configuration, cost=configuration.cost + (0 if able else 1))
        self.now = rebase(weighed)
        self._closed = None

    def overtaken(self, sighting: Sighting) -> Configurations:
        """Explained if it was sent before the messages that were seen last, with what was received by then."""
        receptions = self.receptions()
        after: Configurations = {}
        for configuration in self.now.values():
            base = {self.abilities.key(configuration): self._as_before(configuration)}
            for outcome in self.explain(base, sighting, receptions, anew=False).values():
                values = list(outcome.values)
                for slot in self.program.peer_numbers:
                    values[slot] = configuration.values[slot]
                self.abilities.add(after, replace(outcome, values=values))
        return after

    def birth(self, sighting: Sighting) -> Birth:
        """Could a fresh endpoint begin a connection with this message, by a call of its user?"""
        return self._born(self.explain(self.abilities.fresh(), sighting, []))

    def _born(self, after: Configurations) -> Birth:
        births = [c for c in after.values() if not self.abilities.resting[c.state]]
        if not births:
            return Birth.NONE
        for slot in self.program.picked_numbers:
            mine = [known for c in (*self.now.values(), *self.ever.values()) if (known := c.values[slot]) is not None]
            theirs = [known for c in births if _exact(known := c.values[slot])]
            if any(a is b or a == b for a in theirs for b in mine):
                return Birth.SAME
        return Birth.NEW

    def answers_anew(self, sighting: Sighting) -> bool:
        """Has it come to rest, and would this message begin a new life in answer to something that was not seen?"""
        closed = self.closed().values()
        least = min(c.cost for c in closed)
        return any(c.ended and c.cost == least for c in closed) and self.begins_anew(sighting)

    def begins_anew(self, sighting: Sighting) -> bool:
        """Would it begin a new life with this, in answer to something that was not seen?"""
        return self._born(self.beginning(sighting)) is Birth.NEW

    def beginning(self, sighting: Sighting) -> Configurations:
        """Explained as the first message of a life that began with something unseen."""
        anything = self.abilities.anything()
        after = self.explain(self.abilities.close(self.abilities.fresh(), anything), sighting, anything)
        return {key: c for key, c in after.items() if not self.abilities.resting[c.state]}

    def reborn(self, after: Configurations) -> bool:
        """Do these belong to another life than those of now?"""
        for slot in self.program.picked_numbers:
            mine = [known for c in self.now.values() if _exact(known := c.values[slot])]
            theirs = [c.values[slot] for c in after.values()]
            if mine and not any(a is b or a == b for a in mine for b in theirs):
                return True
        return False

    def set_back(self, after: Configurations) -> bool:
        """Have these sent less than was sent before, although they have the initial numbers of now?"""
        own = self.program.local_numbers
        sent = [min((known[0] for c in self.now.values() if (known := c.values[slot])), default=0) for slot in own]
        below = False
        for configuration in after.values():
            pairs = [(configuration.values[slot], low) for slot, low in zip(own, sent, strict=True)]
            bounded = [(known[1], low) for known, low in pairs if known and known[1] < v.INFINITY]
            if any(high > low for high, low in bounded) or not any(high < low for high, low in bounded):
                return False
            below = True
        return below and not self.reborn(after)

    def lived_twice(self) -> bool:
        """Has it picked an initial number more than once?"""
        lives = (*self.now.values(), *self.ever.values())
        for slot in self.program.picked_numbers:
            # Told apart by comparing: numbers that a recorded run follows have no hash.
            picked = [known for c in lives if _exact(known := c.values[slot])]
            if any(each is not picked[0] and each != picked[0] for each in picked[1:]):
                return True
        return False

    def apart(self, sighting: Sighting, slot: int | None, *, peer: bool = False) -> int:
        """How far a field lies from the numbers that it may have used, or those of its peer that it may have received.

        0 when the field is not known, or is among them.
        """
        known = sighting.slots[slot] if slot is not None else None
        slots = self.program.peer_numbers if peer else self.program.local_numbers
        values = [c.values[own] for c in self.now.values() for own in slots]
        used = [value for value in values if value and value[0] > -v.INFINITY and value[1] < v.INFINITY]
        if known is None or not _exact(known) or not used:
            return 0
        return max(min(value[0] for value in used) - known[0], known[0] - max(value[1] for value in used), 0)

    def may_rest(self) -> bool:
        """May it have come to rest?"""
        return any(c.ended for c in self.abilities.close(self.now, self.receptions()).values())

    def reach(self) -> tuple[int, int]:
        """The lowest and highest number that it may have used, whatever was not seen."""
        closed = self.abilities.close(self.now, self.receptions(), unseen=True, anew=False)
        values = [c.values[slot] for c in closed.values() for slot in self.program.local_numbers]
        known = [value for value in values if value is not None]
        if not known:
            return v.ANY
        return (min(low for low, _ in known), max(high for _, high in known))

    def within(self, after: Configurations, reach: tuple[int, int]) -> Configurations:
        """Those configurations that expect nothing which the peer cannot have sent."""
        kept: Configurations = {}
        for key, configuration in after.items():
            known = [configuration.values[slot] for slot in self.program.peer_numbers]
            if all(each is None or (each[0] <= reach[1] and each[1] >= reach[0]) for each in known):
                kept[key] = configuration
        return kept

    def from_earlier_life(self, sighting: Sighting) -> Configurations:
        """Explained when nothing is known of the endpoint's past."""
        return self.explain(self.abilities.universe(), sighting, self.abilities.anything())

    def after_unseen(
        self, sighting: Sighting, *, sent: bool, received: tuple[int, int] | None = None
    ) -> Configurations:
        """Explained if messages that it sent were not seen, or messages that it received; the peer numbers those within
        ``received``.
        """
        receptions = self.receptions() if received is None else self.abilities.anything(received)
        base = self.abilities.close(self.now, receptions, unseen=sent, anew=False)
        after = self.explain(base, sighting, receptions, anew=False)
        return after if received is None else self.within(after, received)

    # --------------------------------------------------------------------------------------------------- reports

    def states(self) -> list[str]:
        """Where the endpoint may be, without hidden calls and timers that nothing speaks for."""
        return self.abilities.likely_states(self.closed())

    def forget(self) -> None:
        """Drop what was worked out from the rest."""
        self._closed = None

    def copy(self) -> Endpoint:
        """A copy that can go another way. Configurations are never changed in place once settled."""
        other = Endpoint.__new__(Endpoint)
        other.abilities, other.program, other.address = self.abilities, self.program, self.address
        other.now, other.ever = dict(self.now), dict(self.ever)
        other.pool = {key: dict(slots) for key, slots in self.pool.items()}
        other.heard, other.sent = self.heard, self.sent
        other.from_start, other.whole = self.from_start, self.whole
        other._closed = None
        return other

    def candidates(self, sighting: Sighting) -> list[tuple[Configuration, CompiledRule]]:
        """Rules of the likeliest configurations that send such a message, with other values."""
        found: list[tuple[Configuration, CompiledRule]] = []
        closed = self.closed()
        least = min((c.cost for c in closed.values()), default=0)
        for configuration in closed.values():
            if configuration.cost > least:
                continue
            events = self.abilities.senders[configuration.state].get((sighting.message, sighting.flags), ())
            for event in events:
                for rule in self.program.rules[configuration.state][event]:
                    found.append((configuration, rule))
        return found
