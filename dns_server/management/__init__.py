"""The way in for operators: HTTP for metrics, readiness and status. Off unless it is asked for."""
