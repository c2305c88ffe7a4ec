"""`pickle` where nothing is pickled: the errors that others name."""


class PickleError(Exception):
    """What the others derive from."""


class PicklingError(PickleError):
    """Never raised."""


class UnpicklingError(PickleError):
    """Never raised."""
