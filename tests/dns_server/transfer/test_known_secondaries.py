"""Operators see which version of a zone a real secondary has, and what it said when it was told."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from dns_server.cli import main
from tests.dns_server.transfer.test_secondaries import Content, key_file, policy, push_and_notify, running, same_as
from tests.support.git import Origin
from tests.support.network import current
from tests.support.secondaries import KEY, Wish, transferred
from tests.support.server import eventually, serve
from tests.support.servers import free_port

pytestmark = pytest.mark.usefixtures("network")


def test_operators_see_what_secondaries_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, port = Content(7), free_port()
    origin = Origin(tmp_path)

    def files() -> dict[str, bytes]:
        return {"example.com": content.text(), "_keys": key_file(), "_policy.toml": policy([port])}

    origin.push(files())
    with serve(f"--remote={origin.bare}", "--poll=1d", *current().http) as server:
        url = f"http://{server.address}:{server.ports_for('HTTP')[server.address]}"

        def known() -> dict[str, Any]:
            with urllib.request.urlopen(f"{url}/status.json", timeout=60) as response:
                peers: list[dict[str, Any]] = json.load(response)["secondaries"]
            return peers[0] if peers else {}

        def page() -> str:
            with urllib.request.urlopen(f"{url}/", timeout=60) as response:
                text: str = response.read().decode()
            return text

        eventually(lambda: known().get("notified_at") is not None)  # it does not run yet
        assert (known()["serial"], known()["notify_reply"]) == (None, None)
        assert "no reply" in page()
        with running("Knot", Wish(tmp_path / "Knot", port, server.port, "knot")) as peer:
            peer.wait_for("example.com", same_as(transferred(server.port, "example.com", KEY)).__eq__)
            content.change()
            assert push_and_notify(origin, server, files()).rcode == 0
            peer.wait_for("example.com", same_as(transferred(server.port, "example.com", KEY)).__eq__)
            eventually(lambda: known()["notify_reply"] == "NOERROR")
        serial = content.serial
        found = known()
        assert {key: found[key] for key in ("zone", "address", "serial", "is_current", "notified_serial")} == {
            "zone": "example.com.",
            "address": current().here,
            "serial": serial,
            "is_current": True,
            "notified_serial": serial,
        }
        assert found["key"] == f"{KEY}."
        assert "<h2>Secondaries</h2>" in page()
        content.change()
        assert push_and_notify(origin, server, files()).rcode == 0
        eventually(lambda: known()["is_current"] is False and known()["notify_reply"] is None)
        assert "behind" in page()
        main(["status", url])
        (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith(current().here))
        assert line.split()[:4] == [current().here, "example.com.", str(serial), "behind,"]
