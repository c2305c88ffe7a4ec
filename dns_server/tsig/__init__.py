"""TSIG (RFC 8945): messages signed with a shared secret.

`records` is the form of the record, `macs` what is signed and how, `verify` judges a request, `exchange` is both sides
of a signed conversation: the server's replies, of which there may be many, and a client that checks what it gets;
`replay` knows what was obeyed already. Sans-I/O: keys and the time are arguments.
"""
