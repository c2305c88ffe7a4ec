"""NOTIFY (RFC 1996), both ways.

Out: `targets` says who is told of a zone, `schedule` when, `sender` does it. In: `incoming` starts a sync for who may
and tells what came of it. `messages` is the form of both.
"""
