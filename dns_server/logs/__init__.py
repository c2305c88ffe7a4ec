"""Log lines by structlog: to the console for people or as JSON, and to a syslog collector.

A line cannot be forged by what a peer or a zone sends, and writing one never blocks or ends the service.
"""
