"""When an update is acknowledged."""

import enum


class Ack(enum.Enum):
    """`--update-ack`."""

    PUSH = "push"
    """When the change is in the repository and in service."""
    MEMORY = "memory"
    """When it is in service; it is pushed afterwards."""
