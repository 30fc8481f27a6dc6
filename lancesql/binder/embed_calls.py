"""`embed(text)` in an expression: a function of the engine, under a name of its own, in the place of each call.

As the query of a search it is the text itself: the search embeds it by the function of the column it compares.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlglot import exp

from lancesql.binder.searches.columns import is_vector_column
from lancesql.catalog import Catalog, EmbeddingInfo, TableInfo
from lancesql.errors import ArgumentError, Span, UnknownColumnError, UnknownTableError, UnsupportedError, nearest_name
from lancesql.parser import Statement
from lancesql.parser.calls import Argument
from lancesql.parser.embed_calls import EMBED, EmbedCall, find_embed_calls, names_embed
from lancesql.parser.tokens import TokenType
from lancesql.plan.embeddings import EmbedFunction, Role, refuse_text
from lancesql.plan.expansion import Expansion, Piece
from lancesql.plan.type_names import name_arrow_type

from .literals import read_literal
from .splice import Edit, splice

__all__ = ["EmbedExpansion", "expand_embeds"]

_USAGE = "embed(text [, 'table.column'] [, role => 'query'])"


@dataclass(frozen=True)
class EmbedExpansion:
    """A statement with its calls written out, and the functions they call."""

    expansion: Expansion
    functions: tuple[EmbedFunction, ...]


def expand_embeds(statement: Statement, catalog: Catalog) -> EmbedExpansion | None:
    """The statement with every call written out; None when it calls nothing, or a function of the user's own.

    Raises:
        ArgumentError: When an argument does not fit, or no function can be meant.
        UnsupportedError: When the statement would keep the call.
    """
    if not names_embed(statement.sql):
        return None
    calls = find_embed_calls(statement.tokens)
    if not calls or catalog.has_function(EMBED):
        return None
    tree = statement.tree
    if isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() in ("VIEW", "FUNCTION", "MACRO"):
        kind = str(tree.args.get("kind")).lower()
        raise UnsupportedError(
            f"a DuckDB {kind} cannot hold embed()",
            hint="store what it gives with CREATE TABLE … AS",
            span=calls[0].name_span,
        )
    written: list[tuple[EmbedCall, str, EmbedFunction | None]] = []
    for call in calls:
        given, target, role = _read_arguments(call)
        if call.searched and target is None and role is None:
            written.append((call, _write_text(call, given, statement), None))
            continue
        function = _find_function(call, target, role, catalog)
        written.append((call, _write_call(call, function, statement), function))
    pieces: list[Piece] = []
    functions: list[EmbedFunction] = []
    shift = 0
    for call, shown, function_ in written:
        span = Span(call.span.start + shift, call.span.start + shift + len(shown))
        pieces.append(Piece("", span, call.span))
        if function_ is not None:
            functions.append(EmbedFunction(function_.name, function_.table, function_.column, function_.role, span))
        shift += len(shown) - (call.span.end - call.span.start)
    text = splice(statement.sql, [Edit(call.span, shown) for call, shown, _ in written])
    return EmbedExpansion(Expansion(statement.sql, text, tuple(pieces)), tuple(functions))


def _read_arguments(call: EmbedCall) -> tuple[Argument, Argument | None, Argument | None]:
    positional = [one for one in call.arguments if one.name is None]
    role: Argument | None = None
    for one in call.arguments:
        if one.name is None:
            continue
        if one.name.lower() != "role":
            near = nearest_name(one.name, ["role"])
            raise ArgumentError(
                f"embed() has no argument '{one.name}'",
                hint=f"did you mean '{near}'? {_USAGE}" if near else _USAGE,
                span=one.name_span,
            )
        role = one
    if not 1 <= len(positional) <= 2 or (role is not None and role is not call.arguments[-1]):
        raise ArgumentError(
            f"embed() takes a text, and whose vectors are meant, not {len(call.arguments)} arguments",
            hint=_USAGE,
            span=call.name_span,
        )
    return positional[0], positional[1] if len(positional) > 1 else None, role


def _write_text(call: EmbedCall, text: Argument, statement: Statement) -> str:
    """The text in the place of the call, so that a word in quotes is not taken for the name of a column."""
    shown = statement.sql[text.span.start : text.span.end]
    literal = len(text.tokens) == 1 and text.tokens[0].token_type is TokenType.STRING
    if not call.unnamed or not literal:
        return shown
    if call.unnamed.endswith("hybrid_search"):
        return f"({shown})"
    return f"query => {shown}" if call.alone else shown


def _write_call(call: EmbedCall, function: EmbedFunction, statement: Statement) -> str:
    """The call under the function's name, without its role: the engine takes no names of arguments."""
    arguments = [one for one in call.arguments if one.name is None]
    shown = statement.sql[call.name_span.end : arguments[-1].span.end]
    return f"{function.name}{shown})"


