"""asyncio over the own stack: an event loop whose turn is the poll of the platform's devices.

`loop.StackLoop` is the loop. asyncio's streams, TLS (asyncio's own, over our transports) and programs written for
asyncio run on it unchanged, also where there are no sockets and no threads. `turn` moves frames, `stream` and
`datagram` are the transports, `dial` opens connections (happy eyeballs), `server` accepts them, `names` finds
addresses.
"""
