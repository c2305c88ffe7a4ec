"""The servers that are compared, each on a port of 127.0.0.1 with the same zone."""

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.harness.contest import FLOOR, LIMITS, OURS, Contender, Turn
from tests.bench.harness.questions import ORIGIN
from tests.support.debian import Unavailable
from tests.support.server import serve
from tests.support.servers import running

Loader = Callable[[int], Callable[[float], Turn]]
"""From a port to what loads the server there."""


@contextlib.contextmanager
def contenders(file: Path, folder: Path, loader: Loader, *, signed: bool = False) -> Iterator[list[Contender]]:
    """Ours, NSD, Knot and the floor as far as they are here. `file` is the zone, alone in its folder."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(f"--zones={file.parent}", *LIMITS, "--http=127.0.0.1:0"))
        found = [Contender(OURS, server.process.pid, loader(server.port))]
        for name in ("NSD", "Knot"):
            own = folder / f"{name}-{signed}"
            own.mkdir(exist_ok=True)
            with contextlib.suppress(Unavailable):
                rival = stack.enter_context(running(name, own, {ORIGIN: file}))
                found.append(Contender(name, rival.pid, loader(rival.address[1])))
        if shutil.which("cc") is not None:
            process, port = stack.enter_context(_echo(folder))
            found.append(Contender(FLOOR, process.pid, loader(port)))
        yield found


@contextlib.contextmanager
def _echo(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    program = folder / "echo"
    source = Path(__file__).with_name("echo.c")
    subprocess.run(["cc", "-O2", "-Wall", "-o", program, source], check=True)
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.terminate()
