"""The table of all checks: name, severity, what the rule is, where it is written.

Severity follows one rule. What NSD, Knot or BIND refuse to load as a server refuses the zone here (ERROR);
anything stricter is a WARNING: it is logged by `serve` and fails `check`. DNSSEC findings are warnings, as those
three servers serve such a zone as well: an expired signature must never take a zone out of service.
"""

from dataclasses import dataclass
from typing import Final

from zones.findings import Severity


@dataclass(frozen=True, slots=True)
class Check:
    """One rule."""

    subject: str
    """Heading under which docs/checks.md lists it."""
    name: str
    """Kebab case; findings carry it."""
    severity: Severity
    rule: str
    """One line for docs/checks.md."""
    reference: str
    """Where the rule comes from."""


_table: list[Check] = []
_subjects: list[str] = []


def _subject(heading: str) -> None:
    """Checks that follow are about this."""
    _subjects.append(heading)


def _error(name: str, rule: str, reference: str) -> Check:
    _table.append(Check(_subjects[-1], name, Severity.ERROR, rule, reference))
    return _table[-1]


def _warning(name: str, rule: str, reference: str) -> Check:
    _table.append(Check(_subjects[-1], name, Severity.WARNING, rule, reference))
    return _table[-1]


# What the parser of zone files, the layout of the repository and the loader find themselves.
_subject("Zone files and repository")
_error("syntax", "The file can be read, and its records are of the zone.", "RFC 1035 5")
_warning("duplicate-rdata", "Records of an RRset differ by more than letter case.", "RFC 2181 5")
_warning("ttl-differs", "Records of an RRset have one TTL; the lowest is served.", "RFC 2181 5.2")
_warning("ttl-implied", "A record without a TTL has a `$TTL` before it.", "RFC 2308 4")
_warning("ttl-range", "A TTL is below 2^31; a higher one counts as 0.", "RFC 2181 8")
_warning("serial-not-raised", "The serial rises when the content changes.", "RFC 1982 3.2")
_error("ambiguous-zone-file", "One file claims a zone.", "docs/repository.md")
_error("zone-file-name", "A file that is called a zone has the name of one.", "docs/repository.md")
_error(
    "tsig-key", "A key file holds DNSKEY records with flags 0, protocol 3, algorithm 161 to 165.", "docs/repository.md"
)
_error("unreadable", "The file can be read from the repository.", "docs/repository.md")
_error("memory", "The machine has the memory that reading the zone takes.", "docs/checks.md")
_error("internal-error", "The server has no fault that this zone meets.", "docs/checks.md")

_subject("The apex")
SOA_MISSING: Final = _error("soa-missing", "The apex has an SOA record.", "RFC 1035 5.2")
SOA_MULTIPLE: Final = _error("soa-multiple", "The apex has one SOA record.", "RFC 2181 6.1")
SOA_NOT_AT_APEX: Final = _error("soa-not-at-apex", "An SOA record stands at the apex alone.", "RFC 1035 5.2")
SOA_RNAME: Final = _warning("soa-rname", "RNAME is a mailbox: its `@` is written as a dot.", "RFC 1035 3.3.13")
SOA_TIMERS: Final = _warning(
    "soa-timers", "EXPIRE is longer than REFRESH, and REFRESH and RETRY are not 0.", "RFC 1912 2.2"
)
NS_MISSING: Final = _error("ns-missing", "The apex has NS records.", "RFC 1034 4.2.1")
NOT_AT_APEX: Final = _warning(
    "not-at-apex", "DNSKEY, CDS, CDNSKEY, CSYNC, NSEC3PARAM and ZONEMD stand at the apex.", "RFC 4034 2, 5155 4, 7344 4"
)

