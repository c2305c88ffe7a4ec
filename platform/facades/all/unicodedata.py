"""`unicodedata` without tables of Unicode, 0.7 MB: what is said about ASCII is right, other text is refused."""


def normalize(_form, text):
    """ASCII text itself. ValueError for other text: the host of a URL is written as A-labels (xn--...)."""
    if not text.isascii():
        raise ValueError(f"{text!r} has letters outside ASCII; write host names as A-labels (xn--...)")
    return text


def combining(_character):
    """No character combines."""
    return 0


def east_asian_width(_character):
    """Every character is narrow."""
    return "Na"
