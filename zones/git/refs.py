"""Names of branches as people write them, and the refs that they stand for."""

from typing import Final

from zones.git.errors import Refused

HEAD: Final = b"HEAD"


def candidates(branch: str) -> list[bytes]:
    """Full names that a branch as people write it may have, the likeliest first; HEAD where they wrote none."""
    if not branch:
        return [HEAD]
    name = branch.encode()
    return [name] if branch.startswith("refs/") else [b"refs/heads/" + name, b"refs/tags/" + name]


def missing_branch(branch: str) -> Refused:
    """The error for a repository without the branch that was asked for."""
    if branch:
        return Refused(f"there is no branch or tag {branch}", "push it, or name another one behind # in the URL")
    return Refused("the repository has no commit on its HEAD", "push a first commit, or name a branch, URL#branch")
