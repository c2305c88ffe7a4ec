"""`html` without the table of entities: escaping, which is what writes pages."""


def escape(s, quote=True):
    """`s` with what HTML gives a meaning to as entities."""
    s = s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return s.replace('"', "&quot;").replace("'", "&#x27;") if quote else s
