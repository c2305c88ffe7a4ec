"""`dns_server.listeners.messages` where there is no ctypes: datagrams are read one by one, as on other systems."""

BATCH = 64
Message = Peer = tuple


def is_available():
    """No: these system calls are made through ctypes."""
    return False


class MessageQueue:
    """A refusal; who asks `is_available` first never makes one."""

    def __init__(self, _bound, _stride, *, is_wildcard):
        raise OSError("an image has no ctypes to call recvmmsg with")
