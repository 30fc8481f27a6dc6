"""Columns that are named with the database of their table, `other.docs.title`, and tables of one name side by side."""

from __future__ import annotations

from sqlglot import exp

from lancesql.binder.filters.ctes import find_cte
from lancesql.catalog import MAIN_DATABASE, Catalog
from lancesql.errors import AmbiguousNameError, Span
from lancesql.parser import Statement
from lancesql.plan.expansion import Expansion

from .drafts import is_target
from .scope import find_owner_node
from .splice import Edit, write_expansion
from .tables import is_lance_path, join_name, read_parts, table_span

__all__ = ["expand_qualifiers"]


def expand_qualifiers(statement: Statement, catalog: Catalog) -> Expansion | None:
    """The statement with plain names before its columns; None when nothing has to be written in another way.

    A source of DuckDB has one name. So `other.docs.title` becomes `docs.title`; and where a statement has tables of one
    name from several databases without an alias, each gets one: `"other.docs"`.

    Raises:
        AmbiguousNameError: When it is not said which of these tables a column belongs to.
    """
    if all(one.name == MAIN_DATABASE for one in catalog.databases()):
        return None
    named = _find_named(statement, catalog)
    owners: dict[str, set[str]] = {}
    for database, name, _ in named.values():
        owners.setdefault(name, set()).add(database)
    edits = [
        Edit(Span(end, end), f' AS "{database}.{name}"')
        for span, (database, name, _) in named.items()
        if len(owners[name]) > 1 and (end := _end_of_reference(statement, span))
    ]
    for column in statement.tree.find_all(exp.Column):
        parts = [part.name.lower() for part in column.parts[:-1]]
        shared = bool(parts) and len(owners.get(parts[-1], ())) > 1
        if not parts or "start" not in column.parts[0].meta or not (shared or len(parts) > 1):
            continue
        span = Span(column.parts[0].meta["start"], column.parts[-2].meta["end"] + 1)
        owner = _find_database(column, parts, named, span, catalog)
        if owner is not None:
            kept = statement.sql[column.parts[-2].meta["start"] : span.end]
            edits.append(Edit(span, f'"{owner}.{parts[-1]}"' if shared else kept))
    return write_expansion(statement, edits) if edits else None


_Named = dict[Span, tuple[str, str, exp.Expr | None]]


def _find_named(statement: Statement, catalog: Catalog) -> _Named:
    """The Lance tables without an alias: place → database, name in lower case, and the block each stands in."""
    found: _Named = {}
    for node in statement.tree.find_all(exp.Table):
        span = table_span(node)
        if span is None or node.args.get("alias") is not None or node.name in statement.stand_ins:
            continue
        if find_cte(node) is not None or is_lance_path(node.name) or not isinstance(node.this, exp.Identifier):
            continue
        name, _ = join_name(read_parts(node), catalog)
        owner = _find_owner(node)
        if name is not None and owner is not None and catalog.find_table(name) is not None:
            found[span] = (catalog.name_database(name).lower(), node.name.lower(), owner)
    return found


def _find_owner(node: exp.Table) -> exp.Expr | None:
    """The block whose columns may be the table's; an INSERT has those of its target behind its query."""
    owner = find_owner_node(node)
    return node.find_ancestor(exp.Insert) if owner is None and is_target(node) else owner


def _find_database(column: exp.Column, parts: list[str], named: _Named, span: Span, catalog: Catalog) -> str | None:
    """The database of the table that a column belongs to, `other` for `other.docs.title`; None when it has another.

    Raises:
        AmbiguousNameError: When several tables of the nearest block are called so.
    """
    *qualifiers, name = parts
    if qualifiers:
        is_ours = len(qualifiers) == 1 or (len(qualifiers) == 2 and qualifiers[1] == "main")
        if not is_ours or not catalog.is_database(qualifiers[0]):
            return None
        return next((one for one, table, _ in named.values() if (one, table) == (qualifiers[0], name)), None)
    node: exp.Expr | None = column
    while node is not None:
        here = [database for database, table, owner in named.values() if owner is node and table == name]
        if len(here) > 1:
            raise AmbiguousNameError(
                f"'{name}' could be {' or '.join(f'{database}.{name}' for database in here)}",
                hint="write it so before the column, or give the tables aliases",
                span=span,
            )
        if here:
            return here[0]
        node = node.parent
    return None


def _end_of_reference(statement: Statement, span: Span) -> int:
    """Behind the version that a table is read at, where an alias may stand."""
    for clause in statement.at_clauses:
        if clause.span.start >= span.end and not statement.sql[span.end : clause.span.start].strip():
            return clause.span.end
    return span.end
