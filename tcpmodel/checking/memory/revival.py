"""A connection that was nothing but shapes and numbers, made again.

Owns: what of a new connection has to be set for it to go on as the one that was put away or was with the express lane.
Must never hold: how shapes and numbers are kept meanwhile (see ``stowed`` and ``express``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tcpmodel.checking.connection import Connection
from tcpmodel.checking.outcome.findings import Diagnostic


def revive(
    connection: Connection,
    counted: tuple[int, int],
    last: tuple[int | None, int | None],
    ends: tuple[Any, list[int]],
    notes: tuple[Any, list[int]],
    findings: Iterable[Diagnostic] = (),
    told: int = 0,
) -> Connection:
    """The same connection, which was new, with all this. ``counted``: number of the first packet, and how many there
    were; ``last``: time and flags of the latest; ``ends``, ``notes``: a shape and its numbers; ``told``: how many
    findings were told."""
    connection.first, connection.packets = counted
    connection.last_time, connection.last_flags = last
    connection.light = ends
    observer = connection.observer
    if observer is not None:
        observer.light = notes
        observer.told = dict(notes[0].told)
        observer.began = True
    for finding in findings:
        connection.diagnostics.append(finding)
    connection.told = told
    return connection
