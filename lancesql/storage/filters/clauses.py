"""Pieces of Lance filter text, put together with no more parentheses than they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lancesql.plan.predicates import Column

__all__ = ["Clause", "Piece", "UnrenderableError", "compare_text", "join_and", "join_or", "name_column", "write_null"]

_MAX_DEPTH = 30  # Lance's own parser stops at about 45 nested parentheses


class UnrenderableError(Exception):
    """The value cannot be said to Lance with DuckDB's meaning; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A text that is never NULL where it matters: rows for which it is not true are left out.

    Attributes:
        binds: What joins its parts at the top: `""`, `AND` or `OR`.
        depth: How deep its parentheses are nested.
    """

    text: str
    binds: str = ""
    depth: int = 0


Piece = Clause | bool
"""A clause, or what holds for every row."""


def join_and(pieces: Iterable[Piece]) -> Piece:
    """All of them."""
    return _join("AND", pieces, absorbing=False)


def join_or(pieces: Iterable[Piece]) -> Piece:
    """Any of them."""
    return _join("OR", pieces, absorbing=True)


def _join(word: str, pieces: Iterable[Piece], *, absorbing: bool) -> Piece:
    kept: list[Clause] = []
    for piece in list(pieces):  # all are written, even when one decides: a value that DuckDB refuses is an error
        if piece is absorbing:
            return absorbing
        if isinstance(piece, Clause) and piece not in kept:
            kept.append(piece)
    if len(kept) <= 1:
        return kept[0] if kept else not absorbing
    texts, depth = [], 0
    for one in kept:
        nested = one.binds not in ("", word)
        texts.append(f"({one.text})" if nested else one.text)
        depth = max(depth, one.depth + nested)
    if depth > _MAX_DEPTH:
        raise UnrenderableError("it is nested too deeply for Lance")
    return Clause(f" {word} ".join(texts), word, depth)


def name_column(column: Column) -> str:
    """The column as Lance reads it: in backticks its case counts, and reserved words are names."""
    if column.json:
        return f"json_extract(`{column.name}`, '{column.json}')"
    if not column.path:
        return f"`{column.name}`"
    return ".".join(f"`{name}`" for name in (column.name, *column.path))


def compare_text(name: str, op: str, literal: str) -> Clause:
    """`name op literal`."""
    return Clause(f"{name} {op} {literal}")


def write_null(column: Column, *, is_null: bool = True) -> Clause:
    """`column IS NULL`, or IS NOT NULL; a text in JSON is NULL where nothing lies, and where a null does."""
    name = name_column(column)
    if not column.json:
        return Clause(f"{name} IS {'' if is_null else 'NOT '}NULL")
    return Clause(f"{name} IS NULL OR {name} = 'null'", "OR") if is_null else Clause(f"{name} <> 'null'")
