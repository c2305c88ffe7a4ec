"""`unizone config show`: the resolved configuration, which is what `unizone args` shows."""

from dns_server.commands import args
from dns_server.settings import BadUsage, Settings


def run(settings: Settings, operands: list[str]) -> int:
    """Print it; the exit code."""
    if operands != ["show"]:
        raise BadUsage(f"there is no action {operands[0]!r}\n  for example: unizone config show --config=/etc/unizone")
    return args.run(settings, [])
