"""Classes that are written out when an image is built: `dataclass`, `NamedTuple`, `Enum` write the same at each start.

Making one of them at a start takes four to ten times as long as making the plain class that comes of it: two thirds of
a million instructions, 120 times, and half a million for each of 46 enumerations. `records`, `tuples` and
`enumerations` change syntax trees, `plain` takes away what only type checkers look at. What they write uses
`platform/facades/all/unizone_classes.py`; a class of a shape that they do not know stays as it is.
"""
