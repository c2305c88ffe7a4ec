"""What hypothesis makes of headers."""

from hypothesis import strategies as st

octet = st.integers(0, 0xFF)
half = st.integers(0, 0xFFFF)
word = st.integers(0, 0xFFFFFFFF)
payload = st.binary(max_size=200)
ipv4 = st.binary(min_size=4, max_size=4)
ipv6 = st.binary(min_size=16, max_size=16)
ipv6_unicast = ipv6.filter(lambda address: address[0] != 0xFF)
address_pair = st.one_of(st.tuples(ipv4, ipv4), st.tuples(ipv6, ipv6))
mac = st.binary(min_size=6, max_size=6).map(lambda mac: bytes((mac[0] & 0xFE,)) + mac[1:])
