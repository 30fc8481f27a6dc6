"""A column compared with values: which of its own values satisfy the comparison, said in literals of its type."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lancesql.plan.predicates import Column

from .clauses import Clause, Piece, UnrenderableError, compare_text, join_and, join_or, name_column
from .floats import compare_float, find_floats
from .json_paths import write_json_in
from .positions import Domain, find_domain
from .values import Unknown, Values, describe_value, show_value

__all__ = ["find_point", "write_comparison", "write_in"]


def write_comparison(values: Values, column: Column, op: str, value: object) -> Piece:
    """`column op value` for rows that have a value in the column."""
    name, type_ = name_column(column), _stored_type(column)
    if isinstance(value, Unknown):
        return compare_text(name, op, value)
    if column.json:
        if op not in ("=", "<>"):
            raise UnrenderableError("the text in a JSON column is compared by = and <> alone")
        return write_json_in(column, [value], op == "=")
    if pa.types.is_floating(type_):
        return compare_float(values, name, type_, op, value)
    if pa.types.is_boolean(type_):
        return _compare_boolean(name, op, value)
    domain = find_domain(type_)
    if domain is None:
        return compare_text(name, op, _write_text(type_, value))
    return _compare_positions(name, domain, op, domain.locate(values, value))


def write_in(values: Values, column: Column, items: Sequence[object], truth: bool) -> Piece:
    """Whether the column's value is one of the items, or none of them, for rows that have one."""
    name, type_ = name_column(column), _stored_type(column)
    if any(isinstance(item, Unknown) for item in items):
        return Clause(f"{name} {'' if truth else 'NOT '}IN ({', '.join(map(show_value, items))})")
    if column.json and items:
        return write_json_in(column, items, truth)
    if pa.types.is_boolean(type_) or len(items) == 1:
        pieces = (write_comparison(values, column, "=" if truth else "<>", item) for item in items)
        return join_or(pieces) if truth else join_and(pieces)
    if pa.types.is_floating(type_):
        literals, has_nan = find_floats(values, type_, items)
    else:
        literals = [point for item in items if (point := find_point(values, type_, item)) is not None]
        has_nan = False
    literals = list(dict.fromkeys(literals))
    listed: Piece = not truth
    if len(literals) == 1:
        listed = compare_text(name, "=" if truth else "<>", literals[0])
    elif literals:
        listed = Clause(f"{name} {'' if truth else 'NOT '}IN ({', '.join(literals)})")
    if not has_nan:
        return listed
    is_nan = Clause(f"{'' if truth else 'NOT '}isnan({name})")
    return join_or((listed, is_nan)) if truth else join_and((listed, is_nan))


def find_point(values: Values, type_: pa.DataType, item: object) -> str | None:
    """The literal of the one value of a type that equals the item; None when none does."""
    domain = find_domain(type_)
    if domain is None:
        return _write_text(type_, item)
    start, stop = domain.locate(values, item)
    start, stop = max(start, domain.low), min(stop, domain.high + 1)
    if stop - start > 1:
        raise UnrenderableError("several values of the column equal one of the list")
    return domain.write(start) if start < stop else None


def _stored_type(column: Column) -> pa.DataType:
    type_: pa.DataType = column.type
    return type_.value_type if isinstance(type_, pa.DictionaryType) else type_


def _compare_positions(name: str, domain: Domain, op: str, span: tuple[int, int]) -> Piece:
    """`span` holds the positions that equal the value; what lies before is less, what lies behind is more."""
    start, stop = max(span[0], domain.low), min(span[1], domain.high + 1)
    if stop - start == 1:
        return compare_text(name, op, domain.write(start))
    start, stop = max(domain.low, min(start, domain.high + 1)), max(domain.low, min(stop, domain.high + 1))
    stop = max(start, stop)
    match op:
        case "=":
            return start < stop and join_and((_from(name, domain, start), _below(name, domain, stop)))
        case "<>":
            return start >= stop or join_or((_below(name, domain, start), _from(name, domain, stop)))
        case "<":
            return _below(name, domain, start)
        case "<=":
            return _below(name, domain, stop)
        case ">":
            return _from(name, domain, stop)
    return _from(name, domain, start)


def _below(name: str, domain: Domain, position: int) -> Piece:
    if position <= domain.low:
        return False
    return position > domain.high or compare_text(name, "<", domain.write(position))


def _from(name: str, domain: Domain, position: int) -> Piece:
    if position > domain.high:
        return False
    return position <= domain.low or compare_text(name, ">=", domain.write(position))


def _compare_boolean(name: str, op: str, value: object) -> Piece:
    if not isinstance(value, bool):
        raise UnrenderableError(f"a BOOLEAN column is compared with {_a(describe_value(value))}")
    kept = {
        "=": (value,),
        "<>": (not value,),
        "<": (False,) if value else (),
        "<=": (False, True) if value else (False,),
        ">": () if value else (True,),
        ">=": (True,) if value else (False, True),
    }[op]
    if len(kept) != 1:
        return bool(kept)
    return Clause(name if kept[0] else f"NOT {name}")


def _write_text(type_: pa.DataType, value: object) -> str:
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        raise UnrenderableError(f"a VARCHAR column is compared with {_a(describe_value(value))}")
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        if isinstance(value, bytes):
            return f"X'{value.hex()}'"
        raise UnrenderableError(f"a BLOB column is compared with {_a(describe_value(value))}")
    raise UnrenderableError(f"literals of type {type_} are not proved equal")


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
