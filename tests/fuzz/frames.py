"""Frames of any octets through interface and TCP: nothing but counters may come of bad ones.

Coverage-guided, where atheris is installed (`pip install atheris`):
`python -m tests.fuzz.frames tests/fuzz/corpus/frames -max_total_time=600`. New inputs are kept in the corpus, which the
test suite replays.
"""

import random
import sys

from stack.address import Endpoint
from stack.tcp.engine import Engine
from tests.stack.interface.lan import Host, echo_server

SEPARATOR = b"\xfe\xed"
"""Between the frames of one input, so that one can follow from another."""


def one_input(data: bytes) -> None:
    """Hand the frames in `data` to a host that listens; an exception is a finding."""
    host = Host()
    interface = host.interface
    engine = Engine(interface, random.Random(1).randbytes(32), interface.counters)
    interface.attach_tcp(engine)
    for size in (4, 16):
        interface.udp.serve(Endpoint(bytes(size), 53), lambda request, _source: request)
        engine.listen(Endpoint(bytes(size), 53))
    echo_server(host, 7)
    host.settle()
    for frame in data.split(SEPARATOR):
        host.say(frame)
        host.now += 0.1
    host.run(60)


def main() -> None:
    """Fuzz until atheris is told to stop."""
    if {"-h", "--help"}.intersection(sys.argv):
        print(__doc__)
        return
    try:
        import atheris
    except ModuleNotFoundError:
        raise SystemExit("atheris is not installed: pip install atheris") from None

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
