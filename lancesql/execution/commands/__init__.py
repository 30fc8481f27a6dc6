"""Commands carried out: a family a file."""

from .databases import run_database_command
from .explain import check_columns, describe_command
from .run import run_command

__all__ = ["check_columns", "describe_command", "run_command", "run_database_command"]
