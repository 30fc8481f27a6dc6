"""Which names of a statement are Lance tables, and at which version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from sqlglot import exp

from lancesql.catalog import MAIN_DATABASE, Catalog, TableInfo, VersionRef
from lancesql.errors import (
    AmbiguousNameError,
    ArgumentError,
    LanceSQLError,
    ParameterError,
    Span,
    UnknownTableError,
    nearest_name,
)
from lancesql.parser.calls import Argument
from lancesql.parser.snapshots import AtClause
from lancesql.parser.tokens import TokenType, is_word

from .literals import read_literal

__all__ = [
    "explain_unfinished",
    "find_lance_table",
    "find_rivals",
    "is_lance_path",
    "join_name",
    "may_be_lance",
    "name_alias",
    "read_at_clause",
    "read_parts",
    "require_table",
    "resolve_moment",
    "show_choices",
    "table_span",
]


def is_lance_path(name: str) -> bool:
    """Whether a quoted name is the path of a Lance table."""
    return name.rstrip("/").lower().endswith(".lance")


def name_alias(name: str) -> str:
    """What a table without an alias is called in the rest of the statement."""
    return PurePosixPath(name.rstrip("/")).stem if is_lance_path(name) else name.rsplit(".", 1)[-1]


def table_span(node: exp.Table) -> Span | None:
    """Where a table reference stands, without its alias; None for one that has no place of its own."""
    identifiers = [part for part in (node.args.get(key) for key in ("catalog", "db", "this")) if part is not None]
    places = [part.meta for part in identifiers if "start" in part.meta]
    if not places or len(places) != len(identifiers):
        return None
    return Span(min(place["start"] for place in places), max(place["end"] for place in places) + 1)


def find_lance_table(
    node: exp.Table, span: Span, sql: str, catalog: Catalog, version: VersionRef | None
) -> TableInfo | None:
    """The Lance table a table reference means, or None when it is the engine's.

    Raises:
        AmbiguousNameError: When it is a table of both.
        UnknownTableError: When it says `lance.…` or `'….lance'` and there is none.
    """
    if not isinstance(node.this, exp.Identifier):
        return None
    if sql[span.start] == "'":
        return require_table(node.name, span, catalog, version) if is_lance_path(node.name) else None
    parts = read_parts(node)
    name, explicit = join_name(parts, catalog)
    if name is None:
        return None
    table = _look_up(name, version, span, catalog)
    rivals = find_rivals(parts, table, catalog)
    if table is None:
        return require_table(name, span, catalog, version) if explicit and not rivals else None
    if rivals:
        raise AmbiguousNameError(
            f"'{'.'.join(parts)}' is both a Lance table and a DuckDB table",
            hint=show_choices(table, rivals),
            span=span,
        )
    return table


def may_be_lance(node: exp.Table, catalog: Catalog) -> bool:
    """Whether a table reference says that it is a Lance table, or has the name of one."""
    if is_lance_path(node.name):
        return True
    name, explicit = join_name(read_parts(node), catalog)
    return explicit or (name is not None and catalog.find_table(name) is not None)


def join_name(parts: Sequence[str], catalog: Catalog) -> tuple[str | None, bool]:
    """The name of the Lance table that these parts may name, and whether they can name nothing else.

    None when they name something of DuckDB. `database.main.table` is how DuckDB would write it in full.
    """
    if len(parts) == 1:
        return parts[0], False
    if not catalog.is_database(parts[0]):
        return None, False
    own = parts[2:] if len(parts) == 3 and parts[1].lower() == "main" else parts[1:]
    is_plain = parts[0].lower() == MAIN_DATABASE and catalog.name_database("") == MAIN_DATABASE
    return ".".join(own if is_plain else (parts[0], *own)), True


def find_rivals(parts: Sequence[str], table: TableInfo | None, catalog: Catalog) -> Sequence[str]:
    """The tables of DuckDB that the same name may mean; `lance.name` is first of all a Lance table."""
    if table is not None and len(parts) > 1 and parts[0].lower() == MAIN_DATABASE:
        return ()
    return catalog.engine_tables(parts[0] if len(parts) == 1 else f"{parts[0]}.{parts[-1]}")


def show_choices(table: TableInfo | str, rivals: Sequence[str]) -> str:
    """How to write a name that several tables share."""
    name = table if isinstance(table, str) else table.name
    is_qualified = not isinstance(table, str) and bool(table.database)
    if is_qualified and any(one.lower().endswith(f".{name.lower()}") for one in rivals):
        return f"write {' or '.join(rivals)} for DuckDB's; DETACH {name.partition('.')[0]} and choose another name"
    return f"write {name if is_qualified else f'{MAIN_DATABASE}.{name}'} or {' or '.join(rivals)}"


def read_parts(node: exp.Table) -> list[str]:
    """The parts of a table reference: `["other", "docs"]` for `other.docs`."""
    return [part.name for part in (node.args.get(key) for key in ("catalog", "db", "this")) if part is not None]


def _look_up(name: str, version: VersionRef | None, span: Span | None, catalog: Catalog) -> TableInfo | None:
    try:
        return catalog.find_table(name, version)
    except LanceSQLError as error:  # there is no such version
        error.span = error.span or span
        raise


def require_table(name: str, span: Span | None, catalog: Catalog, version: VersionRef | None) -> TableInfo:
    """The Lance table of that name.

    Raises:
        UnknownTableError: When there is none; the hint lists those there are.
    """
    table = _look_up(name, version, span, catalog)
    if table is not None:
        return table
    names = sorted(catalog.table_names())
    if name.lower() in {one.lower() for one in names}:
        raise explain_unfinished(name, span)
    near = nearest_name(name, names)
    listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "") if names else "none"
    hint = (f"did you mean '{near}'? " if near else "") + f"tables: {listed}"
    raise UnknownTableError(f"Lance table '{name}' does not exist", hint=hint, span=span)


def explain_unfinished(name: str, span: Span | None = None) -> UnknownTableError:
    """The error of a table whose folder is there, and no version in it."""
    return UnknownTableError(
        f"Lance table '{name}' has no version: it is being written, or what wrote it was stopped",
        hint=f"CREATE TABLE {name} writes it anew, and DROP TABLE {name} removes what is left",
        span=span,
    )


def read_at_clause(clause: AtClause, sql: str, catalog: Catalog) -> VersionRef:
    """The version that `AT (VERSION => 3 | 'tag')`, `FOR TIMESTAMP AS OF '…'` and their like name."""
    if clause.kind == "timestamp":
        return _read_moment(sql[clause.value.span.start : clause.value.span.end], clause.value, catalog)
    found = read_version(clause.kind, clause.value, catalog)
    if clause.branch is None:
        return found
    branch = read_version("branch", clause.branch, catalog)
    if not isinstance(found, int):
        raise ArgumentError("a version of a branch is a number", span=clause.value.span)
    return f"{branch}@{found}"


def read_version(kind: str, argument: Argument, catalog: Catalog) -> VersionRef:
    """The version a `version =>`, `tag =>`, `branch =>` or `timestamp =>` argument names.

    Raises:
        ArgumentError: When the value is not a number or a text written in the statement.
    """
    tokens = list(argument.tokens)
    if kind == "timestamp" and len(tokens) == 2 and tokens[0].text.upper() in ("TIMESTAMP", "TIMESTAMPTZ", "DATE"):
        tokens = tokens[1:]
    constant = read_literal(tokens)
    value = constant.value if constant is not None else None
    if kind == "timestamp" and isinstance(value, str):
        return _read_moment("'" + value.replace("'", "''") + "'", argument, catalog)
    if kind == "branch" and isinstance(value, str):
        return f"branch:{value}"
    if kind == "tag" and isinstance(value, str):
        return value
    if kind == "version" and isinstance(value, int | str) and not isinstance(value, bool):
        return value
    if len(tokens) <= 2 and tokens[0].token_type in (TokenType.PARAMETER, TokenType.PLACEHOLDER):
        raise ParameterError(
            "a version that is a parameter has no value here",
            hint="a view cannot hold a parameter, nor one of several statements that are run at once",
            span=argument.span,
        )
    wanted = {
        "version": "a version number or a tag",
        "tag": "a tag",
        "timestamp": "a timestamp as text",
        "branch": "a branch",
    }[kind]
    raise ArgumentError(f"{kind} takes {wanted}, written in the statement or a parameter", span=argument.span)


def _read_moment(sql: str, argument: Argument, catalog: Catalog) -> str:
    """The moment that an expression means; a whole number is microseconds since 1970, as in Spark's connector."""
    value = sql.strip()
    try:
        return resolve_moment(f"make_timestamptz({value})" if value.isdecimal() else value, catalog)
    except LanceSQLError as error:
        error.sql, error.span = None, argument.span
        raise


