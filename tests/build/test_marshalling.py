"""Code objects as octets: the same whatever else the process that compiles them holds."""

import marshal
import sys
from functools import partial
from types import CodeType

from dns_build import marshalling

SOURCE = """
class {name}:
    class Inner:
        value = {name}_once
"""


def compiled(name: str) -> CodeType:
    return compile(SOURCE.format(name=name), "file", "exec")


def test_names_that_something_else_holds_are_written_as_others() -> None:
    name = f"used_by_nothing_but_{marshal.__name__}"  # a constant would be held by this file
    dump = partial(compiled, name)
    plain, written = marshal.dumps(dump()), marshalling.dumps(dump)
    held = [sys.intern(text) for text in (f"{name}_once", f"{name}.Inner", name)]
    assert marshal.dumps(dump()) != plain
    assert marshalling.dumps(dump) == written
    assert held
    assert marshal.loads(written) == dump()
