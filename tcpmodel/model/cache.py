"""Keeps resolved specs, so that a spec that was read once is not parsed again.

Owns: the form in which a spec is kept, and which classes may come back from it.
Must never hold: where files are kept (see ``language.store``).

A kept spec is a pickle, read by an unpickler that knows the classes of the model and nothing else: no function can be
called, nothing can be imported. Anything that is not as expected counts as not kept.
"""

from __future__ import annotations

import gc
import hashlib
import io
from collections.abc import Callable, Mapping
from typing import Any

from tcpmodel.language import store
from tcpmodel.language.errors import SpecError
from tcpmodel.language.span import Span
from tcpmodel.language.version import content_mark, program_mark
from tcpmodel.model import expr, marks, observer, scenario, spec, types

Kept = tuple[spec.Spec, tuple[SpecError, ...]]


def name_of(text: str, parts: Mapping[str, str] | None = None) -> str:
    """The name under which what comes of the text with its parts is kept; "" if nothing can be kept."""
    return _named("spec", program_mark, text, parts)


def shipped_name(text: str, parts: Mapping[str, str] | None = None) -> str:
    """As ``name_of``, for what came with the program; the same on every machine with the same Python."""
    return _named("shipped", content_mark, text, parts)


def _named(kind: str, mark_of: Callable[..., bytes], text: str, parts: Mapping[str, str] | None) -> str:
    try:
        mark = mark_of("language", "model")
    except (OSError, ValueError):
        return ""
    found = hashlib.sha256(mark + text.encode("utf-8", "surrogatepass"))
    for path, part in (parts or {}).items():
        found.update(f"\0{path}\0{part}".encode("utf-8", "surrogatepass"))
    return f"{kind}-{found.hexdigest()}"


def get(name: str) -> Kept | None:
    """The spec and the warnings about it, or None."""
    data = store.read(name) if name else None
    return None if data is None else unpacked(data)


def shipped(text: str, parts: Mapping[str, str], name: str) -> Kept | None:
    """What was made of the text with its parts when the program was built, which is then kept by the name; or None."""
    place = shipped_name(text, parts)
    data = store.shipped(place) if place else None
    kept = None if data is None else unpacked(data)
    if data is not None and kept is not None and name:
        store.write(name, data)
    return kept


def unpacked(data: bytes) -> Kept | None:
    """The spec that was ``packed``, or None."""
    import pickle

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            found = _CLASSES.get((module, name))
            if found is None:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return found

    running = gc.isenabled()
    gc.disable()  # thousands of objects appear and all of them stay
    try:
        kept, warnings = Reader(io.BytesIO(data)).load()
        if not isinstance(kept, spec.Spec):
            return None
        return kept, tuple(SpecError(code, said, Span(*at), help_, how) for code, said, at, help_, how in warnings)
    except Exception:  # a damaged file may raise anything at all
        return None
    finally:
        if running:
            gc.enable()


def put(name: str, kept: Kept) -> None:
    """Keeps a spec, if that is possible."""
    if name and store.folder():
        data = packed(kept)
        if data is not None:
            store.write(name, data)


def packed(kept: Kept) -> bytes | None:
    """The form in which a spec is kept, or None if it has none."""
    import dataclasses
    import pickle

    class Writer(pickle.Pickler):
        def reducer_override(self, value: Any) -> Any:
            """A class and its arguments: read back faster than the default form."""
            if dataclasses.is_dataclass(value) and not isinstance(value, type):
                return type(value), tuple(getattr(value, field.name) for field in dataclasses.fields(value))
            return NotImplemented

    found, warnings = kept
    flat = [(w.code, w.message, dataclasses.astuple(w.span), w.help, w.severity) for w in warnings]
    out = io.BytesIO()
    try:
        Writer(out, protocol=5).dump((found, flat))
    except (pickle.PicklingError, RecursionError):
        return None
    return out.getvalue()


_CLASSES = {
    (cls.__module__, name): cls
    for module in (expr, marks, observer, scenario, spec, types)
    for name, cls in vars(module).items()
    if isinstance(cls, type) and cls.__module__ == module.__name__
}
_CLASSES[Span.__module__, "Span"] = Span
