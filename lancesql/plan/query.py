"""A statement cut in two: the sources that LanceDB answers, and the relation over them that DuckDB runs."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from .sources import Source
from .values import Value

__all__ = ["DirectAnswer", "OutputColumn", "QueryPlan"]


@dataclass(frozen=True)
class OutputColumn:
    """A result column that is a source's column passed through: `type` is what Lance stores."""

    name: str
    source_column: str
    type: pa.DataType


@dataclass(frozen=True)
class DirectAnswer:
    """The relation is a plain projection of its one source: it is answered without the engine.

    Attributes:
        output: The result's columns, in order.
        limit: LIMIT, or None.
        offset: OFFSET, or None.
    """

    output: tuple[OutputColumn, ...]
    limit: Value | None = None
    offset: Value | None = None


@dataclass(frozen=True)
class QueryPlan:
    """What runs.

    Attributes:
        sql: The user's text.
        relation: The user's text with each source's span replaced by its placeholder.
        sources: The sources, in the order of the text.
        parameters: The parameters the relation still needs.
        used_parameters: Every parameter the statement names.
        output: The result columns known to be passed through, for those types DuckDB changes; None when unknown.
        direct: Set when the engine is not needed.
        returns_rows: Whether the relation is a query (not an INSERT, COPY, …).
    """

    sql: str
    relation: str
    sources: tuple[Source, ...] = ()
    parameters: tuple[str, ...] = ()
    used_parameters: tuple[str, ...] = ()
    output: tuple[OutputColumn | None, ...] | None = None
    direct: DirectAnswer | None = None
    returns_rows: bool = True

