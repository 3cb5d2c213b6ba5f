"""How a command gives up.

Owns: the exception that ends a command with a message for its user.
Must never hold: an import of another part of the project; every start of the command loads this module.
"""


class CommandError(Exception):
    """The command cannot do what was asked; the text says why and, where there is one, the way out.

    ``complete`` texts are shown as they are (the rendered errors of a spec); others get the prefix
    ``tcpmodel: error: ``.
    """

    def __init__(self, message: str, *, complete: bool = False) -> None:
        super().__init__(message)
        self.complete = complete
