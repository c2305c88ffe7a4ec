"""`structlog.tracebacks` for images: the one name that structlog itself imports."""


class ExceptionDictTransformer:
    """Made by structlog itself in any case, for whoever wants exceptions as JSON."""

    def __call__(self, _exc_info):
        """Refuse."""
        raise NotImplementedError("images do not write exceptions as JSON")
