"""Views of the session: queries kept as text, put in the place of their names before a statement is bound."""

from __future__ import annotations

from sqlglot import exp

from lancesql.binder.filters.ctes import find_cte, find_visible_cte
from lancesql.catalog import Catalog, View
from lancesql.errors import AmbiguousNameError, BindError, Span, UnsupportedError
from lancesql.parser import Statement, parse_statement
from lancesql.parser.calls import Argument
from lancesql.parser.commands import CreateViewSyntax, DropViewSyntax
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.commands import CreateView, DropView
from lancesql.plan.expansion import Expansion, Piece
from lancesql.plan.query import QueryPlan
from lancesql.plan.spelling import quote_name

from .drafts import is_target
from .searches.named_queries import read_name
from .splice import Edit, splice
from .tables import is_lance_path, table_span

__all__ = ["bind_create_view", "bind_drop_view", "expand_views"]


def expand_views(statement: Statement, catalog: Catalog, within: tuple[str, ...] = ()) -> Expansion | None:
    """The statement with each view's query in the place of its name; None when it names no view.

    Args:
        statement: The statement.
        catalog: Answers about names.
        within: The views whose own query this is, the outermost first.

    Raises:
        BindError: When a name is also a table's, when a view would read itself, or when it cannot be read here.
    """
    found: list[tuple[Span, str, View]] = []
    for node in statement.tree.find_all(exp.Table):
        view = catalog.find_view(node.name) if isinstance(node.this, exp.Identifier) else None
        span = table_span(node)
        if view is None or span is None or node.args.get("db") is not None or find_cte(node) is not None:
            continue
        if statement.sql[span.start] == "'" or node.name in statement.stand_ins:
            continue
        found.append((span, _write_query(statement, node, span, view, catalog, within), view))
    for node in statement.tree.find_all(exp.Table) if statement.stand_ins else ():
        call = statement.stand_ins.get(node.name)
        found += (
            _expand_searched(statement, node, call.arguments[0], catalog, within) if call and call.arguments else []
        )
    if not found:
        return None
    found.sort(key=lambda one: one[0])
    pieces: list[Piece] = []
    shift = 0
    for span, text, view in found:
        pieces.append(Piece(view.name, Span(span.start + shift, span.start + shift + len(text)), span))
        shift += len(text) - (span.end - span.start)
    text = splice(statement.sql, [Edit(span, text) for span, text, _ in found])
    return Expansion(statement.sql, text, tuple(pieces))


def _expand_searched(
    statement: Statement, node: exp.Table, argument: Argument, catalog: Catalog, within: tuple[str, ...]
) -> list[tuple[Span, str, View]]:
    """The views that the first argument of a search names: the one that is searched, or those its query reads."""
    name = read_name(argument)
    if name is not None:
        view = catalog.find_view(name) if find_visible_cte(name, node) is None else None
        if view is None:
            return []
        query = _read_query(statement, node, argument.span, view, catalog, within)
        return [(argument.span, _write_item(query, view), view)]
    if argument.tokens[0].token_type is not TokenType.L_PAREN or not is_word(argument.tokens[1], "SELECT"):
        return []
    start = argument.span.start + 1
    inner = parse_statement(statement.sql[start : argument.span.end - 1])
    found = []
    for one in inner.tree.find_all(exp.Table):
        view = catalog.find_view(one.name) if isinstance(one.this, exp.Identifier) else None
        place = table_span(one)
        if view is None or place is None or one.args.get("db") is not None or find_cte(one) is not None:
            continue
        if find_visible_cte(one.name, node) is not None:
            continue
        span = Span(place.start + start, place.end + start)
        query = _read_query(statement, node, span, view, catalog, within)
        item = _write_item(query, view)
        found.append((span, item if one.args.get("alias") is not None else f"{item} AS {quote_name(view.name)}", view))
    return found


