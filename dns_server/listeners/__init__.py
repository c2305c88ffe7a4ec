"""How queries come in and answers go out: datagrams and streams, over any asyncio loop, and the host's sockets.

`streams` and `datagrams` work on asyncio transports alone, so they serve the host's loop, our own stack's and TLS;
`host` opens sockets of the host. None of them knows more of DNS than the length in front of a message on a stream.
"""
