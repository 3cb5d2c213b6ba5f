"""One connection between two endpoints, message by message.

Owns: in which order explanations are tried for both ends, what is assumed when the capture is at fault and how such an
assumption is refuted later, and the verdict.
Must never hold: how a message is explained (see ``endpoint``), how it is shown, or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from tcpmodel.checking.ends.configurations import Abilities
from tcpmodel.checking.ends.diagnosis import NO_FAULT, altered, named, unexplained
from tcpmodel.checking.ends.endpoint import Birth, Endpoint, Explanation
from tcpmodel.checking.ends.gaps import Place
from tcpmodel.checking.ends.observer import Observer, WatchProgram
from tcpmodel.checking.ends.patience import LeftAlone, Patience, Trouble
from tcpmodel.checking.ends.sightings import Interpreter, Numbers
from tcpmodel.checking.faults import boxes
from tcpmodel.checking.faults.assumed import Assumed, Event
from tcpmodel.checking.faults.damage import is_rubbish
from tcpmodel.checking.faults.lives import CLOSE, of_another_life, of_the_one_before
from tcpmodel.checking.faults.replaying import replayed, simply
from tcpmodel.checking.faults.suspects import Suspect, suspect
from tcpmodel.checking.faults.vantage import SENT_HERE, Standpoint, placed
from tcpmodel.checking.outcome.findings import (
    CONFORMS,
    INCONCLUSIVE,
    VIOLATES,
    ConnectionReport,
    Diagnostic,
    Findings,
    with_rest,
)
from tcpmodel.checking.outcome.partial import unseen
from tcpmodel.checking.outcome.standing import Standing
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.values import INFINITY, Interval
from tcpmodel.traces.records import Packet

LESS_LIKELY = 2
"""How much less likely a second explanation is than the first that was found."""

NEVER_SENT = "the other end never sent what it would have had to receive: its numbers ended before"


class NewConnection(Exception):
    """The message begins a new connection between the same addresses, or the first of those ``since`` does."""

    def __init__(self, since: Sequence[Packet] = ()) -> None:
        super().__init__()
        self.since = since


class Opening(NewConnection):
    """It is one with which an end begins of its own accord."""


class Rereads(Protocol):
    """Reads the last packets once more; see ``rereading``."""

    def since(self, connection: Connection) -> Sequence[Packet]:
        """Those that are a connection of their own."""

    def sorted(self, connection: Connection, side: int) -> bool:
        """Does the order of the times explain it?"""

    def undamaged(self, connection: Connection) -> bool:
        """Is it explained if packets were damaged on their way?"""

    def mended(self, connection: Connection, side: int, written: str) -> bool:
        """Was an earlier packet to blame?"""

    def mixed(self, connection: Connection) -> bool:
        """Were both sides of a box captured?"""


class Connection:
    """``report`` gives the verdict at any time; ``observe`` takes the next packet."""

    def __init__(
        self,
        number: int | str,
        abilities: Abilities,
        interpreter: Interpreter,
        watch: WatchProgram | None,
        a: str,
        b: str,
        in_lines: bool,
        previous: Connection | None = None,
    ) -> None:
        self.id = f"{abilities.program.spec.name}-{number}"
        self.abilities = abilities
        self.interpreter = interpreter
        self.ends = (Endpoint(abilities, a), Endpoint(abilities, b))
        self.observer = Observer(watch) if watch is not None and not watch.idle else None
        self.numbers = Numbers()
        self.in_lines = in_lines
        self.previous = previous
        self.packets = 0
        self.first = self.latest = 0
        self.last_time: int | None = None
        self.last_flags: int | None = None
        self.opaque = False
        self.diagnostics = Findings()
        self.assumed = Assumed(in_lines, self.diagnostics.append)
        self.suspects: list[Suspect | None] = [None, None]
        self.light: Any = None
        self.lane = -1  # its place with the express lane, which then knows more than what stands here; or -1
        self.last: Explanation | None = None
        self.standpoint: Standpoint | None = None
        self.rereading: Rereads | None = None
        """Asked about what this connection does not explain."""
        self.reread = self.looked = self.told = 0
        self.trouble, self.blamed, self.left_at = Trouble(Patience()), 0, 0
        """The places of the latest message that nothing explains, and of the last that was followed."""
        self.doubted: set[int] = set()
        """Numbers of packets that nothing explains, and that may begin another connection if what follows agrees."""

    def is_plain(self) -> bool:
        """Is what is known of both ends all that decides how a packet is explained?"""
        return not (self.opaque or self.left_at or any(self.suspects))

    # -------------------------------------------------------------------------------------------------- packets

    def observe(self, packet: Packet, side: int) -> None:
        """Take one packet that ``side`` (0 for a, 1 for b) sent; NewConnection when it belongs to a new one."""
        place = Place(packet.number, packet.time)
        if packet.flags is None:
            self.packets += 1
            self.opaque = True
            return
        sighting = self.interpreter.sighting(packet, side, self.numbers)
        near = (self.numbers.near[side], self.numbers.near[1 - side])
        if is_rubbish(packet, sighting, self.ends[side]):
            self.packets += 1
            self.watch(packet, sighting, side, near)
            return
        how = self.take(packet, sighting, side, place)
        if how is not Explanation.PREVIOUS:
            self.watch(packet, sighting, side, near)
        elif self.previous is not None:
            # It goes on beside this one: what began this one may have been an old copy.
            self.previous.observe(packet, self.previous.side_of(packet))

    def watch(self, packet: Packet, sighting: Sighting, side: int, near: tuple[int | None, int | None]) -> None:
        """Judge a packet by the rules over messages; ``near``: the last numbers of its sender and receiver before."""
        if self.observer is not None:
            self.observer.observe(
                placed(packet, self.standpoint, side),
                sighting,
                side,
                near,
                self.assumed.lossless,
                lambda found, of: self.tell(found, side, packet, of),
            )

    def tell(self, finding: Diagnostic, side: int, packet: Packet, sighting: Sighting) -> None:
        """Keep what a rule over messages found in a packet that ``side`` sent."""
        self._report(finding, side, Place(packet.number, packet.time), sighting)

    def hear(self, packet: Packet, side: int, near: tuple[int | None, int | None]) -> list[str]:
        """Judge what a packet of another protocol tells about one that ``side`` sent; ``near`` as for ``watch``.

        Returns the notices that ``side`` may have had by it.
        """
        if self.observer is None:
            return []

        def tell(finding: Diagnostic, _: Sighting) -> None:
            finding.endpoint = self.ends[1 - side].address
            quoted = packet.fields.get("quoted", 0)
            if quoted:
                finding.message += f", about {'line' if self.in_lines else 'packet'} {quoted}"
            finding.place, finding.time, finding.in_lines = packet.number, packet.time, self.in_lines
            self.diagnostics.append(finding)

        return self.observer.hear(packet, side, near, self.assumed.lossless, tell)

    def take(self, packet: Packet | None, sighting: Sighting, side: int, place: Place) -> Explanation:
        """Follow what a packet says. Without ``packet``, nothing is known of connections before this one."""
        left = self.opaque or self.left_at
        how = Explanation.BEHAVIOUR if left else self._follow(packet, sighting, side, place)
        self.packets += how is not Explanation.PREVIOUS
        return how

    def _follow(self, packet: Packet | None, sighting: Sighting, side: int, place: Place) -> Explanation:
        sender, receiver = self.ends[side], self.ends[1 - side]
        how = self._explain(packet, sighting, side, place)
        self.last = how
        if how is Explanation.PREVIOUS:
            return how
        if how is not Explanation.NONE:
            self.interpreter.learn(sighting, side, self.numbers)
            if self.assumed.gaps[side]:
                self.assumed.seen(side, self.interpreter.numbered(sighting))
        self._suspect(sighting, side, how)
        top = self.interpreter.behind(sighting) if how is Explanation.NONE else sender.top()
        if not self.interpreter.measured(sighting):
            top = INFINITY
        receiver.receive(sighting, top)
        doubted = self.suspects[1 - side]
        if doubted is not None:
            doubted.clean.receive(sighting, top)
        self.assumed.event(Event(side, lambda: sighting, top), (self.ends[0].address, self.ends[1].address))
        sender.sent = max(sender.sent, 1)
        return how

    def _explain(self, packet: Packet | None, sighting: Sighting, side: int, place: Place) -> Explanation:
        sender = self.ends[side]
        first = sender.sent == 0
        after = sender.by_behaviour(sighting)
        in_order = self.standpoint is not None and self.standpoint.in_order(self.ends, packet, side)
        if after:
            if not first and not in_order and sender.set_back(after) and sender.seen_late(sighting):
                # A copy is likelier than another life that picked the same number.
                return Explanation.LATE
            if not first and sender.reborn(after):
                # Who begins another life in answer to the same message may go on with the one before.
                for configuration in sender.now.values():
                    self.abilities.add(after, replace(configuration, cost=configuration.cost + 1))
            sender.settle(after)
            return Explanation.BEHAVIOUR
        begins = sender.birth(sighting) if self.packets else Birth.NONE
        if begins is Birth.NEW and (first or in_order or not sender.whole or not sender.seen_late(sighting)):
            # Of a life that began unseen anything may come late, so a beginning is looked for first.
            if packet is not None and self.previous is not None and self.previous.began_with(packet):
                return Explanation.PREVIOUS
            raise Opening
        if begins is not Birth.NONE or (not first and not in_order and sender.seen_late(sighting)):
            return Explanation.LATE
        if self.trouble.lost(place.number):
            if packet is None:
                raise LeftAlone
            self.trouble.add(place.number)
            self.left_at = place.number
            return Explanation.NONE
        if self.previous is not None and packet is not None and self.previous.recalls(packet):
            return Explanation.PREVIOUS
        if first and self._of_earlier_life(sighting, side, place):
            return Explanation.EARLIER_LIFE
        if not first and (sender.answers_anew(sighting) or (self.ends[1 - side].lived_twice() and sender.may_rest())):
            raise NewConnection
        return self._explain_by_faults(packet, sighting, side, place, in_order)

    def _of_earlier_life(self, sighting: Sighting, side: int, place: Place) -> bool:
        """Was the sender there before the capture, or does it answer something that was not captured?"""
        sender, peer = self.ends[side], self.ends[1 - side]
        after = sender.beginning(sighting)
        if after:
            if peer.sent and peer.from_start:
                self.suspects[side] = suspect(sender, place, sighting, self.interpreter)
            sender.ever = {}
        else:
            after = sender.from_earlier_life(sighting)
            if not after:
                return False
            sender.whole = False
            sender.ever = dict(sender.abilities.universe())
        sender.from_start = False
        sender.settle(after)
        return True

    def _explain_by_faults(
        self, packet: Packet | None, sighting: Sighting, side: int, place: Place, in_order: bool
    ) -> Explanation:
        if self._convicted(sighting, side, place):
            return Explanation.BEHAVIOUR
        sender = self.ends[side]
        below = sender.limits()
        after = sender.after_unseen(sighting, sent=True)
        reach = self._reach(1 - side)
        if after:
            # The capture may have lost what it received instead: less likely, yet not excluded.
            for configuration in sender.after_unseen(sighting, sent=False, received=reach).values():
                self.abilities.add(after, replace(configuration, cost=configuration.cost + LESS_LIKELY))
            sender.settle(after)
            skipped = self.interpreter.skipped(sighting, below)
            if skipped is not None:
                self.assumed.skipped(side, sender.address, place, *skipped)
            return Explanation.UNSEEN_SENT
        if not self.assumed.doubtful(side) and not in_order:
            after = sender.overtaken(sighting)
            if after:
                sender.settle(after)
                return Explanation.OVERTAKEN
        after = sender.after_unseen(sighting, sent=False, received=reach)
        after = after or sender.after_unseen(sighting, sent=True, received=reach)
        if after:
            before = sender.copy()
            self.assumed.unseen(side, place, lambda: sighting, lambda: before)
            sender.settle(after)
            return Explanation.UNSEEN_RECEIVED
        if packet is not None and self.previous is not None and self.previous.recalls(packet, faults=True):
            return Explanation.PREVIOUS
        return self._refute(sighting, side, place, in_order)

    def side_of(self, packet: Packet) -> int:
        """Which end sent a packet."""
        return 0 if packet.source == self.ends[0].address else 1

    def began_with(self, packet: Packet) -> bool:
        """Is this the message with which its end began, come again?"""
        side = self.side_of(packet)
        return self.ends[side].birth(self.interpreter.sighting(packet, side, self.numbers)) is Birth.SAME

    def recalls(self, packet: Packet, *, faults: bool = False) -> bool:
        """Could this be a late packet of this connection, which a newer one between the same addresses has replaced?
        With ``faults``, the capture may have lost some of it."""
        side = self.side_of(packet)
        end, sighting = self.ends[side], self.interpreter.sighting(packet, side, self.numbers)
        if faults:
            return of_the_one_before(self.interpreter, end, sighting, self._reach(1 - side))
        return bool(end.by_behaviour(sighting)) or end.seen_late(sighting)

    def _reach(self, side: int) -> Interval:
        """The numbers that ``side`` may have used, little more in the connection before: it may be answered."""
        low, high = self.ends[side].reach()
        if self.previous is not None:
            end = next(end for end in self.previous.ends if end.address == self.ends[side].address)
            first, last = end.reach()
            low, high = min(low, first), max(high, min(last, end.top() + CLOSE))
        return (low, high)

    # ---------------------------------------------------------------------------------- assumptions about the capture

    def _refute(self, sighting: Sighting, side: int, place: Place, in_order: bool) -> Explanation:
        """Nothing explains the message. Was an earlier assumption wrong, and is that earlier message the violation?"""
        sender = self.ends[side]
        if sender.sent and not in_order and sender.seen_late(sighting, self._reach(1 - side)):
            self.assumed.answered(sender.address, place)
            return Explanation.LATE
        open_ = self.assumed.refutable(side)
        for index, assumption in enumerate(open_):
            other = assumption.before.copy()
            if replayed(other, self.assumed.later(assumption), side) and simply(other, sighting):
                finding = unexplained(assumption.before, assumption.sighting, self.interpreter)
                finding.excuse = (
                    "packets lost by the capture would explain it, but not "
                    f"{'line' if self.in_lines else 'packet'} {place.number}: {self.interpreter.write(sighting)}"
                )
                self._report(finding, side, assumption.place, assumption.sighting)
                self.ends = (other, self.ends[1]) if side == 0 else (self.ends[0], other)
                del open_[index:]
                return Explanation.BEHAVIOUR
        peer = self.ends[1 - side]
        another = of_another_life(self.interpreter, sender, peer, sighting, lambda: self.standing().unfinished)
        if another is None:
            self.doubted.add(place.number)
        reread = self.rereading if self.doubted or not another else None
        since = reread.since(self) if reread is not None else ()
        if another or since:
            raise NewConnection(since)
        if reread is not None and (
            reread.sorted(self, side)
            or reread.undamaged(self)
            or reread.mended(self, side, self.interpreter.write(sighting))
        ):
            return Explanation.BEHAVIOUR
        finding = unexplained(sender, sighting, self.interpreter)
        finding.excuse = "; ".join(filter(None, (NO_FAULT, SENT_HERE if in_order else "", altered(finding))))
        self.blame(finding, side, place, sighting)
        self.left_at = place.number if self.trouble.add(place.number) else 0
        return Explanation.NONE

    def _suspect(self, sighting: Sighting, side: int, how: Explanation) -> None:
        """Go on with the end as it would be if its first message had said something else."""
        doubted = self.suspects[side]
        if doubted is None or doubted.sighting is sighting:
            return
        if how not in (Explanation.BEHAVIOUR, Explanation.LATE) or not doubted.goes_on(sighting):
            self.suspects[side] = None

    def _convicted(self, sighting: Sighting, side: int, place: Place) -> bool:
        """Is the message explained if the first one of its end had said something else? Then that one is the fault."""
        doubted = self.suspects[side]
        self.suspects[side] = None
        if doubted is None or not doubted.proves(sighting):
            return False
        finding = unexplained(doubted.before, doubted.sighting, self.interpreter)
        named = (finding.severity, self.ends[side].address, doubted.place.number)
        finding.excuse = (
            "an answer to something that the capture may have lost would explain it, but not "
            f"{'line' if self.in_lines else 'packet'} {place.number}: {self.interpreter.write(sighting)}"
        )
        if named not in [(each.severity, each.endpoint, each.place) for each in self.diagnostics]:
            self._report(finding, side, doubted.place, doubted.sighting)
        self.ends = (doubted.clean, self.ends[1]) if side == 0 else (self.ends[0], doubted.clean)
        self.assumed.open[side].clear()
        for assumption in list(self.assumed.open[1 - side]):
            if assumption.explained_by(doubted.meant):
                self.assumed.open[1 - side].remove(assumption)
        return True

    def _refute_at_last(self) -> None:
        """What was assumed is wrong where the other end, as is known by now, never sent anything like that."""
        for side in (0, 1):
            for assumption in list(self.assumed.open[side]):
                most = self._reach(1 - side)[1]
                if most == INFINITY or assumption.swapped(side, self.assumed.later(assumption)):
                    continue
                before, sighting, reach = assumption.before, assumption.sighting, (-INFINITY, most)
                if any(before.after_unseen(sighting, sent=sent, received=reach) for sent in (False, True)):
                    continue
                finding = unexplained(before, sighting, self.interpreter)
                finding.excuse = f"packets lost by the capture would explain it, but {NEVER_SENT}"
                self._report(finding, side, assumption.place, sighting)
                self.assumed.open[side].remove(assumption)

    # ----------------------------------------------------------------------------------------------------- findings

    def blame(self, finding: Diagnostic, side: int, place: Place, sighting: Sighting) -> None:
        """Nothing explains a packet that ``side`` sent."""
        self._report(finding, side, place, sighting)
        self.blamed = max(self.blamed, place.number)

    def _report(self, finding: Diagnostic, side: int, place: Place, sighting: Sighting) -> None:
        finding.endpoint = self.ends[side].address
        finding.place, finding.time, finding.in_lines = place.number, place.time, self.in_lines
        finding.observed = self.interpreter.write(sighting)
        finding.relative = self.interpreter.relative(sighting, side, self.numbers)
        self.diagnostics.append(finding)
        if finding.severity == "violation" and self.rereading:
            self.rereading.mixed(self)

    def finished(self) -> bool:
        """Have both ends certainly come to rest?"""
        abilities = self.abilities
        return all(abilities.at_rest(end.states()) for end in self.ends)

    def report(self, standing: Standing | None = None) -> ConnectionReport:
        """The verdict so far; nothing more is expected. ``standing`` as ``standing()`` gives it, if it is known."""
        if self.observer is not None:
            self.observer.close(self.assumed.lossless)
        self._refute_at_last()
        self.assumed.settle((self.ends[0].address, self.ends[1].address))
        standing = standing or self.standing()
        reasons = self._reasons(standing)
        found = self.diagnostics
        found[:] = named(sorted(found, key=lambda item: item.place))
        if self.rereading and self.rereading.mixed(self):
            boxes.silence(found, reasons, self.abilities.program.spec)
        if any(item.severity == "violation" for item in found):
            verdict = VIOLATES
        else:
            verdict = INCONCLUSIVE if reasons else CONFORMS
        heard = (True, standing.answered or standing.from_start)
        states = [self._states(found) if seen else () for found, seen in zip(standing.states, heard, strict=True)]
        a, b = self.ends
        return ConnectionReport(
            self.id,
            self.protocol,
            a.address,
            b.address,
            verdict,
            tuple(reasons),
            states[0],
            states[1],
            self.packets,
            with_rest(found),
            unseen=()
            if self.opaque
            else unseen(standing, self.packets, self.assumed.lost, itself=a.address == b.address),
        )

    @property
    def protocol(self) -> str:
        """The name that readers give to the packets."""
        return self.abilities.program.spec.over or self.abilities.program.spec.name

    def standing(self) -> Standing:
        """Where both ends are."""
        a, b = self.ends
        states = (tuple(a.states()), tuple(b.states()))
        return Standing(
            states,
            a.from_start and b.from_start,
            bool(b.sent),
            any(self.abilities.unfinished(list(each)) for each in states),
            self.finished(),
        )

    def _states(self, states: tuple[str, ...]) -> tuple[str, ...]:
        """Where an end may be. When packets are missing, anything later is possible too."""
        if self.opaque or self.left_at:
            return ()
        return tuple(self.abilities.later(list(states))) if self.assumed.lost else states

    def _reasons(self, standing: Standing) -> list[str]:
        if self.opaque:
            return ["the log does not show the flags and numbers of the packets"]
        left = f"{'line' if self.in_lines else 'packet'} {self.left_at}: {self.trouble.words()}" if self.left_at else ""
        one, other = (end.address for end in self.ends)
        reasons = standing.reasons(other if other != one else "", left)
        if self.assumed.lost:
            reasons.append("packets are missing from the capture")
        return reasons
