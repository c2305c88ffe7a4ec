"""Where answers differ from NSD's, Knot's or BIND's, and why: the one table behind the comparison and the document.

`python -m tests.dns_server.answer.deviations` writes docs/deviations.md from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dns_server.answer.protocol import Rcode
from dns_server.answer.steps import is_wildcard
from tests.dns_server.answer.replies import Reply
from zones import rdtypes
from zones.name import is_at_or_below
from zones.zone import Zone

DOCUMENT = Path(__file__).parents[3] / "docs" / "deviations.md"
KNOT_CHAIN = 5
_SVCB_EXTRA = {
    rdtypes.CNAME,
    rdtypes.SVCB,
    rdtypes.HTTPS,
    rdtypes.A,
    rdtypes.AAAA,
    rdtypes.NSEC,
    rdtypes.NSEC3,
    rdtypes.RRSIG,
}


@dataclass(frozen=True)
class Case:
    """One question and what two servers said."""

    server: str
    zone: Zone
    """That the question is asked about."""
    qname: bytes
    """Folded."""
    qtype: int
    ours: Reply
    theirs: Reply


@dataclass(frozen=True)
class Deviation:
    """One kind of difference that is meant."""

    name: str
    servers: tuple[str, ...]
    """That differ from us here; the others do as we do."""
    ours: str
    theirs: str
    reason: str
    fields: frozenset[str]
    """Of `Reply`, that it excuses."""
    applies: Callable[[Case], bool]


def excused(case: Case) -> set[str]:
    """Fields of the replies whose difference some deviation explains."""
    return {
        field
        for deviation in TABLE
        if case.server in deviation.servers and deviation.applies(case)
        for field in deviation.fields
    }


def _types(reply: Reply) -> set[int]:
    return {rdtype for _, rdtype, _, _ in reply.answer}


def _leaves_zone(case: Case) -> bool:
    """An alias in our answer leads out of the zone, or below a cut of it; theirs goes on from there."""
    owners = {owner for owner, _, _, _ in case.ours.answer}
    targets = {rdata for _, rdtype, _, rdata in case.ours.answer if rdtype == rdtypes.CNAME}
    ends = targets - owners
    outside = any(not is_at_or_below(end, case.zone.origin) for end in ends)
    return bool(ends) and case.ours.answer <= case.theirs.answer and (outside or not _negative(case.ours))


def _negative(reply: Reply) -> bool:
    return any(rdtype == rdtypes.SOA for _, rdtype, _, _ in reply.authority)


def _alias_loops(case: Case) -> bool:
    links = {owner: rdata for owner, rdtype, _, rdata in case.ours.answer if rdtype == rdtypes.CNAME}
    return bool(links) and set(links.values()) <= set(links)


def _differing_types(case: Case) -> set[int]:
    """Types in one authority section but not in the other."""
    return {record[1] for record in case.ours.authority ^ case.theirs.authority}


def _aliases(reply: Reply) -> int:
    return sum(rdtype == rdtypes.CNAME for _, rdtype, _, _ in reply.answer)


def _size(reply: Reply) -> int:
    return len(reply.answer) + len(reply.authority) + len(reply.additional)


def _part_of(cut: Reply, whole: Reply) -> bool:
    return cut.tc and cut.answer <= whole.answer and cut.authority <= whole.authority


def _referral(reply: Reply) -> bool:
    return not reply.aa and any(rdtype == rdtypes.NS for _, rdtype, _, _ in reply.authority)


TABLE = (
    Deviation(
        "alias-into-another-zone",
        ("NSD", "BIND"),
        "An alias that leads out of its zone ends the answer; one that leads below a cut ends in the referral.",
        "NSD goes on in the other zone if it serves that too; BIND leaves the referral to a zone that it serves out.",
        "Whoever asks does not take data of one zone from the answer for another: a resolver asks again for the target "
        "(RFC 5452 section 6), and zones of different owners on one server can't speak for each other.",
        frozenset({"rcode", "answer", "authority", "additional"}),
        _leaves_zone,
    ),
    Deviation(
        "alias-loop",
        ("BIND",),
        "A loop of aliases is answered NOERROR with each alias once.",
        "BIND answers SERVFAIL with the same records.",
        "The zone says so, and the server has not failed; NSD and Knot do likewise. The asker sees the loop itself.",
        frozenset({"rcode"}),
        lambda case: _alias_loops(case) and case.theirs.rcode == Rcode.SERVFAIL,
    ),
    Deviation(
        "alias-chain-length",
        ("NSD", "Knot", "BIND"),
        "A chain of up to 16 aliases is followed inside the zone, whatever made them, and ends NOERROR where cut; what "
        "a datagram does not hold of it is truncated.",
        "Knot follows 5; NSD stops at once at a DNAME that leads below itself; BIND follows 12 and answers SERVFAIL.",
        "The bound is the server's choice; whoever asks goes on from the last name in any case.",
        frozenset({"rcode", "tc", "answer", "authority", "additional"}),
        lambda case: (
            _aliases(case.ours) >= KNOT_CHAIN
            and (case.theirs.answer <= case.ours.answer or case.ours.answer <= case.theirs.answer)
            and (_aliases(case.theirs) >= KNOT_CHAIN or rdtypes.DNAME in _types(case.ours))
        ),
    ),
    Deviation(
        "any",
        ("NSD", "Knot", "BIND"),
        "ANY is answered with one RRset of the name: the one of the lowest type number.",
        "NSD and Knot give the SOA, or another RRset; BIND gives the one that comes first in its memory.",
        "RFC 8482 section 4.1 leaves the choice to the server; ours depends on nothing but the zone.",
        frozenset({"answer", "authority", "additional"}),
        lambda case: case.qtype == rdtypes.ANY and case.ours.rcode == Rcode.NOERROR and bool(case.ours.answer),
    ),
    Deviation(
        "rrsig",
        ("NSD", "Knot", "BIND"),
        "RRSIG as the type asked for is answered with the signatures of one RRset: the one of the lowest type number.",
        "NSD and Knot give all signatures of the name, BIND those of the RRset that comes first in its memory.",
        "RFC 8482 section 7 allows for RRSIG what it allows for ANY: all signatures of a name are the largest answer.",
        frozenset({"tc", "answer"}),
        lambda case: case.qtype == rdtypes.RRSIG and case.ours.rcode == Rcode.NOERROR,
    ),
    Deviation(
        "nsec-at-cut",
        ("BIND",),
        "NSEC as the type asked for at a zone cut is answered with a referral, as other types are.",
        "BIND answers with the NSEC record of the zone above.",
        "DS is the one type that is asked of the zone above (RFC 4035 section 3.1.4.1). NSD and Knot do likewise, and "
        "the referral has the NSEC record in it.",
        frozenset({"aa", "answer", "authority", "additional"}),
        lambda case: case.qtype == rdtypes.NSEC and _referral(case.ours),
    ),
    Deviation(
        "empty-wildcard",
        ("Knot", "BIND"),
        "NODATA by a wildcard that is an empty non-terminal is proved with two NSEC records: one that covers the name "
        "and one that covers the wildcard.",
        "Knot and BIND give the first alone.",
        "Without the second it is not proved that the wildcard has no such type (RFC 4035 section 3.1.3.4); NSD gives "
        "both.",
        frozenset({"authority"}),
        lambda case: (
            case.theirs.authority < case.ours.authority and _differing_types(case) == {rdtypes.NSEC, rdtypes.RRSIG}
        ),
    ),
    Deviation(
        "nsec3-proofs",
        ("NSD",),
        "NODATA by a wildcard is proved with three NSEC3 records, NODATA for a wildcard's own name with one, and below "
        "an empty non-terminal that opt-out leaves without a record the closest provable encloser stands in for it.",
        "NSD gives one less or one more where one wildcard lies below another, and proves opt-out names otherwise.",
        "RFC 5155 sections 7.2.5, 7.2.3 and 7.2.1; Knot and BIND do likewise.",
        frozenset({"authority"}),
        lambda case: _differing_types(case) == {rdtypes.NSEC3, rdtypes.RRSIG},
    ),
    Deviation(
        "denial-below-dname",
        ("NSD",),
        "NXDOMAIN at the end of a chain that a DNAME began is proved for the name itself and for its wildcard.",
        "NSD leaves the record that covers the name out.",
        "Both are needed (RFC 4035 section 3.1.3.2); Knot and BIND do likewise.",
        frozenset({"authority"}),
        lambda case: (
            rdtypes.DNAME in _types(case.ours)
            and case.theirs.authority < case.ours.authority
            and _differing_types(case) == {rdtypes.NSEC, rdtypes.RRSIG}
        ),
    ),
    Deviation(
        "any-below-dname",
        ("NSD", "Knot"),
        "ANY for a name below a DNAME is answered with the DNAME and the alias made of it.",
        "NSD and Knot follow the alias.",
        "An alias that is in the zone is not followed for ANY either (RFC 1034 section 4.3.2 step 3a), nor by BIND.",
        frozenset({"rcode", "tc", "answer", "authority", "additional"}),
        lambda case: case.qtype == rdtypes.ANY and rdtypes.DNAME in _types(case.ours),
    ),
    Deviation(
        "additional-data",
        ("NSD", "Knot", "BIND"),
        "Addresses of the targets of NS, MX, SRV, NAPTR, SVCB and HTTPS records in the zone are added, and what SVCB "
        "in alias mode leads to.",
        "NSD adds addresses to referrals alone, Knot 3.2 knows nothing of NAPTR, SVCB and HTTPS, BIND leaves the "
        "zone's own addresses out of referrals.",
        "They save a question (RFC 2782, RFC 9460 section 4.1) and are left out where there is no room.",
        frozenset({"additional"}),
        lambda case: case.theirs.additional <= case.ours.additional,
    ),
    Deviation(
        "additional-glue",
        ("Knot",),
        "Addresses below a cut are given with NS records alone.",
        "Knot gives them with MX and SRV records too.",
        "They are not the zone's own data: whoever needs them must ask the zone below, which may say otherwise.",
        frozenset({"additional"}),
        lambda case: case.ours.additional < case.theirs.additional and case.qtype in (rdtypes.MX, rdtypes.SRV),
    ),
    Deviation(
        "glue-by-wildcard",
        ("NSD", "Knot"),
        "Glue is what the zone has at the very name of the server.",
        "NSD and Knot make glue of a wildcard below a cut, too.",
        "What lies below a cut is not the zone's own data, a wildcard there stands for nothing (RFC 4592 section 4.2), "
        "and BIND does likewise. The checks warn of a server without an address.",
        frozenset({"additional"}),
        lambda case: (
            _referral(case.ours)
            and case.ours.additional < case.theirs.additional
            and not any(owner in case.zone for owner, _, _, _ in case.theirs.additional - case.ours.additional)
        ),
    ),
    Deviation(
        "additional-svcb",
        ("Knot", "BIND"),
        "SVCB and HTTPS records of the target are added in alias mode alone; aliases (CNAME) and denials never.",
        "Knot adds them in service mode too, with denials where a wildcard gave them; BIND adds a CNAME.",
        "In service mode a client has no use for them (RFC 9460 section 3), and an alias does not end the search.",
        frozenset({"additional"}),
        lambda case: (
            case.qtype in (rdtypes.SVCB, rdtypes.HTTPS)
            and {record[1] for record in case.theirs.additional - case.ours.additional} <= _SVCB_EXTRA
        ),
    ),
    Deviation(
        "additional-wildcard",
        ("Knot",),
        "Additional data that a wildcard gives has the target's name as its owner.",
        "Knot gives it with the wildcard's own name for SVCB and HTTPS records.",
        "A wildcard's data stands for the name that was looked for (RFC 4592 section 3.3.1).",
        frozenset({"additional"}),
        lambda case: (
            case.qtype in (rdtypes.SVCB, rdtypes.HTTPS)
            and any(is_wildcard(owner) for owner, _, _, _ in case.theirs.additional - case.ours.additional)
        ),
    ),
    Deviation(
        "compression",
        ("NSD", "Knot", "BIND"),
        "Names that may be compressed are, against every such name before them.",
        "NSD and Knot compress some names less; BIND compresses against names inside DNAME and SRV records too.",
        "So one answer just fits where the other needs TC. Pointers into records whose names must not be compressed "
        "themselves (RFC 3597 section 4) are left to others.",
        frozenset({"tc", "answer", "authority", "additional"}),
        lambda case: case.theirs.tc != case.ours.tc and _part_of(*sorted((case.ours, case.theirs), key=_size)),
    ),
    Deviation(
        "glue-or-tc",
        ("NSD", "BIND"),
        "A referral that has no room for all addresses of servers below its cut has TC.",
        "NSD and BIND leave the addresses that do not fit out in silence, unless none fits.",
        "RFC 9471 section 3.1: all glue for in-domain name servers, or TC.",
        frozenset({"tc"}),
        lambda case: _referral(case.ours) and case.ours.tc,
    ),
)


@dataclass(frozen=True)
class Choice:
    """Something that the protocol leaves to a server, and that no comparison of zones shows."""

    about: str
    ours: str
    reason: str


CHOICES = (
    Choice(
        "a zone that is configured but has no version that could be loaded",
        "SERVFAIL with the extended error 14 (Not Ready).",
        "The server is the right one to ask and can't answer now; REFUSED would say that it is the wrong one.",
    ),
    Choice(
        "a name in no zone",
        "REFUSED with the extended error 20 (Not Authoritative); no upward referral.",
        "RFC 8914 section 4.21; referrals to the root serve nobody but amplifiers.",
    ),
    Choice(
        "NOTIFY and UPDATE that nothing handles",
        "REFUSED, without looking behind the header.",
        "RFC 2136 section 3.3 has it for policy.",
    ),
    Choice(
        "other opcodes",
        "NOTIMP, a header and nothing more.",
        "What stands behind the header of an unknown opcode can't be known (RFC 8906 section 3.1.4).",
    ),
    Choice(
        "types that no zone can have (128 to 254, OPT), AXFR over UDP, classes other than IN and CHAOS",
        "REFUSED; FORMERR with the extended error 30 for NXNAME (RFC 9824 section 3.5).",
        "They are no questions about data.",
    ),
    Choice(
        "answers that do not fit",
        "TC, with the RRsets that fit as a whole.",
        "RFC 2181 section 9: who sees TC asks again over TCP, and half an RRset is worse than none.",
    ),
    Choice(
        "queries signed with a key that is not known",
        "NOTAUTH.",
        "RFC 8945 section 5.2.1.",
    ),
    Choice(
        "the bits AD and CD of a query",
        "Neither is set in an answer.",
        "RFC 4035 section 3.1.6: they are between resolvers; this server validates nothing.",
    ),
)


def document() -> str:
    """The text of docs/deviations.md."""
    lines = [
        "# Deviations",
        "",
        "Where answers differ from those of NSD, Knot and BIND on the same zones, and why. The tests compare every",
        "answer with those servers' and allow these differences alone; this page is made from the tests' own table",
        "(`tests/dns_server/answer/deviations.py`).",
        "",
    ]
    for deviation in TABLE:
        lines += [
            f"## {deviation.name}",
            "",
            f"- Here: {deviation.ours}",
            f"- {', '.join(deviation.servers)}: {deviation.theirs}",
            f"- Why: {deviation.reason}",
            "",
        ]
    lines += ["# Choices", "", "What the protocol leaves to the server:", ""]
    for choice in CHOICES:
        lines += [f"- **{choice.about[0].upper()}{choice.about[1:]}**: {choice.ours} {choice.reason}"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    DOCUMENT.write_text(document())
