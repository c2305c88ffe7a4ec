"""Dynamic update (RFC 2136, RFC 3007): from a signed message to a commit.

`message` takes a message apart, `rules` is what the RFC says it does to a zone, `requests` decides who may and answers,
`counters` is what happened. Changes are written by `zones.writeback`.
"""
