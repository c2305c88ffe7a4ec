"""Zones for other servers: AXFR (RFC 5936) and IXFR (RFC 1995), over TCP and TLS (RFC 9103).

`records` says which records go in which order, `messages` fills messages with them, `journal` keeps differences of
versions within a bound, and `handler` puts them together: who may, which of both, signed message by message.
"""
