"""What the command ``step`` and its session share: values by name, and a stepper under some profiles.

Owns: reading ``NAME=VALUE``, and refusing profiles that a spec does not have.
Must never hold: an import of another part of the project at the top; ``--help`` of ``step`` loads this module.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import active_profiles

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from tcpmodel.model.spec import Spec
    from tcpmodel.semantics.stepping import Stepper


def assignments(words: Sequence[str], option: str) -> dict[str, int | str | None]:
    """``NAME=VALUE`` words as a mapping; of one name the last counts. CommandError for a word without ``=``."""
    found: dict[str, int | str | None] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise CommandError(f"{option} {word}: NAME=VALUE is needed")
        found[name.strip()] = value.strip()
    return found


def make_stepper(spec: Spec, profiles: Sequence[str]) -> Stepper:
    """A stepper under the defaults changed by ``profiles``; CommandError for one that the spec does not have."""
    from tcpmodel.semantics.stepping import Stepper

    active_profiles(spec, profiles)
    return Stepper(spec, profiles)
