"""All faults of endpoints that are planted in conversations of TCP, in the order in which they are shown.

Owns: the list. Must never hold: a fault (see the files beside), or whether one is found (see ``planted``).
"""

from __future__ import annotations

import plants_headers  # noqa: F401
import plants_numbers  # noqa: F401
import plants_opening  # noqa: F401
from planting import PLANTS, Plant

__all__ = ["PLANTS", "Plant"]
