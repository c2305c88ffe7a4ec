"""Zones and questions that hypothesis makes: small, dense in what is hard, and accepted by every server."""

from hypothesis import strategies as st

LABELS = ("a", "b", "c", "*", "ns", "x-1")

relative_names = st.lists(st.sampled_from(LABELS), min_size=1, max_size=4).map(".".join)
targets = st.one_of(relative_names, st.sampled_from(("@", "elsewhere.test.")))


@st.composite
def records(draw: st.DrawFn) -> tuple[str, str, str]:
    """Owner, type and rdata of one record below the apex."""
    owner = draw(relative_names)
    rdtype = draw(st.sampled_from(("A", "A", "AAAA", "TXT", "MX", "SRV", "NS", "CNAME", "DNAME", "HTTPS")))
    match rdtype:
        case "A":
            rdata = f"192.0.2.{draw(st.integers(1, 3))}"
        case "AAAA":
            rdata = f"2001:db8::{draw(st.integers(1, 3))}"
        case "TXT":
            rdata = f'"{draw(st.sampled_from(("one", "two")))}"'
        case "MX":
            rdata = f"{draw(st.integers(0, 2))} {draw(targets)}"
        case "SRV":
            rdata = f"0 0 {draw(st.integers(1, 2))} {draw(targets)}"
        case "HTTPS":
            rdata = f"{draw(st.integers(0, 1))} {draw(st.one_of(targets, st.just('.')))}"
        case _:
            rdata = draw(targets)
    return owner, rdtype, rdata


def zone_text(entries: list[tuple[str, str, str]]) -> str:
    """A zone file of `entries`, without those that NSD, Knot or BIND would refuse beside the ones before.

    Those are other data beside a CNAME (RFC 1034 3.6.2), two of CNAME or DNAME, data below a DNAME (RFC 6672 2.4),
    and NS or DNAME at a wildcard (RFC 4592 4.2 and 4.4).
    """
    lines = [
        "$TTL 3600",
        "@ SOA ns host 1 7200 3600 1209600 300",
        "@ NS ns",
        "@ NS ns.elsewhere.test.",
        "ns A 192.0.2.9",
    ]
    types: dict[str, set[str]] = {"ns": {"A"}}
    for owner, rdtype, rdata in entries:
        there = types.setdefault(owner, set())
        singular = rdtype in ("CNAME", "DNAME")
        if "CNAME" in there or (singular and rdtype in there) or (rdtype == "CNAME" and there):
            continue
        if rdtype in ("NS", "DNAME") and ("*" in owner.split(".") or owner == "ns"):
            continue
        if rdtype == "DNAME" and ("NS" in there or any(other.endswith(f".{owner}") for other in types)):
            continue
        if rdtype == "NS" and "DNAME" in there:
            continue
        if any("DNAME" in types.get(above, ()) for above in _above(owner)):
            continue
        there.add(rdtype)
        lines.append(f"{owner} {rdtype} {rdata}")
    return "\n".join(lines) + "\n"


def _above(owner: str) -> list[str]:
    parts = owner.split(".")
    return [".".join(parts[index:]) for index in range(1, len(parts))]


zone_texts = st.lists(records(), min_size=3, max_size=14).map(zone_text)
