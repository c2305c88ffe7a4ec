"""Repositories on this machine, read with dulwich: a path as a remote, and revisions for `unizone check`."""

import asyncio
import contextlib
import hashlib
import mmap
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dulwich.errors import ChecksumMismatch, NotGitRepository
from dulwich.file import FileLocked
from dulwich.objects import ObjectID, RawObjectID
from dulwich.objectspec import AmbiguousShortId, parse_commit, parse_object
from dulwich.refs import Ref
from dulwich.repo import Repo

from zones.git.authoring import NewCommit
from zones.git.commit import CommitTree, read_commit
from zones.git.errors import BadAnswer, Refused, Stage, reported
from zones.git.history import Past, past_contents
from zones.git.limits import DEFAULT_LIMITS, Limits
from zones.git.pack import BLOB, KINDS, LARGE, Deflated, Object, digest_of, entry_head
from zones.git.receive import Overtaken
from zones.git.refs import HEAD, Checkout, candidates, missing_branch
from zones.git.url import RemoteUrl
from zones.slices import run_sliced, run_to_end
from zones.source import Version

if TYPE_CHECKING:
    from dulwich.pack import PackIndex

# What git-rev-parse takes, without paths (`REV:path`), ranges, searches and the reflog.
_REVISION: Final = re.compile(r"(?P<start>\w((?!\.\.)[\w./+-])*)(?P<steps>([~^][0-9]*)*)")
_MAX_HEAD: Final = 32  # octets before the content of an object: kind and size
_MIN_DEFLATED: Final = LARGE // 1032  # as far as deflate gets
_NO_REPOSITORY: Final = "there is no git repository"
_HINT: Final = "make one with git init --bare, or correct the path"


class LocalRemote:
    """A repository of the file system, bare or with a work tree; what is committed counts, not the work tree."""

    def __init__(self, url: RemoteUrl, limits: Limits) -> None:
        self._url: Final = url
        self._limits: Final = limits
        self._fetched: set[str] = set()

    @property
    def name(self) -> str:
        """Path and branch."""
        return str(self._url)

    async def state(self) -> str:
        """Id that the branch names. GitError."""
        with reported(self.name, Stage.REFS), _opened(Path(self._url.path)) as repository:
            return self._branch(repository)

    async def fetch(self) -> Version:
        """The branch's newest commit. GitError.

        Files are read in a thread: this is a machine with a file system, and zlib lets the event loop go on.
        """
        with reported(self.name, Stage.FILES), _opened(Path(self._url.path)) as repository:
            identity = self._branch(repository)
            store = _Store(repository)
            tree = await run_sliced(read_commit(identity, store.lookup, self._limits))
            blobs = set(tree.files.values())
            content = await asyncio.to_thread(store.read_all, blobs - self._fetched)
            self._fetched = blobs

        def lookup(blob: str) -> Object:
            """A file; one of the version before is seldom asked for again, so it is not kept."""
            return content.get(blob) or self._read_again(blob)

        return Version(identity, tree.reading(lookup))

    async def checkout(self) -> Checkout:
        """The branch's newest commit, to put another on top of it. GitError."""
        with reported(self.name, Stage.FILES), _opened(Path(self._url.path)) as repository:
            followed, identity = repository.refs.follow(Ref(self._ref(repository)))
            assert identity is not None  # it was there just now
            tree = await run_sliced(read_commit(identity.decode("ascii"), _Store(repository).lookup, self._limits))

        def lookup(blob: str) -> Object:
            return self._read_again(blob)

        return Checkout(bytes(followed[-1]), tree.reading(lookup))

    async def push(self, branch: bytes, commit: NewCommit) -> None:
        """Move `branch` from the commit's parent to the commit. GitError, as `Repository` has it."""
        with reported(self.name, Stage.PUSH), _opened(Path(self._url.path)) as repository:
            if not repository.bare and bytes(repository.refs.follow(Ref(HEAD))[0][-1]) == branch:
                hint = "push to a bare repository, or have another branch checked out"
                raise Refused("the branch is checked out in this repository's work tree", hint)
            for found in commit.objects:
                repository.object_store.add_object(found)
            old, new = ObjectID(commit.parent.encode("ascii")), ObjectID(commit.identity.encode("ascii"))
            try:
                has_moved = not repository.refs.set_if_equals(Ref(branch), old, new)
            except FileLocked as error:
                raise Overtaken(f"{branch.decode()} is locked: somebody else is pushing") from error
            if has_moved:
                raise Overtaken(f"{branch.decode()} has moved")

    async def past(self, path: str, depth: int) -> Past:
        """What a file was. GitError."""
        with reported(self.name, Stage.FILES), _opened(Path(self._url.path)) as repository:
            identity = self._branch(repository)
            return await run_sliced(past_contents(identity, path, _Store(repository).lookup, depth))

    async def contains(self, commit: str) -> bool:
        """Whether `commit` is in the branch's history. GitError."""
        with reported(self.name, Stage.REFS), _opened(Path(self._url.path)) as repository:
            walker = repository.get_walker(include=[ObjectID(self._branch(repository).encode("ascii"))])
            return any(found.commit.id.decode("ascii") == commit for found in walker)

    def _read_again(self, blob: str) -> Object:
        try:
            with _opened(Path(self._url.path)) as repository:
                return _Store(repository).lookup(blob)
        except BadAnswer as error:
            raise OSError(error.reason) from error

    def _branch(self, repository: Repo) -> str:
        """Id that the branch names."""
        return repository.refs[Ref(self._ref(repository))].decode("ascii")

    def _ref(self, repository: Repo) -> bytes:
        """The ref that is meant, as it is called in the repository."""
        for name in candidates(self._url.branch):
            try:
                _ = repository.refs[Ref(name)]  # `in` would also find a HEAD whose branch has no commit yet
            except KeyError:
                continue
            return name
        raise missing_branch(self._url.branch)


