"""`unizone status SERVER`: how a server is doing, on a terminal; by /status.json, or by the DNS without HTTP."""

import contextlib
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

import dns.exception
import dns.message
import dns.query
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dns_server.logs.pipeline import printable
from dns_server.parameters.output import FORMAT, OutputFormat
from dns_server.reasons import reason
from dns_server.settings import BadUsage, Settings
from dns_server.telemetry.page import memory_text

HTTP_PORT: Final = 8053
DNS_PORT: Final = 53
TOKEN_VARIABLE: Final = "UNIZONE_HTTP_TOKEN"  # noqa: S105  the name, not a token
_TIMEOUT_S: Final = 5.0
_TRIES: Final = 3  # of a datagram
_MAX_ZONES: Final = 30
_WIDE: Final = 400  # columns
_MAX_DOCUMENT: Final = 256 << 20  # octets
_MEMBERS: Final = {"broken", "held_back", "queries", "ready", "server", "source", "stack", "zones"}
EXIT_UNREACHABLE: Final = 2


class _Unreachable(Exception):
    """Nobody answers; says why."""


def run(settings: Settings, operands: list[str]) -> int:
    """Print it; 0 when all is well, 1 when the server is not ready or something is broken, 2 when nobody answers."""
    scheme, host, port = _target(operands[0])
    # What is piped has no edge at which it would have to be broken.
    width = None if sys.stdout.isatty() else _WIDE
    console = Console(highlight=False, soft_wrap=True, width=width)
    failures = []
    if scheme in ("", "http"):
        try:
            document = _by_http(host, port or HTTP_PORT)
            if settings[FORMAT] is OutputFormat.JSON:
                print(json.dumps(document, indent=2))
            else:
                _show(console, _printable(document))
            return 0 if document["ready"] and not document["broken"] and not document["held_back"] else 1
        except _Unreachable as error:
            failures.append(str(error))
    if scheme in ("", "dns"):
        try:
            texts = _by_dns(host, port or DNS_PORT)
            if settings[FORMAT] is OutputFormat.JSON:
                print(json.dumps({"essentials": texts}, indent=2))
            else:
                console.print("\n".join(map(escape, texts)))
            return 0 if texts[:1] == ["ready"] and {"broken 0", "held back 0"} <= set(texts) else 1
        except _Unreachable as error:
            failures.append(str(error))
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"unizone: {escape('; '.join(failures))}")
    return EXIT_UNREACHABLE


