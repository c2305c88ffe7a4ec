"""Zones on their way to another process that was forked from this one."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from tests.support.served import zone_from_text

_LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20).map(lambda text: f"x{text}x")


@given(st.lists(_LABELS, max_size=60))
def test_a_zone_stays_the_same(labels: list[str]) -> None:
    text = "$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\n"
    zone = zone_from_text(text + "".join(f'{label} TXT "{label}"\n' for label in labels), "example.com.")
    for sent in (zone, zone.with_serial(7)):
        received = pickle.loads(pickle.dumps(sent, pickle.HIGHEST_PROTOCOL))
        assert list(received.rrsets()) == list(sent.rrsets())
        assert (received.origin, received.serial, received.record_count) == (
            sent.origin,
            sent.serial,
            sent.record_count,
        )
        for owner in (*sent.names(), b"\x04none" + sent.origin):
            assert (owner in received) == (owner in sent)
            assert received.node(owner) == sent.node(owner)
            assert received.place(owner, 16) == sent.place(owner, 16)
