"""A branch of a git repository as a source of zone files, over the network or on disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from dns_platform import trust
from zones.git.authoring import NewCommit
from zones.git.commit import CommitTree, Lookup, read_commit
from zones.git.daemon import DaemonTransport
from zones.git.errors import BadAnswer, GitError, Refused, Stage, reported
from zones.git.history import Past, past_contents
from zones.git.limits import DEFAULT_LIMITS, Limits
from zones.git.local import LocalRemote
from zones.git.pack import Object, Objects, unpack
from zones.git.receive import push_ref
from zones.git.refs import HEAD, Checkout, Repository, candidates, missing_branch
from zones.git.transport import Service, Session, Transport
from zones.git.upload import Advertisement, fetch_pack, list_refs, read_advertisement
from zones.git.url import BadUrl, RemoteUrl, Scheme
from zones.slices import Sliced, run_sliced
from zones.source import Version

if TYPE_CHECKING:
    import ssl

_ATTEMPTS: Final = 3  # fetches, when the branch is forced elsewhere between its listing and the fetch
_DEPTH: Final = 200  # commits that are looked through for one of ours
_FILES_A_SLICE: Final = 256


def open_remote(url: RemoteUrl, limits: Limits = DEFAULT_LIMITS, tls: "ssl.SSLContext | None" = None) -> Repository:
    """The source at `url`; nothing is read yet. `tls` verifies https servers, by default as the system does.

    BadUrl when this program was built without what the URL needs.
    """
    match url.scheme:
        case Scheme.FILE:
            return LocalRemote(url, limits)
        case Scheme.GIT:
            return Remote(url, DaemonTransport(url, limits), limits)
        case Scheme.HTTP | Scheme.HTTPS:
            try:
                if url.scheme is Scheme.HTTPS and tls is None:
                    tls = trust.client_context()
                from zones.git.smart_http import HttpTransport  # here, because not every image has it
            except ImportError:
                raise BadUrl(f"this image was built without {url.scheme.value}://") from None
            return Remote(url, HttpTransport(url, limits, tls), limits)


class Remote:
    """A repository behind a transport. Each fetch is a new conversation with a new object store."""

    def __init__(self, url: RemoteUrl, transport: Transport, limits: Limits) -> None:
        self._url: Final = url
        self._transport: Final = transport
        self._limits: Final = limits

    @property
    def name(self) -> str:
        """The URL, secrets masked."""
        return str(self._url)

    async def state(self) -> str:
        """Id that the branch names. GitError."""
        async with self._conversation() as (_, _, identity):
            return identity

    async def fetch(self) -> Version:
        """The branch's newest commit. GitError."""
        identity, checkout = await self._fetch()
        return Version(identity, checkout.tree)

    async def checkout(self) -> Checkout:
        """The branch's newest commit, to put another on top of it. GitError."""
        _, checkout = await self._fetch()
        return checkout

    async def push(self, branch: bytes, commit: NewCommit) -> None:
        """Move `branch` from the commit's parent to the commit. GitError.

        Its cause is a `Refused` when the branch did not move for sure, an `Overtaken` when others have moved it.
        """
        pack = commit.pack()
        try:
            async with asyncio.timeout(self._limits.total_s):
                async with self._transport.session(Service.RECEIVE_PACK) as session:
                    with reported(self.name, Stage.CONNECT):
                        await session.connect()
                    with reported(self.name, Stage.PUSH):
                        await push_ref(session, branch, commit.parent, commit.identity, pack, self._limits)
        except TimeoutError as error:
            raise self._too_slow(Stage.PUSH) from error

    async def past(self, path: str, depth: int) -> Past:
        """What a file was, by a fetch of so many commits. GitError."""
        async with self._conversation() as (session, advertisement, identity):
            with reported(self.name, Stage.FETCH):
                pack = await fetch_pack(session, advertisement, identity, self._limits, depth)
        with reported(self.name, Stage.UNPACK):
            objects = await run_sliced(unpack(pack, self._limits))
            return await run_sliced(past_contents(identity, path, _looking_up(objects), depth))

    async def contains(self, commit: str) -> bool:
        """Whether `commit` is among the branch's newest. GitError."""
        async with self._conversation() as (session, advertisement, identity):
            with reported(self.name, Stage.FETCH):
                pack = await fetch_pack(session, advertisement, identity, self._limits, _DEPTH)
        with reported(self.name, Stage.UNPACK):
            return commit in await run_sliced(unpack(pack, self._limits))

    async def _fetch(self) -> tuple[str, Checkout]:
        """The id that the branch names, and its commit."""
        for attempt in range(_ATTEMPTS):
            try:
                return await self._fetch_once()
            except _Overtaken as overtaken:
                if attempt + 1 == _ATTEMPTS or await self.state() == overtaken.identity:
                    raise overtaken.error from overtaken
        raise AssertionError  # the last attempt returned or raised

    async def _fetch_once(self) -> tuple[str, Checkout]:
        async with self._conversation() as (session, advertisement, identity):
            try:
                with reported(self.name, Stage.FETCH):
                    pack = await fetch_pack(session, advertisement, identity, self._limits)
            except GitError as error:
                if isinstance(error.__cause__, Refused):
                    raise _Overtaken(identity, error) from error
                raise
        with reported(self.name, Stage.UNPACK):
            tree = await run_sliced(_read_pack(pack, identity, self._limits))
        return identity, Checkout(_branch(advertisement, candidates(self._url.branch)), tree)

    @asynccontextmanager
    async def _conversation(self) -> AsyncIterator[tuple[Session, Advertisement, str]]:
        """A session in which the refs have been listed, and the id that the branch names."""
        try:
            async with asyncio.timeout(self._limits.total_s):
                async with self._transport.session(Service.UPLOAD_PACK) as session:
                    with reported(self.name, Stage.CONNECT):
                        await session.connect()
                    with reported(self.name, Stage.REFS):
                        advertisement = await read_advertisement(session, self._limits)
                        wanted = candidates(self._url.branch)
                        await list_refs(session, advertisement, wanted, self._limits)
                        identity = _choose(advertisement, wanted, self._url.branch)
                    yield session, advertisement, identity
        except TimeoutError as error:
            raise self._too_slow(Stage.FETCH) from error

    def _too_slow(self, stage: Stage) -> GitError:
        reason = f"the conversation took longer than {self._limits.total_s:.0f} s"
        return GitError(self.name, stage, reason, "check the network and the size of the repository")


