"""`gettext` where there are no translations: texts as they stand in the program."""


def gettext(message):
    """The message."""
    return message


def ngettext(singular, plural, n):
    """The message for `n` of something."""
    return singular if n == 1 else plural
