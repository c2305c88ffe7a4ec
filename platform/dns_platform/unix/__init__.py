"""The platform on unix, for development and tests, and for servers that run the own stack beside Linux."""