def open_revision(path: Path, revision: str, limits: Limits = DEFAULT_LIMITS) -> CommitTree:
    """Files of a commit of the repository that `path` lies in: branch, tag, id or its beginning, `HEAD~2`. GitError."""
    with reported(f"{path}: {revision}", Stage.FILES), _opened(path, discover=True) as repository:
        store = _Store(repository)
        tree = run_to_end(read_commit(_resolve(repository, revision), store.lookup, limits))
        content = store.read_all(set(tree.files.values()))
    return tree.reading(content.__getitem__)


def _resolve(repository: Repo, revision: str) -> str:
    """Id of the commit that `revision` names. BadAnswer where it names none."""
    try:
        # Of dulwich's two, only parse_commit takes the beginning of an id, and only parse_object takes ~ and ^.
        parts = _REVISION.fullmatch(revision)
        if parts is None:
            raise ValueError
        commit = parse_commit(repository, parts["start"])
        if parts["steps"]:
            found = parse_object(repository, commit.id + parts["steps"].encode())
            commit = parse_commit(repository, found.id)
        return commit.id.decode("ascii")
    except AmbiguousShortId:
        raise BadAnswer(f"{revision} is the beginning of several ids", "write more of it") from None
    except (KeyError, ValueError):
        raise BadAnswer(f"there is no commit {revision}", "see git log and git branch") from None


class _Store:
    """Objects of a repository."""

    def __init__(self, repository: Repo) -> None:
        self._repository = repository
        self._folder = Path(repository.object_store.path)
        self._folders = frozenset(inner.name for inner in self._folder.iterdir())
        """Of objects that lie by themselves, by the first two digits of their ids; most have none after `git gc`."""
        self._packs: list[tuple[PackIndex, memoryview]] = [
            (pack.index, _mapped(Path(pack.data.path))) for pack in repository.object_store.packs
        ]

    def lookup(self, identity: str) -> Object:
        found = self._packed(identity) or self._large(identity)
        if found is not None:
            return found
        try:
            kind, content = self._repository.object_store.get_raw(ObjectID(identity.encode("ascii")))
        except KeyError:
            raise BadAnswer(f"object {identity} is missing", "run git fsck in the repository") from None
        return Object(kind, content)

    def _packed(self, identity: str) -> Object | None:
        """An object that lies in a pack as a whole; a large file is left deflated. BadAnswer where it is damaged.

        dulwich makes objects of deltas, and reads the others, too, but large ones all at once.
        """
        name = RawObjectID(bytes.fromhex(identity))
        for index, pack in self._packs:
            try:
                offset = index.object_offset(name)
            except KeyError:
                continue
            try:
                kind, size, begin = entry_head(pack, offset)
                if kind not in KINDS:
                    return None
                stored = Deflated(pack, begin, size)
                if kind != BLOB or size < LARGE:
                    return Object(kind, stored.whole())
                digest = digest_of(kind, size)
                for piece in stored.pieces():
                    digest.update(piece)
            except BadAnswer:
                raise _damaged(identity) from None
            if digest.hexdigest() != identity:
                raise _damaged(identity)
            return Object(kind, stored)
        return None

    def _large(self, identity: str) -> Object | None:
        """A large file that lies by itself, as what has just been committed or pushed does, left deflated.

        BadAnswer where it is damaged. dulwich puts it together, and frees it, all at once.
        """
        if identity[:2] not in self._folders:
            return None
        try:
            file = self._folder / identity[:2] / identity[2:]
            if file.stat().st_size < _MIN_DEFLATED:
                return None
            octets = file.read_bytes()
            head, has_end, _ = zlib.decompressobj().decompress(octets, _MAX_HEAD).partition(b"\0")
        except (OSError, zlib.error):
            return None  # dulwich finds it elsewhere, or tells what is wrong
        kind, _, size = head.partition(b" ")
        if not has_end or kind != b"blob" or not size.isdigit() or int(size) < LARGE:
            return None
        skipped = len(head) + 1
        found = Deflated(memoryview(octets), 0, skipped + int(size), skipped)
        digest = hashlib.sha1(head + b"\0", usedforsecurity=False)
        with contextlib.suppress(BadAnswer):
            for piece in found.pieces():
                digest.update(piece)
            if digest.hexdigest() == identity:
                return Object(BLOB, found)
        raise _damaged(identity)

    def read_all(self, identities: set[str]) -> dict[str, Object]:
        return {identity: self.lookup(identity) for identity in identities}


def _mapped(pack: Path) -> memoryview:
    """Octets of a pack, which never change, as long as somebody looks at them; also when git has removed it."""
    with pack.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _damaged(identity: str) -> BadAnswer:
    return BadAnswer(f"object {identity} is damaged", "run git fsck in the repository")


@contextlib.contextmanager
def _opened(path: Path, *, discover: bool = False) -> Iterator[Repo]:
    try:
        repository = Repo.discover(str(path)) if discover else Repo(str(path))
    except NotGitRepository:
        raise BadAnswer(_NO_REPOSITORY, _HINT) from None
    try:
        yield repository
    except ChecksumMismatch as error:
        raise BadAnswer(f"a pack is damaged: {error}", "run git fsck in the repository") from None
    finally:
        repository.close()
