"""The board for Grafana asks for metrics that there are, by labels that they have."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from tests.support.dig import short
from tests.support.network import OWN_STACK, Network
from tests.support.server import serve

ROOT: Final = Path(__file__).parent.parent.parent.parent
BOARD: Final = json.loads((ROOT / "docs" / "grafana.json").read_text())
ZONE: Final = "$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"
_METRIC: Final = re.compile(r"\bunizone_[a-z_0-9]+")
_LABELS: Final = re.compile(r"by \(([^)]*)\)|\{\{(\w+)\}\}")
_OF_PROMETHEUS: Final = {"instance", "job"}


def test_panels_have_places_of_their_own() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        own = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not own & cells, panel["title"]
        assert max(x for x, _ in own) < 24, panel["title"]
        cells |= own
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_metrics_and_labels_exist(network: Network, tmp_path: Path) -> None:
    (tmp_path / "example.com").write_text(ZONE)
    (tmp_path / "broken.example").write_text("@ SOA ns1\n")
    options = [f"--http={network.listen}", "--http-allow=127.0.0.0/8,192.0.2.0/24", f"--syslog={network.here}:9"]
    with serve(f"--zones={tmp_path}", *options) as server:
        short(network.server, server.port, "ns1.example.com", "A")
        address = f"{network.server}:{server.ports_for('HTTP')[network.server]}"
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as response:
            text = response.read().decode()
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            (name,) = set(_METRIC.findall(expression))
            if name.startswith("unizone_stack_") and network is not OWN_STACK:
                continue
            assert name in labels, f"{panel['title']}: {expression}"
            asked = _LABELS.findall(expression + target["legendFormat"])
            wanted = {label.strip() for pair in asked for part in pair for label in part.split(",") if label.strip()}
            assert wanted <= labels[name] | _OF_PROMETHEUS, f"{panel['title']}: {expression}"
