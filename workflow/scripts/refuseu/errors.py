"""The one exception for mistakes a user can mend."""


class UserError(Exception):
    """A mistake in config, data or environment.

    The message is one sentence: the file, the key or row, what was found, and the cure. It is shown
    without a traceback.
    """
