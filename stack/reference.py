"""Writes docs/stack.md: what the sources say about themselves, and the prose around it.

python -m stack.reference > docs/stack.md
"""

import ast
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from stack.dhcp import table as dhcp
from stack.tcp import state as tcp

ROOT = Path(__file__).parent
_FOLDERS = ("wire", "interface", "tcp", "dhcp", "resolver", "loop")
_REFERENCE = re.compile(r"RFC (\d+)((?:,? (?:and |to )?(?:appendix [A-Z]|\d+(?:\.\d+)*)(?![\d.]*\d* s\b))*)")
_SECTION = re.compile(r"appendix [A-Z]|\d+(?:\.\d+)*")

TITLES = {
    768: "UDP",
    791: "IPv4",
    792: "ICMP",
    815: "Reassembly",
    826: "ARP",
    894: "IPv4 over Ethernet",
    919: "IPv4 broadcast",
    950: "Subnets",
    1034: "DNS, concepts",
    1035: "DNS, messages",
    1071: "Internet checksum",
    1112: "IPv4 multicast",
    1122: "Requirements for hosts",
    1123: "Requirements for hosts, applications",
    1191: "Path MTU discovery",
    1542: "BOOTP and DHCP, clarified",
    1624: "Incremental checksum",
    1812: "Requirements for routers",
    2018: "TCP selective acknowledgment",
    2131: "DHCP",
    2132: "DHCP options",
    2308: "Negative answers of DNS",
    2464: "IPv6 over Ethernet",
    2644: "Directed broadcasts",
    2675: "Jumbograms",
    2711: "Router alert of IPv6",
    2883: "Duplicate SACK",
    3168: "ECN",
    3396: "Long DHCP options",
    3465: "Congestion control by octets",
    3810: "MLDv2",
    3927: "IPv4 link-local addresses",
    4291: "IPv6 addresses",
    4343: "Case of DNS names",
    4429: "Optimistic duplicate address detection",
    4443: "ICMPv6",
    4861: "Neighbour discovery",
    4862: "Stateless address autoconfiguration",
    4987: "SYN floods",
    5095: "No type 0 routing headers",
    5227: "IPv4 address conflict detection",
    5452: "Forged DNS answers",
    5681: "TCP congestion control",
    5722: "Overlapping IPv6 fragments",
    5927: "ICMP attacks on TCP",
    5942: "What is on the link",
    5952: "IPv6 addresses as text",
    5961: "Blind attacks on TCP",
    6056: "Port randomisation",
    6093: "TCP urgent data",
    6191: "TIME-WAIT and timestamps",
    6298: "Retransmission timer",
    6335: "Port numbers",
    6429: "Zero windows for ever",
    6528: "Initial sequence numbers",
    6582: "NewReno",
    6633: "No source quench",
    6675: "Loss recovery with SACK",
    6691: "TCP MSS",
    6724: "Source address selection",
    6864: "IPv4 identification",
    6891: "EDNS",
    6928: "TCP initial window",
    6946: "Atomic IPv6 fragments",
    6980: "Neighbour discovery and fragments",
    7112: "Headers in the first fragment",
    7126: "Filtering of IPv4 options",
    7323: "TCP timestamps and window scale",
    7661: "TCP that does not use its window",
    7739: "Fragment identification",
    7766: "DNS over TCP",
    8200: "IPv6",
    8201: "IPv6 path MTU discovery",
    8305: "Happy eyeballs",
    8504: "Requirements for IPv6 nodes",
    8900: "Fragmentation, considered fragile",
    9293: "TCP",
    9406: "HyStart++",
    9438: "CUBIC",
    9715: "DNS over UDP without fragments",
    9777: "MLDv2, as a standard",
}
"""What each document that the sources name is about, in a few words."""