def resolve_moment(expression: str, catalog: Catalog) -> str:
    """The reference of the version that was the newest at a moment.

    Raises:
        ArgumentError: When the expression is no moment.
    """
    moment = catalog.read_moment(expression)
    if moment is None:
        shown = expression.strip("'")
        raise ArgumentError(f"'{shown}' is not a timestamp", hint="write '2026-01-31 12:00:00'")
    return f"timestamp:{moment.isoformat()}"


def read_table_argument(argument: Argument, catalog: Catalog) -> str:
    """The table name of a search's first argument (`docs`, `'docs'`, `ns.docs`), and the tokens behind it.

    Raises:
        ArgumentError: When it is not a name.
    """
    tokens = list(argument.tokens)
    at = next((index for index, token in enumerate(tokens) if index and is_word(token, "AT")), len(tokens))
    tokens = tokens[:at]
    if tokens[0].token_type is TokenType.STRING:
        if len(tokens) > 1:
            raise ArgumentError("the table of a search is a name", span=argument.span)
        return tokens[0].text
    parts: list[str] = []
    for index, token in enumerate(tokens):
        if index % 2 == 1:
            if token.token_type is not TokenType.DOT:
                raise ArgumentError("the table of a search is a name", span=argument.span)
        elif token.token_type in (TokenType.L_PAREN, TokenType.PARAMETER, TokenType.NUMBER, TokenType.PLACEHOLDER):
            raise ArgumentError(
                "the table of a search is a name",
                hint="write vector_search('docs', …) or vector_search(docs, …)",
                span=argument.span,
            )
        else:
            parts.append(token.text)
    return join_name(parts, catalog)[0] or ".".join(parts)
