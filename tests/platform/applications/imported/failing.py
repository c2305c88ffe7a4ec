"""Never comes to its end."""

raise ValueError("always")
