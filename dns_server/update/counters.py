"""What happened to updates since the start."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class UpdateCounters:
    """Counts of messages, for metrics."""

    replies: Counter[int] = field(default_factory=Counter)
    """Answered messages by response code, but those whose signature was not believed."""
    repeated: int = 0
    """Copies of messages that were obeyed already, or are being obeyed."""
    busy: int = 0
    """Refused because too many were in progress."""
    in_progress: int = 0
