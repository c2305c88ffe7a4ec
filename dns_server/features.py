"""What this program was built to do: everything, but in images, where `unizone build` was told what to link."""

import importlib
from typing import Final

MODULE: Final = "unizone_features"
"""Module that the image builder writes."""


def syslog_transports() -> tuple[str, ...]:
    """Transports of syslog that this program has; an image was built for the last one."""
    try:
        transports: tuple[str, ...] = importlib.import_module(MODULE).SYSLOG
    except ModuleNotFoundError:
        return ("tcp", "tls", "udp")
    return transports
