"""Answers a batch of datagrams from ready answers, at the speed of C where this folder is compiled.

That is done by Cython in pure-Python mode; the `.pxd` files beside the sources hold types of C.

`responder` takes a batch: `query` reads a datagram, `directory` finds its zone, `zone` the answer, `reply` writes it.
A zone's index is made of `names`, a set of names; `covers`, which finds the record that proves an absence, by the hash
of `nsec3` where it must; and `kept`, the ready answers. `cookies` with `siphash` judges the cookies of clients, for the
engine too. `ahead` has memory fetched before it is looked at. `kinds` is what the engine and these agree on.

Here are well-formed queries of class IN whose answer was rendered before; every other one is left to the engine, whose
reply is the same octet for octet, and which leaves the answer here. So what is right and wrong is decided in one place,
and this one only repeats. Uncompiled it is slower than the engine, which then does without it.
"""
