"""The network of `unizone example --net=direct`: a namespace of Linux with a tap interface, whose other end we are."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dns_server.parameters.direct import INTERFACE, IPV4, IPV6, LINK
from dns_server.settings import Settings

_LINUX: Final = ("192.0.2.1/24", "2001:db8::1/64")
OURS: Final = "192.0.2.53"
_DEFAULTS: Final = ((LINK, "tap"), (IPV4, f"{OURS}/24"), (IPV6, "2001:db8::53/64"))


class NoNetwork(Exception):
    """The namespace can't be made; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ExampleNetwork:
    """A namespace and the name of the tap interface."""

    namespace: str
    tap: str

    def settings(self, settings: Settings) -> Settings:
        """`settings` for the tap interface, where they don't say otherwise."""
        for parameter, text in _DEFAULTS:
            settings = settings.with_default(parameter, text)
        return settings.with_default(INTERFACE, self.tap)

    def plug(self) -> None:
        """Put Linux's end of the tap interface, which is there once we have opened ours, into the namespace."""
        _ip("link", "set", self.tap, "netns", self.namespace)
        for address in _LINUX:
            _ip("-netns", self.namespace, "address", "add", address, "dev", self.tap)
        _ip("-netns", self.namespace, "link", "set", self.tap, "up")


@contextlib.contextmanager
def example_network() -> Iterator[ExampleNetwork]:
    """A namespace that is deleted at the end, with the interface in it. NoNetwork."""
    network = ExampleNetwork(f"unizone-{os.getpid()}", f"uz{os.getpid()}")
    _ip("netns", "add", network.namespace)
    try:
        yield network
    finally:
        _ip("netns", "delete", network.namespace)


def _ip(*arguments: str) -> None:
    command = f"ip {' '.join(arguments)}"
    try:
        result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoNetwork("--net=direct needs the ip program here: apt install iproute2") from None
    if result.returncode:
        reason = result.stderr.strip()
        raise NoNetwork(f"--net=direct makes a network namespace, which takes root: `{command}` failed: {reason}")
