"""Git for the appliance: one shallow version of a branch, fetched in memory over asyncio streams or read from disk.

Objects and commits are dulwich's; transports and the reading of packs are our own, because they must never hold the
event loop nor trust the peer. `remote.open_remote` is the way in.
"""
