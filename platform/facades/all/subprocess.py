"""`subprocess` where there is no second program: the names that asyncio and others mention, and a refusal."""

PIPE = -1
STDOUT = -2
DEVNULL = -3


class SubprocessError(Exception):
    """What the other errors derive from."""


class CalledProcessError(SubprocessError):
    """Never raised: nothing is called."""


class TimeoutExpired(SubprocessError):
    """Never raised: nothing is waited for."""


class Popen:
    """A refusal."""

    def __init__(self, args, **_options):
        raise OSError(f"an image can't start programs: {args!r}")


def run(args, **_options):
    """A refusal."""
    raise OSError(f"an image can't start programs: {args!r}")


call = check_call = check_output = run
