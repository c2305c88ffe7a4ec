"""Numbers that the engine and the compiled core agree on."""

from typing import Final

# Kinds of ready answers, by what questions share them.
EXACT: Final = 0
"""By a name and type."""
WILDCARD: Final = 1
"""By a wildcard and type, for a name that it stands in for."""
REFERRAL: Final = 2
"""By a cut."""
NODATA: Final = 3
"""By the apex, or with a proof by the name."""
NXDOMAIN: Final = 4
"""By the apex."""

# What lookup must know of a name.
CUT: Final = 1
DNAME: Final = 2
CNAME: Final = 4
HIDDEN: Final = 8
"""It is not in the tree of names, or a cut or a DNAME hides it: it is not found."""