def _find_function(call: EmbedCall, target: Argument | None, role: Argument | None, catalog: Catalog) -> EmbedFunction:
    table, column = _choose_only(call, catalog) if target is None else _read_target(target, catalog)
    return EmbedFunction(f"__lancesql_embed_{secrets.token_hex(8)}", table, column, _read_role(role))


def _read_role(role: Argument | None) -> Role:
    value = read_literal(role.tokens) if role is not None else None
    word = "query" if role is None else str(value.value).lower() if value is not None else ""
    if word == "query":
        return "query"
    if word == "source":
        return "source"
    raise ArgumentError(
        "role is 'query' for a text that is searched for, or 'source' for one that is stored",
        span=role.span if role is not None else None,
    )


def _choose_only(call: EmbedCall, catalog: Catalog) -> tuple[TableInfo | str, str]:
    """The one function of the session; without any the one of the tables."""
    found = list(catalog.session_embeddings() or catalog.embeddings())
    if not found:
        error = refuse_text("docs", "vector", [], call.name_span)
        error.message = "embed() has no embedding function to call: none is registered, and no table has one"
        raise error
    if len({one.identity for one in found}) > 1:
        names = [f"{one.table}.{one.column}" for one in found]
        raise ArgumentError(
            f"embed() could be any of {len(names)} embedding functions: "
            + ", ".join(f"{one.function} of {name}" for one, name in zip(found[:5], names, strict=False)),
            hint=f"name one: embed(…, '{names[0]}')",
            span=call.name_span,
        )
    tables = [(catalog.find_table(one.table), one) for one in found]
    return next(
        ((table, _spell(table, one.column)) for table, one in tables if table is not None),
        (found[0].table, found[0].column),
    )


def _spell(table: TableInfo, column: str) -> str:
    return next((name for name in table.schema.names if name.lower() == column.lower()), column)


def _read_target(target: Argument, catalog: Catalog) -> tuple[TableInfo | str, str]:
    """`'table.column'`, or `'table'` when it has one function."""
    value = read_literal(target.tokens)
    if value is None or not isinstance(value.value, str) or not value.value:
        raise ArgumentError("whose vectors are meant is written in the statement: 'table.column'", span=target.span)
    name, _, column = value.value.rpartition(".")
    table = catalog.find_table(name) if name else None
    if table is not None:
        return table, _find_column(table, column, target, catalog)
    registered = [one for one in catalog.session_embeddings() if _is_named(one, value.value)]
    whole = catalog.find_table(value.value)
    if whole is not None:
        own = [name for name in whole.schema.names if catalog.find_embedding(whole, name) is not None]
        if len(own) == 1:
            return whole, own[0]
        if not own:
            vectors = [field.name for field in whole.schema if is_vector_column(field.type)] or ["vector"]
            raise refuse_text(whole.name, vectors[0], catalog.session_embeddings(), target.span)
        raise ArgumentError(
            f"table '{whole.name}' has several embedding functions",
            hint="name one: " + ", ".join(f"'{whole.name}.{name}'" for name in own),
            span=target.span,
        )
    if len(registered) == 1:
        return registered[0].table, registered[0].column
    names = [f"{one.table}.{one.column}" for one in catalog.embeddings()]
    near = nearest_name(value.value, names)
    listed = f"embedding functions: {', '.join(names[:10]) or 'none'}"
    raise UnknownTableError(
        f"'{value.value}' names no table that has an embedding function",
        hint=f"did you mean '{near}'? {listed}" if near else listed,
        span=target.span,
    )


def _is_named(info: EmbeddingInfo, target: str) -> bool:
    return target.lower() in (info.table.lower(), f"{info.table}.{info.column}".lower())


def _find_column(table: TableInfo, name: str, target: Argument, catalog: Catalog) -> str:
    column = _spell(table, name)
    if column not in table.schema.names:
        vectors = [field.name for field in table.schema if is_vector_column(field.type)]
        near = nearest_name(name, vectors)
        listed = f"vector columns: {', '.join(vectors) or 'none'}"
        raise UnknownColumnError(
            f"table '{table.name}' has no column '{name}'",
            hint=f"did you mean '{table.name}.{near}'? {listed}" if near else listed,
            span=target.span,
        )
    if not is_vector_column(table.schema.field(column).type):
        raise ArgumentError(
            f"column '{table.name}.{column}' holds {name_arrow_type(table.schema.field(column).type)}, not vectors",
            span=target.span,
        )
    if catalog.find_embedding(table, column) is None:
        raise refuse_text(table.name, column, catalog.session_embeddings(), target.span)
    return column
