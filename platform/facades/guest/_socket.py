"""`_socket` where the network stack is Python: constants and address conversions for what imports `socket`.

Connections are made by the event loop's own methods. A `socket.socket` can't be opened, and says so.
"""

import ipaddress

AF_UNSPEC = 0
AF_UNIX = 1
AF_INET = 2
AF_INET6 = 10
SOCK_STREAM = 1
SOCK_DGRAM = 2
SOCK_RAW = 3
SOCK_NONBLOCK = 2048
SOCK_CLOEXEC = 524288
SOL_SOCKET = 1
SO_REUSEADDR = 2
SO_TYPE = 3
SO_ERROR = 4
SO_BROADCAST = 6
SO_SNDBUF = 7
SO_RCVBUF = 8
SO_KEEPALIVE = 9
SO_REUSEPORT = 15
SOMAXCONN = 4096
IPPROTO_IP = 0
IPPROTO_ICMP = 1
IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_IPV6 = 41
IPV6_V6ONLY = 26
TCP_NODELAY = 1
SHUT_RD = 0
SHUT_WR = 1
SHUT_RDWR = 2
AI_PASSIVE = 1
AI_CANONNAME = 2
AI_NUMERICHOST = 4
AI_NUMERICSERV = 1024
AI_ADDRCONFIG = 32
NI_NUMERICHOST = 1
NI_NUMERICSERV = 2
NI_DGRAM = 16
EAI_NONAME = -2
EAI_AGAIN = -3
EAI_FAIL = -4
EAI_FAMILY = -6
MSG_PEEK = 2
MSG_DONTWAIT = 64
has_ipv6 = True

error = OSError


class herror(OSError):
    """Never raised."""


class gaierror(OSError):
    """A name can't be resolved."""


timeout = TimeoutError
CAPI = None


class socket:
    """A refusal. Without slots of its own, as the compiled class that `socket.socket` derives from."""

    __slots__ = ()

    def __init__(self, *_arguments, **_options):
        raise OSError("this image has no sockets: use the event loop's connections")

    def close(self):
        """Nothing is open."""


SocketType = socket


def inet_pton(family, text):
    """Address of `family` to octets; OSError when it is none."""
    try:
        return (ipaddress.IPv4Address if family == AF_INET else ipaddress.IPv6Address)(text).packed
    except ValueError:
        raise OSError(f"not an address of family {family}: {text!r}") from None


def inet_ntop(family, packed):
    """Octets to the text of an address of `family`."""
    return str((ipaddress.IPv4Address if family == AF_INET else ipaddress.IPv6Address)(bytes(packed)))


def inet_aton(text):
    """IPv4 address to octets."""
    return inet_pton(AF_INET, text)


def inet_ntoa(packed):
    """Octets to an IPv4 address."""
    return inet_ntop(AF_INET, packed)


def htons(value):
    """To network order, and back."""
    return int.from_bytes(value.to_bytes(2, "big"), "little")


def htonl(value):
    """To network order, and back."""
    return int.from_bytes(value.to_bytes(4, "big"), "little")


ntohs, ntohl = htons, htonl
_default_timeout = None


def getdefaulttimeout():
    """Always None: nothing here waits."""
    return _default_timeout


def gethostname():
    """The image has no name of its own in this table; the parameter `--name` is what the service uses."""
    return "unizone"


def getaddrinfo(host, port, *_arguments, **_options):
    """A refusal: the event loop resolves names."""
    raise gaierror(EAI_AGAIN, f"names are resolved by the event loop, not here: {host!r}, {port!r}")
