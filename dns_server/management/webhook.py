"""`POST /hook`: a forge tells that somebody pushed.

A request counts when it carries the secret in the way of one of the forges: an HMAC of the body with SHA-256 (GitHub,
Gitea, Forgejo) or the secret itself as a token (GitLab). It triggers a sync if it is about the branch that is followed.
"""

import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from dns_server.management.http import Response, plain

_SIGNATURES: Final = ("x-hub-signature-256", "x-gitea-signature", "x-forgejo-signature", "x-gogs-signature")
_TOKEN: Final = "x-gitlab-token"  # noqa: S105  the name of a field
_EVENTS: Final = ("x-github-event", "x-gitea-event", "x-forgejo-event", "x-gogs-event", "x-gitlab-event")
_PUSHES: Final = frozenset({"push", "push hook", "system hook"})
_FORM: Final = "application/x-www-form-urlencoded"
_BRANCHES: Final = "refs/heads/"


class Webhook:
    """The route."""

    def __init__(self, secret: str, branch: str, trigger: Callable[[], object], report: Callable[..., None]) -> None:
        """`branch` as people write it behind # in the URL of the remote, empty for the repository's own choice.

        `trigger` asks for a sync; `report` is for what anybody can cause at will.
        """
        self._secret = secret.encode()
        self._branch = branch
        self._trigger = trigger
        self._report = report
        self.counters: Final[Counter[str]] = Counter()
        """Requests by what came of them: `sync`, `ignored`, `refused`."""

    async def post(self, fields: Mapping[str, str], body: bytes, address: str) -> Response:
        """The response to one request."""
        if not self._is_authentic(fields, body):
            self.counters["refused"] += 1
            self._report("webhook refused: no right signature or token", client=address)
            return plain(HTTPStatus.UNAUTHORIZED, "no right signature or token; is the secret the same on both sides?")
        event = next((fields[name] for name in _EVENTS if name in fields), "push")
        if event.lower() not in _PUSHES:
            return self._ignore(f"nothing to do for the event {event!r}")
        try:
            payload = _payload(fields, body)
        except ValueError:
            self.counters["refused"] += 1
            return plain(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
        if not self._is_followed(payload):
            return self._ignore(f"{str(payload.get('ref'))[:100]!r} is not the branch that is served")
        self.counters["sync"] += 1
        self._trigger()
        return plain(HTTPStatus.ACCEPTED, "looking for the new version")

    def _is_authentic(self, fields: Mapping[str, str], body: bytes) -> bool:
        if _TOKEN in fields:
            return hmac.compare_digest(fields[_TOKEN].encode("latin-1"), self._secret)
        given = next((fields[name] for name in _SIGNATURES if name in fields), "").removeprefix("sha256=")
        right = hmac.new(self._secret, body, "sha256").hexdigest()
        return hmac.compare_digest(given.lower().encode("latin-1"), right.encode())

    def _ignore(self, reason: str) -> Response:
        self.counters["ignored"] += 1
        return plain(HTTPStatus.OK, reason)

    def _is_followed(self, payload: Mapping[str, Any]) -> bool:
        """Whether the push moved what is followed; also where that cannot be told."""
        ref = payload.get("ref")
        if not isinstance(ref, str):
            return True
        branch = self._branch
        if not branch:
            about = payload.get("repository"), payload.get("project")
            defaults = [found.get("default_branch") for found in about if isinstance(found, dict)]
            branch = next((name for name in defaults if isinstance(name, str) and name), "")
        return not branch or ref in (branch, _BRANCHES + branch, f"refs/tags/{branch}")


def _payload(fields: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    """The JSON object in `body`. ValueError."""
    if fields.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        body = parse_qs(body.decode("ascii"), max_num_fields=10).get("payload", [""])[0].encode()
    payload = json.loads(body)
    if not isinstance(payload, dict):
        raise ValueError
    return payload
