"""Needs the second, which needs the first."""

from imported import second

NAME = f"first of {second.NAME}"
