"""Have memory fetched that will be looked at soon, so that waits for several places overlap.

A place that comes from memory takes as long as some hundred instructions. Who answers a batch knows what the next
answers look at: `fetch` says so, and reads nothing.
"""


def fetch(place: object) -> None:
    """Fetch what `place`, made by `cython.address`, points to. Uncompiled there is nothing to be done."""