_subject("Aliases")
CNAME_BESIDE_DATA: Final = _error("cname-beside-data", "A CNAME has no other data at its owner.", "RFC 2181 10.1")
CNAME_MULTIPLE: Final = _error("cname-multiple", "An owner has one CNAME.", "RFC 2181 10.1")
CNAME_LOOP: Final = _warning("cname-loop", "Following CNAMEs inside the zone ends.", "RFC 1034 3.6.2")
CNAME_LONG: Final = _warning("cname-long", "A chain of CNAMEs inside the zone has at most 16 links.", "RFC 1034 3.6.2")
CNAME_DANGLING: Final = _warning("cname-dangling", "The target of a CNAME inside the zone exists.", "RFC 1912 2.4")
DNAME_MULTIPLE: Final = _error("dname-multiple", "An owner has one DNAME.", "RFC 6672 2.4")
DNAME_BESIDE_NS: Final = _error("dname-beside-ns", "A DNAME below the apex has no NS beside it.", "RFC 6672 2.3")
DNAME_CHILDREN: Final = _error("dname-children", "No records stand below a DNAME.", "RFC 6672 2.4")
DNAME_LOOP: Final = _warning("dname-loop", "The target of a DNAME is not at or below its owner.", "RFC 6672 2.2")

_subject("Delegations")
GLUE_MISSING: Final = _warning(
    "glue-missing", "A name server inside the delegated zone has an address beside the delegation.", "RFC 1034 4.2.1"
)
GLUE_SIBLING: Final = _warning(
    "glue-sibling-missing", "A name server inside another delegated zone has an address there.", "RFC 9471 2.3"
)
OCCLUDED: Final = _warning(
    "occluded-by-delegation", "At and below a delegation are only NS, DS and addresses of name servers.", "RFC 2181 6.1"
)
DS_AT_APEX: Final = _error("ds-at-apex", "A zone's DS stands in its parent zone.", "RFC 4035 2.4")
DS_WITHOUT_NS: Final = _warning("ds-without-ns", "A DS stands at a delegation.", "RFC 4035 2.4")
DS_ALGORITHM: Final = _warning("ds-algorithm", "The algorithm of a DS is one that is assigned.", "RFC 8624 3.1")
DS_DIGEST_TYPE: Final = _warning("ds-digest-type", "The digest type of a DS is one that is assigned.", "RFC 4034 5.1.3")
DS_DIGEST_LENGTH: Final = _warning(
    "ds-digest-length", "A digest is as long as its type gives.", "RFC 4034 5.1.4, 4509, 6605"
)
DS_CONFLICT: Final = _warning(
    "ds-conflict", "DS records of one key tag, algorithm and digest type agree on the digest.", "RFC 4034 5.1"
)

_subject("Targets of NS, MX, SRV, SVCB")
NS_TARGET_ALIAS: Final = _error("ns-target-alias", "A name server of the zone is no alias.", "RFC 2181 10.3")
NS_TARGET_MISSING: Final = _error(
    "ns-target-missing", "A name server of the zone, inside it, has an address.", "RFC 1912 2.8"
)
DELEGATION_TARGET_ALIAS: Final = _warning(
    "delegation-target-alias", "A name server of a delegation is no alias.", "RFC 2181 10.3"
)
DELEGATION_TARGET_MISSING: Final = _warning(
    "delegation-target-missing", "A name server of a delegation, inside this zone, has an address.", "RFC 1912 2.8"
)
MX_TARGET_ALIAS: Final = _warning("mx-target-alias", "A mail exchange's name is no alias.", "RFC 2181 10.3")
MX_TARGET_MISSING: Final = _warning(
    "mx-target-missing", "A mail exchange inside the zone has an address.", "RFC 5321 5.1"
)
MX_NULL: Final = _warning("mx-null", "A null MX (`0 .`) stands alone.", "RFC 7505 3")
SRV_TARGET_ALIAS: Final = _warning("srv-target-alias", "The target of an SRV is no alias.", "RFC 2782")
SRV_TARGET_MISSING: Final = _warning(
    "srv-target-missing", "The target of an SRV inside the zone has an address.", "RFC 2782"
)
ADDRESS_AS_NAME: Final = _warning("address-as-name", "A target is a name, not an IP address.", "RFC 1035 3.3.9, 3.3.11")

_subject("Service bindings")
SVCB_ALIAS_PARAMETERS: Final = _warning(
    "svcb-alias-parameters", "AliasMode (priority 0) carries no parameters.", "RFC 9460 2.4.2"
)
SVCB_ALIAS_MULTIPLE: Final = _warning(
    "svcb-alias-multiple", "An AliasMode record stands alone in its RRset.", "RFC 9460 2.4.1"
)
SVCB_ALIAS_SELF: Final = _warning(
    "svcb-alias-self", "The target of an AliasMode record is not its owner.", "RFC 9460 2.4.2"
)
SVCB_TARGET_MISSING: Final = _warning(
    "svcb-target-missing", "The target of SVCB or HTTPS inside the zone exists.", "RFC 9460 2.5"
)

