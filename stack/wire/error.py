"""The one error of wire parsing."""


class WireError(Exception):
    """Octets that are not what their layer says they are; counted by (layer, reason), never logged one by one."""

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer = layer
        self.reason = reason
