"""`unizone serve`: the server."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from dns_server.access.keyring import BadKeyFile, read_key_file
from dns_server.access.transfers import joined
from dns_server.answer.chaos import Identity
from dns_server.answer.core.cookies import SECRET_SIZE
from dns_server.caching import open_cache
from dns_server.endpoint import Endpoint
from dns_server.limiting.limiting import RateLimits
from dns_server.listeners.streams import StreamLimits
from dns_server.logs.setup import sending, start_logs
from dns_server.logs.syslog import Syslog
from dns_server.parameters.answers import NAME, VERSION_TEXT
from dns_server.parameters.management import DNS_STATUS, HTTP, HTTP_ALLOW, HTTP_TOKEN, WEBHOOK_SECRET, Switch
from dns_server.parameters.network import (
    LISTEN,
    NET,
    TCP_CONNECTIONS,
    TCP_IDLE,
    TCP_PER_CLIENT,
    TLS_CERT,
    TLS_KEY,
    TLS_LISTEN,
    WORKERS,
    Net,
)
from dns_server.parameters.peers import AXFR, CATALOG, IXFR_MEMORY, TSIG_KEYS, TSIG_MD5, Md5
from dns_server.parameters.protection import COOKIE_LOAD, COOKIE_SECRET, RATE_LIMIT, RATE_LIMIT_EXEMPT, RATE_LIMIT_SLIP
from dns_server.parameters.updates import UPDATE_ACK
from dns_server.parameters.zones import BAKED, CACHE, POLL, REMOTE, SERIAL, ZONES, SerialPolicy
from dns_server.peers import PeersPlan
from dns_server.service import HttpPlan, Plan, Service
from dns_server.settings import BadParameter, BadUsage, Settings
from dns_server.update.writing import Writing
from dns_server.without_effect import without_effect
from zones.cache.cache import Cache
from zones.folder import FolderSource
from zones.git.local import LocalRemote
from zones.git.remote import Remote, open_remote
from zones.git.url import BadUrl, RemoteUrl
from zones.loader import Options
from zones.packed import baked_in
from zones.slices import BUDGET_S
from zones.source import Source
from zones.sync import Settled, Sync
from zones.writeback.place import FolderPlace, GitPlace, Place

if TYPE_CHECKING:  # images without TLS have no ssl
    from dns_server.listeners.tls import Certificate

DEFAULT_LISTEN: Final = (Endpoint("0.0.0.0", 53), Endpoint("::", 53))  # noqa: S104  a name server is for everybody

TLS_PORT: Final = 853  # RFC 7858 3.1


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the zones come from: one of `remote` and `folder`, else what is baked in."""

    poll_s: float
    remote: RemoteUrl | None = None
    folder: Path | None = None
    baked: Source | None = None
    cache: str | None = "none"
    """As `--cache` has it."""

    def open(self) -> Source:
        """What to sync with. BadParameter when this program was built without what it needs."""
        if self.remote is not None:
            try:
                return open_remote(self.remote)
            except BadUrl as error:
                raise BadParameter("--remote", str(self.remote), str(error), f"--remote={REMOTE.example}") from None
        if self.folder is not None:
            return FolderSource(self.folder)
        assert self.baked is not None
        return self.baked


def run(settings: Settings, _operands: list[str]) -> int:
    """Serve until a signal ends it; the exit code."""
    remote, folder, fallback = settings[REMOTE], settings[ZONES], settings[BAKED]
    baked = baked_in() if fallback is None else FolderSource(fallback)
    nothing = remote is None and folder is None and (baked is None or fallback is not None)
    if nothing or (remote is not None and folder is not None):
        problem = "nothing to serve" if nothing else "two places to serve from"
        raise BadUsage(f"{problem}: give either --remote or --zones\n  for example: --remote={REMOTE.example}")
    return start(settings, Sources(settings[POLL], remote, folder, baked, settings[CACHE]), DEFAULT_LISTEN)


def start(
    settings: Settings,
    sources: Sources,
    default_listen: tuple[Endpoint, ...],
    on_ready: Callable[[Sequence[Endpoint]], None] = lambda _: None,
) -> int:
    """Serve `sources`, on `default_listen` where the settings don't say; the exit code."""
    plan = _plan(settings, sources.remote, default_listen)
    _prepare_memory()
    sys.setswitchinterval(BUDGET_S)  # a thread that reads a repository holds the loop for no longer than a slice does
    source = sources.open()
    syslog = start_logs(settings)
    structlog.get_logger().info("starting", version=metadata.version("unizone"), source=source.name)
    serving = _serve(settings, sources, source, plan, on_ready, syslog, open_cache(sources.cache))
    if settings[NET] is Net.HOST:
        return asyncio.run(serving)
    from dns_server import direct

    return direct.run(settings, serving)


def _prepare_memory() -> None:
    try:
        from dns_platform.unix.memory import map_large_buffers
    except ImportError:  # an image, which has no ctypes
        return
    map_large_buffers()


