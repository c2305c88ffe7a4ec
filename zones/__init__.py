"""Zone data as git content: layout of a repository, reading, checking, difference, sync and write-back."""
