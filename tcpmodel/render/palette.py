"""The colours of a picture.

Owns: what each colour means and how it looks on a light and on a dark page.
Must never hold: how a format writes a colour.
"""

from __future__ import annotations

LIGHT: dict[str, str] = {
    "page": "#ffffff",
    "ink": "#1f2328",
    "muted": "#57606a",
    "line": "#424a53",
    "faint": "#8c959f",
    "rule": "#afb8c1",
    "fill": "#f6f8fa",
    "accent": "#0550ae",
    "glow": "#ddf4ff",
    "fired": "#1a7f37",
    "fired-fill": "#dafbe1",
    "perhaps": "#9a6700",
    "perhaps-fill": "#fff8c5",
}
"""Role -> colour on a light page; the values are all different, so that a colour tells its role."""

DARK: dict[str, str] = {
    "page": "#0d1117",
    "ink": "#f0f6fc",
    "muted": "#a9b4bf",
    "line": "#b7c0ca",
    "faint": "#7d8590",
    "rule": "#57606a",
    "fill": "#1c232c",
    "accent": "#79c0ff",
    "glow": "#0c2d52",
    "fired": "#3fb950",
    "fired-fill": "#12331d",
    "perhaps": "#d29922",
    "perhaps-fill": "#3b2c08",
}
"""Role -> colour on a dark page."""

ROLE_OF: dict[str, str] = {colour: role for role, colour in LIGHT.items()}
"""Colour on a light page -> role."""
