"""Patterns: LIKE as DuckDB reads it, said with the escapes Lance reads."""

from __future__ import annotations

from lancesql.plan.predicates import Column

from .clauses import Clause, Piece, UnrenderableError, compare_text, name_column
from .values import Unknown, describe_value

__all__ = ["write_match"]

_ANY, _ONE = object(), object()


def write_match(column: Column, op: str, pattern: object, escape: object, truth: bool) -> Piece:
    """Whether the text matches, or does not, for rows that have one."""
    name, negated = name_column(column), "" if truth else "NOT "
    if isinstance(pattern, Unknown):
        whole = op in ("like", "ilike")
        return Clause(f"{name} {negated}{op.upper()} {pattern}" if whole else f"{negated}{op}({name}, {pattern})")
    if not isinstance(pattern, str):
        raise UnrenderableError(f"a VARCHAR column is matched with a {describe_value(pattern)}")
    if op not in ("like", "ilike"):
        return _call(op, name, pattern, truth)
    signs = _read_pattern(pattern, escape)
    literal = "".join(sign for sign in signs if isinstance(sign, str))
    if op == "ilike":
        if not literal.isascii() or set(literal) & set("iIsS"):
            raise UnrenderableError("ILIKE of i, s and letters beyond ASCII: Lance and DuckDB fold some differently")
        return Clause(f"{name} {negated}ILIKE {_quote(_write_pattern(signs))}")
    if len(literal) == len(signs):
        return compare_text(name, "=" if truth else "<>", _quote(literal))
    if not any(sign in "\\%_" for sign in literal):
        return Clause(f"{name} {negated}LIKE {_quote(_write_pattern(signs))}")
    inner = signs[bool(signs[0] is _ANY) : len(signs) - bool(signs[-1] is _ANY)]
    if all(isinstance(sign, str) for sign in inner):
        shape = (signs[0] is _ANY, signs[-1] is _ANY)
        call = {(True, True): "contains", (False, True): "starts_with", (True, False): "ends_with"}[shape]
        return _call(call, name, literal, truth)
    return Clause(f"{name} {negated}LIKE {_quote(_write_pattern(signs))}")


def _call(function: str, name: str, text: str, truth: bool) -> Clause:
    return Clause(f"{'' if truth else 'NOT '}{function}({name}, {_quote(text)})")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _read_pattern(pattern: str, escape: object) -> list[object]:
    """The pattern's letters, each that stands for itself, and its wildcards."""
    if escape is not None and (not isinstance(escape, str) or len(escape) != 1):
        raise UnrenderableError("ESCAPE takes one character")
    signs: list[object] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == escape:
            following = next(letters, None)
            if following is None:
                raise UnrenderableError("the pattern ends with its escape character")
            signs.append(following)
        elif letter == "%":
            signs.append(_ANY)
        else:
            signs.append(_ONE if letter == "_" else letter)
    return signs


def _write_pattern(signs: list[object]) -> str:
    """The pattern with a backslash before what stands for itself: Lance's own escape."""
    return "".join(
        "%" if sign is _ANY else "_" if sign is _ONE else f"\\{sign}" if str(sign) in "\\%_" else str(sign)
        for sign in signs
    )
