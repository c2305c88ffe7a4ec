"""Python face of the platform: devices, clocks and entropy behind typed protocols."""