_subject("Contents of other records")
SPF_OBSOLETE: Final = _warning("spf-obsolete", "A policy in an SPF record is published as TXT too.", "RFC 7208 3.1")
SPF_MULTIPLE: Final = _warning("spf-multiple", "An owner has one TXT that begins with v=spf1.", "RFC 7208 3.2")
RRSET_LARGE: Final = _warning("rrset-large", "An RRset has at most 100 records.", "RFC 2181 5, RFC 7766 8")

_subject("Names")
HOSTNAME: Final = _warning("hostname", "The owner of A, AAAA or MX is a host name.", "RFC 952, 1123 2.1")
HOSTNAME_TARGET: Final = _warning(
    "hostname-target", "The target of NS, MX, SRV, SVCB, HTTPS or a reverse PTR is a host name.", "RFC 952, 1123 2.1"
)
WILDCARD_NOT_LEFTMOST: Final = _warning("wildcard-not-leftmost", "The label `*` is leftmost.", "RFC 4592 2.1.1")
WILDCARD_NS: Final = _error("wildcard-ns", "A wildcard is no delegation.", "RFC 4592 4.2")
WILDCARD_TYPE: Final = _warning("wildcard-type", "A wildcard has no DNAME or DS.", "RFC 4592 4.4, 4.6")

_subject("Keys")
DNSKEY_MISSING: Final = _warning("dnskey-missing", "A signed zone has DNSKEY records.", "RFC 4035 2.1")
DNSKEY_FLAGS: Final = _warning("dnskey-flags", "A DNSKEY has the zone flag and no reserved one.", "RFC 4034 2.1.1")
DNSKEY_PROTOCOL: Final = _warning("dnskey-protocol", "The protocol of a DNSKEY is 3.", "RFC 4034 2.1.2")
DNSKEY_ALGORITHM: Final = _warning(
    "dnskey-algorithm", "The algorithm of a DNSKEY is one for signing zones.", "RFC 8624 3.1"
)
DNSKEY_KEY: Final = _warning(
    "dnskey-key", "A public key has the form that its algorithm gives.", "RFC 3110 2, 6605 4, 8080 3"
)
DNSKEY_TAGS: Final = _warning("dnskey-tags", "No two keys share key tag and algorithm.", "RFC 4034 8")
CDS_MISSING: Final = _warning("cds-missing", "CDNSKEY comes with CDS.", "RFC 7344 4")
CDNSKEY_MISSING: Final = _warning("cdnskey-missing", "CDS comes with CDNSKEY.", "RFC 7344 4")
CDS_MISMATCH: Final = _warning("cds-mismatch", "Each CDS is the digest of a DNSKEY and of a CDNSKEY.", "RFC 7344 4.1")
CDNSKEY_MISMATCH: Final = _warning("cdnskey-mismatch", "Each CDNSKEY is a DNSKEY and has a CDS.", "RFC 7344 4.1")
CDS_ALGORITHM: Final = _error(
    "cds-algorithm", "The algorithm of a CDS or CDNSKEY is that of a DNSKEY.", "RFC 7344 4.1, 8078 2"
)
CDS_DELETE: Final = _warning("cds-delete", "CDS asks for deletion where CDNSKEY does, and not otherwise.", "RFC 8078 4")
CDS_DELETE_MIXED: Final = _error(
    "cds-delete-mixed", "A CDS or CDNSKEY that asks for deletion stands alone.", "RFC 8078 4"
)
CSYNC_MULTIPLE: Final = _warning("csync-multiple", "The apex has one CSYNC.", "RFC 7477 2.1.1")
CSYNC_FLAGS: Final = _warning("csync-flags", "A CSYNC has no flags but immediate and soaminimum.", "RFC 7477 2.1.1.2")

