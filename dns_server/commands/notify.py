"""`unizone notify HOST ZONE`: tell a server of a change; 0 it has the newest version, 1 something is wrong, 64 usage.

What the server says is printed: the response code, and the text of extended errors (RFC 8914).
"""

import asyncio
import socket
import sys

from dns_server import endpoint
from dns_server.answer.protocol import Rcode
from dns_server.notify.exchange import NoReply, tell
from dns_server.notify.messages import Said
from dns_server.notify.targets import Target
from dns_server.parameters.peers import KEY, PATIENCE
from dns_server.reasons import reason
from dns_server.settings import BadUsage, Settings
from dns_server.telemetry.statistics import RCODE_NAMES
from zones import name as names
from zones.findings import Place
from zones.keys import DNS_PORT, TsigKey, grant

_EXAMPLE = "\n  for example: unizone notify ns1.example.net example.com --key=@laptop.key"


def run(settings: Settings, operands: list[str]) -> int:
    """Tell and print; the exit code."""
    host, text = operands
    try:
        destination = endpoint.parse_destination(host)
        zone = names.fold(names.from_text(text))
    except ValueError as error:
        raise BadUsage(f"{host} {text}: {error}{_EXAMPLE}") from None
    given = settings[KEY]
    key = None if given is None else TsigKey(*given, *grant(given[0]), Place("--key"))
    try:
        said = asyncio.run(announce(destination.host, destination.port or DNS_PORT, zone, key, settings[PATIENCE]))
    except NoReply as error:
        print(f"{host}: {error}", file=sys.stderr)
        return 1
    print("; ".join([f"{host}: {RCODE_NAMES.get(said.rcode, str(said.rcode))}", *said.texts]))
    return 0 if said.rcode == Rcode.NOERROR else 1


async def announce(host: str, port: int, zone: bytes, key: TsigKey | None, patience_s: float) -> Said:
    """What `host` says to a NOTIFY. Over TCP, which repeats nothing: the reply comes after the sync. NoReply."""
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NoReply(f"no address: {reason(error)}") from None
    failure = NoReply("no address")
    for info in infos:
        try:
            return await tell(Target(str(info[4][0]), port), zone, None, key, patience_s, stream=True)
        except NoReply as error:
            failure = error
    raise failure
