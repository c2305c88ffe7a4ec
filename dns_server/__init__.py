"""The service: configuration, answering, transfers, updates, telemetry and the command line."""
