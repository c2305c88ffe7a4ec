"""SVCB and HTTPS (RFC 9460): AliasMode and targets. The form of parameters is the zone file's parser's to check."""

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context, Lookup
from zones.checks.owners import is_hostname
from zones.checks.rdata import name_at
from zones.checks.registry import (
    HOSTNAME_TARGET,
    SVCB_ALIAS_MULTIPLE,
    SVCB_ALIAS_PARAMETERS,
    SVCB_ALIAS_SELF,
    SVCB_TARGET_MISSING,
    Check,
)
from zones.rrset import RRset


def svcb(context: Context, rrset: RRset) -> None:
    """Each record of an SVCB or HTTPS RRset."""
    for index, rdata in enumerate(rrset.rdatas):
        name, end = name_at(rdata, 2)
        target = names.fold(name)
        if rdata[:2] == b"\0\0":
            _alias(context, rrset, index, target, has_parameters=end < len(rdata))
        elif not is_hostname(target):
            message = f"names {names.to_text(target)}, which is no host name"
            _report(
                context, HOSTNAME_TARGET, rrset, index, message, "clients connect to hosts: letters, digits, hyphens"
            )
        if target != names.ROOT and context.lookup(target)[0] is Lookup.MISSING:
            _report(
                context,
                SVCB_TARGET_MISSING,
                rrset,
                index,
                f"names {names.to_text(target)}, which does not exist",
                "add the name, or write `.` for the owner itself; is a final dot missing?",
            )


def _alias(context: Context, rrset: RRset, index: int, target: bytes, *, has_parameters: bool) -> None:
    if has_parameters:
        _report(context, SVCB_ALIAS_PARAMETERS, rrset, index, "has priority 0 and parameters", "clients ignore them")
    if len(rrset.rdatas) > 1:
        _report(context, SVCB_ALIAS_MULTIPLE, rrset, index, "has priority 0 and is not alone", "keep one alias alone")
    if target == rrset.owner:
        _report(context, SVCB_ALIAS_SELF, rrset, index, "is an alias of itself", "name another target")


def _report(context: Context, check: Check, rrset: RRset, index: int, what: str, hint: str) -> None:
    about = f"{rdtypes.to_text(rrset.rdtype)} of {names.to_text(rrset.owner)}"
    context.report(check, rrset.owner, rrset.rdtype, f"{about} {what}", hint, index=index)
