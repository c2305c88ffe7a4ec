"""The state of the service as one static page: what is served, what is broken and where, what is asked."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

_MAX_ZONES: Final = 500  # on the page; /status.json has all
_MAX_SECONDARIES: Final = 100

_STYLE: Final = """
:root { color-scheme: light dark; --back: #fff; --card: #f6f8fa; --text: #1f2328; --line: #d1d9e0; --good: #1a7f37;
  --bad: #cf222e; --quiet: #59636e }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --card: #161b22; --text: #e6edf3; --line: #30363d;
  --good: #3fb950; --bad: #f85149; --quiet: #9198a1 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 64rem;
  margin: 0 auto; padding: 2rem 1rem }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
.badge { border: 1px solid; border-radius: 1rem; padding: 0 .75rem; font-weight: 600 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0 }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .9rem }
.tile strong { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums }
.alarm { border: 1px solid var(--bad); border-left-width: .3rem; border-radius: .5rem; padding: .5rem .9rem;
  margin: .75rem 0; background: var(--card) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; white-space: nowrap } table.facts th { width: 12rem; color: var(--quiet); font-weight: 400 }
td.number, th.number { text-align: right; padding-right: 2rem; font-variant-numeric: tabular-nums }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere }
.good { color: var(--good) } .bad { color: var(--bad) } .quiet { color: var(--quiet) }
ul { margin: .25rem 0 0; padding-left: 1.2rem }
"""
_HEAD: Final = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>unizone</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>"""
_FOOT: Final = """<p class="quiet">For machines: <a href="status.json">status.json</a>, <a href="metrics">metrics</a>,
<a href="ready">ready</a>.</p>"""


def render(document: Mapping[str, Any]) -> bytes:
    """The page of a document of `status.status`."""
    now = document["server"]["now"]
    body = [
        _header(document),
        _tiles(document),
        *_trouble(document),
        "<h2>Zones</h2>",
        _zones(document, now),
        *_secondaries(document["secondaries"], now),
        "<h2>Source</h2>",
        _source(document["source"], now),
        "<h2>Queries</h2>",
        _queries(document["queries"]),
        "<h2>Server</h2>",
        _server(document, now),
        _FOOT,
    ]
    return f"{_HEAD}<body>{''.join(body)}</body></html>\n".encode()


def _header(document: Mapping[str, Any]) -> str:
    name = document["server"]["name"]
    if not document["ready"]:
        state, colour = "not ready", "bad"
    elif document["broken"] or document["held_back"]:
        state, colour = "serving, with trouble", "bad"
    else:
        state, colour = "serving", "good"
    title = f"unizone{' ' + escape(name) if name else ''}"
    reasons = "".join(f'<p class="bad">Not ready: {escape(reason)}</p>' for reason in document["missing"])
    return f'<header><h1>{title}</h1><span class="badge {colour}">{state}</span></header>{reasons}{_summary(document)}'


def _summary(document: Mapping[str, Any]) -> str:
    if not document["ready"]:
        return ""
    served = f"{_plural(len(document['zones']), 'zone')} with {document['records']} records in service"
    broken, held = len(document["broken"]), len(document["held_back"])
    if not broken and not held:
        return f"<p>{served}, and nothing is broken.</p>"
    return f'<p>{served}; <span class="bad">{broken} broken, {held} held back.</span></p>'


def _tiles(document: Mapping[str, Any]) -> str:
    queries = document["queries"]
    tiles = [
        (f"{len(document['zones']):,}", "zones"),
        (f"{document['records']:,}", "records"),
        (f"{queries['per_second']:,.1f}", "answers a second, of late"),
        (f"{queries['answered']:,}", "answers since the start"),
        (f"{queries['rate_limited']:,}", "over the rate limit"),
    ]
    inner = "".join(f'<div class="tile"><strong>{figure}</strong>{name}</div>' for figure, name in tiles)
    return f'<div class="tiles">{inner}</div>'


def _trouble(document: Mapping[str, Any]) -> Iterable[str]:
    if document["broken"]:
        yield "<h2>Broken</h2>"
    for broken in document["broken"]:
        served = "the version before is served" if broken["last_good_is_served"] else "no version is served"
        findings = "".join(f"<li><code>{escape(finding)}</code></li>" for finding in broken["findings"])
        since = f", since commit {_code(broken['since_commit'][:12])}" if broken["since_commit"] else ""
        zone = f'<strong>{escape(broken["zone"])}</strong>: <span class="bad">{served}</span>{since}'
        yield f'<div class="alarm">{zone}<ul>{findings}</ul></div>'
    if document["held_back"]:
        yield "<h2>Held back</h2>"
    for held in document["held_back"]:
        yield f'<div class="alarm"><strong>{escape(held["what"])}</strong>: {escape(held["reason"])}</div>'


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
    return f'<div class="scroll"><table>{head}{rows}</table></div>{rest}'


