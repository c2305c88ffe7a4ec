"""The virtual machine that the image is all of: it has no sockets, and one network device that needs no name."""

from dns_platform.guest import GuestMachine

HAS_SOCKETS = False
LINKS = {}


def open_machine(link, interface):
    """The machine with its first network device. DeviceError when it has none."""
    return GuestMachine.open()
