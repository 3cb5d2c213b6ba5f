"""Diagrams, and a small spec, that the tests of the pictures share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.language.span import NOWHERE
from tcpmodel.model.spec import And, Event, Expr, HasFlags, Message, Profile, Rule, Send, Spec, State, VarRef
from tcpmodel.model.types import BOOL
from tcpmodel.render.diagram import Arrow, Box, Diagram

# The twenty arrows of figure 5 of RFC 9293, as (from, to, event, action).
FIGURE_5 = (
    ("CLOSED", "LISTEN", "passive OPEN", "create TCB"),
    ("CLOSED", "SYN-SENT", "active OPEN", "create TCB, snd SYN"),
    ("LISTEN", "SYN-SENT", "SEND", "snd SYN"),
    ("LISTEN", "SYN-RECEIVED", "rcv SYN", "snd SYN,ACK"),
    ("LISTEN", "CLOSED", "CLOSE", "delete TCB"),
    ("SYN-SENT", "CLOSED", "CLOSE", "delete TCB"),
    ("SYN-SENT", "SYN-RECEIVED", "rcv SYN", "snd SYN,ACK"),
    ("SYN-SENT", "ESTABLISHED", "rcv SYN,ACK", "snd ACK"),
    ("SYN-RECEIVED", "LISTEN", "rcv RST", ""),
    ("SYN-RECEIVED", "ESTABLISHED", "rcv ACK of SYN", ""),
    ("SYN-RECEIVED", "FIN-WAIT-1", "CLOSE", "snd FIN"),
    ("ESTABLISHED", "FIN-WAIT-1", "CLOSE", "snd FIN"),
    ("ESTABLISHED", "CLOSE-WAIT", "rcv FIN", "snd ACK"),
    ("FIN-WAIT-1", "FIN-WAIT-2", "rcv ACK of FIN", ""),
    ("FIN-WAIT-1", "CLOSING", "rcv FIN", "snd ACK"),
    ("FIN-WAIT-2", "TIME-WAIT", "rcv FIN", "snd ACK"),
    ("CLOSE-WAIT", "LAST-ACK", "CLOSE", "snd FIN"),
    ("CLOSING", "TIME-WAIT", "rcv ACK of FIN", ""),
    ("LAST-ACK", "CLOSED", "rcv ACK of FIN", ""),
    ("TIME-WAIT", "CLOSED", "timeout 2MSL", "delete TCB"),
)
STATES = (
    "CLOSED",
    "LISTEN",
    "SYN-SENT",
    "SYN-RECEIVED",
    "ESTABLISHED",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "CLOSE-WAIT",
    "CLOSING",
    "LAST-ACK",
    "TIME-WAIT",
)


@pytest.fixture(scope="session")
def figure_5() -> Diagram:
    return Diagram(
        "TCP connection state diagram",
        "Each arrow: what happens, above what the endpoint does.",
        tuple(Box(name, initial=name == "CLOSED") for name in STATES),
        tuple(Arrow(source, target, ((event, action),)) for source, target, event, action in FIGURE_5),
    )


MakeRule = Callable[..., Rule]
MakeSpec = Callable[..., Spec]


@pytest.fixture(scope="session")
def rule() -> MakeRule:
    """``rule("A", "B", "call GO", drawn="GO / snd X", send="X", with_="F", when=("x = 1",), profiles={"p": True})``."""

    def make(
        state: str,
        target: str,
        event: str,
        *,
        drawn: str | None = None,
        send: str | None = None,
        optional: bool = False,
        with_: str = "",
        when: tuple[str, ...] = (),
        profiles: dict[str, bool] | None = None,
        continues: bool = False,
    ) -> Rule:
        kind, _, name = event.partition(" ")
        conditions: list[Expr] = []
        if with_:
            conditions.append(HasFlags(BOOL, NOWHERE, f"{name} with {with_}", name, tuple(with_.split(",")), ()))
        conditions += [VarRef(BOOL, NOWHERE, text, text) for text in when]
        guard = And(BOOL, NOWHERE, "", tuple(conditions)) if len(conditions) > 1 else next(iter(conditions), None)
        actions = ()
        if send is not None:
            actions = (Send("MSG", (), tuple(filter(None, send.split(","))), None, None, None, optional, "", NOWHERE),)
        return Rule(
            id=f"{state}.{event}",
            state=state,
            event=Event(kind, name, kind == "message", None, "", (), "", NOWHERE),
            guard=guard,
            target=target,
            drops=False,
            continues=continues,
            step=-1,
            profiles=tuple((profiles or {}).items()),
            actions=actions,
            drawn=drawn,
            group=None,
            cites=(),
            doc="",
            span=NOWHERE,
        )

    return make


@pytest.fixture(scope="session")
def spec() -> MakeSpec:
    """A spec of the given rules; states in the order of their first rule, the first one initial."""

    def make(*rules: Rule, messages: int = 1, profiles: tuple[str, ...] = ()) -> Spec:
        names = list(dict.fromkeys(name for rule in rules for name in (rule.state, rule.target)))
        states = tuple(
            State(
                name,
                "",
                initial=name == names[0],
                final=name == names[-1],
                rules=tuple(rule for rule in rules if rule.state == name),
                doc="",
                span=NOWHERE,
            )
            for name in names
        )
        return Spec(
            name="toy",
            title="Toy",
            over="",
            documents=(),
            steps=(),
            profiles=tuple(Profile(name, "", True, (), (), (), "", NOWHERE) for name in profiles),
            constants=(),
            variables=(),
            messages=tuple(Message(f"M{n}", "", ("F",), (), (), (), "", NOWHERE) for n in range(messages)),
            events=(),
            definitions=(),
            states=states,
            packet_rules=(),
            faults=(),
            sources=(),
            properties=(),
            doc="",
        )

    return make
