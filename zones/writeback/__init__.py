"""Changes that did not come by git written back to it: the zone's own file edited in place, committed, pushed.

`edit` changes the lines concerned and nothing else; `writer` pushes with a lease and replays what was overtaken.
"""
