"""Trees of zone files in memory, and the text of small zones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from zones.folder import blob_id
from zones.tree import Entry


@dataclass
class MemoryTree:
    """A version made of a mapping; counts what is read."""

    files: Mapping[str, bytes]
    revision: str = ""
    message: str = ""
    reads: list[str] = field(default_factory=list)

    def entries(self) -> Iterator[Entry]:
        return (Entry(path, blob_id(content)) for path, content in self.files.items())

    def read(self, path: str) -> bytes:
        self.reads.append(path)
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None


def zone_text(serial: int, *records: str) -> bytes:
    """A zone without findings: an SOA, two name servers elsewhere, and `records`."""
    lines = [
        "$TTL 3600",
        f"@ SOA ns1.servers.test. hostmaster.servers.test. {serial} 7200 3600 1209600 300",
        "@ NS ns1.servers.test.",
        "@ NS ns2.servers.test.",
        *records,
    ]
    return "".join(f"{line}\n" for line in lines).encode()