def _read_query(
    statement: Statement, node: exp.Table, span: Span, view: View, catalog: Catalog, within: tuple[str, ...]
) -> str:
    """The text of a view's query, the views it reads written out."""
    if is_target(node):
        raise UnsupportedError(
            f"'{view.name}' is a view of this session, and cannot be written to",
            hint=f"DROP VIEW {view.name} makes the name free",
            span=span,
        )
    if view.name.lower() in within:
        path = " → ".join((*within, view.name))
        raise BindError(f"view '{view.name}' reads itself: {path}", span=span)
    _refuse_rivals(view.name, span, catalog)
    if any(clause.span.start >= span.end and not statement.sql[span.end : clause.span.start].strip()
           for clause in statement.at_clauses):  # fmt: skip
        raise UnsupportedError("a view has no versions", hint="write AT (…) behind a table within it", span=span)
    inner = parse_statement(view.sql)
    _refuse_other_names(inner, view, span, catalog)
    expansion = expand_views(inner, catalog, (*within, view.name.lower()))
    query = inner.sql if expansion is None else expansion.text
    _refuse_capture(node, span, view, parse_statement(query))
    return query


def _write_query(
    statement: Statement, node: exp.Table, span: Span, view: View, catalog: Catalog, within: tuple[str, ...]
) -> str:
    query = _read_query(statement, node, span, view, catalog, within)
    before = statement.tokens[statement.token_tree.find_token(span.start) - 1]
    if is_word(before, "DESCRIBE", "SUMMARIZE"):
        return query if not view.columns else f"SELECT * FROM {_name_columns(query, view)}"
    if is_word(before, "TABLE"):
        raise UnsupportedError(f"'{view.name}' is a view", hint=f"write SELECT * FROM {view.name}", span=span)
    item = _write_item(query, view)
    return item if node.args.get("alias") is not None else f"{item} AS {quote_name(view.name)}"


def _write_item(query: str, view: View) -> str:
    return f"(SELECT * FROM {_name_columns(query, view)})" if view.columns else f"({query}\n)"


def _name_columns(query: str, view: View) -> str:
    return f"({query}\n) AS {quote_name(view.name)}({', '.join(map(quote_name, view.columns))})"


def _refuse_rivals(name: str, span: Span, catalog: Catalog) -> None:
    table = catalog.find_table(name)
    rivals = ([f"lance.{table.name}"] if table is not None else []) + list(catalog.engine_tables(name))
    if rivals:
        raise AmbiguousNameError(
            f"'{name}' is both a view of this session and a table",
            hint=f"write {' or '.join(rivals)}, or drop one of them",
            span=span,
        )


def _refuse_other_names(inner: Statement, view: View, span: Span, catalog: Catalog) -> None:
    """A plain name within a view means what it meant when the view was made, or nothing."""
    current = catalog.name_database("")
    if current == view.database:
        return
    known = {name.lower() for name in catalog.table_names()}
    is_attached = view.database in {one.name for one in catalog.databases()}
    for name in _find_plain_names(inner, catalog):
        if is_attached and not {name.lower(), f"{view.database}.{name}".lower()} & known:
            continue  # one of DuckDB
        meant = f"those of {current}" if is_attached else f"those of {current}: {view.database} is detached"
        raise BindError(
            f"view '{view.name}' names '{name}' as a table of {view.database}, and plain names mean {meant}",
            hint=f"USE {view.database}, or write {view.database}.{name} in the view"
            if is_attached
            else f"ATTACH '…' AS {view.database} (TYPE LANCE), or make the view again",
            span=span,
        )


