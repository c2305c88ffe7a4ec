"""Stub resolver: `exchange` asks a server, `cache` remembers, `resolver` turns host names into addresses."""
