"""Dynamic updates."""

from typing import Any, Final

from dns_server import values
from dns_server.parameters.parameter import SERVING, Group, Parameter
from dns_server.update.ack import Ack

UPDATE_ACK: Final[Parameter[Ack]] = Parameter(
    name="update-ack",
    parse=values.choice(Ack),
    default="push",
    metavar="push|memory",
    example="memory",
    group=Group.PEERS,
    verbs=SERVING,
    doc="When the client of a dynamic update is told that it is done: when the change is pushed to the repository and "
    "served, or as soon as it is served and before it is pushed. What is not pushed when the server dies is lost then.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (UPDATE_ACK,)
