"""The moves of one TCP endpoint between its states, one event at a time: 32 of the 110 pairs, and no other.

F: drawn in figure 5 of RFC 9293. T: not drawn, but asked for by the text or by notes 1 and 2. O: optional, a SYN that
reopens TIME-WAIT. P: by note 3 only. e: no single move, but what one event may lead to by several moves.
"""

MATRIX = """
      CLO LIS SYS SYR EST FW1 FW2 CLW CLG LAK TMW
CLO    -   F   F   .   .   .   .   .   .   .   .
LIS    F   -   F   F   .   .   .   e   .   .   .
SYS    F   .   -   F   F   .   .   e   .   .   .
SYR    T   F   .   -   F   F   .   T   .   .   P
EST    T   .   .   .   -   F   .   F   .   .   P
FW1    T   .   .   .   .   -   F   .   F   .   T
FW2    T   .   .   .   .   .   -   .   .   .   F
CLW    T   .   .   .   .   .   .   -   .   F   P
CLG    T   .   .   .   .   .   .   .   -   .   F
LAK    F   .   .   .   .   .   .   .   .   -   .
TMW    F   .   .   O   .   .   .   .   .   .   -
"""

NAMES = {
    "CLO": "CLOSED",
    "LIS": "LISTEN",
    "SYS": "SYN-SENT",
    "SYR": "SYN-RECEIVED",
    "EST": "ESTABLISHED",
    "FW1": "FIN-WAIT-1",
    "FW2": "FIN-WAIT-2",
    "CLW": "CLOSE-WAIT",
    "CLG": "CLOSING",
    "LAK": "LAST-ACK",
    "TMW": "TIME-WAIT",
}


def pairs(kinds: str) -> set[tuple[str, str]]:
    """The pairs (from, to) whose cell holds one of these letters."""
    head, *rows = [line.split() for line in MATRIX.strip().splitlines()]
    return {
        (NAMES[row[0]], NAMES[column])
        for row in rows
        for column, cell in zip(head, row[1:], strict=True)
        if cell in kinds
    }
