"""The express way for requests that are answered at once: frame in, reply frame out, in one step.

It takes plain UDP datagrams to a port that `Udp.serve` has: no options, no extension headers, no fragments, and a reply
that fits the link. Whatever is unusual in any way goes through the layers, which give the same answer or count why not.
The reply goes to the MAC that the request came from, so no request costs an entry in the neighbour cache.

IPv4 addresses and the datagram, and IPv6 addresses and the datagram, lie side by side in a packet; so the sum over both
is the datagram's checksum but for protocol and length. See `stack.wire.checksum` for sums by one division.
"""

import struct

from dns_platform.protocols import Octets
from stack.address import IPV4_UNSPECIFIED, IPV6_UNSPECIFIED
from stack.interface.ipv4 import Ipv4
from stack.interface.ipv6 import Ipv6
from stack.interface.udp import LATER, Udp
from stack.wire import ethernet, ipv4, ipv6, udp
from stack.wire.ethernet import EtherType
from stack.wire.ipv4 import Protocol

_IPV4 = struct.Struct("!6s6sHBBHHHBBH4s4sHHHH")  # Ethernet, IPv4 without options, UDP
_IPV6 = struct.Struct("!6s6sHIHBB16s16sHHHH")  # Ethernet, IPv6, UDP
_ETHER_TYPE = slice(12, 14)
_IS_IPV4 = int(EtherType.IPV4).to_bytes(2)
_IS_IPV6 = int(EtherType.IPV6).to_bytes(2)

_VERSION_4 = 0x45  # and five words of header
_VERSION_6 = 6 << 28
_DO_NOT_FRAGMENT = 0x4000
_TTL = 64
_PROTOCOL = int(Protocol.UDP)
_ADDRESSES_4 = ethernet.HEADER + 12
_ADDRESSES_6 = ethernet.HEADER + 8
_END_4 = ethernet.HEADER + ipv4.HEADER
_HEADERS_4 = ipv4.HEADER + udp.HEADER
# What is the same in each IPv4 header of ours, summed: version, do not fragment, TTL and protocol
_SUM_4 = (_VERSION_4 << 8) + _DO_NOT_FRAGMENT + (_TTL << 8 | _PROTOCOL)

TAKEN = b""
"""No frame: the request was taken, and there is no reply."""


