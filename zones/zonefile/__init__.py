"""Zone files: the dialect of RFC 1035 section 5 as people write it today, read straight into wire format."""

from zones.zonefile.parser import Parsed, Text, parse

__all__ = ["Parsed", "Text", "parse"]
