"""What EXPLAIN says of the texts of a search."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.execution.run import Run
from lancesql.plan import LogicalPlan, QueryPlan
from lancesql.plan.commands import InsertInto, MergeRows, UpdateRows
from lancesql.plan.parts import list_leaves
from lancesql.plan.sources import Source, VectorSearch
from lancesql.plan.values import Constant, Parameter
from lancesql.plan.vector_options import Examples

from .registry import Embedding

__all__ = ["describe_calls", "describe_embedding", "describe_fills", "show_embeddings"]


def describe_embedding(source: Source, run: Run) -> list[str]:
    """What makes a vector of each query; nothing of a query that is a vector."""
    vectors = [leaf for leaf in list_leaves(source) if isinstance(leaf, VectorSearch)]
    named = [(leaf.placeholder.removeprefix(f"{source.placeholder}/"), _describe(leaf, run)) for leaf in vectors]
    return [line if len(vectors) == 1 else f"{name}: {line}" for name, lines in named for line in lines]


def _describe(search: VectorSearch, run: Run) -> list[str]:
    if search.scan is not None or isinstance(search.query, Examples):
        return []
    found = run.embeddings.find(search.table, search.column) if run.embeddings is not None else None
    if found is None:
        return []
    origin = _name_origin(found)
    match search.query:
        case Constant(value):
            raw = value
        case Parameter(name) if name in run.values:
            raw = run.values[name]
        case _:
            return [f"{found.info.function}, {origin}, where the query is a text"]
    first = next((one for one in raw if one is not None), None) if isinstance(raw, list | tuple) else raw
    return [f"{found.info.function}, {origin}"] if isinstance(first, str) else []


def describe_fills(plan: LogicalPlan, run: Run) -> list[str]:
    """What makes the vectors that rows do not bring, and which of them stay as they are though a text changes."""
    if run.embeddings is None:
        return []
    match plan:
        case InsertInto(columns=columns, by_name=by_name) if columns or by_name:
            return _describe_inserted(plan.table, columns, run, by_name=by_name)
        case UpdateRows(changed=changed, columns=columns):
            return _describe_updated(changed.table, columns, run)
        case MergeRows(changed=changed, branches=branches):
            lines: list[str] = []
            for one in branches:
                if one.action == "insert":
                    lines += _describe_inserted(changed.table, one.columns, run)
                elif one.action == "update":
                    lines += _describe_updated(changed.table, one.columns, run)
            return list(dict.fromkeys(lines))
        case _:
            return []


def _describe_inserted(table: TableInfo, columns: Sequence[str], run: Run, *, by_name: bool = False) -> list[str]:
    assert run.embeddings is not None
    return [
        f"  {one.info.column:<10} embedded from {one.info.source} by {one.info.function}"
        + (", unless the query gives it" if by_name else "")
        for one in run.embeddings.find_sources(table)
        if one.info.column not in columns
    ]


def _describe_updated(table: TableInfo, columns: Sequence[str], run: Run) -> list[str]:
    assert run.embeddings is not None
    return [
        f"  {one.info.column:<10} stays as it is, though {one.info.source} changes: set it to embed(…, "
        f"'{table.name}.{one.info.column}', role => 'source')"
        for one in run.embeddings.find_sources(table)
        if one.info.source in columns and one.info.column not in columns
    ]


def describe_calls(plan: QueryPlan, run: Run) -> list[str]:
    """What the calls of `embed()` in a statement mean."""
    lines: list[str] = []
    for one in plan.embeds:
        found = run.embeddings.find(one.table, one.column) if run.embeddings is not None else None
        table = one.table.name if isinstance(one.table, TableInfo) else one.table
        if found is not None:
            lines.append(
                f"Function embed as a {one.role} of {table}.{one.column}: {found.info.function}, {_name_origin(found)}"
            )
    return list(dict.fromkeys(lines))


def show_embeddings(run: Run) -> pa.Table:
    """Every vector column that has an embedding function."""
    listed = run.embeddings.list() if run.embeddings is not None else []
    return pa.table(
        {
            "table": pa.array([one.table for one in listed], pa.string()),
            "column": pa.array([one.column for one in listed], pa.string()),
            "function": pa.array([one.function for one in listed], pa.string()),
            "source": pa.array([one.source for one in listed], pa.string()),
            "origin": pa.array([one.origin for one in listed], pa.string()),
        }
    )


def _name_origin(embedding: Embedding) -> str:
    return "registered" if embedding.info.origin == "session" else "of the table's metadata"
