"""Images for tests: built from the runtime archives where those are in the cache.

Building the archives takes some minutes and fetches sources, so tests do it only when `UNIZONE_BUILD_RUNTIME=1` asks
for it; else they are skipped with the reason. `make runtime` builds them beforehand.
"""

import os
from pathlib import Path

import pytest

from dns_build import image, runtime
from dns_build.features import DEFAULT, Features
from dns_build.targets import TARGETS

APPLICATIONS = Path(__file__).parent.parent / "platform" / "applications"


def require_runtime(*, tls: bool = False) -> None:
    """Skip the calling test unless images can be linked."""
    if os.environ.get("UNIZONE_BUILD_RUNTIME") == "1":
        runtime.build(tls=tls)
    elif not runtime.is_built(runtime.locate(tls=tls)):
        pytest.skip("the runtime archives are not in the cache: `make runtime` or UNIZONE_BUILD_RUNTIME=1 builds them")


def build(
    target: str,
    folder: Path,
    application: image.Application = image.SERVICE,
    baked: Path | None = None,
    features: Features = DEFAULT,
    *,
    is_fresh: bool = False,
) -> image.Image:
    """An image in `folder`."""
    require_runtime(tls=features.tls)
    return image.Build(
        TARGETS[target], application=application, baked=baked, features=features, output=folder, is_fresh=is_fresh
    ).run()


def application(name: str) -> image.Application:
    """A small application of tests/platform/applications."""
    return image.Application(name, "main", root=APPLICATIONS)