_subject("Signatures")
RRSIG_MISSING: Final = _warning("rrsig-missing", "Each authoritative RRset of a signed zone is signed.", "RFC 4035 2.2")
RRSIG_ORPHAN: Final = _warning("rrsig-orphan", "An RRSIG covers an authoritative RRset of its owner.", "RFC 4035 2.2")
RRSIG_EXPIRED: Final = _warning("rrsig-expired", "The validity of an RRSIG is not over.", "RFC 4035 5.3.1")
RRSIG_EARLY: Final = _warning(
    "rrsig-not-yet-valid", "The validity of an RRSIG has begun, and before its end.", "RFC 4035 5.3.1"
)
RRSIG_SIGNER: Final = _warning("rrsig-signer", "The signer of an RRSIG is the zone.", "RFC 4035 2.2")
RRSIG_LABELS: Final = _warning(
    "rrsig-labels", "Labels of an RRSIG counts its owner's, without a wildcard's.", "RFC 4034 3.1.3"
)
RRSIG_TTL: Final = _warning("rrsig-ttl", "Original TTL of an RRSIG is the RRset's TTL.", "RFC 4034 3.1.4")
RRSIG_KEY: Final = _warning("rrsig-key", "Key tag and algorithm of an RRSIG are those of a DNSKEY.", "RFC 4035 2.2")
RRSIG_ALGORITHMS: Final = _warning(
    "rrsig-algorithms", "Each algorithm of the DNSKEY RRset signs each RRset.", "RFC 4035 2.2"
)
RRSIG_BOGUS: Final = _warning("rrsig-bogus", "A signature verifies (where a verifier is available).", "RFC 4035 5.3.3")

_subject("Denial of existence")
NSEC_MISSING: Final = _warning("nsec-missing", "Each authoritative name of a signed zone has one NSEC.", "RFC 4035 2.3")
NSEC_EXTRA: Final = _warning(
    "nsec-extra", "NSEC stands at authoritative names, and not beside NSEC3.", "RFC 4035 2.3, 5155 7.1"
)
NSEC_BITMAP: Final = _warning("nsec-bitmap", "The bitmap of an NSEC lists the types of its owner.", "RFC 4034 4.1.2")
NSEC_CHAIN: Final = _warning("nsec-chain", "NSECs make one ring in canonical order.", "RFC 4034 4.1.1")
NSEC3PARAM_MISSING: Final = _warning(
    "nsec3param-missing", "The apex has the NSEC3PARAM of the NSEC3 records.", "RFC 5155 7.1"
)
NSEC3PARAM_FLAGS: Final = _warning("nsec3param-flags", "NSEC3PARAM has no flags.", "RFC 5155 4.1.2")
NSEC3PARAM_ALGORITHM: Final = _error("nsec3param-algorithm", "One NSEC3PARAM has algorithm 1.", "RFC 5155 4.1.1")
NSEC3_ITERATIONS: Final = _warning(
    "nsec3-iterations", "NSEC3 has at most 50 extra iterations; 0 is best.", "RFC 9276 3.1"
)
NSEC3_OWNER: Final = _warning("nsec3-owner", "The owner of an NSEC3 is a base32hex hash under the apex.", "RFC 5155 3")
NSEC3_MISSING: Final = _warning(
    "nsec3-missing", "Each authoritative name has one NSEC3, but what opt-out leaves out.", "RFC 5155 7.1"
)
NSEC3_EXTRA: Final = _warning("nsec3-extra", "Each NSEC3 is the hash of an authoritative name.", "RFC 5155 7.1")
NSEC3_BITMAP: Final = _warning("nsec3-bitmap", "The bitmap of an NSEC3 lists the types of its name.", "RFC 5155 3.1.8")
NSEC3_CHAIN: Final = _warning(
    "nsec3-chain", "NSEC3s of one set of parameters make one ring in the order of hashes.", "RFC 5155 7.1"
)
NSEC3_OPT_OUT: Final = _warning(
    "nsec3-opt-out", "An NSEC3 that covers an insecure delegation has opt-out.", "RFC 5155 6"
)

_subject("The digest of the zone")
ZONEMD_SERIAL: Final = _warning("zonemd-serial", "The serial of a ZONEMD is the SOA's.", "RFC 8976 2.2.1")
ZONEMD_DUPLICATE: Final = _warning("zonemd-duplicate", "No two ZONEMDs share scheme and hash.", "RFC 8976 2.2")
ZONEMD_DIGEST: Final = _warning("zonemd-digest", "The digest of a ZONEMD is the zone's.", "RFC 8976 4")

CHECKS: Final = tuple(_table)
