"""Where a connection stands: what its report says of both ends.

Owns: the few facts about both ends from which verdict and reasons follow.
Must never hold: how they are found out (see ``connection`` and ``memo``).
"""

from __future__ import annotations

from typing import NamedTuple


class Standing(NamedTuple):
    """Where both ends may be at last, whether both beginnings were seen, whether the second one ever sent anything,
    whether an end is certainly not at rest, and whether both certainly are."""

    states: tuple[tuple[str, ...], tuple[str, ...]]
    from_start: bool
    answered: bool
    unfinished: bool
    finished: bool
