"""Counts frames and answers each with its own octets, addresses exchanged; ends after the tenth."""

from dns_platform.guest import GuestClock, GuestEntropy, GuestNetwork, GuestPoller


def main() -> int:
    """Echo Ethernet frames."""
    clock, poller, device = GuestClock(), GuestPoller(), GuestNetwork()
    print("mac", device.mac.hex(":"), "mtu", device.mtu)
    print("wall", int(clock.wall()))
    print("random", GuestEntropy().random(32) != GuestEntropy().random(32))
    print("ready", flush=True)
    began = clock.monotonic()
    seen = 0
    while seen < 10 and clock.monotonic() < began + 60:
        if poller.poll(clock.monotonic() + 1.0):
            frames = [bytes(frame) for frame in device.receive()]
            seen += len(frames)
            device.transmit([frame[6:12] + device.mac + frame[12:] for frame in frames])
    print("frames", seen)
    return 0
