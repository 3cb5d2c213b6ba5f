"""The one entry point that turns a diagram into the bytes of a format.

Owns: which formats and engines there are, and what module writes which.
Must never hold: a format's details or the name of a protocol.
"""

from __future__ import annotations

from tcpmodel.render.diagram import Diagram
from tcpmodel.render.engines import RenderError

__all__ = ["ENGINES", "FORMATS", "RenderError", "render"]

FORMATS = ("svg", "png", "dot", "mermaid", "pdf")
ENGINES = ("auto", "pure", "dot")


def render(diagram: Diagram, to: str, engine: str = "auto") -> bytes:
    """The picture in the format ``to`` (one of ``FORMATS``); text formats are UTF-8 and end with a newline.

    ``engine``: ``pure`` is the layout program that comes with the package, ``dot`` is Graphviz as installed on the
    system, ``auto`` is the first of the two that can do it. Equal input gives equal bytes with the pure engine.
    Raises RenderError when no engine can do it and ``ValueError`` for an unknown format or engine.
    """
    if to not in FORMATS:
        raise ValueError(f"unknown picture format {to!r}: expected one of {', '.join(FORMATS)}")
    if engine not in ENGINES:
        raise ValueError(f"unknown layout engine {engine!r}: expected one of {', '.join(ENGINES)}")
    if to == "mermaid":
        from tcpmodel.render.mermaid import to_mermaid

        return to_mermaid(diagram).encode()
    from tcpmodel.render.dot import to_dot

    source = to_dot(diagram)
    if to == "dot":
        return source.encode()
    from tcpmodel.render.engines import run

    if to == "svg":
        from tcpmodel.render.svg import to_svg

        return to_svg(diagram, run(source, "json", engine)).encode()
    return run(source, to, engine)
