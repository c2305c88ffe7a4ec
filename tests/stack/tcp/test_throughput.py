"""Throughput over loss and round-trip time, in made-up time: docs/tcp-throughput.md is what comes of it.

`python -m tests.stack.tcp.test_throughput` prints the page. The numbers depend on nothing but the code, so a change
that makes transfers slower, or quicker, shows in the diff of the page.
"""

from pathlib import Path

from tests.stack.tcp.peers import CLIENT, SERVER, Faults, Host, Transfer, Wire

PAGE = Path(__file__).parents[3] / "docs" / "tcp-throughput.md"
OCTETS = 400_000
LOSSES = (0.0, 0.01, 0.03, 0.1)
ROUND_TRIPS_MS = (2, 20, 100)

_HEAD = f"""# TCP throughput over loss and round-trip time

Mbit/s of a transfer of {OCTETS:,} octets from our TCP to our TCP, from the first SYN to the last octet, on a link
without a limit of its own that loses segments of both directions by chance. Time is simulated, so the numbers are the
same on each machine. Written by `python -m tests.stack.tcp.test_throughput`.

"""


def megabits(loss: float, round_trip_ms: int) -> float:
    """Mbit/s of one transfer."""
    faults = Faults(loss=loss, delay=round_trip_ms / 2000)
    wire = Wire(client := Host(CLIENT), server := Host(SERVER, 2), faults=faults, seed=3)
    transfer = Transfer(wire, client, server, bytes(OCTETS))
    started = wire.now
    wire.run(lambda: (transfer.step(), len(transfer.received) == OCTETS)[1], seconds=3600)
    return OCTETS * 8e-6 / (wire.now - started)


def page() -> str:
    """The table."""
    lines = [f"| round trip | {' | '.join(f'{loss:.0%} lost' for loss in LOSSES)} |"]
    lines.append("|---|" + "---:|" * len(LOSSES))
    for round_trip in ROUND_TRIPS_MS:
        cells = " | ".join(f"{megabits(loss, round_trip):.3g}" for loss in LOSSES)
        lines.append(f"| {round_trip} ms | {cells} |")
    return _HEAD + "\n".join(lines) + "\n"


def test_the_snapshot_is_what_the_code_does() -> None:
    assert PAGE.read_text() == page(), "python -m tests.stack.tcp.test_throughput > docs/tcp-throughput.md"


if __name__ == "__main__":
    print(page(), end="")
