"""TCP (RFC 9293) without I/O, clock or randomness: segments, time and a secret go in, segments and a deadline come out.

`engine.Engine` finds the connection of a segment; `connection.Connection` is what its user holds; `arrival` is
RFC 9293 3.10.7 in the order of the RFC, `acknowledgment` its fifth step, `emission` decides what to send, `timeouts`
what to do when a timer goes off. `recovery` finds out what was lost and `congestion` how much may be in flight.
"""
