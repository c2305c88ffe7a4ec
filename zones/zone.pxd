# No types of its own; those of arena.pxd are what counts here.
