"""`importlib.metadata` where nothing is installed: the versions of what was linked, which the builder wrote down."""

from unizone_versions import VERSIONS


class PackageNotFoundError(ModuleNotFoundError):
    """A distribution that is not in this image."""


def version(distribution_name):
    """Version of a distribution that is linked; PackageNotFoundError for others."""
    try:
        return VERSIONS[distribution_name]
    except KeyError:
        raise PackageNotFoundError(f"{distribution_name} is not in this image") from None
