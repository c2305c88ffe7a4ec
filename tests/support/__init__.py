"""What several tests need: other implementations from Debian's packages, servers, zones, ports."""
