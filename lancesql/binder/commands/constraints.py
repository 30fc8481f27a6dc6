"""The defaults and checks of a table as SQL."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from lancesql.binder.splice import Edit, splice
from lancesql.catalog import Catalog, TableInfo
from lancesql.errors import Span
from lancesql.parser import parse_expression
from lancesql.plan.constraints import Check, read_constraints

__all__ = ["write_cast", "write_check", "write_default"]


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
    tree = parse_expression(check.text)
    renamed = dict(check.columns)
    edits = []
    for column in tree.find_all(exp.Column) if tree is not None else ():
        first = column.parts[0]
        name = renamed.get(first.name, first.name)
        if name != first.name and "start" in first.meta:
            edits.append(Edit(Span(first.meta["start"], first.meta["end"] + 1), _quote(name)))
    return splice(check.text, edits)


def _quote(name: str) -> str:
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'
