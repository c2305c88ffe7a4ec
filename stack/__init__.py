"""TCP/IP in Python and the asyncio event loop over it; knows nothing of DNS."""
