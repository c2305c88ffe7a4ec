"""The automaton of the DHCP client: every transition in one table, of which the diagram in docs/ is made.

Read first: RFC 2131 4.4 and figure 5. INIT-REBOOT is left out: an image remembers no lease.
"""

import enum
from typing import NamedTuple


class State(enum.Enum):
    """RFC 2131 4.4."""

    INIT = "nothing yet, or starting again"
    SELECTING = "waiting for offers"
    REQUESTING = "waiting for the server whose offer was taken"
    BOUND = "using the address"
    RENEWING = "asking the server for more time"
    REBINDING = "asking any server for more time"


class Event(enum.Enum):
    """What moves the client."""

    START = "it is time to begin"
    OFFER = "a server offers an address"
    ACK = "the server agrees"
    NAK = "the server refuses"
    RETRY = "no answer in time"
    GIVE_UP = "no answer after several tries"
    NEXT = "no answer or a refusal, and another server has made an offer"
    RENEWAL = "T1: half of the lease is over"
    REBINDING = "T2: most of the lease is over"
    EXPIRY = "the lease is over"
    CONFLICT = "another host uses the address"


class Action(enum.Enum):
    """What the client does on its way to the next state."""

    DISCOVER = "send DHCPDISCOVER to all"
    REQUEST = "take the offer: send DHCPREQUEST to all"
    KEEP = "keep the offer in case the first fails"
    NEXT_OFFER = "take the next offer: send DHCPREQUEST to all"
    BIND = "set T1 and T2 and use the address"
    EXTEND = "send DHCPREQUEST to the server"
    EXTEND_ANYWHERE = "send DHCPREQUEST to all"
    RESTART = "give up the address and begin again"
    DECLINE = "send DHCPDECLINE, give up the address, wait 10 s"


class Transition(NamedTuple):
    """Where an event leads, and what is done on the way."""

    state: State
    action: Action


TRANSITIONS: dict[tuple[State, Event], Transition] = {
    (State.INIT, Event.START): Transition(State.SELECTING, Action.DISCOVER),
    (State.SELECTING, Event.RETRY): Transition(State.SELECTING, Action.DISCOVER),
    (State.SELECTING, Event.OFFER): Transition(State.REQUESTING, Action.REQUEST),
    (State.REQUESTING, Event.OFFER): Transition(State.REQUESTING, Action.KEEP),
    (State.REQUESTING, Event.RETRY): Transition(State.REQUESTING, Action.REQUEST),
    (State.REQUESTING, Event.NEXT): Transition(State.REQUESTING, Action.NEXT_OFFER),
    (State.REQUESTING, Event.GIVE_UP): Transition(State.INIT, Action.RESTART),
    (State.REQUESTING, Event.NAK): Transition(State.INIT, Action.RESTART),
    (State.REQUESTING, Event.ACK): Transition(State.BOUND, Action.BIND),
    (State.BOUND, Event.RENEWAL): Transition(State.RENEWING, Action.EXTEND),
    (State.BOUND, Event.CONFLICT): Transition(State.INIT, Action.DECLINE),
    (State.RENEWING, Event.RETRY): Transition(State.RENEWING, Action.EXTEND),
    (State.RENEWING, Event.ACK): Transition(State.BOUND, Action.BIND),
    (State.RENEWING, Event.NAK): Transition(State.INIT, Action.RESTART),
    (State.RENEWING, Event.REBINDING): Transition(State.REBINDING, Action.EXTEND_ANYWHERE),
    (State.RENEWING, Event.CONFLICT): Transition(State.INIT, Action.DECLINE),
    (State.REBINDING, Event.RETRY): Transition(State.REBINDING, Action.EXTEND_ANYWHERE),
    (State.REBINDING, Event.ACK): Transition(State.BOUND, Action.BIND),
    (State.REBINDING, Event.NAK): Transition(State.INIT, Action.RESTART),
    (State.REBINDING, Event.EXPIRY): Transition(State.INIT, Action.RESTART),
    (State.REBINDING, Event.CONFLICT): Transition(State.INIT, Action.DECLINE),
}
"""Events that have no place in a state are ignored, and counted."""
