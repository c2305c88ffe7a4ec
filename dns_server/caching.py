"""The disk that keeps what is served, by `--cache` or as a virtual machine has one."""

import structlog

from dns_platform import machine
from dns_platform.protocols import DeviceError
from dns_server.parameters.zones import CACHE
from dns_server.settings import BadParameter
from zones.cache.area import Area, NoArea
from zones.cache.cache import Cache


def open_cache(name: str | None) -> Cache | None:
    """The cache by the value of `--cache`; None where there is none. BadParameter when that disk can't be one."""
    if name == "none":
        return None
    if name is None:
        return _found()
    try:
        return Cache(Area(machine.open_disk(name)))
    except (NoArea, DeviceError) as error:
        raise BadParameter("--cache", name, str(error), f"--cache={CACHE.example}") from None


def _found() -> Cache | None:
    """The machine's first disk that is a cache, or blank."""
    log = structlog.get_logger("dns_server.caching")
    for number, disk in enumerate(machine.disks()):
        try:
            area = Area(disk)
        except NoArea as error:
            log.info("disk is no cache", disk=number, reason=str(error))
        except DeviceError as error:  # a broken disk must not stop the service
            log.error("disk can't be used as a cache", disk=number, error=str(error))
        else:
            log.info("disk is the cache", disk=number, capacity=area.capacity)
            return Cache(area)
    return None
