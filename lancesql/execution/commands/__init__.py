"""Commands carried out: a family a file."""

from .databases import run_database_command
from .explain import describe_command
from .run import run_command

__all__ = ["describe_command", "run_command", "run_database_command"]
