"""Why a scenario fails.

Owns: the shape of such a failure.
Must never hold: how a scenario is run, or how a failure is shown.
"""

from __future__ import annotations

from typing import NamedTuple

from tcpmodel.analysis.shifting import NO_SHIFT, Shift
from tcpmodel.model.scenario import Line


class Failure(NamedTuple):
    """``line`` is the first one that does not fit. ``states``: where the end may be. ``end``: A, B, or "" with one end.

    ``shift``: how far all numbers were moved when it failed; the other texts then show the moved numbers.
    """

    line: Line
    expected: str
    actual: str
    states: str
    end: str = ""
    shift: Shift = NO_SHIFT