class Express:
    """The express way of one interface with address `mac`."""

    __slots__ = ("_ipv4", "_ipv6", "_mac", "_responders", "replies")

    def __init__(self, mac: bytes, udp_sockets: Udp, ip4: Ipv4, ip6: Ipv6 | None) -> None:
        self._mac = mac
        self._responders = udp_sockets.responders
        self._ipv4 = ip4
        self._ipv6 = ip6
        self.replies = 0

    def reply(self, frame: Octets) -> bytes | None:
        """The frame that answers `frame`, TAKEN when there is none; None when `frame` has to go through the layers."""
        if not self._responders:
            return None
        kind = frame[_ETHER_TYPE]
        if kind == _IS_IPV4:
            return self._reply_4(frame) if len(frame) >= _IPV4.size else None
        if kind == _IS_IPV6 and self._ipv6 is not None:
            return self._reply_6(frame, self._ipv6) if len(frame) >= _IPV6.size else None
        return None

    def _reply_4(self, frame: Octets) -> bytes | None:
        (
            to_mac, from_mac, _, version, _, total, _, fragment, _, protocol, _,
            source, destination, source_port, port, length, made,
        ) = _IPV4.unpack_from(frame)  # fmt: skip
        if (
            version != _VERSION_4
            or protocol != _PROTOCOL
            or fragment & ~_DO_NOT_FRAGMENT
            or total != length + ipv4.HEADER
            or length < udp.HEADER
            or ethernet.HEADER + total > len(frame)
            or not source_port
            or not self._is_usual(to_mac, from_mac)
        ):
            return None
        responders = self._responders
        respond = responders.get((destination, port)) or responders.get((IPV4_UNSPECIFIED, port))
        ip = self._ipv4
        if (
            respond is None
            or not ip.is_assigned(destination)
            or not ip.is_stranger(source)
            or int.from_bytes(frame[ethernet.HEADER : _END_4]) % 65535
            or (made and not _fits(frame[_ADDRESSES_4 : ethernet.HEADER + total], length))
        ):
            return None
        payload = respond(bytes(frame[ethernet.HEADER + _HEADERS_4 : ethernet.HEADER + total]), source)
        if payload is None:
            return TAKEN
        if payload == LATER:
            return None
        length = udp.HEADER + len(payload)
        total = length + ipv4.HEADER
        if total > ip.path_mtus.link_mtu:
            return None
        addresses = int.from_bytes(source + destination)
        self.replies += 1
        return (
            _IPV4.pack(
                from_mac,
                self._mac,
                EtherType.IPV4,
                _VERSION_4,
                0,
                total,
                0,
                _DO_NOT_FRAGMENT,  # RFC 9715 3.1; RFC 6864 4.1: so there is no need of an identification
                _TTL,
                _PROTOCOL,
                65535 - ((_SUM_4 + total + addresses) % 65535 or 65535),
                destination,
                source,
                port,
                source_port,
                length,
                _checksum(payload, addresses + port + source_port, length),
            )
            + payload
        )

    def _reply_6(self, frame: Octets, ip: Ipv6) -> bytes | None:
        (
            to_mac, from_mac, _, version, length, next_header, _,
            source, destination, source_port, port, udp_length, made,
        ) = _IPV6.unpack_from(frame)  # fmt: skip
        if (
            next_header != _PROTOCOL
            or version >> 28 != 6
            or length != udp_length
            or length < udp.HEADER
            or ethernet.HEADER + ipv6.HEADER + length > len(frame)
            or not made
            or not source_port
            or not self._is_usual(to_mac, from_mac)
        ):
            return None
        responders = self._responders
        respond = responders.get((destination, port)) or responders.get((IPV6_UNSPECIFIED, port))
        end = ethernet.HEADER + ipv6.HEADER + length
        if (
            respond is None
            or not ip.addresses.is_local(destination)
            or not ip.is_stranger(source)
            or not _fits(frame[_ADDRESSES_6:end], length)
        ):
            return None
        payload = respond(bytes(frame[_IPV6.size : end]), source)
        if payload is None:
            return TAKEN
        if payload == LATER:
            return None
        length = udp.HEADER + len(payload)
        if ipv6.HEADER + length > ip.path_mtus.link_mtu:
            return None
        self.replies += 1
        return (
            _IPV6.pack(
                from_mac,
                self._mac,
                EtherType.IPV6,
                _VERSION_6,
                length,
                _PROTOCOL,
                ip.hop_limit,
                destination,
                source,
                port,
                source_port,
                length,
                _checksum(payload, int.from_bytes(source + destination) + port + source_port, length),
            )
            + payload
        )

    def _is_usual(self, to_mac: bytes, from_mac: bytes) -> bool:
        """Is the frame from one host to us alone?"""
        return to_mac == self._mac and not from_mac[0] & 1 and from_mac != to_mac


def _fits(addresses_and_datagram: Octets, length: int) -> bool:
    """Is the checksum of a datagram of `length` octets right?"""
    total = int.from_bytes(addresses_and_datagram)
    if length & 1:
        total <<= 8
    return (total + _PROTOCOL + length) % 65535 == 0


def _checksum(payload: bytes, addresses_and_ports: int, length: int) -> int:
    """The checksum of a datagram of `length` octets; a zero is written as all ones (RFC 768)."""
    total = int.from_bytes(payload)
    if length & 1:
        total <<= 8
    return 65535 - (total + addresses_and_ports + _PROTOCOL + 2 * length) % 65535
