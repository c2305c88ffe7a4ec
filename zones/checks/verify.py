"""Cryptographic verification of signatures, where the `cryptography` package is installed.

Signatures are told valid or not by `Verify`; algorithms that it does not know are left alone. The service does
without: no server refuses a zone for its signatures, and a verification costs more than all other checks together.
"""

from collections.abc import Callable
from typing import Final

Verify = Callable[[bytes, bytes, bytes], bool | None]
"""Whether a signature is valid, from DNSKEY rdata, signed data and signature; None where that can't be told."""

_ECDSA_HALF: Final = {13: 32, 14: 48}  # RFC 6605 4: octets of r and of s


def verifier() -> Verify | None:
    """A verifier; None when `cryptography` is not installed."""
    try:
        import cryptography.exceptions as errors
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils
    except ImportError:
        return None
    rsa_hashes: dict[int, hashes.HashAlgorithm] = {
        5: hashes.SHA1(),  # noqa: S303 - RFC 3110; to verify, not to sign
        7: hashes.SHA1(),  # noqa: S303
        8: hashes.SHA256(),
        10: hashes.SHA512(),
    }

    def verify(dnskey: bytes, data: bytes, signature: bytes) -> bool | None:
        algorithm, key = dnskey[3], dnskey[4:]
        try:
            if algorithm in rsa_hashes:
                start, length = (1, key[0]) if key[0] else (3, int.from_bytes(key[1:3], "big"))
                exponent = int.from_bytes(key[start : start + length], "big")
                modulus = int.from_bytes(key[start + length :], "big")
                public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
                public.verify(signature, data, padding.PKCS1v15(), rsa_hashes[algorithm])
            elif algorithm in _ECDSA_HALF:
                half = _ECDSA_HALF[algorithm]
                if len(signature) != 2 * half:
                    return False
                curve: ec.EllipticCurve = ec.SECP256R1() if algorithm == 13 else ec.SECP384R1()
                point = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + key)
                r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
                digest = hashes.SHA256() if algorithm == 13 else hashes.SHA384()
                point.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(digest))
            elif algorithm == 15:
                ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
            elif algorithm == 16:
                ed448.Ed448PublicKey.from_public_bytes(key).verify(signature, data)
            else:
                return None
        except errors.UnsupportedAlgorithm:
            return None
        except (errors.InvalidSignature, ValueError, IndexError):
            return False
        return True

    return verify
