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
from stack.interface.settings import Static
from stack.loop.loop import StackLoop
from stack.loop.turn import Platform
from stack.resolver.resolver import Resolver
from stack.tcp.commons import Limits

EXIT_NO_DEVICE: Final = 69  # EX_UNAVAILABLE of sysexits.h
_NOTICES_S: Final = 1.0  # seconds between two looks at what the stack has to tell
_SETTLE_S: Final = 5.0  # some DHCP servers first ask for three seconds whether anybody has the address
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


async def settled() -> None:
    """Wait until the running loop's interface has an address to ask from, as DHCP and routers give them.

    Who connects before that fails at once, as anywhere else. After `_SETTLE_S` seconds it returns all the same: a
    source may be on the link, and what is wrong is told by whoever tries.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StackLoop)
    interface, end = loop.interface, loop.time() + _SETTLE_S
    while loop.time() < end and not interface.ipv4.addresses:
        if interface.ipv6 is not None and not all(map(address.is_link_local, interface.ipv6.addresses.usable)):
            return
        await asyncio.sleep(_SETTLE_LOOK_S)


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
