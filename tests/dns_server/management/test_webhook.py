"""Webhooks as the forges send them, to the real program that follows a real repository."""

import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request
from functools import partial
from pathlib import Path

import pytest

from tests.dns_server.management.test_management import labels, samples
from tests.support.dig import short
from tests.support.git import Origin
from tests.support.network import current
from tests.support.server import Server, eventually, serve
from tests.support.trees import zone_text

pytestmark = pytest.mark.usefixtures("network")

SECRET = "a secret that both sides know"
PUSH = {"ref": "refs/heads/main", "repository": {"default_branch": "main"}}


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path)
    made.push({"example.com": zone_text(1, "a A 192.0.2.1")})
    return made


def parameters(origin: Origin, branch: str = "") -> list[str]:
    return [f"--remote={origin.bare}{branch}", "--poll=1h", *current().http, f"--webhook-secret={SECRET}"]


def post(server: Server, body: bytes, **fields: str) -> tuple[int, str]:
    """Status and text of the response."""
    port = server.port_for("HTTP")
    headers = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in fields.items()}
    request = urllib.request.Request(f"http://{server.address}:{port}/hook", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().strip()


def serves(server: Server, address: str) -> bool:
    return short(server.address, server.port, "a.example.com", "A") == [address]


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def github(body: bytes) -> dict[str, str]:
    return {"X_GitHub_Event": "push", "X_Hub_Signature_256": f"sha256={signature(body)}"}


def gitea(body: bytes) -> dict[str, str]:
    return {"X_Gitea_Event": "push", "X_Gitea_Signature": signature(body)}


def forgejo(body: bytes) -> dict[str, str]:
    return {"X_Forgejo_Event": "push", "X_Forgejo_Signature": signature(body)}


def gitlab(_body: bytes) -> dict[str, str]:
    return {"X_Gitlab_Event": "Push Hook", "X_Gitlab_Token": SECRET}


FORGES = [github, gitea, forgejo, gitlab]


def test_a_push_that_a_forge_tells_of_is_served(origin: Origin) -> None:
    with serve(*parameters(origin)) as server:
        for number, forge in enumerate(FORGES, 2):
            origin.push({"example.com": zone_text(number, f"a A 192.0.2.{number}")})
            body = json.dumps(PUSH).encode()
            assert post(server, body, **forge(body)) == (202, "looking for the new version")
            eventually(partial(serves, server, f"192.0.2.{number}"))
        form = urllib.parse.urlencode({"payload": json.dumps(PUSH)}).encode()
        assert post(server, form, **github(form), Content_Type="application/x-www-form-urlencoded")[0] == 202
        assert samples(server)["webhooks_total", labels(outcome="sync")] == len(FORGES) + 1


@pytest.mark.parametrize("branch", ["", "#main"])
def test_what_is_no_push_to_the_branch_is_answered_and_ignored(branch: str, origin: Origin) -> None:
    with serve(*parameters(origin, branch)) as server:
        fetched = len(server.events)
        other = json.dumps({**PUSH, "ref": "refs/heads/draft"}).encode()
        status, text = post(server, other, **github(other))
        assert (status, text) == (200, "'refs/heads/draft' is not the branch that is served")
        ping = b'{"zen": "x"}'
        assert post(server, ping, **(github(ping) | {"X_GitHub_Event": "ping"}))[0] == 200
        assert not [event for event in server.events[fetched:] if event["event"] == "fetched"]


def test_without_the_right_secret_nothing_happens(origin: Origin) -> None:
    body = json.dumps(PUSH).encode()
    with serve(*parameters(origin)) as server:
        for fields in (
            {},
            {"X_GitHub_Event": "push"},
            {"X_GitHub_Event": "push", "X_Hub_Signature_256": f"sha256={signature(body, 'another secret, also long')}"},
            {"X_GitHub_Event": "push", "X_Hub_Signature_256": f"sha256={signature(body + b' ')}"},
            {"X_Gitlab_Event": "Push Hook", "X_Gitlab_Token": f"{SECRET} "[:-2]},
            {"X_Gitlab_Event": "Push Hook", "X_Gitlab_Token": ""},
        ):
            assert post(server, body, **fields)[0] == 401, fields
        assert server.wait_for("webhook refused: no right signature or token")["client"] == current().here
        for broken in (b"", b"[]", b"{", b"\xff"):
            assert post(server, broken, **github(broken))[0] == 400
        large = b"x" * ((1 << 20) + 1)
        assert post(server, large, **github(large))[0] == 413
    with serve(*parameters(origin)[:-1]) as server:
        assert post(server, body, **github(body))[0] == 405
