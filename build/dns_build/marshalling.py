"""Code objects as octets that depend on the code alone."""

import marshal
from collections.abc import Callable
from types import CodeType


def dumps(compiled: Callable[[], CodeType]) -> bytes:
    """What `marshal` writes of the code object that `compiled` makes each time it is called.

    A process keeps a name once. Whether that is one object with a constant of the code, and whether something else
    holds it, which `marshal` marks, depends on what there was before: for one, on folders of who builds, as `pathlib`
    keeps parts of paths so. With another copy of the code there, all its names are kept by that.
    """
    copy = compiled()
    written = marshal.dumps(compiled())
    del copy  # not before
    return written
