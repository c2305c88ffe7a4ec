"""Puts the hooks into a bare repository, and takes them away; those of others are never touched."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from dns_server.hooks.pushed import GitFailed, git
from dns_server.reasons import reason

NAMES: Final = ("pre-receive", "post-receive")
_MARK: Final = "# Put here by unizone: `unizone hook install` renews it, `unizone hook uninstall` removes it.\n"
_EXECUTABLE: Final = 0o755


class NotInstalled(Exception):
    """The repository is as it was; says why and what to do."""


def install(repository: Path, commands: Mapping[str, Sequence[str]]) -> list[Path]:
    """Make the hooks run `commands`, by name of the hook; ours without a command are removed. NotInstalled."""
    folder = _folder(repository)
    foreign = [name for name in commands if _is_foreign(folder / name)]
    if foreign:
        calls = "\n".join(f"  {folder / name}:  {shlex.join(commands[name])}" for name in foreign)
        raise NotInstalled(f"there are hooks of somebody else; let them end with a call of ours:\n{calls}")
    folder.mkdir(exist_ok=True)
    for name in set(NAMES) - commands.keys():
        _remove(folder / name)
    for name, command in commands.items():
        beside = folder / f".{name}.new"
        beside.write_text(f"#!/bin/sh\n{_MARK}exec {shlex.join(command)}\n")
        beside.chmod(_EXECUTABLE)
        beside.rename(folder / name)
    return [folder / name for name in commands]


def uninstall(repository: Path) -> list[Path]:
    """Remove our hooks; those that were there. NotInstalled."""
    folder = _folder(repository)
    return [folder / name for name in NAMES if _remove(folder / name)]


def _folder(repository: Path) -> Path:
    try:
        if git(repository, "rev-parse", "--is-bare-repository").strip() != "true":
            raise NotInstalled(f"{repository} is not a bare repository: hooks guard the one that people push to")
        return (repository / git(repository, "rev-parse", "--git-path", "hooks").strip()).resolve()
    except (GitFailed, OSError) as error:
        raise NotInstalled(f"{repository} is no git repository ({reason(error)})") from None


def _is_foreign(hook: Path) -> bool:
    return hook.exists() and _MARK not in hook.read_text(errors="replace")


def _remove(hook: Path) -> bool:
    if not hook.exists() or _is_foreign(hook):
        return False
    hook.unlink()
    return True
