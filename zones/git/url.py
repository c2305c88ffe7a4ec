"""URLs of git remotes: `git://host/path#branch`, `https://user:password@host/path`, `/a/path`, `file:///a/path`."""

import enum
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit


class Scheme(enum.Enum):
    """How the repository is reached."""

    GIT = "git"
    HTTP = "http"
    HTTPS = "https"
    FILE = "file"


DEFAULT_PORTS: Final = {Scheme.GIT: 9418, Scheme.HTTP: 80, Scheme.HTTPS: 443}
_CONTROL: Final = re.compile(r"[\0-\x1f\x7f]")
_SCP_LIKE: Final = re.compile(r"[^/@]*@[^/:]+:|[^/@:]+\.[^/@:]+:")


class BadUrl(ValueError):
    """A URL of a remote cannot be used; says why, with an example."""


@dataclass(frozen=True, slots=True)
class RemoteUrl:
    """Where the zones are."""

    scheme: Scheme
    host: str
    """Without brackets; empty for FILE."""
    port: int
    path: str
    """As the server is asked for it, from its first slash; a path of the file system for FILE."""
    branch: str
    """Branch, tag or full ref; empty for what the remote's HEAD names."""
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """The URL with its secrets masked."""
        fragment = f"#{self.branch}" if self.branch else ""
        if self.scheme is Scheme.FILE:
            return f"{self.path}{fragment}"
        userinfo = "***@" if self.user or self.password else ""
        return f"{self.scheme.value}://{userinfo}{self.authority}{self.path}{fragment}"

    @property
    def authority(self) -> str:
        """`host` or `host:port`, as a Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"


def parse_url(text: str) -> RemoteUrl:
    """Read the URL of a remote. BadUrl when it is none that is supported."""
    location, _, branch = text.partition("#")
    # Escaped ones count too: a %00 in a path would end it in the request of git://.
    if any(character.isspace() or not character.isprintable() for character in text) or _CONTROL.search(unquote(text)):
        raise BadUrl("the URL has a space or a control character in it")
    _check_branch(branch)
    if "://" not in location:
        if _SCP_LIKE.match(location):
            raise BadUrl("ssh is not supported yet: use git://, https:// or a path")
        if not location:
            raise BadUrl("empty URL; an example: https://git.example.org/zones.git#main")
        return RemoteUrl(Scheme.FILE, "", 0, location, branch)
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError as error:
        raise BadUrl(f"the URL cannot be read: {error}") from None
    try:
        scheme = Scheme(parts.scheme)
    except ValueError:
        raise BadUrl(f"scheme {parts.scheme}:// is not supported: use git://, http(s)://, file:// or a path") from None
    if parts.query:
        raise BadUrl("the URL of a repository has no query (?...)")
    if scheme is Scheme.FILE:
        if parts.hostname not in (None, "localhost"):
            raise BadUrl("file:// URLs have no host: write three slashes, file:///srv/zones.git")
        return RemoteUrl(scheme, "", 0, unquote(parts.path), branch)
    if not parts.hostname:
        raise BadUrl(f"the URL has no host; an example: {scheme.value}://git.example.org/zones.git")
    if len(parts.path) < 2:
        raise BadUrl(f"the URL has no path; an example: {scheme.value}://{parts.hostname}/zones.git")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if (user or password) and scheme is Scheme.GIT:
        raise BadUrl("git:// knows no users: leave the user name out, or use https://")
    path = unquote(parts.path) if scheme is Scheme.GIT else parts.path.rstrip("/")
    return RemoteUrl(scheme, parts.hostname, port or DEFAULT_PORTS[scheme], path, branch, user, password)


def _check_branch(branch: str) -> None:
    """BadUrl for what git would not take as a ref (git-check-ref-format)."""
    parts = branch.split("/")
    if branch and (
        any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
        or re.search(r"[~^:?*\[\\]|\.\.|@\{|\.$", branch)
        or branch == "@"
    ):
        raise BadUrl(f"#{branch} is no branch name")
