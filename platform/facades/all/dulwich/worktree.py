"""`dulwich.worktree` where no files are checked out: what each `Repo` makes of it, and a refusal."""


class WorkTreeContainer:
    """Of a repository that is only read; asking for a work tree is refused."""

    def __init__(self, repository):
        self._repository = repository

    def __getattr__(self, name):
        raise NotImplementedError(f"an image has no work trees: {name}")
