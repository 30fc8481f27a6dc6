"""The defaults and checks of a table as SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from lancesql.binder.splice import Edit, splice
from lancesql.binder.tables import name_alias
from lancesql.catalog import Catalog, TableInfo
from lancesql.errors import BindError, Span
from lancesql.parser import parse_expression
from lancesql.plan.constraints import Check, name_checks, read_checks, read_constraints, with_checks
from lancesql.plan.spelling import spell_name

__all__ = [
    "call_check",
    "call_columns",
    "name_defined",
    "refuse_taken_name",
    "write_cast",
    "write_check",
    "write_default",
]


def write_default(table: TableInfo, column: str, catalog: Catalog) -> str:
    """The default of a column as a value of its type; NULL when it has none."""
    expression = read_constraints(table.schema).defaults.get(column)
    if expression is None:
        return "NULL"
    return write_cast(expression, catalog.column_types(pa.schema([table.schema.field(column)]))[0])


def write_cast(expression: str, type_: str) -> str:
    """An expression as a value of a type, as DuckDB would store it."""
    return f"CAST(({expression}) AS {type_})"


def write_check(check: Check) -> str:
    """A check with the names its columns have now."""
    return _rename_columns(check.text, dict(check.columns))


def _rename_columns(predicate: str, names: Mapping[str, str]) -> str:
    """A predicate whose columns are called otherwise."""
    tree = parse_expression(predicate)
    edits = []
    for column in tree.find_all(exp.Column) if tree is not None else ():
        first = column.parts[0]
        name = names.get(first.name, first.name)
        if name != first.name and "start" in first.meta:
            edits.append(Edit(Span(first.meta["start"], first.meta["end"] + 1), spell_name(name)))
    return splice(predicate, edits)


def call_columns(columns: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """What a check calls these columns: as others do, or by a name that nobody calls another one by.

    Example:
        >>> call_columns(["a", "b", "c"], {"a": "a", "d": "b"})
        {'a': 'a', 'b': 'b1', 'c': 'c'}
    """
    called: dict[str, str] = {}
    for name in columns:
        taken = {*known.values(), *called.values()}
        free = (f"{name}{number or ''}" for number in range(len(taken) + 1))
        called[name] = known.get(name) or next(one for one in free if one not in taken)
    return called


def call_check(check: Check, called: Mapping[str, str]) -> Check:
    """The check as it is kept, over columns that it calls so."""
    columns = tuple((called[name], name) for _, name in check.columns)
    return replace(check, text=_rename_columns(check.text, called), columns=columns)


def name_defined(schema: pa.Schema, table: str, taken: Sequence[str] = ()) -> pa.Schema:
    """The schema of a definition, whose checks have names: their own, or those of the table and their columns."""
    checks = read_checks(schema)
    if not checks:
        return schema
    return with_checks(schema, name_checks(checks, name_alias(table), taken))


def refuse_taken_name(name: str, table: TableInfo, span: Span) -> None:
    """Raises when a constraint of the table has that name.

    Raises:
        BindError: With the constraint.
    """
    for check in read_constraints(table.schema).checks:
        if check.name.lower() == name.lower():
            raise BindError(
                f"table '{table.name}' has a constraint '{check.name}' already: CHECK {write_check(check)}",
                hint="give the new one another name",
                span=span,
            )
