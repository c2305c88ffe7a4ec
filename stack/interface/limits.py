"""Every bound of the interface in one place: what an attacker can make it hold or send."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on state (entries, octets), on work and on rates (a second)."""

    output_frames: int = 4096
    """Frames that wait for the device; more are dropped."""
    neighbours: int = 512
    """Resolved neighbours per family; the least recently used one makes room."""
    unresolved: int = 64
    """Neighbours per family that are being asked for; the oldest one makes room."""
    waiting_packets: int = 8
    """Packets that wait for one neighbour (RFC 4861 7.2.2: at least one); the oldest one makes room."""
    reassemblies: int = 32
    """Packets per family that are being put together; the oldest one makes room."""
    reassemblies_per_source: int = 8
    """Of those, from one address."""
    reassembly_octets: int = 512 * 1024
    """Octets of fragments held per family."""
    fragments: int = 64
    """Fragments of one packet."""
    path_mtus: int = 256
    """Destinations whose path MTU is remembered; the oldest one makes room."""
    routers: int = 8
    """Default routers learned from advertisements."""
    prefixes: int = 16
    """On-link prefixes learned from advertisements."""
    addresses: int = 16
    """IPv6 addresses; those from advertisements included."""
    looped_packets: int = 256
    """Packets to addresses of ours that wait for the next turn."""
    errors_per_s: float = 100.0
    """ICMP errors sent a second, per family (RFC 4443 2.4 f, RFC 1812 4.3.2.8)."""
    errors_burst: float = 50.0
    """ICMP errors sent at once."""
    echoes_per_s: float = 1000.0
    """Echo replies sent a second, per family."""
    echoes_burst: float = 200.0
    """Echo replies sent at once."""
    udp_sockets: int = 4096
    """UDP sockets bound."""
