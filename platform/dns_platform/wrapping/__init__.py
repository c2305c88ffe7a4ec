"""Devices that wrap a device: what is watched or spoiled is neither the device's concern nor the stack's."""
