"""The version of the project.

Owns: the one place where the version is written; the build and the command read it here.
Must never hold: an import, since the build reads this file before anything is installed.
"""

__version__ = "0.1.0"
