"""A serialised Polars predicate → SQL: an allow-list of expressions, everything outside it is left to Polars.

Polars gives a source its predicates with their types settled: a literal is of its column's type, or the column is cast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lancesql.frames.statements import Bound, Piece
from lancesql.plan.spelling import quote_name

from .literals import UnprovedError, read_items, read_literal

__all__ = ["translate_conjuncts"]

_COMPARISONS = {
    "Eq": "=", "NotEq": "<>", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">=",
    "EqValidity": "IS NOT DISTINCT FROM", "NotEqValidity": "IS DISTINCT FROM",
}  # fmt: skip
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_CONNECTIVES = {"And": "And", "LogicalAnd": "And", "Or": "Or", "LogicalOr": "Or"}
_TEXTS = {"StartsWith": "starts_with", "EndsWith": "ends_with", "Contains": "contains"}
_CLOSED = {"Both": (">=", "<="), "Left": (">=", "<"), "Right": (">", "<="), "None": (">", "<")}
_PATTERN = re.compile(r"[\\.+*?()|\[\]{}^$#&\-~\s]")
_WIDER = {"Int8": 8, "Int16": 16, "Int32": 32, "Int64": 64, "UInt8": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}


def translate_conjuncts(expr: Any, schema: pa.Schema) -> tuple[tuple[Piece, ...], bool]:
    """The conjuncts of a predicate that SQL can say, and whether they are all of it.

    Args:
        expr: The Polars expression, as Polars gives it to a source.
        schema: The table's columns, as LanceDB stores them.

    Example:
        >>> import polars as pl
        >>> typed = pl.col("year") > pl.lit(2000, dtype=pl.Int32)
        >>> translate_conjuncts(typed, pa.schema([("year", pa.int32())]))
        ((('"year"', ' > ', Bound(value=2000)),), True)
    """
    try:
        tree = json.loads(expr.meta.serialize(format="json"))
        conjuncts = _flatten(tree, "And")
    except (RecursionError, ValueError, _polars_error()):
        return (), False
    writer = _Writer(schema)
    pieces: list[Piece] = []
    for conjunct in conjuncts:
        try:
            pieces.append(writer.write(conjunct))
        except (UnprovedError, RecursionError):
            continue
    return tuple(pieces), len(pieces) == len(conjuncts)


def _polars_error() -> type[Exception]:
    import polars as pl

    return pl.exceptions.PolarsError


def _flatten(node: Any, connective: str) -> list[Any]:
    found: list[Any] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        inner = one.get("BinaryExpr") if isinstance(one, dict) else None
        if inner is not None and _CONNECTIVES.get(inner["op"]) == connective:
            waiting += [inner["right"], inner["left"]]
        else:
            found.append(one)
    return found


class _Writer:
    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema

    def write(self, node: Any) -> Piece:
        """The SQL of a predicate: true, false and NULL for the same rows.

        Raises:
            UnprovedError: When that is not proved.
        """
        if not isinstance(node, dict) or len(node) != 1:
            raise UnprovedError
        ((kind, inner),) = node.items()
        match kind:
            case "Column":
                name, type_ = self.read_column(node)
                if not pa.types.is_boolean(type_):
                    raise UnprovedError
                return (name,)
            case "BinaryExpr" if inner["op"] in _CONNECTIVES:
                connective = _CONNECTIVES[inner["op"]]
                return self._join([self.write(one) for one in _flatten(node, connective)], connective.upper())
            case "BinaryExpr" if inner["op"] in _COMPARISONS:
                return self._compare(inner["left"], _COMPARISONS[inner["op"]], inner["right"])
            case "Ternary":
                return self._choose(inner)
            case "Function":
                return self._call(inner["input"], inner["function"])
        raise UnprovedError

    def read_column(self, node: Any) -> tuple[str, Any]:
        """A column, or a field of a struct, and its Arrow type."""
        if isinstance(node, dict) and isinstance(node.get("Column"), str):
            name = node["Column"]
            if self.schema.names.count(name) != 1:
                raise UnprovedError
            return quote_name(name), self.schema.field(name).type
        match node:
            case {"Function": {"input": [inner], "function": {"StructExpr": {"FieldByName": str(name)}}}}:
                outer, type_ = self.read_column(inner)
                if pa.types.is_struct(type_) and type_.get_field_index(name) >= 0:
                    return f"{outer}.{quote_name(name)}", type_.field(name).type
        raise UnprovedError

    def _read_side(self, node: Any) -> tuple[str, Any]:
        """A column, and the type that what it is compared with has: a wider one, when Polars casts it without loss."""
        cast = node.get("Cast") if isinstance(node, dict) else None
        if cast is None:
            return self.read_column(node)
        name, type_ = self.read_column(cast["expr"])
        wanted = cast["dtype"].get("Literal") if isinstance(cast["dtype"], dict) else None
        if isinstance(wanted, str) and wanted in _WIDER and pa.types.is_integer(type_):
            wider: Any = getattr(pa, wanted.lower())()
            signs = pa.types.is_signed_integer(type_), pa.types.is_signed_integer(wider)
            if signs in ((True, True), (False, False), (False, True)) and wider.bit_width > type_.bit_width:
                return name, wider
        if wanted == "Float64" and (pa.types.is_integer(type_) or type_ == pa.float32()):
            return name, pa.float64()
        if wanted == {"Datetime": ["Microseconds", None]} and pa.types.is_date32(type_):
            return name, pa.timestamp("us")
        raise UnprovedError

    def _compare(self, left: Any, sign: str, right: Any) -> Piece:
        if isinstance(left, dict) and "Literal" in left:
            left, right, sign = right, left, _FLIPPED.get(sign, sign)
        name, type_ = self._read_side(left)
        value = read_literal(right, type_)
        if value is None and "DISTINCT" not in sign:
            raise UnprovedError
        return (name, f" {sign} ", Bound(value))

    def _choose(self, inner: Any) -> Piece:
        chosen = [self._write_flag(inner[one]) for one in ("truthy", "falsy")]
        return ("CASE WHEN ", *self.write(inner["predicate"]), f" THEN {chosen[0]} ELSE {chosen[1]} END")

    def _write_flag(self, node: Any) -> str:
        value = read_literal(node, pa.bool_())
        return "NULL" if value is None else "true" if value else "false"

    def _call(self, arguments: list[Any], function: Any) -> Piece:
        match function:
            case {"Boolean": "Not"}:
                return ("NOT (", *self.write(arguments[0]), ")")
            case {"Boolean": "IsNull" | "IsNotNull" as which}:
                name, _ = self.read_column(arguments[0])
                return (f"{name} IS {'NOT ' if which == 'IsNotNull' else ''}NULL",)
            case {"Boolean": "IsNan" | "IsNotNan" as which}:
                name, type_ = self.read_column(arguments[0])
                if not pa.types.is_floating(type_):
                    raise UnprovedError
                return (name, " = " if which == "IsNan" else " <> ", Bound(float("nan")))
            case {"Boolean": {"IsIn": {"nulls_equal": bool(nulls_equal)}}}:
                return self._find_in(arguments, nulls_equal)
            case {"Boolean": {"IsBetween": {"closed": closed}}}:
                signs = _CLOSED[closed]
                ends = [self._compare(arguments[0], sign, end) for sign, end in zip(signs, arguments[1:], strict=True)]
                return self._join(ends, "AND")
            case {"StringExpr": _}:
                return self._match(arguments, function["StringExpr"])
            case {"ListExpr": {"Contains": _}}:
                return self._find_item(arguments)
            case "FillNull":
                return ("coalesce((", *self.write(arguments[0]), f"), {self._write_flag(arguments[1])})")
        raise UnprovedError

    def _find_in(self, arguments: list[Any], nulls_equal: bool) -> Piece:
        """A null among the items is found by nothing, or with `nulls_equal` by a null alone."""
        name, type_ = self.read_column(arguments[0])
        items = read_items(arguments[1], type_)
        held = [item for item in items if item is not None]
        if not held:
            raise UnprovedError
        found: Piece = (name, " IN ", Bound(held))
        if not nulls_equal:
            return found
        if len(held) < len(items):
            return (f"{name} IS NULL OR ", *found)
        return (f"{name} IS NOT NULL AND ", *found)

    def _match(self, arguments: list[Any], which: Any) -> Piece:
        name, type_ = self.read_column(arguments[0])
        value = read_literal(arguments[1], type_)
        is_literal = not isinstance(which, dict) or (which.get("Contains") or {}).get("literal") is True
        function = _TEXTS.get(which if isinstance(which, str) else next(iter(which)))
        if function is None or not isinstance(value, str) or (not is_literal and _PATTERN.search(value)):
            raise UnprovedError
        return (f"{function}({name}, ", Bound(value), ")")

    def _find_item(self, arguments: list[Any]) -> Piece:
        name, type_ = self.read_column(arguments[0])
        if not (pa.types.is_list(type_) or pa.types.is_large_list(type_)) or pa.types.is_floating(type_.value_type):
            raise UnprovedError
        value = read_literal(arguments[1], type_.value_type)
        if value is None:
            raise UnprovedError
        return (f"list_contains({name}, ", Bound(value), ")")

    def _join(self, pieces: Sequence[Piece], connective: str) -> Piece:
        parts: list[str | Bound] = []
        for at, piece in enumerate(pieces):
            parts += [f") {connective} (" if at else "(", *piece]
        return (*parts, ")")
