"""The one exception that a user is meant to read."""


class UserError(Exception):
    """A problem the user can mend; its text is the one line that is printed."""
