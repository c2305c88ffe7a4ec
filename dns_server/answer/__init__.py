"""Answering without I/O: a query in wire format goes in, the reply comes out.

`engine` takes a message apart (`request`), finds the zone (`catalogue`), walks it in named steps (`lookup`), renders
what the steps found (`sections`, `proofs`, `render`) into an `Answer` that is kept, and puts the reply together.
Nothing in here reads a clock, draws a random number or touches a socket.
"""
