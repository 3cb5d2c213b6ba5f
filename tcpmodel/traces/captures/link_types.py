"""Every link type that can be read.

Owns: the whole list, by number and in words.
Must never hold: a header (see ``link`` and ``rare_links``).
"""

from __future__ import annotations

from tcpmodel.traces.captures import link, rare_links

DECODERS: dict[int, link.Decoder] = {**link.USUAL, **rare_links.RARE}
"""By their number in capture files."""

SUPPORTED = f"{link.SUPPORTED}, {rare_links.SUPPORTED}"
"""For people."""
