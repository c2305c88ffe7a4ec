"""Octets to headers and back, one file a protocol, each with `parse` and `emit`; no state, no clock."""
