"""Commands bound: a family a file."""

from .dispatch import bind_command
from .targets import CommandContext

__all__ = ["CommandContext", "bind_command"]