class _Overtaken(Exception):
    """The server refused an object that it had listed: the branch may have been forced elsewhere meanwhile."""

    def __init__(self, identity: str, error: GitError) -> None:
        super().__init__(identity)
        self.identity = identity
        self.error = error


def _choose(advertisement: Advertisement, wanted: list[bytes], branch: str) -> str:
    """The id of the first ref that is there. Refused where none is."""
    for name in wanted:
        identity = advertisement.refs.get(name)
        if identity:
            return identity
    raise missing_branch(branch)


def _branch(advertisement: Advertisement, wanted: list[bytes]) -> bytes:
    """Full name of the ref that was fetched, HEAD resolved."""
    found = next(name for name in wanted if advertisement.refs.get(name))
    return advertisement.head or found if found == HEAD else found


def _looking_up(objects: Objects) -> Lookup:
    def lookup(wanted: str) -> Object:
        try:
            return objects[wanted]
        except KeyError:
            raise BadAnswer(f"the pack lacks object {wanted}", "run git fsck on the server") from None

    return lookup


def _read_pack(pack: bytearray, identity: str, limits: Limits) -> Sliced[CommitTree]:
    """The commit with the files alone; the rest of the pack is let go. BadAnswer when it is broken."""
    objects = yield from unpack(pack, limits)

    lookup = _looking_up(objects)
    tree = yield from read_commit(identity, lookup, limits)
    needed: Objects = {}
    for number, blob in enumerate(tree.files.values()):
        if number % _FILES_A_SLICE == 0:
            yield
        needed[blob] = lookup(blob)
    return tree.reading(needed.__getitem__)
