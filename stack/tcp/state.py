"""The TCP state machine as one table, from which the diagram in docs/ is generated.

Read first: RFC 9293 3.3.2 and figure 5.
"""

import enum
from collections.abc import Iterator
from typing import Final


class State(enum.Enum):
    """Connection states, in the RFC's spelling. LISTEN is a `Listener`: a connection never is in it."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Trigger(enum.Enum):
    """What moves a connection from state to state."""

    ACTIVE_OPEN = "OPEN"
    SYN = "rcv SYN"
    SYN_ACK = "rcv SYN,ACK"
    ACK_OF_SYN = "rcv ACK of SYN"
    CLOSE = "CLOSE"
    FIN = "rcv FIN"
    ACK_OF_FIN = "rcv ACK of FIN"
    TIMEOUT = "2MSL timeout"
    END = "ABORT, rcv RST, user timeout"


# Not in the table, because they can't happen here:
# - SYN-RECEIVED -> FIN-WAIT-1 by CLOSE. Deviation: CLOSE waits for ESTABLISHED always, as RFC 9293 3.10.4 has it
#   wait when data is queued; a FIN before the ACK of our SYN gains nothing.
# - SYN-RECEIVED -> CLOSE-WAIT by a FIN: a segment that gets as far as its FIN has acknowledged our SYN before.
# - FIN-WAIT-1 -> TIME-WAIT by a FIN that acknowledges ours: two steps, the ACK and then the FIN.
# - LISTEN -> SYN-SENT by SEND: nobody wants it (RFC 9293 3.9.1 offers it).
TRANSITIONS: Final[dict[tuple[State, Trigger], State]] = {
    (State.CLOSED, Trigger.ACTIVE_OPEN): State.SYN_SENT,
    (State.LISTEN, Trigger.SYN): State.SYN_RECEIVED,
    (State.LISTEN, Trigger.CLOSE): State.CLOSED,
    # RFC 4987 3.6: with a SYN cookie the state before this ACK was in the peer's hands.
    (State.LISTEN, Trigger.ACK_OF_SYN): State.ESTABLISHED,
    (State.SYN_SENT, Trigger.SYN_ACK): State.ESTABLISHED,
    (State.SYN_SENT, Trigger.SYN): State.SYN_RECEIVED,  # simultaneous open, figure 8
    (State.SYN_SENT, Trigger.CLOSE): State.CLOSED,
    (State.SYN_SENT, Trigger.END): State.CLOSED,
    (State.SYN_RECEIVED, Trigger.ACK_OF_SYN): State.ESTABLISHED,
    (State.SYN_RECEIVED, Trigger.END): State.CLOSED,
    (State.ESTABLISHED, Trigger.CLOSE): State.FIN_WAIT_1,
    (State.ESTABLISHED, Trigger.FIN): State.CLOSE_WAIT,
    (State.ESTABLISHED, Trigger.END): State.CLOSED,
    (State.FIN_WAIT_1, Trigger.ACK_OF_FIN): State.FIN_WAIT_2,
    (State.FIN_WAIT_1, Trigger.FIN): State.CLOSING,  # simultaneous close, figure 13
    (State.FIN_WAIT_1, Trigger.END): State.CLOSED,
    (State.FIN_WAIT_2, Trigger.FIN): State.TIME_WAIT,
    (State.FIN_WAIT_2, Trigger.END): State.CLOSED,
    (State.CLOSE_WAIT, Trigger.CLOSE): State.LAST_ACK,
    (State.CLOSE_WAIT, Trigger.END): State.CLOSED,
    (State.CLOSING, Trigger.ACK_OF_FIN): State.TIME_WAIT,
    (State.CLOSING, Trigger.END): State.CLOSED,
    (State.LAST_ACK, Trigger.ACK_OF_FIN): State.CLOSED,
    (State.LAST_ACK, Trigger.END): State.CLOSED,
    (State.TIME_WAIT, Trigger.TIMEOUT): State.CLOSED,
    (State.TIME_WAIT, Trigger.END): State.CLOSED,
}

# RFC 9293 3.10.7.4 names these sets again and again.
SYNCHRONIZED: Final = frozenset(State) - {State.CLOSED, State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED}
SENDING: Final = frozenset({State.ESTABLISHED, State.CLOSE_WAIT})
"""The user may SEND."""
RECEIVING: Final = frozenset({State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2})
"""The peer may still send data."""
FINISHING: Final = frozenset({State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK})
"""Our FIN is queued or sent, and not acknowledged."""


def diagram() -> Iterator[str]:
    """Lines of the state diagram in Mermaid's language."""
    yield "stateDiagram-v2"
    for state in State:
        yield f'    state "{state.value}" as {state.name}'
    yield "    [*] --> CLOSED"
    yield "    [*] --> LISTEN: passive OPEN"
    for (state, trigger), target in TRANSITIONS.items():
        yield f"    {state.name} --> {target.name}: {trigger.value}"
