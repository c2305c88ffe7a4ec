"""`zones.git.local` where there is no file system: a repository is reached over the network."""

from zones.git.errors import GitError, Stage


class LocalRemote:
    """A source that always says what to do instead."""

    def __init__(self, url, _limits):
        self.name = str(url)

    async def state(self):
        """Always GitError."""
        hint = "give a git://, http:// or https:// URL"
        raise GitError(self.name, Stage.CONNECT, "this image has no file system", hint)

    fetch = state
