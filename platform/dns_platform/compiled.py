"""Which modules run compiled: their sources run as well, only slower."""

import importlib.util


def is_compiled(module: str) -> bool:
    """Whether importing `module` gives machine code: an extension module, or one linked into Python."""
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.origin != "frozen" and not (spec.origin or ".py").endswith((".py", ".pyc"))
