"""Hooks of a bare repository: a push that the server would refuse is refused before it is there, and told of after.

`installing` puts them there, `pushed` reads what git hands to them, `judging` decides. They run git, for only git knows
where the objects of a push are while it is judged.
"""
