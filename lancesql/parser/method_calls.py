"""`title.upper()`: sqlglot leaves bare names where columns stand before a function that is called like a method."""

from __future__ import annotations

from sqlglot import exp

__all__ = ["name_columns"]

_NO_COLUMNS = (
    exp.Column, exp.Table, exp.TableAlias, exp.DataType, exp.Kwarg, exp.PropertyEQ, exp.Parameter, exp.Placeholder,
    exp.Star, exp.CTE, exp.Schema, exp.ColumnDef,
)  # fmt: skip
_GIVEN: dict[type[exp.Expr], str] = {
    exp.Alias: "alias",
    exp.Lambda: "expressions",
    exp.Comprehension: "expression",
    exp.Dot: "expression",
}
"""Where a name is one that is given, or that of a field."""
_PARTS = ("this", "table", "db", "catalog")
_SCHEMAS = frozenset({"main", "pg_catalog", "information_schema", "system", "temp"})


def name_columns(tree: exp.Expr) -> exp.Expr:
    """The tree with a column for each of those names."""
    calls = [dot for dot in tree.find_all(exp.Dot) if isinstance(dot.expression, exp.Func)]
    names = {id(name): name for call in calls for name in call.this.find_all(exp.Identifier) if _is_column(name)}
    for name in names.values():
        path, top = [name], name
        while _is_path(top):
            top = top.parent
            path.append(top.expression)
        if len(path) <= len(_PARTS) and (len(path) > 1 or not _is_schema(name)):
            column = exp.Column()
            top.replace(column)
            for part, key in zip(reversed(path), _PARTS, strict=False):
                column.set(key, part)
    return tree


def _is_path(name: exp.Expr) -> bool:
    """Whether another name follows, after a dot."""
    parent = name.parent
    return isinstance(parent, exp.Dot) and parent.this is name and isinstance(parent.expression, exp.Identifier)


def _is_column(name: exp.Expr) -> bool:
    parent = name.parent
    if parent is None or isinstance(parent, _NO_COLUMNS):
        return False
    return _GIVEN.get(type(parent)) != name.arg_key


def _is_schema(name: exp.Expr) -> bool:
    """Whether the name stands before its function alone, and is that of a schema."""
    return isinstance(name.parent, exp.Dot) and name.name.lower() in _SCHEMAS
