"""`importlib.metadata` where no package is installed: the versions of what is linked stand in the image's manifest."""


class PackageNotFoundError(ModuleNotFoundError):
    """No package is installed in an image."""


def version(distribution_name):
    """Always PackageNotFoundError."""
    raise PackageNotFoundError(distribution_name)
