"""The one exception for mistakes a user can mend."""

from refuseu.safe import shown

LONGEST = 4000  # characters; a server or a file may say a megabyte


class UserError(Exception):
    """A mistake in config, data or environment.

    The message is one sentence: the file, the key or row, what was found, and the cure. It is shown
    without a traceback, and hides nothing, whatever it quotes.
    """

    def __str__(self) -> str:
        said = shown(super().__str__())
        return said if len(said) <= LONGEST else f"{said[:LONGEST]} …"
