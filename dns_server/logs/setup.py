"""Where the log lines of one run go, by its parameters."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from dns_server.features import syslog_transports
from dns_server.logs.console import Console
from dns_server.logs.pipeline import configure
from dns_server.logs.syslog import PORTS, Collector, Syslog
from dns_server.logs.syslog_format import renderer
from dns_server.parameters.answers import NAME
from dns_server.parameters.logs import (
    LOG_FORMAT,
    LOGS,
    SYSLOG,
    SYSLOG_CERT,
    SYSLOG_FORMAT,
    SYSLOG_FRAMING,
    SYSLOG_PROTO,
    TLS_AUTHENTICATOR,
    SyslogProtocol,
)
from dns_server.reasons import reason
from dns_server.settings import DEFAULT, BadParameter, Settings

if TYPE_CHECKING:  # images without TLS have no ssl
    import ssl

_FLUSH_S: Final = 1.0  # seconds that the last lines get to leave


def start_logs(settings: Settings) -> Syslog | None:
    """Send log lines to the console and, if there is one, to a collector, for `sending`. BadParameter."""
    syslog = _syslog(settings)
    console = Console(sys.stderr, settings[LOG_FORMAT])
    configure(settings[LOGS], [console] if syslog is None else [console, syslog])
    return syslog


@asynccontextmanager
async def sending(syslog: Syslog | None) -> AsyncIterator[None]:
    """While this is open, lines go to the collector; at its end the last ones get a moment."""
    if syslog is None:
        yield
        return
    task = asyncio.create_task(syslog.run())
    try:
        yield
    finally:
        await syslog.flush(_FLUSH_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _syslog(settings: Settings) -> Syslog | None:
    destination = settings[SYSLOG]
    if destination is None:
        return None
    protocol = settings[SYSLOG_PROTO]
    if protocol.value not in syslog_transports():  # never by another one than was asked for
        problem = f"this image was built without syslog over {protocol.value.upper()}"
        raise BadParameter("--syslog-proto", protocol.value, problem, f"--syslog-proto={SYSLOG_PROTO.default}")
    if protocol is not SyslogProtocol.TLS:
        _refuse_parts_of_tls(settings)
    collector = Collector(
        host=destination.host,
        port=destination.port or PORTS[protocol],
        protocol=protocol,
        framing=settings[SYSLOG_FRAMING],
        authenticator=settings[TLS_AUTHENTICATOR],
        context=_context(settings) if protocol is SyslogProtocol.TLS else None,
    )
    host = settings[NAME] or (os.uname().nodename if hasattr(os, "uname") else "")
    return Syslog(collector, renderer(settings[SYSLOG_FORMAT], host, os.getpid()))


def _refuse_parts_of_tls(settings: Settings) -> None:
    """Who says how TLS is to be done must not have the lines sent without it. BadParameter."""
    for parameter in (TLS_AUTHENTICATOR, SYSLOG_CERT):
        setting = settings.setting(parameter)
        if setting.source != DEFAULT:
            problem = f"it needs TLS, and --syslog-proto is {settings[SYSLOG_PROTO].value}"
            raise BadParameter(f"--{parameter.name}", setting.text, problem, "--syslog-proto=tls")


def _context(settings: Settings) -> "ssl.SSLContext":
    try:
        context = settings[TLS_AUTHENTICATOR].context()
    except OSError as error:
        text = settings.setting(TLS_AUTHENTICATOR).text
        problem = f"its certificates can't be read ({reason(error)})"
        raise BadParameter(
            "--tls-authenticator", text, problem, f"--tls-authenticator={TLS_AUTHENTICATOR.example}"
        ) from None
    certificate = settings[SYSLOG_CERT]
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, password=lambda: b"")
        except OSError as error:  # ssl.SSLError is one
            problem = f"it is no PEM file with a certificate and its unencrypted key ({reason(error)})"
            raise BadParameter(
                "--syslog-cert", str(certificate), problem, f"--syslog-cert={SYSLOG_CERT.example}"
            ) from None
    return context
