"""A new commit on top of a fetched one: one file with other content, everything else as it was."""

import hashlib
import zlib
from typing import Final, NamedTuple

from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

from zones.git.commit import CommitTree
from zones.git.pack import Object

_UTC: Final = 0
_PACK_VERSION: Final = 2
_BLOB: Final = 3  # as packs number kinds of objects


class Person(NamedTuple):
    """Author or committer."""

    name: str
    email: str

    @property
    def line(self) -> bytes:
        """As commits have it; characters that would end the name or begin a line are left out."""
        name, email = ("".join(c for c in part if c.isprintable() and c not in "<>") for part in self)
        return f"{name} <{email}>".encode()


class NewCommit(NamedTuple):
    """A commit that nobody has yet."""

    identity: str
    parent: str
    objects: tuple[ShaFile, ...]
    """Those that the parent's repository lacks."""
    tree: CommitTree
    """Its files."""

    def pack(self) -> bytes:
        """The objects in one pack of version 2, each one whole (gitformat-pack)."""
        parts = [b"PACK", _PACK_VERSION.to_bytes(4, "big"), len(self.objects).to_bytes(4, "big")]
        for item in self.objects:
            data = item.as_raw_string()
            parts += [_entry_header(item.type_num, len(data)), zlib.compress(data)]
        pack = b"".join(parts)
        return pack + hashlib.sha1(pack, usedforsecurity=False).digest()


def _entry_header(kind: int, size: int) -> bytes:
    """Kind and size of an object: 4 bits of the size, then 7 in each octet, the low ones first."""
    octets = [kind << 4 | size & 15]
    size >>= 4
    while size:
        octets[-1] |= 0x80
        octets.append(size & 0x7F)
        size >>= 7
    return bytes(octets)


def commit_file(
    parent: CommitTree, path: str, content: bytes, message: str, author: Person, committer: Person, now: int
) -> NewCommit:
    """A commit that gives `path`, a file at the top of `parent`, other content. `now` in seconds since 1970."""
    blob = Blob.from_string(content)
    tree = Tree.from_string(parent.top)
    name = path.encode("utf-8", "surrogateescape")
    mode, _ = tree[name]
    tree[name] = (mode, blob.id)
    commit = Commit()
    commit.tree = tree.id
    commit.parents = [ObjectID(parent.revision.encode("ascii"))]
    commit.author, commit.committer = author.line, committer.line
    commit.author_time = commit.commit_time = now
    commit.author_timezone = commit.commit_timezone = _UTC
    commit.encoding = b"UTF-8"
    commit.message = message.encode("utf-8", "replace")
    identity, blob_identity = commit.id.decode("ascii"), blob.id.decode("ascii")

    def lookup(wanted: str) -> Object:
        return Object(_BLOB, content) if wanted == blob_identity else parent.lookup(wanted)

    files = {**parent.files, path: blob_identity}
    made = CommitTree(identity, message, tree.as_raw_string(), files, lookup)
    return NewCommit(identity, parent.revision, (commit, tree, blob), made)
