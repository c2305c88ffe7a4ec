"""The state of the service as one static page: what is served, what is broken and where, what is asked."""

import datetime as dt
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

_MAX_ZONES: Final = 500  # on the page; /status.json has all

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; --quiet: #6e7781 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere }
.good { color: var(--good) } .bad { color: var(--bad) } .quiet { color: var(--quiet) }
.findings { margin: .25rem 0 0; padding-left: 1.2rem }
"""
_HEAD: Final = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>unizone</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>"""
_FOOT: Final = """<p class="quiet">For machines: <a href="status.json">status.json</a>, <a href="metrics">metrics</a>,
<a href="ready">ready</a>.</p>"""


def render(document: Mapping[str, Any]) -> bytes:
    """The page of a document of `status.status`."""
    server, source = document["server"], document["source"]
    now = server["now"]
    body = [
        f"<h1>unizone{' ' + escape(server['name']) if server['name'] else ''}</h1>",
        _state(document),
        *_trouble(document),
        "<h2>Source</h2>",
        _facts(
            ("from", _code(source["source"])),
            ("commit", _code(source["commit"]) if source["commit"] else "none: a folder"),
            ("loaded", _ago(source["last_load"], now)),
            ("looked at", _ago(source["last_success"], now)),
            ("trouble", f'<span class="bad">{escape(source["last_error"])}</span>' if source["last_error"] else ""),
        ),
        "<h2>Zones</h2>",
        _zones(document, now),
        "<h2>Queries</h2>",
        _queries(document["queries"]),
        "<h2>Server</h2>",
        _facts(
            ("version", escape(server["version"])),
            ("started", _ago(server["started"], now)),
            ("addresses", " ".join(map(_code, server["addresses"]))),
            ("memory", f"{server['resident_bytes'] / 1e6:.0f} MB" if server["resident_bytes"] else ""),
            ("longest lag of the loop", f"{server['loop_lag_longest_s'] * 1000:.1f} ms"),
            ("start", ", ".join(f"{escape(k)} {v * 1000:.0f} ms" for k, v in server["start_stages_s"].items())),
        ),
        _FOOT,
    ]
    return f"{_HEAD}<body>{''.join(body)}</body></html>\n".encode()


def _state(document: Mapping[str, Any]) -> str:
    zones, records = len(document["zones"]), document["records"]
    if not document["ready"]:
        return "".join(f'<p class="bad">Not ready: {escape(reason)}</p>' for reason in document["missing"])
    served = f"{zones} zone{'' if zones == 1 else 's'} with {records} records in service"
    broken = len(document["broken"])
    if not broken and not document["held_back"]:
        return f'<p class="good">{served}, and nothing is broken.</p>'
    return f'<p>{served}; <span class="bad">{broken} broken, {len(document["held_back"])} held back.</span></p>'


def _trouble(document: Mapping[str, Any]) -> Iterable[str]:
    if document["broken"]:
        yield "<h2>Broken</h2>"
    for broken in document["broken"]:
        served = "the version before is served" if broken["last_good_is_served"] else "no version is served"
        findings = "".join(f"<li><code>{escape(finding)}</code></li>" for finding in broken["findings"])
        since = f", since commit {_code(broken['since_commit'][:12])}" if broken["since_commit"] else ""
        yield f'<p><b>{escape(broken["zone"])}</b>: <span class="bad">{served}</span>{since}</p>'
        yield f'<ul class="findings">{findings}</ul>'
    if document["held_back"]:
        yield "<h2>Held back</h2>"
    for held in document["held_back"]:
        yield f"<p><b>{escape(held['what'])}</b>: {escape(held['reason'])}</p>"


def _zones(document: Mapping[str, Any], now: float) -> str:
    zones = sorted(document["zones"], key=lambda zone: not zone["broken"])  # what needs a person first
    rows = "".join(
        f"<tr><td>{escape(zone['zone'])}</td><td class=number>{zone['serial']}</td>"
        f"<td class=number>{zone['records']}</td><td>{_ago(zone['since'], now)}</td><td>{_zone_state(zone)}</td></tr>"
        for zone in zones[:_MAX_ZONES]
    )
    head = "<tr><th>zone<th class=number>serial<th class=number>records<th>this version since<th>state</tr>"
    more = len(zones) - _MAX_ZONES
    rest = f'<p class="quiet">and {more} more, see <a href="status.json">status.json</a></p>' if more > 0 else ""
    return f"<table>{head}{rows}</table>{rest}"


def _zone_state(zone: Mapping[str, Any]) -> str:
    if zone["broken"]:
        return '<span class="bad">newest version refused</span>'
    if zone["warnings"]:
        return f"served, {zone['warnings']} warning{'' if zone['warnings'] == 1 else 's'}"
    return '<span class="good">served</span>'


def _queries(queries: Mapping[str, Any]) -> str:
    def shares(name: str) -> str:
        ordered = sorted(queries[name].items(), key=lambda item: -item[1])
        return ", ".join(f"{escape(key)} {count}" for key, count in ordered)

    return _facts(
        ("answered", str(queries["answered"])),
        ("by transport", shares("by_transport")),
        ("by type", shares("by_type")),
        ("by response code", shares("by_rcode")),
        ("no answer", f"{queries['unanswered']} were no queries, {queries['udp_not_sent']} could not be sent"),
        ("connections", f"{queries['connections']} open, {queries['connections_refused']} closed by a limit"),
    )


def _facts(*facts: tuple[str, str]) -> str:
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in facts if value)
    return f"<table>{rows}</table>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _ago(moment: float | None, now: float) -> str:
    """A time in UTC, and how long it is ago."""
    if moment is None:
        return "never"
    seconds = max(0, round(now - moment))
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            text = f"{seconds // size} {unit}"
            break
    else:
        text = f"{seconds} seconds"
    stamp = dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f'{stamp}Z <span class="quiet">({text} ago)</span>'
