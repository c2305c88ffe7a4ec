"""`unizone hook install|uninstall REPO`, and what git calls then: pre-receive and post-receive; 0 good, 1 refused."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

from dns_server.access.keyring import BadKeyFile, read_key_file
from dns_server.commands.notify import announce
from dns_server.hooks.installing import NotInstalled, install, uninstall
from dns_server.hooks.judging import judge
from dns_server.hooks.pushed import NO_COMMIT, GitFailed, Moved, PushedTree, is_by_server_alone, moved, served_ref
from dns_server.notify.exchange import NoReply
from dns_server.parameters.hooks import HOOK_KEY, NOTIFY
from dns_server.parameters.zones import SERIAL, SerialPolicy
from dns_server.settings import BadUsage, Settings
from dns_server.telemetry.statistics import RCODE_NAMES
from zones import name as names
from zones.keys import DNS_PORT, TsigKey
from zones.repository import zone_of
from zones.slices import run_to_end

_EXAMPLE: Final = (
    "\n  for example: unizone hook install /srv/git/zones.git --notify=ns1.example.net --notify-key=/etc/x.key"
)
_PATIENCE_S: Final = 75.0


def run(settings: Settings, operands: list[str]) -> int:
    """Do what the first operand says; the exit code."""
    action, repository = operands[0], Path(operands[1] if len(operands) > 1 else ".")
    try:
        match action:
            case "install":
                return _install(settings, repository)
            case "uninstall":
                removed = uninstall(repository)
                print("\n".join(f"removed {hook}" for hook in removed) or "there are no hooks of ours")
                return 0
            case "pre-receive":
                return _judge(settings, repository)
            case "post-receive":
                return _tell(settings, repository)
    except (NotInstalled, GitFailed) as error:
        print(f"unizone: {error}", file=sys.stderr)
        return 1
    raise BadUsage(f"{action} is none of install, uninstall, pre-receive and post-receive{_EXAMPLE}")


def _install(settings: Settings, repository: Path) -> int:
    ours = [sys.executable, "-m", "dns_server", "hook"]
    serial = f"--serial={settings[SERIAL].value}"
    commands = {"pre-receive": [*ours, "pre-receive", ".", serial]}
    destination, key = settings[NOTIFY], settings[HOOK_KEY]
    if (destination is None) != (key is None):
        raise BadUsage(f"--notify and --notify-key go together{_EXAMPLE}")
    if destination is not None and key is not None:
        _read_key(key)
        arguments = [f"--notify={settings.setting(NOTIFY).text}", f"--notify-key={key.resolve()}"]
        commands["post-receive"] = [*ours, "post-receive", ".", *arguments]
    for hook in install(repository, commands):
        print(f"installed {hook}")
    return 0


def _read_key(file: Path) -> TsigKey:
    try:
        keys = read_key_file(file)
    except BadKeyFile as error:
        raise BadUsage(f"{error}{_EXAMPLE}") from None
    if len(keys) != 1:
        raise BadUsage(f"{file} has {len(keys)} keys; give the hook a file with the one that it signs with{_EXAMPLE}")
    return keys[0]


def _judge(settings: Settings, repository: Path) -> int:
    """Refuse what the server would not take; everything that is not about the branch of HEAD may pass."""
    ref = served_ref(repository)
    for move in moved(sys.stdin):
        if move.ref != ref:
            continue
        if move.new == NO_COMMIT:
            print(f"unizone: {ref} is served: it cannot be removed", file=sys.stderr)
            return 1
        old, new = PushedTree(repository, move.old), PushedTree(repository, move.new)
        keep_serial = settings[SERIAL] is SerialPolicy.KEEP
        judgement = run_to_end(judge(old, new, time.time(), keep_serial=keep_serial))
        old.close()
        new.close()
        for line in (*judgement.notes, *judgement.refusals):
            print(f"unizone: {line}", file=sys.stderr)
        if judgement.refusals:
            print("unizone: the push is refused; nothing changed", file=sys.stderr)
            return 1
    return 0


def _tell(settings: Settings, repository: Path) -> int:
    """Tell the server of a push to the branch of HEAD, unless it is its own."""
    destination, file = settings[NOTIFY], settings[HOOK_KEY]
    if destination is None or file is None:
        raise BadUsage(f"--notify and --notify-key are missing{_EXAMPLE}")
    ref = served_ref(repository)
    moves = [move for move in moved(sys.stdin) if move.ref == ref and move.new != NO_COMMIT]
    if not moves or is_by_server_alone(repository, moves[0]):
        return 0
    key = _read_key(file)
    zone = _zone(repository, moves[0], key)
    if zone is None:
        print("unizone: the server was not told: no zone of this repository is one of the key's", file=sys.stderr)
        return 0
    port = destination.port or DNS_PORT
    try:
        said = asyncio.run(announce(destination.host, port, zone, key, _PATIENCE_S))
    except NoReply as error:
        print(f"unizone: {destination.host} was not told ({error}); it will look by itself", file=sys.stderr)
        return 0
    rcode = RCODE_NAMES.get(said.rcode, str(said.rcode))
    print("; ".join([f"unizone: {destination.host} says {rcode}", *said.texts]), file=sys.stderr)
    return 0


def _zone(repository: Path, move: Moved, key: TsigKey) -> bytes | None:
    """A zone to tell of: the server looks for all of them, so it is one that it knows already, if there is one."""
    trees = [PushedTree(repository, commit) for commit in (move.old, move.new)]
    for tree in trees:
        for path in tree.files:
            try:
                origin = zone_of(path) if "/" not in path else None
            except names.BadName:
                continue
            if origin is not None and names.is_at_or_below(origin, key.zone):
                return origin
    return None
