"""`structlog.dev` where no developer looks on: what structlog sets up until the service has set up its own log."""

_has_colors = False


class ConsoleRenderer:
    """Writes an event and its values on one line."""

    def __init__(self, **_options):
        pass

    def __call__(self, _logger, _name, event_dict):
        """The line."""
        event = event_dict.pop("event", "")
        return " ".join([str(event), *(f"{name}={value}" for name, value in event_dict.items())])


def set_exc_info(_logger, method_name, event_dict):
    """Ask for the exception at hand where the method is `exception`."""
    if method_name == "exception":
        event_dict.setdefault("exc_info", True)
    return event_dict
