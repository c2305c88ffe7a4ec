"""What listeners ask for answers."""

from collections.abc import Callable

Answer = Callable[[bytes], bytes | None]
"""The reply to one query message, or nothing; never raises."""
