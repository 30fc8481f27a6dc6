"""Column definitions of a CREATE TABLE, read by DuckDB itself: their types, defaults and constraints."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from lancesql.errors import BindError, LanceSQLError, UnsupportedError
from lancesql.plan.constraints import (
    DEFAULT,
    NAME,
    PRIMARY_KEY,
    Check,
    add_metadata,
    list_called,
    read_checks,
    write_checks,
)
from lancesql.plan.spelling import quote_name

from .engine_errors import explain_engine_error
from .error_places import find_error_span
from .stored_types import find_unstored, is_held_as_text, write_as_text

if TYPE_CHECKING:
    from .duckdb import DuckDBEngine

__all__ = ["chooses_arrays", "find_declared", "name_types", "read_definition"]

_NAME = "__lancesql_defined"
_COLUMNS = f"SELECT column_name, is_nullable, column_default FROM duckdb_columns() WHERE table_name = '{_NAME}'"
_CONSTRAINTS = f"""
SELECT constraint_type, expression, constraint_column_names FROM duckdb_constraints() WHERE table_name = '{_NAME}'
"""
_REFUSED = {
    "UNIQUE": "a Lance table has no unique columns but its primary key",
    "FOREIGN KEY": "a Lance table has no foreign keys",
}


def read_definition(engine: DuckDBEngine, columns: str, halves: Collection[str]) -> pa.Schema:
    """The schema a list of column definitions means, constraints in its metadata.

    Args:
        engine: Its types, those the user made among them, are known.
        columns: `id BIGINT PRIMARY KEY, vector FLOAT[4], …`.
        halves: The columns whose floating-point numbers are float16.

    Raises:
        LanceSQLError: DuckDB's own error, or a constraint that a Lance table cannot have.
    """
    connection = engine.connection.cursor()  # a temporary table of a cursor is seen by nobody else
    try:
        connection.execute(f"CREATE TEMP TABLE {_NAME} ({columns})")
        described = connection.execute(_COLUMNS).fetchall()
        constraints = connection.execute(_CONSTRAINTS).fetchall()
        relation: Any = connection.sql(f"SELECT * FROM {_NAME} LIMIT 0")
        given, types = relation.to_arrow_table().schema, [str(one) for one in relation.types]
    except duckdb.Error as error:
        raise _explain(error, columns) from None
    finally:
        connection.close()
    for kind, _, _ in constraints:
        if kind in _REFUSED:
            raise UnsupportedError(_REFUSED[kind], hint="leave it out; MERGE and ON CONFLICT keep keys apart")
    keys = [name for kind, _, names in constraints if kind == "PRIMARY KEY" for name in names]
    checks = [_make_check(str(expression), names) for kind, expression, names in constraints if kind == "CHECK"]
    checks += _imply_checks(given.names, types)
    fields = []
    for field, (name, is_nullable, default) in zip(given, described, strict=True):
        metadata = {} if default is None else {DEFAULT: str(default).encode()}
        if name in keys:
            metadata[PRIMARY_KEY] = b"true"
        if checks:
            metadata[NAME] = name.encode()
        type_ = _halve(field.type) if name in halves else field.type
        fields.append(add_metadata(pa.field(name, type_, nullable=bool(is_nullable) and name not in keys), metadata))
    return pa.schema(fields, metadata=write_checks(checks) if checks else None)


def _imply_checks(names: Sequence[str], types: Sequence[str]) -> list[Check]:
    """What a type asks of values that Lance stores as text.

    Raises:
        UnsupportedError: When values of the type would be stored as something else.
    """
    checks: list[Check] = []
    for name, type_ in zip(names, types, strict=True):
        unstored = find_unstored(type_)
        inner = type_.startswith("ENUM") and not type_.endswith("]")
        if unstored or ("ENUM(" in type_ and not inner):
            what = unstored or "ENUM within another type"
            raise UnsupportedError(
                f"column '{name}' is {what}, which Lance cannot store",
                hint="VARCHAR can hold its text",
            )
        quoted = quote_name(name)
        if inner:
            checks.append(_make_check(f"({quoted} IN {type_.removeprefix('ENUM')})", [name]))
        elif is_held_as_text(type_, "UUID"):
            same = f"{quoted} IS NOT DISTINCT FROM CAST(TRY_CAST({quoted} AS {type_}) AS {write_as_text(type_)})"
            checks.append(_make_check(f"({same})", [name]))
        elif type_ == "JSON":
            checks.append(_make_check(f"json_valid({quoted})", [name]))
    return checks


def find_declared(schema: pa.Schema) -> dict[str, str]:
    """The columns that are texts to Lance and were made as UUID or JSON."""
    implied = {
        (one.text, called): type_
        for called in list_called(schema).values()
        for type_ in ("UUID", "JSON")
        for one in _imply_checks([called], [type_])
    }
    held = [(one.columns[0], implied.get((one.text, one.columns[0][0]))) for one in read_checks(schema) if one.columns]
    return {name: type_ for (_, name), type_ in held if type_ is not None}


def _make_check(text: str, columns: Sequence[str]) -> Check:
    return Check(text, tuple((name, name) for name in dict.fromkeys(columns)))


def _explain(error: duckdb.Error, columns: str) -> LanceSQLError:
    """DuckDB's error, with its place among the columns."""
    explained = explain_engine_error(error)
    explained.message = explained.message.replace(f'table "{_NAME}"', "the table").rstrip("!")
    if "Invalid type for index key" in explained.message:
        explained = BindError("a primary key is made of plain values, not of vectors, lists or structs")
    explained.span = find_error_span(columns, explained)
    return explained


def chooses_arrays() -> bool:
    """Whether CASE knows arrays, which DuckDB 1 takes as lists alone."""
    return not duckdb.__version__.startswith("1.")


def name_types(engine: DuckDBEngine, schema: pa.Schema) -> list[str]:
    """What DuckDB calls the types of columns."""
    relation: Any = engine.connection.from_arrow(schema.empty_table())
    return [str(one) for one in relation.types]


def _halve(type_: Any) -> Any:
    if pa.types.is_fixed_size_list(type_):
        return pa.list_(_halve(type_.value_type), type_.list_size)
    return pa.float16() if pa.types.is_floating(type_) else type_
