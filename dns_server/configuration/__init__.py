"""Parameters from a place of their own (`--config`): a folder, a tar or a FAT volume with `unizone.toml` and the files
that it names. Boot parameters stand above them, what was baked in below.
"""
