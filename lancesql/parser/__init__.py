"""Stage 1, text → Statement: statement kind, search calls, clauses, all with their places in the text."""

from __future__ import annotations

from .statement import OWN_GRAMMAR, Statement, disguise_statement, parse_expression, parse_statement
from .tokens import read_tokens, split_statements

__all__ = [
    "OWN_GRAMMAR",
    "Statement",
    "disguise_statement",
    "parse_expression",
    "parse_statement",
    "read_tokens",
    "split_statements",
]
