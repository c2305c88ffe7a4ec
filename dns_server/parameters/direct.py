"""The own network stack: its interface, addresses and routers."""

import enum
from pathlib import Path
from typing import Any, Final

from dns_server import values
from dns_server.parameters.parameter import SERVING, Group, Parameter
from dns_server.values import Addressing
from stack.address import Address
from stack.interface.settings import Static


class Link(enum.Enum):
    """How frames of an interface are had."""

    TAP = "tap"
    PACKET = "packet"
    XDP = "xdp"


INTERFACE: Final[Parameter[str | None]] = Parameter(
    name="interface",
    parse=values.text,
    default=None,
    metavar="NAME",
    example="eth1",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="The interface that the own stack takes; it should have no address of the host's.",
)
LINK: Final[Parameter[Link]] = Parameter(
    name="link",
    parse=values.choice(Link),
    default="packet",
    metavar="tap|packet|xdp",
    example="tap",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="How the own stack exchanges frames with --interface: as the other end of a tap interface, by AF_PACKET, or by "
    "AF_XDP.",
)
PCAP: Final[Parameter[Path | None]] = Parameter(
    name="pcap",
    parse=values.new_file,
    default=None,
    metavar="FILE",
    example="unizone.pcap",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="File to write every frame of the own stack to, for Wireshark and tcpdump; one that is there is overwritten.",
    file_prefix="",
)
IPV4: Final[Parameter[Static | Addressing]] = Parameter(
    name="ipv4",
    parse=values.ipv4,
    default="dhcp",
    metavar="ADDR/LEN|dhcp|none",
    example="192.0.2.53/24",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="IPv4 address of the own stack, with the length of its network.",
)
IPV4_GATEWAY: Final[Parameter[Address | None]] = Parameter(
    name="ipv4-gateway",
    parse=values.ipv4_address,
    default=None,
    metavar="ADDR",
    example="192.0.2.1",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="Router for IPv4 beyond the own network; DHCP tells it otherwise.",
)
IPV6: Final[Parameter[Static | Addressing]] = Parameter(
    name="ipv6",
    parse=values.ipv6,
    default="auto",
    metavar="ADDR/LEN|auto|none",
    example="2001:db8::53/64",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="IPv6 address of the own stack, with the length of its network; auto: from router advertisements alone.",
)
IPV6_GATEWAY: Final[Parameter[Address | None]] = Parameter(
    name="ipv6-gateway",
    parse=values.ipv6_address,
    default=None,
    metavar="ADDR",
    example="2001:db8::1",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="Router for IPv6; router advertisements tell it otherwise.",
)
RESOLVER: Final[Parameter[tuple[Address, ...]]] = Parameter(
    name="resolver",
    parse=values.addresses,
    default=None,
    metavar="ADDR",
    example="192.0.2.1 --resolver=2001:db8::1",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="Recursive name server that the own stack asks for the host of --remote; repeatable. DHCP tells it otherwise.",
    repeatable=True,
)

TABLE: Final[tuple[Parameter[Any], ...]] = (INTERFACE, LINK, PCAP, IPV4, IPV4_GATEWAY, IPV6, IPV6_GATEWAY, RESOLVER)