def _zone_state(zone: Mapping[str, Any]) -> str:
    if zone["broken"]:
        return '<span class="bad">newest version refused</span>'
    if zone["warnings"]:
        return f"served, {_plural(zone['warnings'], 'warning')}"
    return '<span class="good">served</span>'


def _secondaries(secondaries: Sequence[Mapping[str, Any]], now: float) -> Iterable[str]:
    """What others have of the zones; nothing where no others are known."""
    if not secondaries:
        return
    yield "<h2>Secondaries</h2>"
    ordered = sorted(secondaries, key=lambda peer: peer["is_current"] is not False)  # what lags first
    rows = "".join(
        f"<tr><td>{escape(peer['zone'])}</td><td>{_code(peer['address'])}</td>"
        f"<td class=number>{'' if peer['serial'] is None else peer['serial']}</td>"
        f"<td>{_copy_state(peer, now)}</td><td>{_told(peer, now)}</td></tr>"
        for peer in ordered[:_MAX_SECONDARIES]
    )
    yield '<div class="scroll"><table><tr><th>zone<th>secondary<th class=number>has serial<th>as of<th>notified</tr>'
    yield f"{rows}</table></div>"
    more = len(secondaries) - _MAX_SECONDARIES
    if more > 0:
        yield f'<p class="quiet">and {more} more, see <a href="status.json">status.json</a></p>'


def _copy_state(peer: Mapping[str, Any], now: float) -> str:
    if peer["serial"] is None:
        return '<span class="quiet">it has not asked yet</span>'
    state = '<span class="good">current</span>' if peer["is_current"] else '<span class="bad">behind</span>'
    return f"{state}, {_ago(peer['seen'], now)}"


def _told(peer: Mapping[str, Any], now: float) -> str:
    if peer["notified_at"] is None:
        return '<span class="quiet">no</span>'
    said = peer["notify_reply"]
    reply = (
        '<span class="bad">no reply</span>' if said is None else "acknowledged" if said == "NOERROR" else escape(said)
    )
    return f"{reply}, serial {peer['notified_serial']}, {_ago(peer['notified_at'], now)}"


def _source(source: Mapping[str, Any], now: float) -> str:
    return _facts(
        ("from", _code(source["source"])),
        ("commit", _code(source["commit"]) if source["commit"] else "none: a folder"),
        ("loaded", _ago(source["last_load"], now)),
        ("looked at", _ago(source["last_success"], now)),
        ("trouble", f'<span class="bad">{escape(source["last_error"])}</span>' if source["last_error"] else ""),
    )


def _queries(queries: Mapping[str, Any]) -> str:
    return _facts(
        ("by transport", _shares(queries["by_transport"])),
        ("by type", _shares(queries["by_type"])),
        ("by response code", _shares(queries["by_rcode"])),
        ("no answer", f"{queries['unanswered']} were no queries, {queries['udp_not_sent']} could not be sent"),
        ("connections", f"{queries['connections']} open, {queries['connections_refused']} closed by a limit"),
    )


def _server(document: Mapping[str, Any], now: float) -> str:
    server, stack, syslog = document["server"], document["stack"], document["syslog"]
    facts = [
        ("version", escape(server["version"])),
        ("started", _ago(server["started"], now)),
        ("addresses", " ".join(map(_code, server["addresses"]))),
        ("memory", memory_text(server)),
        ("longest lag of the loop", f"{server['loop_lag_longest_s'] * 1000:.1f} ms"),
        ("start", ", ".join(f"{escape(k)} {v * 1000:.0f} ms" for k, v in server["start_stages_s"].items())),
    ]
    if syslog is not None:
        facts.append(
            ("log collector", f"{syslog['sent']} lines sent, {syslog['queued']} wait, {syslog['dropped']} lost")
        )
    if stack is not None:
        events = {f"{event['layer']}: {event['reason']}": event["count"] for event in stack["events"]}
        facts += [
            ("own stack: TCP", _shares(stack["tcp"])),
            ("own stack: express", f"{stack['express_replies']} replies in one step from frame to frame"),
            ("own stack: events", _shares(events)),
        ]
    return _facts(*facts)


def _shares(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{escape(key)} {count:,}" for key, count in ordered)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _facts(*facts: tuple[str, str]) -> str:
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in facts if value)
    return f'<table class="facts">{rows}</table>'


def memory_text(server: Mapping[str, Any]) -> str:
    """Memory that the `server` of a document uses, in a virtual machine of how much; empty where it does not tell."""
    used, total = server.get("resident_bytes"), server.get("memory_bytes")
    if used is None:
        return ""
    return f"{used / 1e6:.0f} MB{'' if total is None else f' of {total / 1e6:.0f} MB'}"


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
        text = _plural(seconds, "second")
    stamp = dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f'{stamp}Z <span class="quiet">({text} ago)</span>'
