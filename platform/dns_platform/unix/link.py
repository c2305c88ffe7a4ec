"""What the kernel says about an interface."""

import fcntl
import socket
import struct

from dns_platform.protocols import DeviceError

# linux/sockios.h
_SIOCGIFMTU = 0x8921
_SIOCGIFHWADDR = 0x8927
_ARPHRD_ETHER = 1
_NAME = 15  # octets that an interface's name may have


def interface_mtu(name: str) -> int:
    """MTU of interface `name`. OSError when there is none."""
    (mtu,) = struct.unpack_from("i", _ask(_SIOCGIFMTU, name), 16)
    return int(mtu)


def interface_mac(name: str) -> bytes:
    """MAC of interface `name`. OSError when there is none, DeviceError when it is not Ethernet."""
    answer = _ask(_SIOCGIFHWADDR, name)
    (kind,) = struct.unpack_from("H", answer, 16)
    if kind != _ARPHRD_ETHER:
        raise DeviceError(f"{name} is not an Ethernet interface")
    return answer[18:24]


def interface_index(name: str) -> int:
    """Index of interface `name`. DeviceError when there is none."""
    try:
        return socket.if_nametoindex(name)
    except OSError as error:
        raise DeviceError(f"there is no interface {name}; `ip link` lists them") from error


def _ask(request: int, name: str) -> bytes:
    if not 0 < len(name) <= _NAME:
        raise DeviceError(f"{name!r} can't be the name of an interface")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return fcntl.ioctl(any_socket, request, struct.pack("16s24x", name.encode()))
