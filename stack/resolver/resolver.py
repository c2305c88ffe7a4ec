"""Host names to addresses, by asking recursive servers.

Read first: RFC 1123 6.1.3.1, RFC 1034 3.6.2 (aliases), RFC 2308 (answers that say no).
"""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from stack.address import Address, Endpoint
from stack.address import parse as parse_address
from stack.draw import Draw
from stack.resolver.cache import Answer, Cache
from stack.resolver.exchange import ask
from stack.wire import dns
from stack.wire.dns import Rcode, Response, Type
from stack.wire.error import WireError

TIMEOUTS_S = (1.0, 2.0, 4.0)
"""How long each round over all servers waits for each of them."""
ALIASES_LIMIT = 8
RESOLUTION_DELAY_S = 0.05
"""How long addresses of one family wait for those of the other (RFC 8305 3): some servers never answer for AAAA."""


class ResolveError(socket.gaierror):
    """A name can't be turned into addresses; the message says which and why."""


class NameNotFound(ResolveError):
    """The name does not exist, or has no address."""


class Resolver:
    """Asks `servers`, which may change while it is used."""

    def __init__(
        self, servers: Sequence[Endpoint], draw: Draw, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.servers = list(servers)
        self._draw = draw
        self._monotonic = monotonic
        self._cache = Cache()

    async def lookup(self, name: str, *, ipv4: bool = True, ipv6: bool = True) -> list[Address]:
        """Addresses of the host `name`, IPv6 ones first; `name` may be an address itself.

        NameNotFound when there is none, ResolveError when no server says so or otherwise, ValueError for no name.
        """
        try:
            return [parse_address(name)]
        except ValueError:
            wire = dns.fold(dns.parse_name(name))
        kinds = [kind for kind, wanted in ((Type.AAAA, ipv6), (Type.A, ipv4)) if wanted]
        found = await _in_time([asyncio.create_task(self._lookup(wire, kind)) for kind in kinds])
        addresses = [address for result in found if isinstance(result, tuple) for address in result]
        if addresses:
            return addresses
        # What says most about it: that a server failed; a name that is not there is so for both types.
        for result in found:
            if isinstance(result, BaseException) and not isinstance(result, NameNotFound):
                raise result
        raise NameNotFound(socket.EAI_NONAME, f"{name}: there is no such host, or it has no address")

    async def _lookup(self, name: bytes, kind: Type) -> tuple[Address, ...]:
        """Data of `name`, by way of aliases."""
        answer = self._cache.get(name, kind, self._monotonic())
        if answer is None:
            answer, ttl_s = await self._follow(name, kind)
            self._cache.put(name, kind, answer, ttl_s, self._monotonic())
        if not answer.data:
            raise NameNotFound(
                socket.EAI_NONAME, f"{dns.text(name)}: {f'no {kind.name} record' if answer.exists else 'no such name'}"
            )
        return answer.data

    async def _follow(self, name: bytes, kind: Type) -> tuple[Answer, float]:
        """Ask for `name`, and for the targets of aliases whose data did not come along; with the least TTL met."""
        target, ttl_s = name, float("inf")
        for _ in range(ALIASES_LIMIT):
            response = await self._ask_servers(target, kind)
            found = follow(response, target, kind)
            ttl_s = min(ttl_s, found.ttl_s)
            if found.data:
                return Answer(found.data, True), ttl_s
            negative = response.negative_ttl_s
            if found.name == target or negative is not None or response.rcode == Rcode.NXDOMAIN:
                return Answer((), response.rcode != Rcode.NXDOMAIN), min(ttl_s, negative or 0)
            target = found.name
        raise ResolveError(socket.EAI_AGAIN, f"{dns.text(name)}: the aliases go round, or on for too long")

    async def _ask_servers(self, name: bytes, kind: Type) -> Response:
        """The first usable response of the servers, asked in rounds."""
        if not self.servers:
            raise ResolveError(socket.EAI_AGAIN, f"{dns.text(name)}: no resolver is configured, and DHCP names none")
        reason = ""
        for timeout_s in TIMEOUTS_S:
            for server in list(self.servers):
                try:
                    response = await ask(server, name, kind, self._draw, timeout_s)
                except TimeoutError:
                    reason = f"{server} does not answer"
                except (OSError, WireError) as error:
                    reason = f"{server}: {error}"
                else:
                    if response.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN):
                        return response
                    reason = f"{server} answers with response code {response.rcode}"
        raise ResolveError(socket.EAI_AGAIN, f"{dns.text(name)}: no server has an answer: {reason}")


async def _in_time(lookups: Sequence[asyncio.Task[tuple[Address, ...]]]) -> list[tuple[Address, ...] | BaseException]:
    """What came of `lookups`, in their order; once one has addresses, the others have only a moment left."""
    pending: set[asyncio.Task[tuple[Address, ...]]] = set(lookups)
    patience = None
    try:
        while pending:
            done, pending = await asyncio.wait(pending, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            if any(task.exception() is None for task in done):
                patience = RESOLUTION_DELAY_S
    finally:
        for task in pending:
            task.cancel()
    return await asyncio.gather(*lookups, return_exceptions=True)


class Found(NamedTuple):
    """Where the aliases in a response lead: the last name, its data if they are there, and the least TTL met."""

    name: bytes
    data: tuple[bytes, ...]
    ttl_s: float


def follow(response: Response, name: bytes, kind: Type) -> Found:
    """Follow the aliases of `name` in `response` (RFC 1034 3.6.2); what it says of other names is ignored."""
    ttl_s = float("inf")
    for _ in range(ALIASES_LIMIT):
        records = [record for record in response.records if record.name == name]
        found = [record for record in records if record.type is kind]
        if found:
            return Found(name, tuple(record.data for record in found), min(ttl_s, *(record.ttl_s for record in found)))
        alias = next((record for record in records if record.type is Type.CNAME), None)
        if alias is None:
            break
        name, ttl_s = alias.data, min(ttl_s, alias.ttl_s)
    return Found(name, (), ttl_s)
