"""The keys in force: those of the repository and those of a file that the operator keeps apart (`--tsig-keys`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zones import name as names
from zones.findings import Finding
from zones.keys import HMAC_MD5, TsigKey, read_keys
from zones.slices import run_to_end
from zones.snapshot import Snapshot
from zones.zonefile import parse


class BadKeyFile(Exception):
    """The operator's file can't be used; says where and why, never a secret."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys in force."""

    keys: Mapping[bytes, TsigKey] = field(default_factory=dict)
    """By folded wire name."""
    left_out: tuple[str, ...] = ()
    """Keys that are there and don't count, each with the reason."""


def keyring(snapshot: Snapshot, own: tuple[TsigKey, ...], *, allow_md5: bool) -> Keyring:
    """The keys of `snapshot` and the operator's `own`, which go before those; HMAC-MD5 only where it is allowed."""
    keys: dict[bytes, TsigKey] = {}
    left_out = []
    candidates = [*own, *(key for path in sorted(snapshot.key_files) for key in snapshot.key_files[path].keys)]
    for key in candidates:
        if key.algorithm == HMAC_MD5 and not allow_md5:
            left_out.append(f"{key.place}: {names.to_text(key.name)} is of HMAC-MD5; --tsig-md5=allow takes it")
        elif key.name in keys:
            other = keys[key.name].place
            left_out.append(f"{key.place}: {names.to_text(key.name)} is in {other.file} already")
        else:
            keys[key.name] = key
    return Keyring(keys, tuple(left_out))


def read_key_file(path: Path) -> tuple[TsigKey, ...]:
    """The keys in a file of the operator's, in the form of `_keys`. BadKeyFile."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadKeyFile(f"{path} can't be read: {error.strerror}") from None

    def no_files(name: str) -> bytes:
        raise FileNotFoundError(name)

    parsed = run_to_end(parse(text, names.ROOT, str(path), no_files, default_ttl=0))
    if parsed.zone is None:
        raise BadKeyFile(str(parsed.findings[0]))
    keys = []
    for found in read_keys(parsed.zone, names.ROOT):
        if isinstance(found, Finding):
            raise BadKeyFile(str(found))
        keys.append(found)
    return tuple(keys)
