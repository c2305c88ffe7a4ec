"""Addresses and endpoints: packed octets, 4 of IPv4 or 16 of IPv6, so that they compare and hash at C speed.

Text is read and written at the edges only, in the notation of RFC 4291 2.2 and RFC 5952.
"""

import ipaddress
from typing import NamedTuple

Address = bytes
"""4 octets of an IPv4 address or 16 of an IPv6 address, in network order."""

IPV4_UNSPECIFIED: Address = bytes(4)
IPV4_BROADCAST: Address = b"\xff" * 4
IPV6_UNSPECIFIED: Address = bytes(16)
IPV6_LOOPBACK: Address = bytes(15) + b"\x01"
ALL_NODES: Address = bytes.fromhex("ff020000000000000000000000000001")
ALL_ROUTERS: Address = bytes.fromhex("ff020000000000000000000000000002")
LINK_LOCAL_PREFIX = bytes.fromhex("fe80000000000000")

BROADCAST_MAC = b"\xff" * 6


class Endpoint(NamedTuple):
    """One end of a conversation."""

    address: Address
    port: int

    def __str__(self) -> str:
        return f"[{text(self.address)}]:{self.port}" if len(self.address) == 16 else f"{text(self.address)}:{self.port}"


class Network(NamedTuple):
    """The addresses that share the first `length` bits of `prefix`; the other bits of `prefix` are zero."""

    prefix: Address
    length: int

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, bytes) or len(address) != len(self.prefix):
            return False
        rest = 8 * len(self.prefix) - self.length
        return int.from_bytes(address) >> rest == int.from_bytes(self.prefix) >> rest

    def __str__(self) -> str:
        return f"{text(self.prefix)}/{self.length}"

    @property
    def broadcast(self) -> Address:
        """The address whose host bits are all one (RFC 919); has a meaning for IPv4 only."""
        hosts = (1 << (8 * len(self.prefix) - self.length)) - 1
        return (int.from_bytes(self.prefix) | hosts).to_bytes(len(self.prefix))


def network(address: Address, length: int) -> Network:
    """The network of `length` bits that `address` is in. ValueError when it has not so many bits."""
    bits = 8 * len(address)
    if not 0 <= length <= bits:
        raise ValueError(f"prefix length {length} is not from 0 to {bits}")
    rest = bits - length
    return Network((int.from_bytes(address) >> rest << rest).to_bytes(len(address)), length)


def parse(address: str) -> Address:
    """Packed form of `address`, IPv4 or IPv6. ValueError says what is wrong with it."""
    return ipaddress.ip_address(address).packed


def parse_interface(interface: str) -> tuple[Address, Network]:
    """Address and network of `ADDRESS/LENGTH`. ValueError says what is wrong with it."""
    address, slash, length = interface.partition("/")
    if not slash or not length.isdecimal():
        raise ValueError(f"{interface!r} is not ADDRESS/LENGTH, as in 192.0.2.1/24")
    packed = parse(address)
    return packed, network(packed, int(length))


def text(address: Address) -> str:
    """`address` for people (RFC 5952)."""
    return str(ipaddress.ip_address(address))


def mac_text(mac: bytes) -> str:
    """`mac` for people."""
    return mac.hex(":")


def is_multicast(address: Address) -> bool:
    """Is it a group: 224.0.0.0/4 (RFC 1112 4) or ff00::/8 (RFC 4291 2.7)?"""
    return address[0] & 0xF0 == 0xE0 if len(address) == 4 else address[0] == 0xFF


def is_unspecified(address: Address) -> bool:
    """Is it 0.0.0.0 or ::?"""
    return not any(address)


def is_link_local(address: Address) -> bool:
    """Is it in 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291 2.5.6)?"""
    if len(address) == 4:
        return address[:2] == b"\xa9\xfe"
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def is_loopback(address: Address) -> bool:
    """Is it in 127.0.0.0/8 (RFC 1122 3.2.1.3) or ::1?"""
    return address[0] == 127 if len(address) == 4 else address == IPV6_LOOPBACK


def solicited_node(address: Address) -> Address:
    """The group that the owner of the IPv6 `address` listens to (RFC 4291 2.7.1)."""
    return bytes.fromhex("ff0200000000000000000001ff") + address[13:]


def multicast_mac(group: Address) -> bytes:
    """Ethernet address of the frames to `group` (RFC 1112 6.4, RFC 2464 7)."""
    if len(group) == 4:
        return b"\x01\x00\x5e" + bytes((group[1] & 0x7F,)) + group[2:]
    return b"\x33\x33" + group[12:]


def interface_identifier(mac: bytes) -> bytes:
    """Modified EUI-64 of `mac` (RFC 4291 appendix A)."""
    return bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]