INTRODUCTION = """\
# The network stack

TCP/IP in Python, from Ethernet frames to asyncio. The VM images live on it; on unix it runs over tap, AF_PACKET and
AF_XDP with `unizone serve --net=direct`. This page is written by `python -m stack.reference`, from the sources; which
tests prove which rule is in [stack-tests.md](stack-tests.md).

    device -> Ethernet -> ARP | IPv4 | IPv6 -> ICMP | ICMPv6 | UDP | TCP -> asyncio loop -> application
    dns_platform          stack/wire, stack/interface, stack/tcp          stack/loop

Rules that hold everywhere:

- **No I/O, clock or randomness in an engine.** `now` is an argument, entropy is handed in, frames go in and come out.
  `poll_at()` says when an engine next wants to run. One place touches the platform: `stack/loop/turn.py`.
- **A protocol is one file in `wire/`** with `parse` and `emit`. What is not what it says it is raises
  `WireError(layer, reason)`, which is counted by layer and reason and never logged per packet.
- **Every resource has a bound**, listed below. Where a table is full, what is not in use makes room first.
- **What an attacker can say is not believed without need**: path MTUs only about what is in flight, ARP not over a
  fresh entry, lifetimes in advertisements not below two hours, no redirects, no source routes.
"""

LEFT_OUT = """\
## What is left out, and why

| what | why |
|---|---|
| Forwarding, NAT, several interfaces | it is a host with one link |
| VLAN tags, jumbograms (RFC 2675) | the hypervisor's bridge does the first; nobody sends the second |
| Redirects (RFC 792, RFC 4861 8) | with one default router they bring nothing that is worth the trust |
| Source quench (RFC 6633), timestamps, address masks of ICMP | deprecated |
| Options of IPv4 that we would send; source routes | nobody needs those, attackers alone need these (RFC 7126) |
| Flow labels other than 0 (RFC 6437) | load is spread by ports as well |
| IPv4 link-local addresses (RFC 3927) | a server that nobody finds serves nobody; DHCP goes on asking |
| IGMP, and groups other than those of neighbour discovery | nothing here joins a group |
| MLD version 1 reports | routers of today speak version 2 |
| Temporary addresses (RFC 8981), opaque identifiers (RFC 7217) | a server wants to be found |
| The policy table of RFC 6724 2.1 | there is one prefix or few, and no private network beside a public one |
| Proxies and anycast of neighbour discovery (RFC 4861 7.2.7, 7.2.8) | a host answers for itself |
| DHCPv6 | advertisements or parameters give the address |
| INIT-REBOOT and DHCPINFORM of DHCP (RFC 2131 3.2, 3.4) | an image remembers no lease, and wants all or nothing |
| Routing headers other than spent ones | RFC 5095 |
| TCP: urgent data to the user, Fast Open, multipath, ECN | no protocol of a name server needs them |
| TCP: RACK-TLP (RFC 8985), F-RTO (RFC 5682), PRR (RFC 6937) | RFC 6675 finds the same losses on links that hardly \
reorder, with less to keep |
| TCP: duplicate SACKs sent (RFC 2883) | they tell a sender of needless repeats; answers here are short |
| TCP: authentication (RFC 5925), the user timeout option (RFC 5482) | TSIG signs what matters; no peer is asked |
"""


def modules() -> Iterator[tuple[Path, str]]:
    """Path below the project and text of each source file, in reading order."""
    for path in [
        *sorted(ROOT.glob("*.py")),
        *(path for name in _FOLDERS for path in sorted((ROOT / name).glob("*.py"))),
    ]:
        yield path.relative_to(ROOT.parent), path.read_text(encoding="utf-8")


def references(text: str) -> Iterator[tuple[int, str]]:
    """(RFC, section) named in `text`; the section is empty where none is."""
    for match in _REFERENCE.finditer(" ".join(text.split())):
        sections = _SECTION.findall(match[2]) or [""]
        for section in sections:
            yield int(match[1]), section


def deviations(text: str) -> Iterator[str]:
    """Sentences after "Deviation:" in comments and docstrings, to the end of their block."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        _, found, rest = line.partition("Deviation: ")
        if not found:
            continue
        block = [rest.strip().removesuffix('"""')]
        is_comment = line.lstrip().startswith("#")
        for following in lines[number + 1 :] if '"""' not in rest else []:
            stripped = following.strip()
            if is_comment and not stripped.startswith("#"):
                break
            if not stripped or stripped.startswith(('"""', "# -")):
                break
            block.append(stripped.lstrip("# ").removesuffix('"""'))
            if not is_comment and stripped.endswith('"""'):
                break
        yield " ".join(part for part in block if part)