def _target(text: str) -> tuple[str, str, int | None]:
    """Scheme (empty: try both), host and port. BadUsage."""
    example = "for example: unizone status ns1.example.net"
    try:
        parts = urlsplit(text if "://" in text else f"//{f'[{text}]' if text.count(':') > 1 else text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadUsage(f"bad SERVER {text!r}: {error}\n  {example}") from None
    if parts.scheme not in ("", "http", "dns") or not host or parts.path not in ("", "/") or parts.query:
        raise BadUsage(f"bad SERVER {text!r}: expected HOST, http://HOST:PORT or dns://HOST:PORT\n  {example}")
    if port is not None and not parts.scheme:
        raise BadUsage(f"bad SERVER {text!r}: say http:// or dns:// before a port\n  for example: http://{text}")
    return parts.scheme, host, port


def _by_http(host: str, port: int) -> dict[str, Any]:
    address = f"[{host}]" if ":" in host else host
    token = os.environ.get(TOKEN_VARIABLE)
    fields = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://{address}:{port}/status.json", headers=fields)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as response:
            document: dict[str, Any] = json.loads(response.read(_MAX_DOCUMENT))
    except urllib.error.HTTPError as error:
        hint = f"; put its token into {TOKEN_VARIABLE}" if error.code == 401 else ""
        raise _Unreachable(f"http://{address}:{port} says {error.code} {error.reason}{hint}") from None
    except (OSError, ValueError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        why = reason(cause) if isinstance(cause, OSError) else "something else than a status came"
        raise _Unreachable(f"no status from http://{address}:{port}: {why}") from None
    if not isinstance(document, dict) or not document.keys() >= _MEMBERS:
        raise _Unreachable(f"no status from http://{address}:{port}: that is another program")
    return document


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Who sends us elsewhere is no unizone, and must not have the token sent there."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


def _printable(members: Mapping[str, Any]) -> dict[str, Any]:
    """What a terminal must not obey, as escapes."""
    return {printable(name): _clean(value) for name, value in members.items()}


def _clean(value: object) -> object:
    if isinstance(value, dict):
        return _printable(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return printable(value) if isinstance(value, str) else value


def _by_dns(host: str, port: int) -> list[str]:
    query = dns.message.make_query("status.server.", dns.rdatatype.TXT, dns.rdataclass.CH, use_edns=0)
    try:
        address = str(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0])
        reply = _reply(query, address, port)
    except (OSError, dns.exception.DNSException) as error:
        raise _Unreachable(f"no answer from {host} port {port}: {reason(error)}") from None
    records = [rdata for rrset in reply.answer for rdata in rrset if isinstance(rdata, TXT)]
    texts = [printable(text.decode(errors="replace")) for record in records for text in record.strings]
    if not texts:
        raise _Unreachable(
            f"{host} port {port} does not tell: {dns.rcode.to_text(reply.rcode())}; is it asked by HTTP?"
        )
    return texts


def _reply(query: dns.message.Message, address: str, port: int) -> dns.message.Message:
    """The reply to `query`, which is sent again where it may have been lost."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(dns.exception.Timeout):
            return dns.query.udp_with_fallback(query, address, _TIMEOUT_S, port)[0]
    return dns.query.udp_with_fallback(query, address, _TIMEOUT_S, port)[0]


def _show(console: Console, document: Mapping[str, Any]) -> None:
    server, source, queries = document["server"], document["source"], document["queries"]
    now = server["now"]
    state = "[green]ready[/]" if document["ready"] else f"[red]not ready: {escape('; '.join(document['missing']))}[/]"
    facts = [
        ("server", f"{escape(server['name'] or '-')}, version {escape(server['version'])}, {state}"),
        ("running", f"{_duration(now - server['started'])}, on {escape(' '.join(server['addresses']))}"),
        ("memory", memory_text(server)),
        ("source", escape(source["source"])),
        ("commit", f"{escape(source['commit'] or 'none: a folder')}, loaded {_ago(source['last_load'], now)}"),
        ("looked at", _ago(source["last_success"], now)),
        ("trouble", f"[red]{escape(source['last_error'])}[/]" if source["last_error"] else ""),
        (
            "answers",
            f"{queries['answered']} ({_shares(queries['by_rcode'])}); {queries['rate_limited']} over the limit",
        ),
    ]
    if document["stack"] is not None:
        facts.append(("own stack", f"TCP {_shares(document['stack']['tcp']) or 'idle'}"))
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value:
            grid.add_row(name, value)
    console.print(grid)
    for broken in document["broken"]:
        served = "the version before is served" if broken["last_good_is_served"] else "no version is served"
        console.print(f"\n[red]broken[/] {escape(broken['zone'])}: {served}")
        for finding in broken["findings"]:
            console.print(f"  {escape(finding)}")
    for held in document["held_back"]:
        console.print(f"\n[yellow]held back[/] {escape(held['what'])}: {escape(held['reason'])}")
    console.print()
    _show_zones(console, document["zones"], now)
    if document["secondaries"]:
        console.print()
        _show_secondaries(console, document["secondaries"], now)


def _show_zones(console: Console, zones: list[Mapping[str, Any]], now: float) -> None:
    table = Table("zone", "serial", "records", "since", "state", box=None, pad_edge=False)
    ordered = sorted(zones, key=lambda zone: not zone["broken"])
    for zone in ordered[:_MAX_ZONES]:
        warnings = f", {zone['warnings']} warnings" if zone["warnings"] else ""
        state = "[red]newest version refused[/]" if zone["broken"] else f"[green]served[/]{warnings}"
        since = _ago(zone["since"], now)
        table.add_row(escape(zone["zone"]), str(zone["serial"]), str(zone["records"]), since, state)
    console.print(table)
    if len(zones) > _MAX_ZONES:
        console.print(f"and {len(zones) - _MAX_ZONES} more; --format=json has all")


def _show_secondaries(console: Console, secondaries: list[Mapping[str, Any]], now: float) -> None:
    table = Table("secondary", "zone", "has serial", "state", "notified", box=None, pad_edge=False)
    ordered = sorted(secondaries, key=lambda peer: peer["is_current"] is not False)
    states = {
        True: "[green]current[/], {}",
        False: "[red]behind[/], {}",
        None: "has not asked yet",
    }
    for peer in ordered[:_MAX_ZONES]:
        state = states[peer["is_current"]].format(_ago(peer["seen"], now))
        reply = {None: "[red]no reply[/]", "NOERROR": "acknowledged"}.get(peer["notify_reply"], peer["notify_reply"])
        notified = "" if peer["notified_at"] is None else f"{reply}, {_ago(peer['notified_at'], now)}"
        serial = "" if peer["serial"] is None else str(peer["serial"])
        table.add_row(escape(peer["address"]), escape(peer["zone"]), serial, state, notified)
    console.print(table)
    if len(secondaries) > _MAX_ZONES:
        console.print(f"and {len(secondaries) - _MAX_ZONES} more; --format=json has all")


def _shares(counts: Mapping[str, int]) -> str:
    return _joined(f"{escape(name)} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _ago(moment: float | None, now: float) -> str:
    if moment is None:
        return "never"
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))
    return f"{stamp}Z ({_duration(now - moment)} ago)"


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} second{'' if whole == 1 else 's'}"
