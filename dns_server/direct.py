"""The service on the project's own network stack: `--net=direct`."""

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import structlog

from dns_platform import machine
from dns_platform.protocols import Clock, DeviceError, NetworkDevice
from dns_platform.wrapping.pcap import PcapDevice
from dns_server.listeners.marks import COOKIE
from dns_server.parameters.answers import NAME
from dns_server.parameters.direct import INTERFACE, IPV4, IPV4_GATEWAY, IPV6, IPV6_GATEWAY, LINK, PCAP, RESOLVER
from dns_server.settings import BadParameter, BadUsage, Settings
from dns_server.values import Addressing
from stack import address
from stack.dhcp.lease import Lease
from stack.dhcp.service import DhcpService
from stack.interface import settings as interface_settings
from stack.interface.interface import Interface
from stack.interface.settings import Static
from stack.loop.loop import StackLoop
from stack.loop.turn import Platform
from stack.resolver.resolver import Resolver
from stack.tcp.commons import Limits

EXIT_NO_DEVICE: Final = 69  # EX_UNAVAILABLE of sysexits.h
_NOTICES_S: Final = 1.0  # seconds between two looks at what the stack has to tell
_SETTLE_S: Final = 10.0  # a lost request is repeated after 4, and some DHCP servers ask for 3 who has the address
_SETTLE_LOOK_S: Final = 0.01
_DNS_PORT: Final = 53
_PAUSE_S: Final = 5.0  # seconds that the wall clock gains on the monotonic one before it counts as a pause


def run(settings: Settings, serving: Coroutine[Any, Any, int]) -> int:
    """Run `serving` on a loop over the own stack, set up by `settings`; its exit code."""
    with contextlib.closing(serving):
        name = settings[INTERFACE]
        if name is None and machine.HAS_SOCKETS:
            raise BadUsage(
                "--net=direct needs --interface: which interface is to be taken\n"
                f"  for example: --interface={INTERFACE.example}"
            )
        try:
            opened = machine.open_machine(settings[LINK].value, name or "", COOKIE)
        except DeviceError as error:
            structlog.get_logger().error("stopped", reason=str(error))
            return EXIT_NO_DEVICE
        with contextlib.closing(opened):
            try:
                device = _recorded(opened.device, settings[PCAP], opened.clock)
            except OSError as error:
                raise BadParameter("--pcap", str(settings[PCAP]), str(error), f"--pcap={PCAP.example}") from None
            limits = Limits() if opened.memory is None else Limits().within(opened.memory)
            platform = Platform(opened.clock, opened.entropy, opened.poller, device)
            with asyncio.Runner(loop_factory=lambda: StackLoop(platform, _settings(settings), limits)) as runner:
                return runner.run(_attended(settings, serving))


def _recorded(device: NetworkDevice, file: Path | None, clock: Clock) -> NetworkDevice:
    """`device`, its frames written to `file` where there is one. OSError."""
    return device if file is None else PcapDevice(device, file.open("wb"), clock)


def _settings(settings: Settings) -> interface_settings.Settings:
    ipv4, ipv6 = settings[IPV4], settings[IPV6]
    return interface_settings.Settings(
        ipv4=(ipv4,) if isinstance(ipv4, Static) else (),
        ipv4_gateway=settings[IPV4_GATEWAY],
        ipv6=(ipv6,) if isinstance(ipv6, Static) else (),
        ipv6_gateway=settings[IPV6_GATEWAY],
        ipv6_enabled=ipv6 is not Addressing.NONE,
    )


async def _attended(settings: Settings, serving: Coroutine[Any, Any, int]) -> int:
    """Run `serving` with what a network needs beside it: name servers to ask, DHCP, and a log of what happens."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StackLoop)
    configured = [address.Endpoint(each, _DNS_PORT) for each in settings[RESOLVER]]
    loop.resolver = resolver = Resolver(configured, loop.interface.draw, loop.time)

    def leased(lease: Lease | None) -> None:
        told = () if lease is None else lease.name_servers
        resolver.servers = configured or [address.Endpoint(each, _DNS_PORT) for each in told]

    dhcp = None
    if settings[IPV4] is Addressing.DHCP:
        dhcp = DhcpService(loop.interface, loop.time(), settings[NAME], leased)
    beside = [
        asyncio.create_task(_log_notices(loop)),
        asyncio.create_task(_notice_pauses(loop)),
    ]
    try:
        return await serving
    finally:
        for task in beside:
            task.cancel()
        if dhcp is not None:
            dhcp.close(loop.time())


async def settled(host: str) -> None:
    """Wait until the running loop can ask for the zones at `host`: it, or a name server for its name, has a route.

    Who connects before that fails at once, as anywhere else; an address of the other family does not help, and routers
    often give one before DHCP does. After `_SETTLE_S` seconds it returns all the same: what is wrong is told by whoever
    tries.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StackLoop)
    end = loop.time() + _SETTLE_S
    while loop.time() < end:
        if any(_is_in_reach(loop.interface, each) for each in _first_asked(loop, host)):
            return
        await asyncio.sleep(_SETTLE_LOOK_S)


def _first_asked(loop: StackLoop, host: str) -> list[address.Address]:
    """Who is asked first where `host` is to be connected to."""
    try:
        return [address.parse(host)]
    except ValueError:
        assert isinstance(loop.resolver, Resolver)
        return [server.address for server in loop.resolver.servers]


def _is_in_reach(interface: Interface, destination: address.Address) -> bool:
    source = interface.source_for(destination)
    return source is not None and (not address.is_link_local(source) or address.is_link_local(destination))


async def _log_notices(loop: StackLoop) -> None:
    log = structlog.get_logger()
    while True:
        for notice in loop.interface.notices.take():
            log.info(notice.event, detail=notice.detail)
        await asyncio.sleep(_NOTICES_S)


async def _notice_pauses(loop: StackLoop) -> None:
    """Tell when the host has kept the machine from running: only the wall clock shows it, and leases have gone on."""
    log = structlog.get_logger()
    clock = loop.platform.clock
    ahead = clock.wall() - clock.monotonic()
    while True:
        await asyncio.sleep(_NOTICES_S)
        before, ahead = ahead, clock.wall() - clock.monotonic()
        if ahead - before > _PAUSE_S:
            log.warning("the machine was paused, or its clock was set forward", seconds=round(ahead - before))
            loop.interface.slept(ahead - before, loop.time())
