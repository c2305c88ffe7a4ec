"""A repository that machines fetch their zones from, and what they answer before and after a push."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query

from tests.support import git, qemu, trees

Transport = Callable[..., dns.message.Message]


@contextmanager
def repository(folder: Path) -> Iterator[tuple[git.Origin, str]]:
    """A repository that serves the zone pushed.test, and its URL as machines see it."""
    origin = git.Origin(folder)
    origin.push({"pushed.test": trees.zone_text(1, "www A 192.0.2.2")})
    with git.daemon(folder) as url:
        yield origin, f"{qemu.seen_inside(url)}/{origin.bare.name}"


def addresses(
    port: int, name: str, transport: Transport = dns.query.udp, timeout_s: float = qemu.TIMEOUT_S
) -> list[str]:
    """IPv4 addresses of `name`, as the machine whose DNS is at `port` of this one says."""
    answer = transport(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=timeout_s)
    return [item.to_text() for rrset in answer.answer for item in rrset]


def follow_a_push(console: qemu.Console, port: int, origin: git.Origin, timeout_s: float = qemu.TIMEOUT_S) -> None:
    """See that the machine serves what `origin` has, over UDP and TCP, and what is pushed then."""

    def answers() -> list[list[str]]:
        return [
            addresses(port, "www.pushed.test", transport, timeout_s) for transport in (dns.query.udp, dns.query.tcp)
        ]

    console.wait_for("address leased")
    console.wait_for("zones in service .*commit=[0-9a-f]{40}")
    assert answers() == [["192.0.2.2"]] * 2
    commit = origin.push({"pushed.test": trees.zone_text(2, "www A 192.0.2.3")})
    console.wait_for(f"zones in service .*commit={commit}")
    assert answers() == [["192.0.2.3"]] * 2
