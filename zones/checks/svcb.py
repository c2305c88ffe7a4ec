"""SVCB and HTTPS (RFC 9460): AliasMode, keys, targets."""

import itertools
from collections.abc import Iterator
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context, Lookup
from zones.checks.rdata import name_at
from zones.checks.registry import (
    SVCB_ALIAS_MULTIPLE,
    SVCB_ALIAS_PARAMETERS,
    SVCB_ALIAS_SELF,
    SVCB_KEYS,
    SVCB_MANDATORY,
    SVCB_NO_DEFAULT_ALPN,
    SVCB_TARGET_MISSING,
    Check,
)
from zones.zone import RRset

_MANDATORY: Final = 0
_ALPN: Final = 1
_NO_DEFAULT_ALPN: Final = 2
_KEY_NAMES: Final = (
    "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp",
)  # fmt: skip


def svcb(context: Context, rrset: RRset) -> None:
    """Each record of an SVCB or HTTPS RRset."""
    for index, rdata in enumerate(rrset.rdatas):
        target, end = name_at(rdata, 2)
        target = names.fold(target)
        parameters = list(_parameters(rdata, end))
        if rdata[:2] == b"\0\0":
            _alias(context, rrset, index, target, bool(parameters))
        else:
            _keys(context, rrset, index, parameters)
        if target != names.ROOT and context.lookup(target)[0] is Lookup.MISSING:
            _report(
                context,
                SVCB_TARGET_MISSING,
                rrset,
                index,
                f"names {names.to_text(target)}, which does not exist",
                "add the name, or write `.` for the owner itself; is a final dot missing?",
            )


def _alias(context: Context, rrset: RRset, index: int, target: bytes, has_parameters: bool) -> None:
    if has_parameters:
        _report(context, SVCB_ALIAS_PARAMETERS, rrset, index, "has priority 0 and parameters", "clients ignore them")
    if len(rrset.rdatas) > 1:
        _report(context, SVCB_ALIAS_MULTIPLE, rrset, index, "has priority 0 and is not alone", "keep one alias alone")
    if target == rrset.owner:
        _report(context, SVCB_ALIAS_SELF, rrset, index, "is an alias of itself", "name another target")


def _keys(context: Context, rrset: RRset, index: int, parameters: list[tuple[int, bytes]]) -> None:
    keys = [key for key, _ in parameters]
    if any(key >= after for key, after in itertools.pairwise(keys)):
        _report(context, SVCB_KEYS, rrset, index, "has keys twice or out of order", "sort them by their numbers")
    if _NO_DEFAULT_ALPN in keys and _ALPN not in keys:
        _report(context, SVCB_NO_DEFAULT_ALPN, rrset, index, "has no-default-alpn and no alpn", "say what it speaks")
    if _MANDATORY in keys:
        value = dict(parameters)[_MANDATORY]
        listed = [int.from_bytes(value[at : at + 2], "big") for at in range(0, len(value), 2)]
        wrong = [key for key in listed if key not in keys or key == _MANDATORY]
        if wrong:
            text = ", ".join(_key_text(key) for key in wrong)
            _report(context, SVCB_MANDATORY, rrset, index, f"lists {text} as mandatory", "list keys that are there")
        if any(key >= after for key, after in itertools.pairwise(listed)):
            _report(context, SVCB_MANDATORY, rrset, index, "lists mandatory keys twice or unsorted", "sort them")


def _parameters(rdata: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    while position + 4 <= len(rdata):
        length = int.from_bytes(rdata[position + 2 : position + 4], "big")
        yield int.from_bytes(rdata[position : position + 2], "big"), rdata[position + 4 : position + 4 + length]
        position += 4 + length


def _key_text(key: int) -> str:
    return _KEY_NAMES[key] if key < len(_KEY_NAMES) else f"key{key}"


def _report(context: Context, check: Check, rrset: RRset, index: int, what: str, hint: str) -> None:
    about = f"{rdtypes.to_text(rrset.rdtype)} of {names.to_text(rrset.owner)}"
    context.report(check, rrset.owner, rrset.rdtype, f"{about} {what}", hint, index=index)
