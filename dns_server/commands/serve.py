"""`unizone serve`: the server."""

import asyncio
from importlib import metadata
from pathlib import Path

import structlog

from dns_server import logs
from dns_server.answer.chaos import Identity
from dns_server.endpoint import Endpoint
from dns_server.listeners.streams import StreamLimits
from dns_server.parameters import (
    LISTEN,
    LOG_FORMAT,
    LOGS,
    NAME,
    POLL,
    SERIAL,
    TCP_CONNECTIONS,
    TCP_IDLE,
    TCP_PER_CLIENT,
    VERSION_TEXT,
    ZONES,
    SerialPolicy,
)
from dns_server.service import Plan, Service
from dns_server.settings import BadUsage, Settings
from zones.folder import FolderSource
from zones.loader import Options
from zones.sync import Sync

DEFAULT_LISTEN = (Endpoint("0.0.0.0", 53), Endpoint("::", 53))  # noqa: S104  the port-53 service of this machine


def run(settings: Settings, _operands: list[str]) -> int:
    """Serve until a signal ends it; the exit code."""
    folder = settings[ZONES]
    if folder is None:
        raise BadUsage("nothing to serve: --remote=URL or --zones=DIR is required")
    logs.configure(settings[LOGS], settings[LOG_FORMAT])
    structlog.get_logger().info("starting", version=metadata.version("unizone"), zones=str(folder))
    return asyncio.run(_serve(settings, folder))


def plan(settings: Settings, default: tuple[Endpoint, ...]) -> Plan:
    """Where and how to serve, listening on `default` where the settings don't say."""
    version = settings[VERSION_TEXT]
    return Plan(
        listen=settings[LISTEN] or default,
        optional=frozenset() if settings[LISTEN] else frozenset(endpoint for endpoint in default if endpoint.is_ipv6),
        limits=StreamLimits(settings[TCP_CONNECTIONS], settings[TCP_PER_CLIENT], settings[TCP_IDLE]),
        identity=Identity(
            name=settings[NAME] or "",
            version=f"unizone {metadata.version('unizone')}" if version is None else version,
        ),
    )


async def _serve(settings: Settings, folder: Path) -> int:
    service = Service(plan(settings, DEFAULT_LISTEN))
    options = Options(keep_serial=settings[SERIAL] is SerialPolicy.KEEP)
    return await service.run(Sync(FolderSource(folder), service.apply, options=options, poll_s=settings[POLL]))
