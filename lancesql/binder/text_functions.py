"""`match()`, `highlight()` and `snippet()`: their arguments, and which column of which table a text is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from lancesql.binder.drafts import PLACEHOLDER
from lancesql.binder.filters.lineage import Lineage
from lancesql.binder.filters.tracing import trace_column
from lancesql.binder.literals import read_literal
from lancesql.binder.searches.columns import is_text_column
from lancesql.catalog import Catalog, TableInfo
from lancesql.errors import ArgumentError, Span
from lancesql.parser import Statement
from lancesql.parser.calls import Argument
from lancesql.parser.parameters import ParameterUse
from lancesql.parser.text_arguments import read_fuzziness, read_operator, read_slop, read_syntax
from lancesql.parser.text_calls import TextCall, find_text_calls
from lancesql.parser.tokens import Token
from lancesql.plan.text import TextReading
from lancesql.plan.text_functions import TextFunction, TracedText
from lancesql.plan.type_names import name_arrow_type

from .splice import Edit
from .text_arguments import (
    POSITIONS,
    USAGE,
    name_call,
    read_constant,
    read_escape,
    read_options,
    read_query,
    split_tuple,
    write_value,
)

__all__ = ["bind_filter_functions", "bind_text_functions", "find_own_calls"]

Trace = Callable[[exp.Column], TracedText | None]


@dataclass(frozen=True)
class _Reading:
    """A call as it was read: the function, and how its text is edited to call it."""

    function: TextFunction
    edits: tuple[Edit, ...]


def find_own_calls(statement: Statement, catalog: Catalog) -> tuple[TextCall, ...]:
    """The calls that are ours: a function or macro of the user's with that name is the user's."""
    return tuple(call for call in statement.text_calls if not catalog.has_function(call.function))


def bind_text_functions(
    statement: Statement, calls: tuple[TextCall, ...], lineage: Lineage, numbers: Iterator[int]
) -> tuple[tuple[TextFunction, ...], list[Edit]]:
    """The functions the relation calls, and the edits by which it does.

    Raises:
        ArgumentError: When an argument is unknown, repeated, missing, or no text.
    """

    def trace(column: exp.Column) -> TracedText | None:
        found = trace_column(column, lineage)
        return None if found is None else TracedText(found[0].table, found[1])

    return _bind_all(calls, statement.tree, statement.sql, statement.parameters, trace, numbers)


def bind_filter_functions(
    text: str, tokens: list[Token], tree: exp.Expr, table: TableInfo, numbers: Iterator[int]
) -> tuple[tuple[TextFunction, ...], list[Edit]]:
    """The functions that the text of `filter => '…'` calls."""
    names = {name.lower(): name for name in table.schema.names}

    def trace(column: exp.Column) -> TracedText | None:
        name = names.get(column.name.lower())
        return None if name is None else TracedText(table, name)

    return _bind_all(find_text_calls(tokens), tree, text, (), trace, numbers)


def _bind_all(
    calls: Iterable[TextCall],
    tree: exp.Expr,
    sql: str,
    parameters: Sequence[ParameterUse],
    trace: Trace,
    numbers: Iterator[int],
) -> tuple[tuple[TextFunction, ...], list[Edit]]:
    nodes = {node.meta.get("start"): node for node in tree.find_all(exp.Anonymous)}
    read = [_bind(call, nodes.get(call.name_span.start), sql, parameters, trace, next(numbers)) for call in calls]
    return tuple(one.function for one in read), [edit for one in read for edit in one.edits]


def _bind(
    call: TextCall,
    node: exp.Expr | None,
    sql: str,
    parameters: Sequence[ParameterUse],
    trace: Trace,
    number: int,
) -> _Reading:
    if len(call.arguments) < 2:
        missing = "a query" if call.arguments else "a text and a query"
        raise ArgumentError(f"{call.function}() needs {missing}", hint=USAGE[call.function], span=call.name_span)
    positions = POSITIONS[call.function]
    if len(call.arguments) > 2 + len(positions):
        extra = call.arguments[2 + len(positions)]
        raise ArgumentError(
            f"{call.function}() takes no more arguments without a name", hint=USAGE[call.function], span=extra.span
        )
    given = dict(zip(positions, call.arguments[2:], strict=False))
    options = read_options(call, given)
    spans, texts = zip(*_split_texts(call, node), strict=True)
    traced = tuple(_trace_text(one, span, call, trace) for one, span in zip(texts, spans, strict=True))
    names, reading = _read_reading(options, texts, traced, call.function)
    placeholder = f"{PLACEHOLDER}text_{number}"
    held = [name for name in positions if name in given]
    tail = [name for name in positions if name in options]
    edits = [Edit(call.name_span, f'"{placeholder}"'), *_unwrap_tuple(call, len(texts))]
    if call.options:
        text = "".join(f", {write_value(options[name], parameters, sql)}" for name in tail)
        edits.append(Edit(Span(call.arguments[-1].span.end, call.span.end - 1), text))
    if node is not None and isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        edits.append(Edit(Span(call.span.end, call.span.end), f' AS "{name_call(call, sql)}"'))
    query = call.arguments[1]
    syntax = read_syntax(*read_constant(options, "syntax"))
    function = TextFunction(
        placeholder=placeholder,
        function=call.function,  # type: ignore[arg-type]
        arguments=(*("text" for _ in texts), "query", *held, *tail),
        names=names,
        traced=traced,
        syntax=syntax,
        reading=reading,
        escapes=read_escape(options),
        query=read_query(query, parameters, syntax, reading),
        span=call.span,
        spans=(*spans, query.span, *(given[name].span for name in held), *(options[name].span for name in tail)),
    )
    return _Reading(function, tuple(edits))


def _read_reading(
    options: dict[str, Argument],
    texts: tuple[exp.Expr | None, ...],
    traced: tuple[TracedText | None, ...],
    function: str,
) -> tuple[tuple[str, ...], TextReading]:
    """What the texts are called, and how the query is read that is asked of them."""
    reading = TextReading(
        operator=read_operator(*read_constant(options, "operator")),
        fuzziness=read_fuzziness(*read_constant(options, "fuzziness")),
        slop=read_slop(*read_constant(options, "slop")),
    )
    tables = {id(one.table): one.table for one in traced if one is not None}
    names = tuple(one.column for one in traced if one is not None)
    if len(tables) == 1 and len(set(names)) == len(texts):
        (table,) = tables.values()
        every = [field.name for field in table.schema if is_text_column(field.type)]
        columns = names if function == "match" else tuple(every)  # a query marks what it asks of this column alone
        others = tuple(name for name in table.schema.names if name not in columns)
        return names, replace(reading, columns=columns, others=others)
    written = tuple(one.name for one in texts if isinstance(one, exp.Column))
    if function == "match" and len(texts) > 1 and len({name.lower() for name in written}) == len(texts):
        return written, replace(reading, columns=written)
    return tuple(str(at) for at in range(len(texts))), reading


def _split_texts(call: TextCall, node: exp.Expr | None) -> list[tuple[Span, exp.Expr | None]]:
    """The texts a call is about, each with its place."""
    first = call.arguments[0]
    tree = node.expressions[0] if node is not None and node.expressions else None
    if read_literal(first.tokens) is not None and isinstance(tree, exp.Array):
        raise ArgumentError(
            f"{call.function}() takes texts, not the names of columns",
            hint="several texts stand in parentheses: match((title, text), 'query')",
            span=first.span,
        )
    if not isinstance(tree, exp.Tuple):
        return [(first.span, tree)]
    if call.function != "match":
        raise ArgumentError(f"{call.function}() takes one text", hint=USAGE[call.function], span=first.span)
    return list(zip(split_tuple(first), tree.expressions, strict=True))


def _unwrap_tuple(call: TextCall, count: int) -> list[Edit]:
    if count == 1:
        return []
    first, last = call.arguments[0].tokens[0], call.arguments[0].tokens[-1]
    return [Edit(Span(first.start, first.end + 1), ""), Edit(Span(last.start, last.end + 1), "")]


def _trace_text(tree: exp.Expr | None, span: Span, call: TextCall, trace: Trace) -> TracedText | None:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    traced = trace(tree) if isinstance(tree, exp.Column) else None
    if traced is not None:
        table = traced.table
        type_ = table.schema.field(traced.column).type
        if not is_text_column(type_):
            listed = ", ".join(one.name for one in table.schema if is_text_column(one.type)) or "none"
            raise ArgumentError(
                f"{call.function}() takes a text, and column '{traced.column}' is {name_arrow_type(type_)}",
                hint=f"text columns of '{table.name}': {listed}",
                span=span,
            )
    return traced
