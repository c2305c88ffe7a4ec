"""Whom TLS clients believe: authorities that were linked into an image, else those that the machine knows."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # images without TLS have no ssl
    import ssl

MODULE: Final = "unizone_authorities"
"""Module that the image builder writes, with certificates in DER as CERTIFICATES."""


def client_context(authorities: Path | None = None) -> "ssl.SSLContext":
    """A context that verifies the server's certificate and name, by `authorities` (PEM) if given.

    ImportError where TLS is not linked, OSError when the file can't be read.
    """
    import ssl

    if authorities is None:
        try:
            return ssl.create_default_context(cadata=importlib.import_module(MODULE).CERTIFICATES)
        except ModuleNotFoundError:
            pass  # no image
    return ssl.create_default_context(cafile=authorities)
