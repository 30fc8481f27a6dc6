"""Commands carried out: a family a file."""

from .run import run_command

__all__ = ["run_command"]
