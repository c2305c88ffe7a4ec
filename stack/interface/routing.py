"""Where packets go: to a neighbour on the link, or to a default router.

Read first: RFC 1122 3.3.1, RFC 4861 5.2.
"""

from stack.address import Address, Network, is_link_local, is_multicast

FOREVER = float("inf")


class Routes:
    """On-link networks and default routers of one family, each until a time (monotonic seconds)."""

    def __init__(self) -> None:
        self.on_link: dict[Network, float] = {}
        self.routers: dict[Address, float] = {}

    def next_hop(self, destination: Address) -> Address | None:
        """The neighbour to send to, `destination` itself when it is on the link; None without a route."""
        if is_multicast(destination) or self.is_on_link(destination):
            return destination
        return next(iter(self.routers), None)

    def is_on_link(self, destination: Address) -> bool:
        """Is `destination` a neighbour?"""
        if len(destination) == 16 and is_link_local(destination):
            return True
        for network in self.on_link:  # noqa: SIM110 - asked for every packet; a generator costs more than the answer
            if destination in network:
                return True
        return False

    def demote(self, router: Address) -> None:
        """`router` does not answer: use it after all others (RFC 4861 6.3.6)."""
        if router in self.routers:
            self.routers[router] = self.routers.pop(router)

    def slept(self, seconds: float) -> None:
        """The machine did not run for so long, which its monotonic clock does not know: lifetimes went on."""
        self.on_link = {network: expiry - seconds for network, expiry in self.on_link.items()}
        self.routers = {router: expiry - seconds for router, expiry in self.routers.items()}

    def poll_at(self) -> float | None:
        """When something expires."""
        expiry = min((*self.on_link.values(), *self.routers.values()), default=FOREVER)
        return None if expiry == FOREVER else expiry

    def poll(self, now: float) -> None:
        """Forget what has expired."""
        for network in [network for network, expiry in self.on_link.items() if expiry <= now]:
            del self.on_link[network]
        for router in [router for router, expiry in self.routers.items() if expiry <= now]:
            del self.routers[router]
