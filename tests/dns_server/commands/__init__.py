"""Verbs of the command line, run as a person runs them."""
