"""Predicate → the filter text Lance evaluates, every literal rendered by its column's type.

A predicate is written for what is wanted of it: the rows where it is true or false, with or without those where it is
NULL. A negation asks its item for the opposite, so that the text holds no NOT around anything that can be NULL. A value
that Lance would read differently from DuckDB is refused with a reason, and DuckDB evaluates the predicate instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import pyarrow as pa

from lancesql.plan.predicates import (
    And,
    Between,
    Column,
    Comparison,
    DistinctFrom,
    Fixed,
    InList,
    InValues,
    IsNull,
    IsTrue,
    ListContains,
    ListOverlaps,
    Not,
    Operand,
    Or,
    Predicate,
    StringMatch,
    Truth,
)

from .clauses import Clause, Piece, UnrenderableError, join_and, join_or, name_column, write_null
from .columns import write_comparison, write_in
from .lists import write_contains, write_overlap
from .patterns import write_match
from .values import Ask, Unknown, Values, check_kinds

__all__ = ["NOTHING", "Ask", "UnrenderableError", "render_filter"]

NOTHING = "false"
"""The text of a predicate that no row satisfies."""
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def render_filter(predicate: Predicate, values: Mapping[str, object], ask: Ask | None = None) -> str:
    """The text of a predicate; a parameter without a value is shown by its name.

    Args:
        predicate: The predicate.
        values: The parameters' values.
        ask: Computes what only DuckDB can: expressions, and texts read as another type.

    Example:
        >>> import pyarrow as pa
        >>> from lancesql.plan.values import Constant
        >>> render_filter(Comparison(Column("year", pa.int32()), ">=", Constant(2000)), {})
        '`year` >= 2000'

    Raises:
        UnrenderableError: When Lance cannot be told the values with DuckDB's meaning.
    """
    piece = _Writer(Values(values, ask)).write(predicate, True, False)
    return piece.text if isinstance(piece, Clause) else "true" if piece else NOTHING


class _Writer:
    def __init__(self, values: Values) -> None:
        self.values = values

    def write(self, predicate: Predicate, truth: bool, nulls: bool) -> Piece:
        """The rows for which the predicate is `truth`, and with `nulls` those for which it is NULL."""
        match predicate:
            case Comparison(column, op, value):
                return self._compare(column, op, value, truth, nulls)
            case And(items):
                return (join_and if truth else join_or)(self.write(item, truth, nulls) for item in items)
            case Or(items):
                return (join_or if truth else join_and)(self.write(item, truth, nulls) for item in items)
            case Not(item):
                return self.write(item, not truth, nulls)
            case Truth(item, None):
                known = (self.write(item, True, False), self.write(item, False, False))
                return join_and(self.write(item, one, True) for one in (True, False)) if truth else join_or(known)
            case Truth(item, value):
                assert value is not None
                return self.write(item, value, False) if truth else self.write(item, not value, True)
            case IsNull(column):
                return write_null(column, is_null=truth)
            case IsTrue(column):
                name = name_column(column)
                return _settle(column, Clause(name if truth else f"NOT {name}"), nulls)
            case Between(column, low, high):
                check_kinds(column.type, [self.values.read(low), self.values.read(high)])
                parts = (self._compare(column, op, end, truth, nulls) for op, end in ((">=", low), ("<=", high)))
                return join_and(parts) if truth else join_or(parts)
            case DistinctFrom(column, value):
                if self.values.read(value) is None:
                    return self.write(IsNull(column), not truth, False)
                return self._compare(column, "=", value, not truth, truth)
            case InList(column, items, unknown_null, typed):
                listed = [self.values.read(item) for item in items]
                if typed:
                    _check_texts(column, listed)
                return self._find_in(column, listed, unknown_null, truth, nulls)
            case InValues(column, operand, unknown_null):
                held = self.values.read_list(operand)
                if held is None:
                    return nulls
                if isinstance(held, Unknown):
                    return Clause(f"{name_column(column)} {'' if truth else 'NOT '}IN {held}")
                _check_texts(column, held)
                return self._find_in(column, held, unknown_null, truth, nulls)
            case Fixed(operand):
                return self._fix(operand, truth, nulls)
            case StringMatch(column, op, operand, escape):
                pattern, sign = self.values.read(operand), None if escape is None else self.values.read(escape)
                if pattern is None or (escape is not None and sign is None):
                    return nulls
                return _settle(column, write_match(column, op, pattern, sign, truth), nulls)
            case ListContains(column, operand, unknown_null):
                return self._find_item(column, self.values.read(operand), unknown_null, truth, nulls)
            case ListOverlaps(column, how, operands):
                found = (
                    [self.values.read(one) for one in operands]
                    if isinstance(operands, tuple)
                    else self.values.read_list(operands)
                )
                return (
                    nulls
                    if found is None
                    else _settle(column, write_overlap(self.values, column, how, found, truth), nulls)
                )
        assert_never(predicate)

    def _compare(self, column: Column, op: str, operand: Operand, truth: bool, nulls: bool) -> Piece:
        value = self.values.read(operand)
        if value is None:
            return nulls
        return _settle(column, write_comparison(self.values, column, op if truth else _OPPOSITE[op], value), nulls)

    def _find_in(self, column: Column, items: list[object], unknown_null: bool, truth: bool, nulls: bool) -> Piece:
        held = [item for item in items if item is not None]
        check_kinds(column.type, held)
        found = write_in(self.values, column, held, truth)  # even when a NULL decides: a value may be an error
        if len(held) == len(items) or not unknown_null:
            return _settle(column, found, nulls)
        # A NULL in the list: what is found is true, everything else is NULL.
        if truth:
            return nulls or _settle(column, found, False)
        return nulls and _settle(column, found, True)

    def _fix(self, operand: Operand, truth: bool, nulls: bool) -> Piece:
        value = self.values.read(operand)
        if isinstance(value, Unknown):
            return Clause(str(value) if truth else f"NOT {value}")
        if value is None:
            return nulls
        if not isinstance(value, bool):
            raise UnrenderableError("a constant that is not BOOLEAN stands for a predicate")
        return value is truth

    def _find_item(self, column: Column, value: object, unknown_null: bool, truth: bool, nulls: bool) -> Piece:
        if unknown_null and (value is None or not truth or nulls):
            raise UnrenderableError("a NULL in the list makes it NULL, and Lance cannot find one")
        if value is None:
            raise UnrenderableError("a NULL is looked for, and not every list answers DuckDB the same")
        return _settle(column, write_contains(self.values, column, value, truth), nulls)


def _check_texts(column: Column, items: list[object]) -> None:
    """The texts of a list are VARCHAR, which DuckDB compares with texts alone."""
    type_ = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_text = column.json or pa.types.is_string(type_) or pa.types.is_large_string(type_)
    if not is_text and any(isinstance(item, str) and not isinstance(item, Unknown) for item in items):
        raise UnrenderableError(f"a list of VARCHAR is not compared with {type_}")


def _settle(column: Column, piece: Piece, nulls: bool) -> Piece:
    """What holds for the values of a column, said of its rows: those without a value are asked for, or left out."""
    if not nulls:
        return write_null(column, is_null=False) if piece is True else piece
    return join_or((piece, write_null(column)))
