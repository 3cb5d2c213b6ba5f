"""Reads the specs of a checkout once, when the program is built: ``python -m tcpmodel.model.shipping FOLDER``.

Owns: which files come with the program so that its first run need not parse its own specs.
Must never hold: a form of its own; that of a spec is in ``cache``, that of the grammar in ``language.tables``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tcpmodel.language.tables import tables_of
from tcpmodel.model import cache
from tcpmodel.model.load import load, shipped_specs


def ship(folder: Path) -> None:
    """Writes what comes of each shipped spec. SpecErrors if one is wrong, OSError if nothing can be written."""
    folder.mkdir(parents=True, exist_ok=True)
    name, tables = tables_of()
    (folder / name).write_bytes(tables)
    for path in shipped_specs().values():
        found = load(str(path))
        data = cache.packed((found.spec, found.warnings))
        if data is not None:
            (folder / cache.shipped_name(found.text, found.parts)).write_bytes(data)


if __name__ == "__main__":
    ship(Path(sys.argv[1]))