def _plan(settings: Settings, remote: RemoteUrl | None, default: tuple[Endpoint, ...]) -> Plan:
    version = settings[VERSION_TEXT]
    listen = settings[LISTEN] or default
    certificate = _certificate(settings)
    tls_listen = settings[TLS_LISTEN] or tuple(Endpoint(endpoint.address, TLS_PORT) for endpoint in listen)
    chosen = set(settings[LISTEN] + settings[TLS_LISTEN])
    return Plan(
        listen=listen,
        optional=frozenset() if chosen else frozenset(one for one in (*listen, *tls_listen) if one.is_ipv6),
        limits=StreamLimits(settings[TCP_CONNECTIONS], settings[TCP_PER_CLIENT], settings[TCP_IDLE]),
        identity=Identity(
            name=settings[NAME] or "",
            version=f"unizone {metadata.version('unizone')}" if version is None else version,
        ),
        certificate=certificate,
        tls_listen=tls_listen,
        net=settings[NET],
        peers=_peers(settings),
        dns_status=settings[DNS_STATUS] is Switch.ON,
        cookie_secrets=settings[COOKIE_SECRET] or (os.urandom(SECRET_SIZE),),
        cookie_load=settings[COOKIE_LOAD],
        rate_limits=RateLimits(settings[RATE_LIMIT], settings[RATE_LIMIT_SLIP], settings[RATE_LIMIT_EXEMPT])
        if settings[RATE_LIMIT]
        else None,
        workers=_workers(settings),
        http=_http(settings, remote),
    )


def _http(settings: Settings, remote: RemoteUrl | None) -> HttpPlan | None:
    if not settings[HTTP]:
        return None
    return HttpPlan(
        settings[HTTP],
        settings[HTTP_ALLOW],
        settings[HTTP_TOKEN],
        settings[WEBHOOK_SECRET],
        "" if remote is None else remote.branch,
    )


def _workers(settings: Settings) -> int:
    workers = settings[WORKERS]
    problem = ""
    if workers > 1 and settings[NET] is Net.DIRECT:
        problem = "workers share sockets of the host, and --net=direct has none"
    elif workers > 1 and not hasattr(os, "pidfd_open"):
        problem = "workers need Linux 5.3 or later"
    if problem:
        raise BadParameter("--workers", str(workers), problem, "--workers=1")
    return workers


def _peers(settings: Settings) -> PeersPlan:
    try:
        transfers = joined(settings[AXFR])
    except ValueError as error:
        raise BadParameter("--axfr", settings.setting(AXFR).text, str(error), f"--axfr={AXFR.example}") from None
    file = settings[TSIG_KEYS]
    try:
        keys = () if file is None else read_key_file(file)
    except BadKeyFile as error:
        raise BadParameter("--tsig-keys", str(file), str(error), f"--tsig-keys={TSIG_KEYS.example}") from None
    return PeersPlan(
        transfers=transfers,
        keys=keys,
        key_file=file,
        catalog=settings[CATALOG],
        allow_md5=settings[TSIG_MD5] is Md5.ALLOW,
        journal_octets=settings[IXFR_MEMORY] << 20,
    )


def _certificate(settings: Settings) -> "Certificate | None":
    chain, key = settings[TLS_CERT], settings[TLS_KEY]
    if chain is None and key is None:
        if settings[TLS_LISTEN]:
            problem = "TLS needs a certificate and its key"
            raise BadParameter("--tls-cert", None, problem, f"--tls-cert={TLS_CERT.example}")
        return None
    if chain is None or key is None:
        missing = TLS_CERT if chain is None else TLS_KEY
        problem = "--tls-cert and --tls-key go together"
        raise BadParameter(f"--{missing.name}", None, problem, f"--{missing.name}={missing.example}")
    from dns_server.listeners.tls import BadCertificate, Certificate

    try:
        return Certificate(chain, key)
    except (BadCertificate, ImportError) as error:  # ImportError: an image without TLS
        raise BadParameter("--tls-cert", str(chain), str(error), f"--tls-cert={TLS_CERT.example}") from None


async def _serve(
    settings: Settings,
    sources: Sources,
    source: Source,
    plan: Plan,
    on_ready: Callable[[Sequence[Endpoint]], None],
    syslog: Syslog | None,
    cache: Cache | None,
) -> int:
    place = _place(source)
    writing = None if place is None else Writing(source, place, settings[UPDATE_ACK])
    service = Service(plan, on_ready, syslog)
    cached = cache.source() if cache is not None else None
    if settings.places:
        structlog.get_logger().info("configured", places=list(settings.places))
    for parameter, needed in without_effect(settings):
        structlog.get_logger().warning("parameter without effect", parameter=parameter, needs=needed)
    if settings.foreign:
        structlog.get_logger().info("words of the boot line that are not ours", words=list(settings.foreign))
    sync = Sync(
        source if writing is None else writing.source,
        service.apply,
        options=Options(
            keep_serial=settings[SERIAL] is SerialPolicy.KEEP,
            serials=cache.serials if cache is not None else {},
        ),
        poll_s=sources.poll_s,
        baked=cached or (sources.baked if sources.baked is not source else None),
        keep=cache.keep if cache is not None else None,
        settled=_settled(settings, sources.remote),
        is_at_hand=not isinstance(source, Remote),
    )
    if isinstance(source, Remote | LocalRemote):
        service.peers.recover_from(source.past)
    async with sending(syslog):
        return await service.run(sync, writing)


def _settled(settings: Settings, remote: RemoteUrl | None) -> Settled | None:
    """What waits until the own stack can ask `remote`; None where nobody is asked, or by the host's sockets."""
    if settings[NET] is Net.HOST or remote is None or not remote.host:
        return None
    from dns_server import direct

    return partial(direct.settled, remote.host)


def _place(source: Source) -> Place | None:
    """Where updates of the zones in `source` are written; None where that cannot be."""
    if isinstance(source, FolderSource):
        return FolderPlace(source)
    return GitPlace(source) if isinstance(source, LocalRemote | Remote) else None
