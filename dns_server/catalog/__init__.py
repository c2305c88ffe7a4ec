"""Catalog zones (RFC 9432): a zone that lists the others, so that secondaries follow by themselves."""