def _find_plain_names(query: Statement, catalog: Catalog) -> list[str]:
    """The names without a qualifier that may be tables; within searches every word that could be one."""
    found = [
        node.name
        for node in query.tree.find_all(exp.Table)
        if isinstance(node.this, exp.Identifier)
        and node.name not in query.stand_ins
        and not node.args.get("db")
        and not is_lance_path(node.name)
        and find_cte(node) is None
        and catalog.find_view(node.name) is None
    ]
    tokens = query.tokens
    for call in query.stand_ins.values():
        for at, token in enumerate(tokens):
            if not call.name_span.end < token.start < call.span.end - 1:
                continue
            beside = {tokens[at - 1].token_type, tokens[at + 1].token_type}
            is_text = token.token_type is TokenType.STRING
            if TokenType.DOT in beside or (is_text and tokens[at - 1].token_type is not TokenType.L_PAREN):
                continue
            if catalog.find_table(token.text) is not None or (is_text and not is_lance_path(token.text)):
                found.append(token.text)
    return found


def _refuse_capture(node: exp.Table, span: Span, view: View, query: Statement) -> None:
    """A common table expression around the view's name must not take the place of a table within the view."""
    free = {
        one.name.lower() for one in query.tree.find_all(exp.Table) if not one.args.get("db") and find_cte(one) is None
    }
    parent = node.parent
    while parent is not None:
        with_ = parent.args.get("with_")
        hidden = {cte.alias.lower() for cte in with_.expressions} & free if with_ is not None else set()
        if hidden:
            name = min(hidden)
            raise UnsupportedError(
                f"view '{view.name}' reads a table '{name}', and a common table expression here has that name",
                hint="give the common table expression another name",
                span=span,
            )
        parent = parent.parent


def bind_create_view(syntax: CreateViewSyntax, query: QueryPlan, catalog: Catalog) -> CreateView | None:
    """The view to keep; None when nothing of Lance is in it, and DuckDB keeps it.

    Raises:
        BindError: When the name is taken.
        UnsupportedError: When the query needs values.
    """
    name = syntax.name.parts[-1]
    held = catalog.find_view(name)
    if not query.sources and not query.embeds:
        if held is not None:
            raise BindError(
                f"view '{name}' exists already, over Lance tables",
                hint=f"DROP VIEW {name} first",
                span=syntax.name.span,
            )
        if len(syntax.name.parts) == 1 and catalog.find_table(name) is not None:
            raise BindError(
                f"'{name}' is a Lance table, and a view of that name would make it ambiguous",
                hint="give the view another name",
                span=syntax.name.span,
            )
        return None
    if len(syntax.name.parts) > 1:
        raise UnsupportedError(
            "a view over Lance tables belongs to the session, and its name has no qualifier", span=syntax.name.span
        )
    if query.used_parameters:
        raise UnsupportedError(
            f"a view cannot hold a parameter (${query.used_parameters[0]})",
            hint="write the value, or ask for it beside the view",
            span=syntax.body,
        )
    _refuse_rivals(name, syntax.name.span, catalog)
    if held is not None and not (syntax.replace or syntax.if_not_exists):
        raise BindError(f"view '{name}' exists already", hint=f"CREATE OR REPLACE VIEW {name}", span=syntax.name.span)
    columns = tuple(column.parts[-1] for column in syntax.columns)
    sql = query.sql if query.expansion is None else query.expansion.sql
    view = View(name, sql, columns, catalog.name_database(""))
    if held is None or syntax.replace:
        expand_views(parse_statement(view.sql), catalog, (name.lower(),))  # it may read itself by way of another
    return CreateView(held if held is not None and not syntax.replace else view, query)


def bind_drop_view(syntax: DropViewSyntax, catalog: Catalog) -> DropView | None:
    """The view to forget; None when it is DuckDB's, or nobody's.

    Raises:
        BindError: When it is a table.
    """
    name = ".".join(syntax.name.parts)
    held = catalog.find_view(name) if len(syntax.name.parts) == 1 else None
    if held is None and catalog.find_table(name) is not None and not catalog.engine_tables(name):
        raise BindError(f"'{name}' is a table, and no view", hint=f"DROP TABLE {name}", span=syntax.name.span)
    return None if held is None else DropView(held.name)
