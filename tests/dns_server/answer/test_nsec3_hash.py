"""The hash of NSEC3 is SHA-1, whatever the lengths."""

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from dns_server.answer.core.nsec3 import Nsec3Hash


@given(st.binary(min_size=1, max_size=255), st.binary(max_size=255), st.integers(0, 3), st.integers(0, 5))
def test_hashes_equal_those_of_hashlib(name: bytes, salt: bytes, iterations: int, start: int) -> None:
    digest = hashlib.sha1(name + salt).digest()
    for _ in range(iterations):
        digest = hashlib.sha1(digest + salt).digest()
    hasher = Nsec3Hash(salt, iterations)
    for _ in range(2):  # nothing of the one before is left
        hasher.hash(bytearray(bytes(start) + name), start, len(name))
        assert bytes(hasher.digest) == digest


def test_the_example_of_the_rfc() -> None:
    hasher = Nsec3Hash(bytes.fromhex("aabbccdd"), 12)  # RFC 5155 appendix A
    hasher.hash(bytearray(b"\x07example\0"), 0, 9)
    assert base64.b32hexencode(bytes(hasher.digest)) == b"0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM"
