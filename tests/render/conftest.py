"""Diagrams and specs that the tests of the pictures share."""

from __future__ import annotations

import pytest

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
