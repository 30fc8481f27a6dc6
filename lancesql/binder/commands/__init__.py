"""Commands bound: a family a file."""

from .dispatch import bind_command

__all__ = ["bind_command"]
