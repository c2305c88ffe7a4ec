"""How queries come in and answers go out: streams over any asyncio loop, sockets of the host and of the own stack.

`streams` works on asyncio transports alone, so it serves the host's loop, our own stack's and TLS; `host` opens sockets
of the host, `direct` those of the own stack. None of them knows more of DNS than the length in front of a message on a
stream.
"""
