"""The virtual machine that the image is all of: it has no sockets, and one network device that needs no name."""

import re

from dns_platform.guest import GuestBlock, GuestMachine, disk_count, memory_use
from dns_platform.protocols import DeviceError

__all__ = ["HAS_SOCKETS", "LINKS", "disks", "memory_use", "open_disk", "open_machine"]

HAS_SOCKETS = False
LINKS = {}


def open_machine(link, interface, mark=None):
    """The machine with its first network device, which has one queue for all. DeviceError when it has none."""
    return GuestMachine.open()


def open_disk(name):
    """The disk called disk0, disk1 and so on. DeviceError when there is none."""
    if not re.fullmatch("disk[0-9]", name):
        raise DeviceError("disks of a virtual machine are called disk0 to disk3")
    return GuestBlock(int(name[4:]))


def disks():
    """All disks of the machine."""
    return [GuestBlock(number) for number in range(disk_count())]
