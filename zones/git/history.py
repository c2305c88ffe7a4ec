"""What a file was in earlier commits.

Read first: gitrepository-layout(5), git-log(1) on --first-parent.
"""

from typing import Final, NamedTuple

from zones.git.commit import Lookup, peel, top_entry
from zones.git.errors import BadAnswer
from zones.slices import Sliced

MAX_DEPTH: Final = 200
"""Commits that are looked through."""


class Past(NamedTuple):
    """What a file was, the newest first, each change once."""

    contents: list[bytes]
    is_whole: bool
    """Whether the last of `contents` is what the file began with."""


def past_contents(identity: str, path: str, lookup: Lookup, depth: int) -> Sliced[Past]:
    """What the file `path` at the top was in the `depth` newest commits, `identity` the newest of them.

    Of a merge the first parent counts: that is what the branch was.
    """
    contents: list[bytes] = []
    blob = ""
    for number in range(depth):
        try:
            _, commit = peel(identity, lookup)
        except BadAnswer:
            if number:  # a shallow fetch was cut here
                return Past(contents, is_whole=False)
            raise
        found = top_entry(lookup(commit.tree.decode("ascii")).content, path)
        if found is None:
            return Past(contents, is_whole=True)
        if found != blob:
            blob = found
            contents.append(lookup(blob).content)
        if not commit.parents:
            return Past(contents, is_whole=True)
        identity = commit.parents[0].decode("ascii")
        yield
    return Past(contents, is_whole=False)
