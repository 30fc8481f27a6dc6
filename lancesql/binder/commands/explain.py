"""EXPLAIN, bound."""

from __future__ import annotations

from dataclasses import replace

from lancesql.errors import Span, UnsupportedError
from lancesql.parser.commands import ExplainSyntax
from lancesql.plan import Explain, LogicalPlan, QueryPlan
from lancesql.plan.commands import CreateReference, DropReference, find_query

__all__ = ["explain_statement"]


def explain_statement(syntax: ExplainSyntax, inner: LogicalPlan | None) -> Explain | None:
    """The EXPLAIN of a plan; None when DuckDB runs the statement and explains it.

    Raises:
        UnsupportedError: When it could only be measured by being carried out, or has no recall.
    """
    is_query = isinstance(inner, QueryPlan) and inner.returns_rows
    if syntax.recall and not is_query:
        raise UnsupportedError("only a query with a search has a recall", hint="EXPLAIN (RECALL) SELECT …")
    if inner is None or isinstance(inner, Explain):
        return None
    if syntax.problem is not None:
        raise syntax.problem
    if syntax.analyze and not is_query:
        raise UnsupportedError(
            "EXPLAIN ANALYZE would carry the statement out",
            hint="EXPLAIN shows what it would do; EXPLAIN ANALYZE is for queries",
            span=Span(syntax.body.start, syntax.body.end),
        )
    if syntax.format == "sql" and not isinstance(inner, QueryPlan) and find_query(inner) is None:
        raise UnsupportedError(
            "there is no query within this statement that DuckDB could be given", hint="leave SQL out"
        )
    if isinstance(inner, CreateReference | DropReference) and inner.span is not None:
        start = syntax.body.start
        inner = replace(inner, span=Span(inner.span.start + start, inner.span.end + start))
    return Explain(inner, syntax.analyze, syntax.recall, syntax.format)
