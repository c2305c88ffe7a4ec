"""How the kernel tells queries of known senders from those of anybody.

Who forges its source can't have a server cookie for it (RFC 7873), so a flood fills the queue of those without one, and
clients that hold one go on as ever. Filters look for the option where resolvers and `dig` put it, at the end of the
message; they do not know the secret.
"""

from typing import Final

from dns_platform.protocols import Mark

_COOKIE: Final = 10  # RFC 7873 4
_SIZE: Final = 24  # client cookie and server cookie, as RFC 9018 4 has them

COOKIE: Final = Mark(distance=4 + _SIZE, word=_COOKIE << 16 | _SIZE)
"""Code and length of an option that ends the query."""
