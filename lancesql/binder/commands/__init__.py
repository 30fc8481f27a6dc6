"""Commands bound: a family a file."""

from .dispatch import bind_command
from .explain import explain_statement
from .targets import CommandContext

__all__ = ["CommandContext", "bind_command", "explain_statement"]
