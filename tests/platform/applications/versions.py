"""Tells what it runs on."""

import sys


def main() -> int:
    """Print; an exit code that tests know."""
    print("arguments", *sys.argv[1:])
    print("python", *sys.version_info[:3])
    print("modules from files", [name for name, module in sys.modules.items() if getattr(module, "__file__", None)])
    return 7
