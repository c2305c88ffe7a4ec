"""What can be read over HTTP."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from dns_server.management.http import Response, Route, plain
from dns_server.telemetry import metrics, page
from dns_server.telemetry.sources import Sources
from dns_server.telemetry.status import status
from zones.slices import Sliced, run_sliced

_SLICE: Final = 20  # items of a list between two yields


def routes(sources: Sources) -> Mapping[str, Route]:
    """Paths, and what makes their responses."""

    async def overview() -> Response:
        return Response(HTTPStatus.OK, "text/html; charset=utf-8", page.render(await run_sliced(status(sources))))

    async def ready() -> Response:
        missing = sources.missing()
        return plain(HTTPStatus.SERVICE_UNAVAILABLE, "\n".join(missing)) if missing else plain(HTTPStatus.OK, "ready")

    async def figures() -> Response:
        return Response(HTTPStatus.OK, metrics.CONTENT_TYPE, await run_sliced(metrics.render(sources)))

    async def document() -> Response:
        body = await run_sliced(_encode(await run_sliced(status(sources))))
        return Response(HTTPStatus.OK, "application/json", body)

    return {"/": overview, "/ready": ready, "/metrics": figures, "/status.json": document}


def _encode(document: Mapping[str, Any]) -> Sliced[bytes]:
    """JSON, one line for each item of a long list."""
    members = []
    for name, value in document.items():
        text = json.dumps(value) if not isinstance(value, list) else (yield from _encode_list(value))
        members.append(f"{json.dumps(name)}: {text}")
    return ("{" + ",\n".join(members) + "}\n").encode()


def _encode_list(items: Sequence[Any]) -> Sliced[str]:
    texts = []
    for number, item in enumerate(items):
        if not number % _SLICE:
            yield
        texts.append(json.dumps(item))
    return "[" + ",\n ".join(texts) + "]"
