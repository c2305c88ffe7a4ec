"""`select` where there are no file descriptors: the loop waits in `dns_platform`, not here."""

error = OSError


def select(rlist, wlist, xlist, timeout=None):
    """A refusal."""
    raise OSError("there are no file descriptors in this image to wait for")
