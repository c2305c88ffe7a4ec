"""When something is next to be done, for parts that hold many deadlines."""


class Alarm:
    """The earliest of many deadlines, or earlier: moving a deadline back does not move the alarm, which is harmless.

    `at` is what `poll_at` answers. After the alarm the owner looks at all its deadlines and sets it anew.
    """

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at: float | None = None

    def by(self, deadline: float) -> None:
        """Go off not later than at `deadline`."""
        if self.at is None or deadline < self.at:
            self.at = deadline

    def is_due(self, now: float) -> bool:
        """Has it gone off? Then it is cleared: set it again for what remains."""
        if self.at is None or now < self.at:
            return False
        self.at = None
        return True


def earliest(*deadlines: float | None) -> float | None:
    """The first of `deadlines`, None when there is none."""
    first = None
    for deadline in deadlines:
        if deadline is not None and (first is None or deadline < first):
            first = deadline
    return first
