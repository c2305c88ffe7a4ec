"""Who a client is, and which connection has been idle for longest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_server.listeners.clients import Clients, client_of


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
    ],
)
def test_client_is_an_ipv4_address_or_an_ipv6_64(one: str, another: str, same: bool) -> None:
    assert (client_of(one) == client_of(another)) is same


@given(st.lists(st.tuples(st.sampled_from("atr"), st.integers(0, 5))))
def test_clients_know_the_longest_idle(operations: list[tuple[str, int]]) -> None:
    clients: Clients[int] = Clients(per_client=2)
    last: dict[int, float] = {}
    for now, (operation, connection) in enumerate(operations):
        address = f"192.0.2.{connection % 3}"
        if operation == "a" and connection not in last and clients.may_come(address):
            clients.add(connection, address, now)
            last[connection] = now
        elif operation == "t" and connection in last:
            clients.touch(connection, now)
            last[connection] = now
        elif operation == "r":
            clients.remove(connection)
            last.pop(connection, None)
        assert len(clients) == len(last)
        assert clients.longest_idle() == min(last.items(), key=lambda item: item[1], default=None)
        for address in {f"192.0.2.{number}" for number in range(3)}:
            count = sum(1 for known in last if f"192.0.2.{known % 3}" == address)
            assert clients.may_come(address) is (count < 2)
