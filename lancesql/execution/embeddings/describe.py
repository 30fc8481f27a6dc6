"""What EXPLAIN says of the texts of a search."""

from __future__ import annotations

from lancesql.execution.run import Run
from lancesql.plan.sources import HybridSearch, Source, VectorSearch
from lancesql.plan.values import Constant, Parameter
from lancesql.plan.vector_options import Examples

__all__ = ["describe_embedding"]


def describe_embedding(source: Source, run: Run) -> list[str]:
    """What makes a vector of the query; nothing when the query is a vector."""
    search = source.vector if isinstance(source, HybridSearch) else source
    if not isinstance(search, VectorSearch) or search.scan is not None or isinstance(search.query, Examples):
        return []
    found = run.embeddings.find(search.table, search.column) if run.embeddings is not None else None
    if found is None:
        return []
    origin = "registered" if found.info.origin == "session" else "of the table's metadata"
    match search.query:
        case Constant(value):
            raw = value
        case Parameter(name) if name in run.values:
            raw = run.values[name]
        case _:
            return [f"{found.info.function}, {origin}, where the query is a text"]
    first = next((one for one in raw if one is not None), None) if isinstance(raw, list | tuple) else raw
    return [f"{found.info.function}, {origin}"] if isinstance(first, str) else []
