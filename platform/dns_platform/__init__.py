"""What a target offers to Python: typed protocols, their implementation on unix, and devices that wrap a device."""