def layers() -> Iterator[str]:
    """A table of the files with the first sentence of each."""
    yield "| file | what it is |"
    yield "|---|---|"
    for path, text in modules():
        described = ast.get_docstring(ast.parse(text)) or ""
        if path.name != "__init__.py":
            yield f"| `{path}` | {_cell(described.partition(chr(10) * 2)[0])} |"


def rfcs() -> Iterator[str]:
    """A table of the RFCs with the sections that the sources name, and where."""
    named: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path, text in modules():
        if path.name != Path(__file__).name:
            for number, section in references(text):
                named[number][path.relative_to("stack").as_posix().removesuffix(".py")].add(section)
    yield "| RFC | about | sections, and the files that name them |"
    yield "|---|---|---|"
    for number, files in sorted(named.items()):
        places = []
        for file, sections in sorted(files.items()):
            listed = ", ".join(sorted(sections - {""}, key=_section_key))
            places.append(f"{file}: {listed}" if listed else file)
        link = f"[{number}](https://www.rfc-editor.org/rfc/rfc{number})"
        yield f"| {link} | {TITLES[number]} | {'; '.join(places)} |"


def deviation_table() -> Iterator[str]:
    """A table of the deviations."""
    yield "| file | deviation |"
    yield "|---|---|"
    for path, text in modules():
        if path.name != Path(__file__).name:
            for deviation in deviations(text):
                yield f"| `{path}` | {_cell(deviation)} |"


def bounds() -> Iterator[str]:
    """A table of the fields of the dataclasses named `Limits`, with what is said below each."""
    yield "| bound | value | of what |"
    yield "|---|---|---|"
    for path, text in modules():
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and node.name == "Limits":
                yield from _fields(path, node)


def _fields(path: Path, limits: ast.ClassDef) -> Iterator[str]:
    for item, following in itertools.zip_longest(limits.body, limits.body[1:]):
        if isinstance(item, ast.AnnAssign) and item.value is not None:
            name, value = ast.unparse(item.target), ast.unparse(item.value)
            said = following.value.value if isinstance(following, ast.Expr) else ""  # type: ignore[attr-defined]
            yield f"| {path.parent.name}: `{name}` | {value} | {_cell(said)} |"


def dhcp_diagram() -> Iterator[str]:
    """State diagram of the DHCP client in Mermaid's language."""
    yield "stateDiagram-v2"
    yield "    [*] --> INIT"
    for (state, event), (target, action) in dhcp.TRANSITIONS.items():
        yield f"    {state.name} --> {target.name}: {event.name} / {action.name}"


def dhcp_words() -> Iterator[str]:
    """What the names in the diagram of the DHCP client mean."""
    for kind in (dhcp.State, dhcp.Event, dhcp.Action):
        yield f"| {kind.__name__.lower()} | |"
        yield "|---|---|"
        yield from (f"| {member.name} | {member.value} |" for member in kind)
        yield ""


def page() -> Iterator[str]:
    """The lines of docs/stack.md."""
    yield INTRODUCTION
    yield "## Layers\n"
    yield from layers()
    yield "\n## Bounds\n"
    yield from bounds()
    yield "\n" + LEFT_OUT
    yield "## Deviations\n"
    yield "Where the stack does otherwise than a standard says, as the sources have it:\n"
    yield from deviation_table()
    yield "\n## TCP\n\n```mermaid"
    yield from tcp.diagram()
    yield "```\n\n## DHCP\n\n```mermaid"
    yield from dhcp_diagram()
    yield "```\n"
    yield from dhcp_words()
    yield "## RFCs\n"
    yield "What the sources name, with the sections that are implemented there (or left out with a reason).\n"
    yield from rfcs()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _section_key(section: str) -> tuple[bool, list[int], str]:
    appendix = section.startswith("appendix")
    return appendix, [] if appendix else [int(part) for part in section.split(".")], section


if __name__ == "__main__":
    print("\n".join(page()))
