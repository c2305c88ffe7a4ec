"""The zones and queries with which servers are compared."""

import random

import dns.message

ORIGIN = "bench.example."
HOSTS = 30_000
WILDCARDS = CUTS = 1_000
QUERIES = 64 * 100


def zone_text(times: int = 1, serial: int = 1) -> str:
    """Hosts, wildcards and delegations: a zone of 33,000 records `times` times; a third changes with the serial."""
    lines = ["$TTL 3600", f"@ SOA ns1 hostmaster {serial} 7200 3600 1209600 300", "@ NS ns1", "ns1 A 192.0.2.1"]
    for number in range(HOSTS * times):
        first = 10 if number % 3 else 11 + serial
        lines.append(f"host-{number} A {first}.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    lines += [f"*.wild-{number} A 192.0.2.2" for number in range(WILDCARDS * times)]
    for number in range(CUTS * times):
        lines += [f"cut-{number} NS ns.cut-{number}", f"ns.cut-{number} A 192.0.2.3"]
    return "\n".join(lines) + "\n"


def names(*, negative: float) -> list[str]:
    """Names to ask for: `negative` of them missing, 3 % below wildcards, 4 % below cuts, the rest hosts."""
    rng = random.Random(1)
    found = []
    for number in range(QUERIES):
        kind = rng.random()
        if kind < negative:
            name = f"missing-{rng.randrange(1 << 30)}"
        elif kind < negative + 0.03:
            name = f"any-{number}.wild-{rng.randrange(WILDCARDS)}"
        elif kind < negative + 0.07:
            name = f"www.cut-{rng.randrange(CUTS)}"
        else:
            name = f"host-{rng.randrange(HOSTS)}"
        found.append(f"{name}.{ORIGIN}")
    return found


def queries(*, negative: float, do: bool) -> list[bytes]:
    """Queries for A records of `names`, with EDNS."""
    return [
        dns.message.make_query(name, "A", use_edns=0, want_dnssec=do, payload=1232).to_wire()
        for name in names(negative=negative)
    ]
