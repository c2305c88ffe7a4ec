"""Modules that are imported in all ways."""
