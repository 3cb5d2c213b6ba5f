"""Builds the lark parser from the grammar, or from tables that were built before.

Owns: how lark is set up, and the form in which its tables are kept.
Must never hold: what is parsed.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
from pathlib import Path
from typing import Any

import lark

from tcpmodel.language import store

GRAMMAR = Path(__file__).with_name("grammar.lark")


def build_parser(callbacks: object) -> lark.Lark:
    """A parser with the starts of ``_OPTIONS`` that calls a method of ``callbacks`` for each rule of the grammar."""
    grammar, name = _grammar()
    kept = store.read(name) or store.shipped(name)
    found = _from_tables(kept, callbacks) if kept is not None else None
    if found is None:
        _, made = tables_of()
        store.write(name, made)
        found = _from_tables(made, callbacks)
    return found or lark.Lark(grammar, transformer=callbacks, **_OPTIONS)


def tables_of() -> tuple[str, bytes]:
    """The name under which the tables of this grammar are kept, and the tables."""
    grammar, name = _grammar()
    out = io.BytesIO()
    lark.Lark(grammar, **_OPTIONS).save(out)
    return name, out.getvalue()


def _grammar() -> tuple[str, str]:
    grammar = GRAMMAR.read_text(encoding="utf-8")
    mark = f"{lark.__version__} {sys.implementation.cache_tag} {grammar}"
    return grammar, "grammar-" + hashlib.sha256(mark.encode()).hexdigest()


def _from_tables(data: bytes, callbacks: object) -> lark.Lark | None:
    try:
        found = lark.Lark.__new__(lark.Lark)
        found._load(_Plain(io.BytesIO(data)).load(), transformer=callbacks)
    except Exception:  # damaged, or of a lark that keeps its tables in another way
        return None
    return found


_OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "contextual",
    "start": ["declaration", "item", "line"],
    "propagate_positions": False,
    "maybe_placeholders": False,
}


class _Plain(pickle.Unpickler):
    """Reads numbers, texts, lists and dictionaries; no class at all."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name}")
