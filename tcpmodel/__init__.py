"""tcpmodel: a formal model of TCP and UDP, and a checker of captures and logs against it.

Owns: the version under the package's name.
Must never hold: an import of a part of the package, which would make every start pay for it.
"""

from tcpmodel._version import __version__

__all__ = ["__version__"]
