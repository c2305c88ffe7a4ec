"""HTTP for operators, with real clients and with hostile ones."""
