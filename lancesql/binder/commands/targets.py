"""What the names in a command mean: which table, whose, and which of its columns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa

from lancesql.binder.tables import (
    find_rivals,
    is_lance_path,
    join_name,
    require_table,
    resolve_moment,
    show_choices,
)
from lancesql.catalog import MAIN_DATABASE, Catalog, TableInfo
from lancesql.errors import (
    AmbiguousNameError,
    LanceSQLError,
    Span,
    UnknownColumnError,
    UnsupportedError,
    nearest_name,
)
from lancesql.parser import read_tokens
from lancesql.parser.commands import NameSyntax
from lancesql.parser.parameters import ParameterUse, find_parameters
from lancesql.plan.composition import Composition, compose
from lancesql.plan.query import QueryPlan
from lancesql.plan.spelling import quote_text
from lancesql.plan.type_names import name_arrow_type

__all__ = [
    "CommandContext",
    "find_changed",
    "find_column",
    "find_field",
    "find_target",
    "read_lance_name",
    "require_target",
]


@dataclass(frozen=True)
class CommandContext:
    """What a command is bound with.

    Attributes:
        sql: The statement.
        catalog: Answers about names.
        plan_text: Plans a text that is a query; the place of an error is one of that text.
        has_database: Whether there is a Lance database that plain names can mean.
    """

    sql: str
    catalog: Catalog
    plan_text: Callable[[str], QueryPlan]
    has_database: bool = True

    def bind_query(self, span: Span) -> QueryPlan:
        """The query that stands at a place of the statement, planned."""
        try:
            return self.plan_text(self.sql[span.start : span.end])
        except LanceSQLError as error:
            raise error.locate(self.sql, span.start) from None

    def compose(self, parts: Iterable[str | Span]) -> Composition:
        """A text put together of parts of the statement, in which each `?` is the one it is in the statement."""
        return compose(
            self.sql, itertools.chain(*([one] if isinstance(one, str) else self._number(one) for one in parts))
        )

    def read(self, span: Span) -> str:
        """What stands at a place, to be put into a composition."""
        return self.compose([span]).text

    def _number(self, span: Span) -> list[str | Span]:
        parts: list[str | Span] = []
        at = span.start
        for use in self._anonymous:
            if span.start <= use.span.start < span.end:
                parts += [Span(at, use.span.start), f"${use.name}"]
                at = use.span.end
        return [*parts, Span(at, span.end)]

    @cached_property
    def _anonymous(self) -> list[ParameterUse]:
        return [use for use in find_parameters(read_tokens(self.sql)) if use.anonymous] if "?" in self.sql else []

    def bind_composition(self, composition: Composition) -> QueryPlan:
        """A query put together of parts of the statement, planned."""
        try:
            return self.plan_text(composition.text)
        except LanceSQLError as error:
            raise composition.place_error(error).locate(self.sql) from None

    def refuse_writing(self, name: NameSyntax) -> None:
        """Raises when nothing may be written to the database of that table, or it is an old version that is named."""
        if name.version is not None and not _names_branch(name.version):
            shown = ".".join(name.parts)
            raise UnsupportedError(
                "a version never changes: what is written is a table, or a branch of one",
                hint=f"CREATE BRANCH dev ON {shown} AS OF … begins one there, {shown} AT (BRANCH => 'dev') is written",
                span=name.span,
            )
        own, _ = read_lance_name(name, self.catalog)
        if own is not None and self.catalog.is_read_only(own):
            owner = self.catalog.name_database(own)
            is_attached = owner != MAIN_DATABASE
            hint = f"ATTACH OR REPLACE {owner} without READ_ONLY" if is_attached else "connect with read_only=False"
            raise UnsupportedError("the database is open for reading only", hint=hint, span=name.span)


def _names_branch(version: int | str) -> bool:
    return isinstance(version, str) and version.startswith("branch:") and "@" not in version


def read_lance_name(name: NameSyntax, catalog: Catalog) -> tuple[str | None, bool]:
    """The name a Lance table would have, and whether it can be nothing else; None when it is DuckDB's for certain."""
    if name.quoted_string:
        return name.parts[0], is_lance_path(name.parts[0])
    return join_name(name.parts, catalog)


class ChangeSyntax(Protocol):
    """A statement that changes a table, read; `problem` is what is wrong with it, if the table is a Lance table."""

    @property
    def name(self) -> NameSyntax: ...

    @property
    def problem(self) -> LanceSQLError | None: ...


