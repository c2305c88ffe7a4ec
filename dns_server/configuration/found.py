"""The places that say parameters of this run: what was baked in, then `--config` or a disk of a virtual machine."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dns_platform import machine
from dns_platform.protocols import DeviceError
from dns_server.configuration.places import FILE, ArchivePlace, Place, open_device, open_place
from dns_server.configuration.toml import read_source
from dns_server.parameters.configuration import CONFIG
from dns_server.parameters.parameter import Parameter
from dns_server.settings import BadParameter, Source
from zones.baked import baked_files


def sources(config: str | None, parameters: Sequence[Parameter[Any]]) -> list[Source]:
    """What the places say, in rising order; `config` is the value of `--config`. BadUsage."""
    return [read_source(place, parameters) for place in _places(config)]


def _places(config: str | None) -> Iterator[Place]:
    baked = baked_files()
    if FILE in baked:
        yield ArchivePlace("baked", baked)
    if config is None:
        yield from _first_disk()
        return
    try:
        yield open_place(Path(config)) if machine.HAS_SOCKETS else open_device(config, machine.open_disk(config))
    except (ValueError, DeviceError) as error:
        raise BadParameter(f"--{CONFIG.name}", config, str(error), f"--{CONFIG.name}={CONFIG.example}") from None


def _first_disk() -> Iterator[Place]:
    """The first of the machine's own disks with a configuration; others may be caches, or what it boots from."""
    for number, disk in enumerate(machine.disks()):
        try:
            place = open_device(f"disk{number}", disk)
            place.read(FILE)
        except (ValueError, DeviceError):
            continue  # what is wrong with a disk is logged by who takes it for a cache
        yield place
        return
