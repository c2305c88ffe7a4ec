"""What is served, kept on a disk: a program that starts without its git server goes on where it was.

`area` keeps one blob of octets on a block device so that a torn write never loses the one before, `content` says what
is in it, and `cache` puts the two between a sync and the disk.
"""
