"""`encodings.idna` without tables of Unicode: host names, zone files and parameters hold A-labels (xn--...) only.

The codec serves `socket`, which encodes every host name by it; the two functions serve dnspython.
"""

import codecs


def ToASCII(label):
    """The label itself; UnicodeError for what is not ASCII."""
    return label.encode("ascii")


def ToUnicode(label):
    """The label itself."""
    return label if isinstance(label, str) else str(label, "ascii")


def getregentry():
    """The codec, which is that of ASCII."""
    return codecs.CodecInfo(codecs.ascii_encode, codecs.ascii_decode, name="idna")
