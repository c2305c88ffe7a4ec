"""Image builder: pinned sources to one bootable file."""