def find_changed(syntax: ChangeSyntax, context: CommandContext) -> TableInfo | None:
    """The Lance table a statement changes; None when it is DuckDB's.

    Raises:
        LanceSQLError: The problem of the statement.
        UnsupportedError: When the table cannot be written to.
    """
    table = find_target(syntax.name, context.catalog)
    if table is None:
        return None
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name)
    return table


def find_target(syntax: NameSyntax, catalog: Catalog) -> TableInfo | None:
    """The Lance table a name means; None when it is the engine's, or nobody's.

    Raises:
        AmbiguousNameError: When it is a table of both.
        UnknownTableError: When it can only be a Lance table and there is none.
    """
    name, explicit = read_lance_name(syntax, catalog)
    if name is None:
        return None
    table = catalog.find_table(name)
    if table is not None and syntax.version is not None:
        table = _find_snapshot(name, syntax, catalog)
    if is_lance_path(name):
        return table or (require_table(name, syntax.span, catalog, None) if explicit else None)
    rivals = find_rivals(syntax.parts, table, catalog) if explicit or table is not None else ()
    if table is None:
        return require_table(name, syntax.span, catalog, None) if explicit and not rivals else None
    if rivals:
        raise AmbiguousNameError(
            f"'{'.'.join(syntax.parts)}' is both a Lance table and a DuckDB table",
            hint=show_choices(table, rivals),
            span=syntax.span,
        )
    return table


def _find_snapshot(name: str, syntax: NameSyntax, catalog: Catalog) -> TableInfo:
    """The table at the version, or on the branch, that stands behind its name."""
    version = syntax.version
    if isinstance(version, str) and version.startswith("timestamp:"):
        version = resolve_moment(quote_text(version.removeprefix("timestamp:")), catalog)
    return require_table(name, syntax.span, catalog, version)


def require_target(syntax: NameSyntax, catalog: Catalog, hint: str) -> TableInfo:
    """The Lance table a name means; `hint` says what to do about one of DuckDB's."""
    table = find_target(syntax, catalog)
    if table is not None:
        return table
    shown = ".".join(syntax.parts)
    if catalog.engine_tables(shown):
        raise UnsupportedError(f"'{shown}' is a DuckDB table", hint=hint, span=syntax.span)
    return require_table(shown, syntax.span, catalog, None)


def find_column(syntax: NameSyntax, table: TableInfo) -> pa.Field[Any]:
    """The column of a table that a name means, in any case.

    Raises:
        UnknownColumnError: When there is none; the hint names the nearest.
        AmbiguousNameError: When several differ in case alone.
    """
    return _find_named(syntax.parts[0], list(table.schema), syntax.span, f"table '{table.name}' has no column")


def find_field(syntax: NameSyntax, table: TableInfo) -> tuple[tuple[str, ...], pa.Field[Any]]:
    """The column that a name means, or the field of a struct, and the names that lead to it.

    Raises:
        UnknownColumnError: When there is none; the hint names the nearest.
        AmbiguousNameError: When several differ in case alone.
    """
    found = find_column(syntax, table)
    path = [found.name]
    for part in syntax.parts[1:]:
        inner: Any = found.type
        column = ".".join(path)
        if not pa.types.is_struct(inner):
            raise UnknownColumnError(
                f"'{column}' is {name_arrow_type(inner)}, which has no field '{part}'", span=syntax.span
            )
        fields = [inner.field(at) for at in range(inner.num_fields)]
        found = _find_named(part, fields, syntax.span, f"column '{column}' has no field")
        path.append(found.name)
    return tuple(path), found


def _find_named(wanted: str, fields: list[pa.Field[Any]], span: Span, missing: str) -> pa.Field[Any]:
    names = [field.name for field in fields]
    if wanted in names:
        return fields[names.index(wanted)]
    matches = [field for field in fields if field.name.lower() == wanted.lower()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        listed = ", ".join(f'"{field.name}"' for field in matches)
        raise AmbiguousNameError(f"'{wanted}' could be any of {listed}", hint="write it as the table does", span=span)
    near = nearest_name(wanted, names)
    listed = f"{missing.rpartition(' ')[2]}s: {', '.join(names)}"
    raise UnknownColumnError(
        f"{missing} '{wanted}'", hint=f"did you mean '{near}'? {listed}" if near else listed, span=span
    )
